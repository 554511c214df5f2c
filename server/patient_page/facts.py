"""Facts as the page prints them: a sentence, the resource that it comes from, and whether it is only supposed."""

from collections.abc import Iterable
from dataclasses import dataclass

from cards.markdown import capital, plain
from fhir_profiles.findings import Evidence
from fhir_profiles.sentences import AsWritten, changed


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact.

    Args:
        text: in words, with its date; nothing invisible or reversing in it (CARD-03).
        reference: `Type/id` of the resource, or empty for what was computed.
    """

    text: str
    reference: str = ""


def facts(evidence: Iterable[Evidence]) -> tuple[Fact, ...]:
    """Evidence, each piece once."""
    return tuple(Fact(begin(item.text), as_written(item.reference)) for item in dict.fromkeys(evidence))


def as_written(text: str) -> AsWritten:
    """A text of the chart: plain, and the same in every language."""
    return AsWritten(plain(text))


def begin(text: str) -> str:
    """A text of the evaluation as the beginning of a line; it may hold what the chart says, so it is made plain first."""
    return changed(_begin, text)


def _begin(text: str) -> str:
    return capital(plain(text))
