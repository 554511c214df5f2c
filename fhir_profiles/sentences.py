"""Sentences that remember how they were made, so that the last step before a reader can say them in another language.

Reading and advising write English, and stay pure: no language is passed down to them. What they write is a `Sentence`, which is
its English text to everybody who compares, joins or prints it, and keeps beside it the pattern and what was filled in.
`server.languages` makes the same sentence in another language from these. A text that no pattern made (of our YAML files, a
citation) is an ordinary string and stays as it is, unless the catalogue knows it whole. What somebody else wrote, in a chart or
about a launch, may read like a word of ours and is none: it is `AsWritten`, and no language touches it.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Self, final


@final
class AsWritten(str):
    """Text of a chart or an EHR: the same in every language, also where the catalogue has an entry that reads like it (SM-09)."""

    __slots__ = ()


@final
class Sentence(str):
    """English text, with how it was made.

    One of three: a pattern with values, parts with a separator, or a text that was changed by a function of text.

    Args:
        text: in English.
        pattern: with names in braces; for parts, the separator; empty where a function changed a text.
        values: by name, what was filled in: texts, sentences, numbers, days. For parts, by their position.
        change: the function, and the arguments that it was given after the text.
        plural: the pattern for a number other than one.
    """

    __slots__ = ("change", "pattern", "plural", "values")

    pattern: str
    values: Mapping[str, object] | Sequence[object]
    change: tuple[Callable[..., str], tuple[Any, ...]] | None
    plural: str

    def __new__(
        cls,
        text: str,
        pattern: str,
        values: Mapping[str, object] | Sequence[object],
        change: tuple[Callable[..., str], tuple[Any, ...]] | None = None,
        plural: str = "",
    ) -> "Sentence":
        """Make the text, and keep the rest."""
        return _made(text, pattern, values, change, plural)

    def __deepcopy__(self, memo: object) -> Self:
        """Itself: nothing in it changes."""
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """To another process it travels whole."""
        return (Sentence, (str(self), self.pattern, self.values, self.change, self.plural))


def _made(
    text: str,
    pattern: str,
    values: Mapping[str, object] | Sequence[object],
    change: tuple[Callable[..., str], tuple[Any, ...]] | None = None,
    plural: str = "",
) -> Sentence:
    """The functions below make hundreds for one answer, without the detour over the class."""
    made = str.__new__(Sentence, text)
    made.pattern, made.values, made.change, made.plural = pattern, values, change, plural
    return made


def say(pattern: str, /, **values: object) -> Sentence:
    """A sentence made of a pattern: `say("{drug} since {day}", drug=course.title, day=course.start)`.

    Args:
        pattern: a literal, since the catalogue of messages is collected from the source; names in braces.
        values: texts, sentences, numbers or days, which each language writes in its own way.
    """
    return _made(pattern.format_map(values), pattern, values) if values else _constant(pattern)


@cache
def _constant(pattern: str) -> Sentence:
    """A sentence that says the same to everybody, made once."""
    return _made(pattern.format_map({}), pattern, {})


def say_number(singular: str, plural: str, number: int, /, **values: object) -> Sentence:
    """A sentence with a number in it, `{number}` in both patterns.

    Args:
        singular: the pattern for one; a literal.
        plural: the pattern for any other number; a literal.
        number: how many.
        values: as for `say`.
    """
    values = {"number": number, **values}
    return _made((singular if number == 1 else plural).format_map(values), singular, values, None, plural)


def join(separator: str, parts: Sequence[str]) -> Sentence:
    """Parts with a separator between them, each of which stays a sentence of its own.

    Args:
        separator: the same in all languages: a comma, a line break.
        parts: texts and sentences.
    """
    return _made(separator.join(parts), separator, tuple(parts))


def changed(change: Callable[..., str], text: str, *arguments: Any) -> Sentence:
    """A text changed by a function that works in every language: a capital letter, an escape, a cut at a length.

    Args:
        change: text in, text out; what it gives must be plain text, not a sentence.
        text: a text or sentence.
        arguments: given to the function after the text.
    """
    return _made(change(str(text), *arguments), "", (text,), (change, arguments))
