"""A rule's trigger in plain English, as a small tree and as one line, for the clinician who reviews it.

`not` is carried down to what it denies (not all of A and B is: not A, or not B; Kleene's logic allows it), so that a page says
"no colonoscopy on record" rather than "not: colonoscopy on record". Named groups of patients stay names; `groups_in` tells which
of them a trigger rests on, and a glossary says what each means.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

from cards.condition_words import words_of, written_keys
from cards.titles import Titles, titles
from fhir_profiles.sentences import join, say

COMBINATIONS = ("all", "any", "not", "population")

EVERYONE = say("every patient with myositis whose chart is opened, or whose order it is about")


@dataclass(frozen=True, slots=True)
class Words:
    """A trigger in words.

    Args:
        text: the phrase; of a combination, how its parts are combined.
        parts: what it combines; empty for a phrase.
        is_any: one of the parts is enough.
        group: the named group of patients that the phrase is about.
        statements: ids of the statements that the phrase names.
    """

    text: str
    parts: tuple["Words", ...] = ()
    is_any: bool = False
    group: str | None = None
    statements: tuple[str, ...] = ()


def plain_words(trigger: Mapping[str, Any], named: Titles | None = None) -> Words:
    """A condition in words.

    Args:
        trigger: one condition as it stands in a guideline file.
        named: titles of what it names; those of the packaged definitions by default.

    Raises:
        RuleError: a key of the vocabulary has no words.
    """
    return _said(trigger, True, named or titles())


def _said(node: Mapping[str, Any], holds: bool, named: Titles) -> Words:
    ((key, value),) = node.items()
    if key == "not":
        return _said(value, not holds, named)
    if key in ("all", "any"):
        return _combined([_said(part, holds, named) for part in value], is_any=(key == "any") is holds)
    if key == "population":
        title = group_title(value)
        return Words(say("“{group}”", group=title) if holds else say("not “{group}”", group=title), group=value)
    statements = tuple([value] if isinstance(value, str) else value) if key == "settled" else ()
    return Words(words_of(key, value, holds, named), statements=statements)


def _combined(parts: list[Words], *, is_any: bool) -> Words:
    """One level per change between "all" and "any"."""
    flat = [inner for part in parts for inner in (part.parts if part.parts and part.is_any is is_any else (part,))]
    if len(flat) == 1:
        return flat[0]
    return Words(say("one or more of these") if is_any else say("all of these"), tuple(flat), is_any)


def group_title(name: str) -> str:
    """How a named group of patients is called in words."""
    return name.replace("-", " ")


def one_line(words: Words) -> str:
    """A tree in one line: parts of the outermost combination between semicolons, those inside it in brackets."""
    if not words.parts:
        return words.text
    first, *rest = (_inside(part) for part in words.parts)
    return reduce(_or_after_semicolon if words.is_any else _and_after_semicolon, rest, first)


def _inside(words: Words) -> str:
    if not words.parts:
        return words.text
    first, *rest = (_inside(part) for part in words.parts)
    if words.is_any:
        return say("(either {parts})", parts=reduce(_or_after_comma, rest, first))
    return join("", ("(", reduce(_and_after_comma, rest, first), ")"))


def _or_after_semicolon(first: str, next_one: str) -> str:
    return say("{first}; or {next}", first=first, next=next_one)


def _and_after_semicolon(first: str, next_one: str) -> str:
    return say("{first}; and {next}", first=first, next=next_one)


def _or_after_comma(first: str, next_one: str) -> str:
    return say("{first}, or {next}", first=first, next=next_one)


def _and_after_comma(first: str, next_one: str) -> str:
    return say("{first}, and {next}", first=first, next=next_one)


def groups_in(trigger: Any, populations: Mapping[str, Any]) -> tuple[str, ...]:
    """The named groups that a condition rests on, those inside other groups included, each once.

    Args:
        trigger: a condition, or None.
        populations: the groups, as they stand in `populations.yaml`.
    """
    return tuple(dict.fromkeys(_groups(trigger, populations)))


def _groups(node: Any, populations: Mapping[str, Any]) -> Iterator[str]:
    for key, value in leaves(node):
        if key == "population":
            yield value
            yield from _groups(populations[value], populations)


def leaves(node: Any) -> Iterator[tuple[str, Any]]:
    """Every condition inside a condition that is not a combination, as key and value; a population counts as one."""
    for key, value in (node or {}).items():
        if key in ("all", "any"):
            for part in value:
                yield from leaves(part)
        elif key == "not":
            yield from leaves(value)
        else:
            yield key, value


def explained(trigger: Mapping[str, Any], populations: Mapping[str, Any], named: Titles | None = None) -> str:
    """A trigger in one line, and after it what each of its groups means: complete in itself, for a machine to hand on."""
    groups = groups_in(trigger, populations)
    meanings = [
        say("“{group}” means: {meaning}.", group=group_title(name), meaning=one_line(plain_words(populations[name], named)))
        for name in groups
    ]
    return join(" ", [join("", (one_line(plain_words(trigger, named)), ".")), *meanings])


def spoken_keys() -> tuple[str, ...]:
    """Every key of the rule vocabulary that can be said."""
    return (*COMBINATIONS, *written_keys())
