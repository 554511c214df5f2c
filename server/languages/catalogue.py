"""What the translators wrote: `locale/<language>.po`, read once, when it is first needed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from gettext import c2py
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

LOCALE = Path(__file__).parent / "locale"
ENGLISH = "en"
LANGUAGES = (ENGLISH, "de")
"""What can be chosen; English is what the program writes, and has no file."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The translations into one language.

    Args:
        language: its ISO 639-1 code.
        texts: by what the program writes: a pattern, or a whole text of a YAML file.
        plurals: the patterns with a number, by the pattern for one.
        form: which of these a number takes.
    """

    language: str
    texts: Mapping[str, str]
    plurals: Mapping[str, tuple[str, ...]]
    form: Callable[[int], int]


def read_file(language: str, folder: Path = LOCALE) -> Catalog:
    """The file of a language as it is written, with its comments.

    Raises:
        OSError: there is none.
    """
    with (folder / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language, charset="utf-8", abort_invalid=True)


@cache
def catalogue(language: str) -> Catalogue:
    """What is translated into a language: every entry that is neither empty nor marked as doubtful (fuzzy)."""
    return usable(read_file(language), language)


def usable(written: Catalog, language: str) -> Catalogue:
    """Of what is written, what may be said."""
    texts: dict[str, str] = {}
    plurals: dict[str, tuple[str, ...]] = {}
    for message in written:
        if not message.id or message.fuzzy:
            continue
        if isinstance(message.id, str) and isinstance(message.string, str) and message.string:
            texts[message.id] = message.string
        elif isinstance(message.string, tuple | list) and all(message.string):
            plurals[message.id[0]] = tuple(message.string)
    return Catalogue(language, texts, plurals, c2py(written.plural_expr))
