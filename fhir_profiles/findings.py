"""Answers in three values, and what they rest on.

"Unknown is not no" (design section 4, rule 1). A `Finding` says how the chart stands on one clinical question; `value` reads it
strictly (only a chart that rules something out says no), `recorded` reads it as "is it on record?", which is what an
exclusion such as "no severe lung involvement" can honestly claim.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Answer(StrEnum):
    """Kleene's three truth values."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"

    def negated(self) -> "Answer":
        """Not: swaps yes and no, keeps unknown."""
        return _NEGATED[self]


_NEGATED = {Answer.YES: Answer.NO, Answer.NO: Answer.YES, Answer.UNKNOWN: Answer.UNKNOWN}


def all_of(answers: Iterable[Answer]) -> Answer:
    """And: no if any is no, else unknown if any is unknown, else yes (also for none at all)."""
    seen = set(answers)
    return Answer.NO if Answer.NO in seen else Answer.UNKNOWN if Answer.UNKNOWN in seen else Answer.YES


def any_of(answers: Iterable[Answer]) -> Answer:
    """Or: yes if any is yes, else unknown if any is unknown, else no (also for none at all)."""
    seen = set(answers)
    return Answer.YES if Answer.YES in seen else Answer.UNKNOWN if Answer.UNKNOWN in seen else Answer.NO


class Standing(StrEnum):
    """How the chart stands on a question."""

    PRESENT = "present"
    RULED_OUT = "ruled out"
    NOT_RECORDED = "not recorded"
    NOT_SUPPLIED = "not supplied"
    UNCLEAR = "unclear"
    FAILED = "could not be assessed"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One sentence part about the patient, and the resource it comes from (`Type/id`; empty for a computed fact)."""

    text: str
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Missing:
    """A datum that would help.

    Args:
        text: in words.
        concept: what would supply it: the id of one of our ValueSets, or a FHIR path such as `Patient.birthDate`.
        is_caveat: it decides nothing here; it says that data of one kind were not supplied, or could not be read.
        is_to_repeat: the chart has a result that is not sure enough, so that the test is worth another one.
    """

    text: str
    concept: str
    is_caveat: bool = False
    is_to_repeat: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """What is known about one clinical question.

    Args:
        code: stable name, lower case with hyphens (`interstitial-lung-disease`).
        title: the question in a few words.
        standing: how the chart stands.
        evidence: what the standing rests on.
        missing: what would decide it, where it is not decided.
    """

    code: str
    title: str
    standing: Standing
    evidence: tuple[Evidence, ...] = ()
    missing: tuple[Missing, ...] = ()

    @property
    def is_present(self) -> bool:
        """Whether the chart says yes."""
        return self.standing is Standing.PRESENT

    @property
    def value(self) -> Answer:
        """Strict reading: no only where the chart rules it out."""
        if self.standing is Standing.PRESENT:
            return Answer.YES
        return Answer.NO if self.standing is Standing.RULED_OUT else Answer.UNKNOWN

    @property
    def recorded(self) -> Answer:
        """Reading "is it on record?": no also where nothing is recorded; unknown where the data failed or contradict."""
        if self.standing is Standing.PRESENT:
            return Answer.YES
        return Answer.UNKNOWN if self.standing in (Standing.UNCLEAR, Standing.FAILED) else Answer.NO


_LEAST_CERTAIN_FIRST = (Standing.FAILED, Standing.UNCLEAR, Standing.NOT_SUPPLIED, Standing.NOT_RECORDED)


def standing_of_any(standings: Iterable[Standing]) -> Standing:
    """The standing of "at least one of these": one present is enough; ruled out only if each is."""
    seen = set(standings)
    if Standing.PRESENT in seen:
        return Standing.PRESENT
    return next((standing for standing in _LEAST_CERTAIN_FIRST if standing in seen), Standing.RULED_OUT)


def standing_of_all(standings: Iterable[Standing]) -> Standing:
    """The standing of "all of these": one that is ruled out, or not on record, settles it."""
    seen = set(standings)
    for settling in (Standing.RULED_OUT, Standing.NOT_RECORDED, *_LEAST_CERTAIN_FIRST):
        if settling in seen:
            return settling
    return Standing.PRESENT
