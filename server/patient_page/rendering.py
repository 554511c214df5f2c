"""The templates of the page. They only print: what they print is made in Python, and every English text of theirs with `say`."""

import unicodedata
from functools import cache
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context

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
    """The templates of this room."""
    return environment_of("server.patient_page")


def environment_of(*packages: str) -> Environment:
    """An environment of Jinja with autoescape: whatever a chart or an EHR wrote becomes text (CARD-01, CARD-02).

    Args:
        packages: in whose `templates` folders a template is looked for.
    """
    made = Environment(
        loader=ChoiceLoader([PackageLoader(package) for package in packages]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    make_speak(made)
    made.finalize = _only_what_shows(made.finalize)
    made.globals |= {"static": STATIC, "languages": [(code, LANGUAGE_NAMES[code]) for code in LANGUAGES]}
    made.filters["begin"] = begin
    made.filters["day"] = lambda day: DateInterval(day, day)  # written in the language of the reader
    return made


def _only_what_shows(speak: Any) -> Any:
    """In the reader's language, and without characters that hide or reverse text (CARD-03).

    The last step, so that it holds for whatever a template prints.
    """

    @pass_context
    def finalize(context: Context, value: Any) -> Any:
        said = speak(context, value)
        return said if not isinstance(said, str) or hasattr(said, "__html__") or said.isprintable() else _visible(said)

    return finalize


def _visible(text: str) -> str:
    return "".join(" " if letter.isspace() else letter for letter in text if letter.isspace() or _shows(letter))


def _shows(letter: str) -> bool:
    return unicodedata.category(letter) not in ("Cc", "Cf", "Co", "Cs")


def render_template(name: str, language: str, **content: object) -> str:
    """One template as HTML.

    Args:
        name: of the file in `templates/patient_page/`.
        language: of the reader.
        content: what it prints.
    """
    with spoken_in(language):
        return environment().get_template(f"patient_page/{name}").render(language=language, **content)
