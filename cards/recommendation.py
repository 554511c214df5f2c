"""What is said: a `Recommendation` that holds for a patient, or would hold were a datum known."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from itertools import groupby
from typing import Any

from cards.markdown import before_colon, listed, more
from cards.schedule import Due
from fhir_profiles.findings import Answer, Evidence, Missing
from fhir_profiles.record import DraftOrder
from fhir_profiles.sentences import changed, join, say

URGENCIES = ("urgent", "soon", "routine")
"""The most urgent first; a card is critical, a warning or for information by its most urgent statement."""


@dataclass(frozen=True, slots=True)
class Source:
    """A published source.

    Args:
        id: our name (`titulaer-2011`).
        short: as it is named inside a card (`Titulaer 2011`).
        citation: as it is cited.
        year: of publication, where the page that we read it on gives one.
        evidence: what it rests on, in the words of the review (`evidence C-D`, `eminence`, …).
        url: where it, or the review that we read it in, can be found; None where no address was kept.
        found_in: citation of what the address leads to, where that is not the source itself.
        specialty: whose guideline it is (`neurology`).
    """

    id: str
    short: str
    citation: str
    evidence: str
    year: int | None = None
    url: str | None = None
    found_in: str | None = None
    specialty: str | None = None

    @property
    def basis(self) -> str:
        """The evidence in brackets; a grade range belongs to the guideline overall, never to one of its statements."""
        if not self.evidence.endswith(_WHOLE_GUIDELINE):
            return self.evidence
        return say("{evidence} overall", evidence=changed(_before_brackets, self.evidence))

    @property
    def dated(self) -> str:
        """The short name with a year (`BMJ Best Practice 2024`), where one is known."""
        has_year = any(word.isdigit() and len(word) == 4 for word in self.short.split())
        return self.short if has_year or self.year is None else join(" ", (self.short, str(self.year)))


_WHOLE_GUIDELINE = " (whole guideline)"


def _before_brackets(text: str) -> str:
    return text.rpartition(" (")[0]


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a disagreement.

    Args:
        who: the sources that take it; empty where it stands outside the two source documents.
        says: what they say, in their own strength.
        outside: what it rests on, where it stands outside.
        trigger: whom it fits, as it is written; None where that is not said.
    """

    who: tuple[Source, ...]
    says: str
    outside: str | None = None
    trigger: Mapping[str, Any] | None = None

    @property
    def text(self) -> str:
        """`Feasby 2007 and Donofrio 2009 (evidence-based, grade B-D overall): not recommended.`"""
        return _side_in_words(self.who, self.outside or "", self.says)


@cache
def _side_in_words(who: tuple[Source, ...], outside: str, says: str) -> str:
    """The same on every card that names the disagreement."""
    by_basis = [(basis, [source.dated for source in said]) for basis, said in groupby(who, lambda one: one.basis)]
    named = join("; ", [say("{sources} ({basis})", sources=listed(names), basis=basis) for basis, names in by_basis])
    return say("{who}: {says}.", who=named or say("Outside the sources, {outside}", outside=outside), says=says)


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A disagreement between guidelines (C1 to C15 of the reference): who says what, and a sentence for all of them."""

    id: str
    title: str
    sides: tuple[Side, ...]
    note: str | None = None

    @property
    def lines(self) -> tuple[str, ...]:
        """Every side, and the note."""
        return (*(side.text for side in self.sides), *((self.note,) if self.note else ()))


class Level(StrEnum):
    """How strongly a safety rule speaks (drug-safety.md)."""

    STOP = "stop"
    HOLD = "hold"
    WARN = "warn"
    REMIND = "remind"


@dataclass(frozen=True, slots=True)
class Caution:
    """One drug-safety rule that speaks about a treatment in this patient.

    Args:
        id: rule id.
        level: stop, hold, warn or remind.
        text: what it says.
        source: who says so.
        is_certain: False where a datum is missing that would decide a stop or hold rule.
        instead: what may be used in its place, in words.
        orders: what goes with it (a co-prescription, a test), as order keys.
        alternatives: treatments that the reference names in its place.
        note_on_draft: a sentence that the draft itself should carry.
        may_be_removed: a draft that it speaks about may be removed at a click.
        is_general: it has no condition: it says the same to everybody who gets the drug.
        warn_when_unknown: how a draft is met while it is uncertain: as a warning, else as a reminder.
        ranks_last: the option comes after those that fit as closely.
        because, missing: from the evaluation.
    """

    id: str
    level: Level
    text: str
    source: Source
    is_certain: bool
    instead: str | None = None
    orders: tuple[str, ...] = ()
    alternatives: tuple[str, ...] = ()
    note_on_draft: str | None = None
    may_be_removed: bool = False
    is_general: bool = False
    warn_when_unknown: bool = False
    ranks_last: bool = False
    because: tuple[Evidence, ...] = ()
    missing: tuple[Missing, ...] = ()


@dataclass(frozen=True, slots=True)
class Unchecked:
    """The warnings and reminders about one treatment that could not be weighed, because data were not supplied or not readable.

    Args:
        rules: their ids, the most serious first.
        level: of the most serious.
        warnings: how many of them are warnings.
        sources: whose rules they are.
        missing: what would decide them.
    """

    rules: tuple[str, ...]
    level: Level
    warnings: int
    sources: tuple[Source, ...]
    missing: tuple[Missing, ...]

    @property
    def text(self) -> str:
        """`could not be checked: TPMT or NUDT15, blood count, liver tests and 2 more`; the card says under Missing why."""
        asked = list(dict.fromkeys(before_colon(item.text) for item in self.missing))
        shown = [*asked[:_MOST_ASKED], more(len(asked) - _MOST_ASKED)] if len(asked) > _MOST_ASKED else asked
        return say("could not be checked: {asked}", asked=listed(shown))


_MOST_ASKED = 3


@dataclass(frozen=True, slots=True)
class Backing:
    """One statement behind a treatment option, in the source's own strength."""

    recommendation: str
    source: Source
    strength: str
    line: str
    partner: str | None = None
    remark: str | None = None


@dataclass(frozen=True, slots=True)
class Option:
    """One treatment for this patient now.

    Args:
        treatment: our name (`azathioprine`).
        title: in words.
        backing: who says so, best fit first.
        cautions: what this patient's chart raises against it.
        not_offered: why it is set aside, or None if it stands.
        is_declined: the patient's refusal is all that sets it aside.
        is_ruled_out: it is contraindicated, or was not tolerated, whatever else sets it aside.
        order_withheld: why it stands without a ready-made order, or None.
        reminders: what goes with it.
        undecided: stop and hold rules that a missing datum leaves open.
        unchecked: warnings and reminders that data which could not be read leave open.
        is_adjunct: it goes beside the treatment of the disease, for example for the skin.
        is_best_fit: no other option that stands fits this patient's disease more closely; only these get a ready-made order.
        rank: place among all options of this patient, 0 first.
    """

    treatment: str
    title: str
    backing: tuple[Backing, ...]
    cautions: tuple[Caution, ...] = ()
    reminders: tuple[Caution, ...] = ()
    undecided: tuple[Caution, ...] = ()
    unchecked: Unchecked | None = None
    is_best_fit: bool = True
    is_adjunct: bool = False
    rank: int = 0
    not_offered: str | None = None
    is_declined: bool = False
    is_ruled_out: bool = False
    order_withheld: str | None = None


@dataclass(frozen=True, slots=True)
class DraftAnswer:
    """What to do with an order that is being written.

    Args:
        draft: the order.
        title: of its drug or test, in words.
        note: the sentence to add to it, where that is the answer.
        is_recommended: the client may choose it beforehand; only for the one draft that a stop rule is about.
    """

    draft: DraftOrder
    title: str
    note: str | None = None
    is_recommended: bool = False


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One guideline statement, held against one patient.

    Args:
        id: id in `clinical/recommendations.yaml`.
        topic: card topic code.
        holds: yes, or unknown where one more datum would decide it.
        strength: the source's own word.
        says: the statement, paraphrased.
        urgency: `routine`, `soon` or `urgent`.
        sources: the source itself first.
        because, missing: from the evaluation.
        orders: order keys still to be done.
        already: orders that the chart shows done or ordered.
        options: treatment options that this statement backs; where it waits for data, only those that are set aside
            whatever the data say.
        avoid: treatments that it advises against.
        drugs: what a drug-safety rule that certainly holds is about, in words.
        is_against: it speaks against a treatment that is or may be given or written; such advice is never silenced.
        notes: further sentences that hold for this patient.
        held_back: tests that are named and not ordered now, with the reason.
        declined: tests that the patient declined; they are named and not offered.
        alternatives: order keys of treatments that may be drafted in place of the one being written.
        withdraw: drafts that must not be signed as they are.
        annotate: drafts, and the sentence that each should carry.
        is_note: nothing is left of it but its notes; the statement itself is not printed.
        is_stated: it cannot be computed; printed beside others of its topic, never alone.
        disputes: where guidelines disagree about it, the sides that fit this patient first.
        headline: the sentence of a card that this statement leads; braces are filled in by `summary`.
        asks_about: the features that its condition names.
        due: what its calendar says.
        warns_unread: it advises firmly against treatments of which nobody has seen whether one is being taken.
    """

    id: str
    topic: str
    holds: Answer
    strength: str
    says: str
    urgency: str
    sources: tuple[Source, ...]
    because: tuple[Evidence, ...] = ()
    missing: tuple[Missing, ...] = ()
    orders: tuple[str, ...] = ()
    already: tuple[Evidence, ...] = ()
    options: tuple[Option, ...] = ()
    avoid: tuple[str, ...] = ()
    drugs: tuple[str, ...] = ()
    is_against: bool = False
    cautions: tuple[Caution, ...] = ()
    notes: tuple[str, ...] = ()
    held_back: tuple[tuple[str, str], ...] = ()
    declined: tuple[Evidence, ...] = ()
    alternatives: tuple[str, ...] = ()
    withdraw: tuple[DraftAnswer, ...] = ()
    annotate: tuple[DraftAnswer, ...] = ()
    is_note: bool = False
    is_stated: bool = False
    disputes: tuple[Contradiction, ...] = ()
    headline: str | None = None
    asks_about: tuple[str, ...] = ()
    due: Due | None = None
    warns_unread: bool = False

    @property
    def conflicts(self) -> tuple[str, ...]:
        """The ids of the contradictions."""
        return tuple(dispute.id for dispute in self.disputes)

    @property
    def is_worth_a_card(self) -> bool:
        """Not merely stated, and more is left of it than what the patient declined: a refusal is not answered by asking again."""
        if self.is_stated:
            return False
        return bool(self.held_back) or not (self.is_note and self.declined)


def firm(said: Iterable[Recommendation]) -> list[Recommendation]:
    """What holds for certain and is worth a card.

    Args:
        said: what there is to say.
    """
    return [one for one in said if one.holds is Answer.YES and one.is_worth_a_card]
