"""Card text as conservative GitHub-flavoured Markdown: no HTML, and no value of a chart can form markup (CARD-01 to 04)."""

import re
import unicodedata
from collections.abc import Iterable, Sequence

from fhir_profiles.sentences import changed, join, say, say_number

SUMMARY_LIMIT = 139
"""CDS Hooks: fewer than 140 characters; counted in UTF-16 units, which is never less than code points."""

_MAX_VALUE = 300
_REMEMBERED = 2000
"""Characters; a chart may hold any of a million."""
_OR_SHORTER = "\x1f"
"""Between two wordings of one sentence; `plain` takes it out of each."""

_MARKUP = re.compile(r"([\\`*_{}\[\]<>#~|!&])")
_AT_LINE_START = re.compile(r"^(\d{0,9})([-+.)])(?=\D|$)")
"""What would begin a list or draw a line, were it the first thing on a line."""
_LINK = re.compile(r"(?<=:)//|(?<=www)\.|@", re.IGNORECASE)
"""What GitHub's Markdown makes a link of without being asked; a hair space before it prevents that."""

_HARMLESS = re.compile(r"[A-Za-z][A-Za-z0-9 ,;:()?%+=-]*")
"""Most of what is said: nothing in it could open markup or make a link."""


def plain(text: str) -> str:
    """Text with control, format and bidirectional characters removed and white space folded."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())[:_MAX_VALUE]
    kept = text[: _MAX_VALUE * 4].translate(_KEPT)
    return " ".join(unicodedata.normalize("NFC", kept).split())[:_MAX_VALUE].rstrip()


class _KeptCharacters(dict[int, str]):
    """What becomes of a character, looked up once for those that are written often."""

    def __missing__(self, point: int) -> str:
        character = chr(point)
        unwanted = unicodedata.category(character) in ("Cc", "Cf", "Co", "Cs")
        kept = " " if character.isspace() else "" if unwanted else character
        if len(self) < _REMEMBERED:
            self[point] = kept
        return kept


_KEPT = _KeptCharacters()


def escape(text: str) -> str:
    """A value as literal text: plain, and with every character that could open markup escaped."""
    return changed(literal, text)


def literal(text: str) -> str:
    """What `escape` makes of a text in one language."""
    text = plain(text)
    if _HARMLESS.fullmatch(text):
        return text
    escaped = _AT_LINE_START.sub(r"\1\\\2", _MARKUP.sub(r"\\\1", text))
    return _LINK.sub(lambda found: f"\u200a{found[0]}", escaped)


def bullets(lines: Iterable[str]) -> str:
    """A list, one line each; the lines are already Markdown."""
    listed_lines = list(lines)
    return join("", ("- ", join("\n- ", listed_lines))) if listed_lines else ""


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; the cells are already Markdown without line breaks."""
    lines = [header, ["---"] * len(header), *rows]
    return join("", ("| ", join(" |\n| ", [join(" | ", line) for line in lines]), " |"))


def section(title: str, body: str) -> str:
    """A heading in bold and its body, or nothing where there is no body."""
    return join("", ("**", title, "**\n\n", body)) if body else ""


def fit(text: str, limit: int = SUMMARY_LIMIT) -> str:
    """Cut at a word so that the text keeps within the limit; the full text stands in the detail."""
    return changed(cut, text, limit)


def cut(text: str, limit: int) -> str:
    """What `fit` makes of a text in one language."""
    text = plain(text)
    if _utf16_length(text) <= limit:
        return text
    while _utf16_length(text) > limit - 1:
        text = text[:-1]
    at_word = text.rsplit(" ", 1)[0] if " " in text else text
    return at_word.rstrip(" ,;:") + "…"


def longest_that_fits(wordings: Iterable[str]) -> str:
    """The first wording that fits whole; they come longest first. Cut only where even the last does not fit.

    All of them are kept, so that each language is given the wording that fits in it.
    """
    return changed(first_that_fits, join(_OR_SHORTER, [changed(plain, wording) for wording in wordings]))


def first_that_fits(wordings: str) -> str:
    """What `longest_that_fits` chooses in one language."""
    every = wordings.split(_OR_SHORTER)
    return next((wording for wording in every if _utf16_length(wording) <= SUMMARY_LIMIT), cut(every[-1], SUMMARY_LIMIT))


def _utf16_length(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def listed(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(words) < 2:
        return words[0] if words else ""
    return say("{first} and {last}", first=join(", ", words[:-1]), last=words[-1])


def one_of(words: Sequence[str]) -> str:
    """`a`, `a or b`, `a, b or c`."""
    if len(words) < 2:
        return words[0] if words else ""
    return say("{first} or {last}", first=join(", ", words[:-1]), last=words[-1])


def more(number: int) -> str:
    """What ends a list that is not given in full: `2 more`."""
    return say_number("{number} more", "{number} more", number)


def capital(text: str) -> str:
    """The text with a capital first letter."""
    return changed(capitalised, text)


def capitalised(text: str) -> str:
    """What `capital` makes of a text in one language."""
    return text[:1].upper() + text[1:]


def before_colon(text: str) -> str:
    """What a text is about, without what it says of it: `TPMT` of `TPMT: no result on record`."""
    return changed(up_to_colon, text)


def up_to_colon(text: str) -> str:
    """What `before_colon` makes of a text in one language."""
    return text.split(":")[0]
