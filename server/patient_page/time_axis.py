"""A common axis of time: days to per cent of the width, and at most eight ticks."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from fhir_profiles.dates import DateInterval, add_months, days_between

MOST_TICKS = 8
"""So many labels that every other one has room on a phone."""

_STEPS = (1, 2, 3, 6, 12, 24, 60, 120, 240)
"""Months between two ticks."""

_SHORTEST = 3
"""Months; a shorter history would show days as if they were long."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A label of the axis.

    Args:
        at: per cent of the width.
        label: the year, or month and year in figures, which every language reads.
        is_extra: its label goes first where there is little room.
    """

    at: float
    label: str
    is_extra: bool


@dataclass(frozen=True, slots=True)
class Axis:
    """A span of days and its labels.

    Args:
        start, end: the first and the last day.
        ticks: oldest first.
    """

    start: date
    end: date
    ticks: tuple[Tick, ...]

    def at(self, day: date) -> float:
        """Where a day stands, in per cent of the width; a day outside stands at the edge."""
        return _at(day, self.start, self.end)


def axis_over(days: Iterable[date], as_of: date) -> Axis:
    """The axis on which all of these days and today have a place.

    Args:
        days: in any order; may be none.
        as_of: today.
    """
    every = (*days, as_of)
    first, last = min(every), max(every)
    start = min(first.replace(day=1), add_months(last, -_SHORTEST).replace(day=1))
    end = add_months(last.replace(day=1), 1)
    months = _months(start, end)
    step = next((step for step in _STEPS if months // step < MOST_TICKS), _STEPS[-1])
    return Axis(start, end, tuple(_ticks(start, end, step)))


def _ticks(start: date, end: date, step: int) -> Iterable[Tick]:
    index = -(-(start.year * 12 + start.month - 1) // step) * step
    number = 0
    while (day := date(index // 12, index % 12 + 1, 1)) <= end:
        label = str(day.year) if step >= 12 else f"{day.month:02}/{day.year}"
        yield Tick(_at(day, start, end), label, bool(number % 2))
        index, number = index + step, number + 1


def _months(start: date, end: date) -> int:
    return (end.year - start.year) * 12 + end.month - start.month


def _at(day: date, start: date, end: date) -> float:
    return round(100 * min(1.0, max(0.0, days_between(start, day) / days_between(start, end))), 2)


def on(day: date) -> DateInterval:
    """An exact day, as words write it."""
    return DateInterval(day, day)


def until(when: DateInterval, as_of: date) -> DateInterval:
    """The days that a date of the chart may mean, none of them after today: it was read as past."""
    return DateInterval(min(when.first, as_of), min(when.last, as_of))
