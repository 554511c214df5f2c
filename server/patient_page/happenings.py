"""What the rows of a timeline are made of: happenings, with their dates as the chart gives them."""

from collections.abc import Iterable
from dataclasses import dataclass

from fhir_profiles.codes import Terminology
from fhir_profiles.dates import DateInterval
from fhir_profiles.record import Fact
from fhir_profiles.sentences import Sentence, say


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened, goes on, or falls due.

    Args:
        kind: how it is drawn.
        when: its date in words.
        says: what happened, in words.
        reference: FHIR reference, `Type/id`; empty for what we worked out.
        start, end: dates as the chart gives them, or None.
        lasts: it is drawn as a bar.
        goes_on: it has not ended.
        is_ahead: it may lie after today, because it is due then.
    """

    kind: str
    when: str
    says: str
    reference: str = ""
    start: DateInterval | None = None
    end: DateInterval | None = None
    lasts: bool = False
    goes_on: bool = False
    is_ahead: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """What belongs into one row: its title, how it stands, and what became of it in a word or two."""

    title: str
    summary: str
    happenings: tuple[Happening, ...]
    word: str = ""


def dated(when: DateInterval | None) -> str:
    """A date in words, or that there is none."""
    return say("{day}", day=when) if when else say("undated")


def spanned(start: DateInterval | None, end: DateInterval | None, *, goes_on: bool) -> Sentence:
    """From when to when, in words, and what of it is not on record."""
    if goes_on:
        return say("since {start}", start=start) if start else say("now, start not on record")
    if start and end:
        return say("{start} to {end}", start=start, end=end)
    if start:
        return say("from {start}, end not on record", start=start)
    return say("until {end}, start not on record", end=end) if end else say("undated")


def specific_concept(concepts: Iterable[str], terms: Terminology) -> str:
    """Of the concepts of one code, the one that fewest codes stand for."""
    return min(concepts, key=lambda concept: (len(terms.codings(concept)), concept))


def title_of(fact: Fact, terms: Terminology) -> str:
    """What a fact is about, in words."""
    return terms.title(specific_concept(fact.concepts, terms)) if fact.concepts else fact.reference
