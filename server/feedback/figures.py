"""How often advice is followed: per recommendation and version of the knowledge. Pure; what the words mean: docs/feedback.md."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt

from server.feedback.small_numbers import Cell, withheld
from server.small_numbers import LEAST

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
        patients: different patients, rounded down to a multiple of the least; None withholds the whole row.
        cards: by outcome.
        shown: all of them.
        reasons: overridden cards by code of the reason, as far as they are not withheld.
        is_whole: whether every card is counted; those are left out whose recommendations few patients had together.
        is_complete: whether all reasons are there.
    """

    advice: Advice
    patients: int | None = None
    cards: Mapping[str, int | None] = field(default_factory=lambda: dict.fromkeys(OUTCOMES))
    shown: int | None = None
    reasons: Mapping[str, int] = field(default_factory=dict)
    is_whole: bool = False
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
        least: fewest patients that a number is about, also one that sums and differences of the numbers give.

    Returns:
        One for each piece of advice, in the order of its name, version, topic, indicator and service.
    """
    kinds: dict[frozenset[Advice], _Kind] = {}
    for card in cards:
        said = frozenset(
            Advice(name, card.knowledge_version, card.topic, card.indicator, card.service) for name in card.recommendations
        )
        kinds.setdefault(said, _Kind()).add(card)
    rows: dict[Advice, list[_Kind]] = {}
    for said, kind in kinds.items():
        for advice in said:
            rows.setdefault(advice, []).append(kind)
    return [_row(advice, rows[advice], least) for advice in sorted(rows)]


def unknown_figures(cards: Iterable[UnknownCard], least: int = LEAST) -> dict[str, dict[str, int | None]]:
    """Cards that we do not know, by service and outcome; each counts as a patient, since whose they were is not known."""
    counts = Counter((card.service, card.outcome) for card in cards)
    return {
        service: {outcome: _unless_small(counts[service, outcome], least) for outcome in ("accepted", "overridden")}
        for service in sorted({service for service, _ in counts})
    }


@dataclass(slots=True)
class _Kind:
    """Cards that said the same, and are therefore counted in the same rows."""

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


def _row(advice: Advice, kinds: Sequence[_Kind], least: int) -> Figures:
    """Sums over kinds of which each may be known by itself: then nothing that rows add up to, or differ by, is too small.

    So what is withheld of one kind is withheld of every row that the kind is counted in.
    """
    counted = [kind for kind in kinds if len(kind.patients) >= least]
    if not counted:
        return Figures(advice)
    hidden = {name for kind in counted for name in withheld(kind.outcomes, least)}
    codes = {code for kind in counted for code in kind.reasons}
    hidden_codes = codes if "overridden" in hidden else {code for kind in counted for code in withheld(kind.reasons, least)}
    patients = len({patient for kind in counted for patient in kind.patients})
    return Figures(
        advice,
        patients=patients - patients % least,
        shown=sum(kind.cards for kind in counted),
        cards={name: None if name in hidden else sum(kind.outcomes[name].cards for kind in counted) for name in OUTCOMES},
        reasons={
            code: sum(kind.reasons[code].cards for kind in counted if code in kind.reasons)
            for code in sorted(codes - hidden_codes)
        },
        is_whole=len(counted) == len(kinds),
        is_complete=not hidden_codes,
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
