"""Jinja templates that speak the reader's language: `say` in them, and whatever they print, comes out in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from jinja2 import Environment, pass_context
from jinja2.runtime import Context

from fhir_profiles.sentences import Sentence, say, say_number
from server.languages.catalogue import ENGLISH
from server.languages.speaking import in_language

_spoken = ContextVar("spoken", default=ENGLISH)
"""Of this request alone: other threads have their own. Templates that are imported without their context see it too."""


@contextmanager
def spoken_in(language: str) -> Iterator[None]:
    """What is rendered meanwhile is in this language: `with spoken_in("de"): return render_template(…)`."""
    before = _spoken.set(language)
    try:
        yield
    finally:
        _spoken.reset(before)


def spoken_language() -> str:
    """The language of what is being rendered."""
    return _spoken.get()


def make_speak(environment: Environment) -> None:
    """Give an environment the globals `say`, `say_number` and `spoken_language`, the filter `here`, and a voice.

    Args:
        environment: of Jinja, before its first template is compiled; Flask's is `application.jinja_env`.
    """
    environment.globals |= {"say": say, "say_number": say_number, "spoken_language": spoken_language}
    environment.filters["here"] = _here
    environment.finalize = _here


@pass_context  # so that Jinja evaluates nothing when it compiles, which happens once and not for every language
def _here(_: Context, value: Any) -> Any:
    """A text in the reader's language; markup and everything else as it is. Escaping comes after it, and sees every letter."""
    return in_language(value, _spoken.get()) if type(value) in (str, Sentence) else value
