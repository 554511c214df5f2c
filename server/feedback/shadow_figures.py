"""What would have been shown in shadow mode, by service: how many cards to a call, and what was left out. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cards.choosing import LeftOut
from server.feedback.small_numbers import Cell, withheld

MANY = 5
"""Calls with more cards are counted together."""

BINS = (*(str(number) for number in range(MANY + 1)), f"{MANY + 1} or more")
REASONS = (LeftOut.OVER_CAP, LeftOut.REPEATED, LeftOut.SNOOZED, LeftOut.BELOW, LeftOut.OFF, LeftOut.WAITS)
"""In the order in which they are printed."""


@dataclass(frozen=True, slots=True)
class ShadowCall:
    """One call of a client in shadow mode.

    Args:
        service: id.
        patient: client and pseudonym.
        cards: how many would have been shown.
        left_out: how many would not, by the value of the reason (`LeftOut`).
    """

    service: str
    patient: tuple[str, str]
    cards: int
    left_out: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class CallFigures:
    """The calls of one service; None is a number that is withheld.

    Args:
        service: id.
        patients: different patients, rounded down to a multiple of the least.
        calls: all of them.
        by_cards: calls by the number of cards (`BINS`).
        cards_per_call: on average; only where `by_cards` is whole, which it would fill in otherwise.
        left_out: calls in which at least one card was left out, by reason.
    """

    service: str
    patients: int | None = None
    calls: int | None = None
    by_cards: Mapping[str, int | None] = field(default_factory=lambda: dict.fromkeys(BINS))
    cards_per_call: float | None = None
    left_out: Mapping[str, int | None] = field(default_factory=lambda: dict.fromkeys(REASONS))


@dataclass(slots=True)
class _Calls:
    cards: int = 0
    every: Cell = field(default_factory=Cell)
    by_cards: dict[str, Cell] = field(default_factory=lambda: {name: Cell() for name in BINS})
    left_out: dict[str, tuple[Cell, Cell]] = field(default_factory=lambda: {reason: (Cell(), Cell()) for reason in REASONS})

    def add(self, call: ShadowCall) -> None:
        self.cards += call.cards
        self.every.add(call.patient)
        self.by_cards[BINS[min(call.cards, MANY + 1)]].add(call.patient)
        for reason, (with_it, without) in self.left_out.items():
            (with_it if call.left_out.get(reason) else without).add(call.patient)


def call_figures(calls: Iterable[ShadowCall], least: int) -> list[CallFigures]:
    """Count calls.

    Args:
        calls: each once.
        least: fewest patients that a number may be about, also one that sums and differences give.

    Returns:
        One for each service, by its id.
    """
    services: dict[str, _Calls] = {}
    for call in calls:
        services.setdefault(call.service, _Calls()).add(call)
    return [_row(service, services[service], least) for service in sorted(services)]


def _row(service: str, counted: _Calls, least: int) -> CallFigures:
    patients = len(counted.every.patients)
    if patients < least:
        return CallFigures(service)
    hidden = withheld(counted.by_cards, least)
    return CallFigures(
        service,
        patients=patients - patients % least,
        calls=counted.every.cards,
        by_cards={name: None if name in hidden else cell.cards for name, cell in counted.by_cards.items()},
        cards_per_call=None if hidden else round(counted.cards / counted.every.cards, 2),
        left_out={reason: _of_two(*cells, least) for reason, cells in counted.left_out.items()},
    )


def _of_two(with_it: Cell, without: Cell, least: int) -> int | None:
    """One part of a whole of two, each of which gives the other."""
    return None if withheld({"with": with_it, "without": without}, least) else with_it.cards
