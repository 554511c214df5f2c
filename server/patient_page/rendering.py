"""The templates of the page. They only print: what they print is made in Python, and every English text of theirs with `say`."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from fhir_profiles.dates import DateInterval
from server.languages.catalogue import LANGUAGES
from server.languages.templates import make_speak, spoken_in
from server.patient_page.facts import begin

LANGUAGE_NAMES = {"en": "English", "de": "Deutsch"}
"""What each language calls itself."""

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
    make_speak(made)
    made.globals |= {"static": STATIC, "languages": [(code, LANGUAGE_NAMES[code]) for code in LANGUAGES]}
    made.filters["begin"] = begin
    made.filters["day"] = lambda day: DateInterval(day, day)  # written in the language of the reader
    return made


def render_template(name: str, language: str, **content: object) -> str:
    """One template as HTML.

    Args:
        name: of the file in `templates/patient_page/`.
        language: of the reader.
        content: what it prints.
    """
    with spoken_in(language):
        return environment().get_template(f"patient_page/{name}").render(language=language, **content)
