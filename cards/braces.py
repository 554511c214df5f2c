"""Sentences of our YAML files with names in braces, which are filled in for one patient (docs/rule-vocabulary.md)."""

from collections.abc import Mapping, Sequence
from string import Formatter

from cards.verdicts import RuleError
from fhir_profiles.sentences import Sentence, say

ON_RECORD, IN_THE_DATA_SUPPLIED = say("on record"), say("in the data supplied")
"""What `{place}` stands for: "on record" claims more than a client that sent no data of one kind allows."""


def names_in(pattern: str) -> list[str]:
    """The names in the braces of a pattern."""
    return [name for _, name, _, _ in Formatter().parse(pattern) if name]


def filled_in(pattern: str, values: Mapping[str, str]) -> str:
    """A pattern of a file with its braces filled in; without braces it stays the text that it is.

    It is made without `say`, whose patterns are literals: this one is collected for the translators from its file.
    """
    if "{" not in pattern and "}" not in pattern:
        return pattern
    named = {name: values[name] for name in names_in(pattern)}
    return Sentence(pattern.format_map(named), pattern, named)


def check_braces(where: str, member: str, pattern: str, known: Sequence[str]) -> None:
    """Whether every brace of a pattern is one that can be filled in.

    Args:
        where: file and entry, for the message.
        member: of the entry.
        pattern: what stands there.
        known: the names that can be filled in.

    Raises:
        RuleError: an unknown name, or a brace that nothing closes.
    """
    try:
        pieces = list(Formatter().parse(pattern))
    except ValueError as error:
        raise RuleError(f"{where}: {member}: {error}; write a brace that is to be read as `{{{{` or `}}}}`") from None
    names = ", ".join(f"{{{name}}}" for name in known)
    for _, name, form, conversion in pieces:
        if name is not None and (name not in known or form or conversion):
            raise RuleError(f"{where}: {member}: unknown brace `{{{name}}}`; known are {names}")
