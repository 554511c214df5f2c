"""How often advice is followed: per recommendation and version of the knowledge. Pure; what the words mean: docs/feedback.md."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import sqrt

from server.feedback.small_numbers import Cell, withheld

LEAST = 5
"""Fewest patients that a number is about, unless told otherwise."""

SILENT = "silent"
"""The outcome of a card that we got no feedback on; EHRs do not report that a card was ignored."""

WITHOUT_REASON = "none"
OUTCOMES = ("accepted", "overridden", SILENT)

_REVIEW_OVERRIDES = 0.8
_REVIEW_SHOWN = 50
_Z = 1.959964  # 95 %


@dataclass(frozen=True, slots=True)
class ShownCard:
    """A card of ours and its latest outcome.

    Args:
        recommendations: ids of what it said.
        knowledge_version, topic, indicator, service: as it was shown.
        patient: client and pseudonym.
        outcome: `accepted`, `overridden` or `SILENT`.
        reason: code of the reason for overriding; None where there was none.
    """

    recommendations: tuple[str, ...]
    knowledge_version: str
    topic: str
    indicator: str
    service: str
    patient: tuple[str, str]
    outcome: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class UnknownCard:
    """A card that we did not show, or no longer know.

    Args:
        service: where its feedback was sent.
        outcome: the latest.
    """

    service: str
    outcome: str


@dataclass(frozen=True, slots=True, order=True)
class Advice:
    """What a row of figures is about; the services and indicators of a recommendation may fare differently."""

    recommendation: str
    knowledge_version: str
    topic: str
    indicator: str
    service: str


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of the cards shown, with its Wilson interval (95 %), which is honest for few cards and for none."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Figures:
    """How one piece of advice fared; None is a number that is withheld.

    Args:
        advice: what it is about.
        patients: different patients; None withholds the whole row.
        cards: by outcome.
        reasons: overridden cards by code of the reason, as far as they are not withheld.
        is_complete: whether all reasons are there.
    """

    advice: Advice
    patients: int | None = None
    cards: Mapping[str, int | None] = field(default_factory=lambda: dict.fromkeys(OUTCOMES))
    shown: int | None = None
    reasons: Mapping[str, int] = field(default_factory=dict)
    is_complete: bool = False

    @property
    def acceptance(self) -> Rate | None:
        """Accepted cards of those shown."""
        return _rate(self.cards["accepted"], self.shown)

    @property
    def override(self) -> Rate | None:
        """Overridden cards of those shown."""
        return _rate(self.cards["overridden"], self.shown)

    @property
    def needs_review(self) -> bool | None:
        """Overridden so often that somebody should ask why; None if that is withheld. Nothing is switched off by it."""
        if self.shown is None or self.override is None:
            return None
        return self.shown >= _REVIEW_SHOWN and self.override.value > _REVIEW_OVERRIDES


def figures(cards: Iterable[ShownCard], least: int = LEAST) -> list[Figures]:
    """Count.

    Args:
        cards: each once; a card with several recommendations counts for each of them.
        least: fewest patients that a number is about.

    Returns:
        One for each piece of advice, in the order of its name, version, topic, indicator and service.
    """
    counted: dict[Advice, _Count] = {}
    for card in cards:
        for name in card.recommendations:
            advice = Advice(name, card.knowledge_version, card.topic, card.indicator, card.service)
            counted.setdefault(advice, _Count()).add(card)
    return [counted[advice].figures(advice, least) for advice in sorted(counted)]


def unknown_figures(cards: Iterable[UnknownCard], least: int = LEAST) -> dict[str, dict[str, int | None]]:
    """Cards that we do not know, by service and outcome; each counts as a patient, since whose they were is not known."""
    counts = Counter((card.service, card.outcome) for card in cards)
    return {
        service: {outcome: _unless_small(counts[service, outcome], least) for outcome in ("accepted", "overridden")}
        for service in sorted({service for service, _ in counts})
    }


@dataclass(slots=True)
class _Count:
    cards: int = 0
    patients: set[tuple[str, str]] = field(default_factory=set)
    outcomes: dict[str, Cell] = field(default_factory=lambda: {name: Cell() for name in OUTCOMES})
    reasons: dict[str, Cell] = field(default_factory=dict)

    def add(self, card: ShownCard) -> None:
        self.cards += 1
        self.patients.add(card.patient)
        self.outcomes[card.outcome].add(card.patient)
        if card.outcome == "overridden":
            self.reasons.setdefault(card.reason or WITHOUT_REASON, Cell()).add(card.patient)

    def figures(self, advice: Advice, least: int) -> Figures:
        if len(self.patients) < least:
            return Figures(advice)
        hidden = withheld(self.outcomes, least)
        hidden_reasons = self.reasons.keys() if "overridden" in hidden else withheld(self.reasons, least)
        return Figures(
            advice,
            patients=len(self.patients),
            shown=self.cards,
            cards={name: None if name in hidden else cell.cards for name, cell in self.outcomes.items()},
            reasons={code: self.reasons[code].cards for code in sorted(self.reasons) if code not in hidden_reasons},
            is_complete=not hidden_reasons,
        )


def _unless_small(count: int, least: int) -> int | None:
    return None if 0 < count < least else count


def _rate(part: int | None, whole: int | None) -> Rate | None:
    if part is None or not whole:
        return None
    share = part / whole
    centre = share + _Z**2 / (2 * whole)
    spread = _Z * sqrt(share * (1 - share) / whole + _Z**2 / (4 * whole**2))
    low, high = ((centre + sign * spread) / (1 + _Z**2 / whole) for sign in (-1, 1))
    return Rate(round(share, 4), round(max(low, 0.0), 4), round(min(high, 1.0), 4))
