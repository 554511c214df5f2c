"""The templates of the page. They only print: what they print is made in Python, and every English text of theirs with `say`."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from fhir_profiles.dates import DateInterval
from fhir_profiles.sentences import say, say_number
from server.patient_page.facts import begin

STATIC = "/smart/static"
"""Where the style, script and icon of the page are."""


@cache
def environment() -> Environment:
    """The templates, with autoescape: whatever a chart holds becomes text (CARD-01, CARD-02)."""
    made = Environment(
        loader=PackageLoader("server.patient_page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {"say": say, "say_number": say_number, "static": STATIC}
    made.filters["begin"] = begin
    made.filters["day"] = lambda day: str(DateInterval(day, day))
    return made


def render_template(name: str, language: str, **content: object) -> str:
    """One template as HTML.

    Args:
        name: of the file in `templates/patient_page/`.
        language: of the reader.
        content: what it prints.
    """
    return environment().get_template(f"patient_page/{name}").render(language=language, **content)
