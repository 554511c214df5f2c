"""Who disagrees: the contradictions that matter for this patient, each side in its own words."""

from collections.abc import Iterable
from dataclasses import dataclass

from cards.recommendation import Contradiction, Recommendation, Source
from server.patient_page.facts import begin


@dataclass(frozen=True, slots=True)
class DisputeSide:
    """Who takes it, or what it rests on outside the sources, and what is said."""

    sources: tuple[Source, ...]
    outside: str
    says: str


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One contradiction; the sides that fit the patient first, `about` the statements that it concerns."""

    id: str
    title: str
    sides: tuple[DisputeSide, ...]
    note: str
    about: tuple[str, ...]


def disagreements(recommendations: Iterable[Recommendation]) -> tuple[Disagreement, ...]:
    """Every contradiction that a recommendation of this patient takes part in, once, in the order of their numbers."""
    found: dict[str, Contradiction] = {}
    about: dict[str, list[str]] = {}
    for recommendation in recommendations:
        for dispute in recommendation.disputes:
            found.setdefault(dispute.id, dispute)
            about.setdefault(dispute.id, []).append(begin(recommendation.says))
    in_order = sorted(found.values(), key=lambda dispute: int(dispute.id.removeprefix("C")))
    return tuple(_disagreement(dispute, about[dispute.id]) for dispute in in_order)


def _disagreement(dispute: Contradiction, about: list[str]) -> Disagreement:
    sides = tuple(DisputeSide(side.who, side.outside or "", side.says) for side in dispute.sides)
    return Disagreement(dispute.id, begin(dispute.title), sides, dispute.note or "", tuple(dict.fromkeys(about)))
