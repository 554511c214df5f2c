"""The plot of a small chart: numbers and days to places in the units of the drawing. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from math import ceil, floor, log10

from fhir_profiles.record import Result
from fhir_profiles.sentences import say
from fhir_profiles.strength import FULL
from server.patient_page.result_words import flag_of, flag_words, value_words
from server.patient_page.time_axis import Axis, until


@dataclass(frozen=True, slots=True)
class Plot:
    """Width and height of the drawing, and the edges of the plot inside it; outside these stand the numbers."""

    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int


PLOT = Plot(width=300, height=150, left=48, right=292, top=10, bottom=124)

_MOST_TICKS = 4
"""So many labels of dates have room."""


@dataclass(frozen=True, slots=True)
class Point:
    """One result that can be drawn.

    Args:
        x, y: its place.
        may_start, may_end: x of what a partial date leaves open; equal where nothing is.
        flag: `high`, `low`, `normal`, `abnormal` or `unjudged`; each has a shape.
        comparator: the number has one, so that the true value lies beyond it; or empty.
        says: its accessible name.
    """

    x: float
    y: float
    may_start: float
    may_end: float
    flag: str
    comparator: str
    says: str


@dataclass(frozen=True, slots=True)
class Band:
    """The laboratory's own range as a part of the plot: left edge, top, width and height."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Level:
    """A number on the scale, or a threshold: its height and its words."""

    y: float
    label: str


@dataclass(frozen=True, slots=True)
class ChartTick:
    """A date on the axis."""

    x: float
    label: str


@dataclass(frozen=True, slots=True)
class Scale:
    """The numbers from the lower to the upper edge of the plot, in steps."""

    low: float
    high: float
    step: float

    def y(self, value: float) -> float:
        """The height of a number; one outside stands at the edge."""
        share = (value - self.low) / (self.high - self.low)
        return round(PLOT.bottom - (PLOT.bottom - PLOT.top) * min(1.0, max(0.0, share)), 1)

    @property
    def levels(self) -> tuple[Level, ...]:
        """The numbers of the scale, lowest first."""
        numbers = (self.low + self.step * n for n in range(round((self.high - self.low) / self.step) + 1))
        return tuple(Level(self.y(number), say("{number:,.6g}", number=number)) for number in numbers)


def scale_of(concept: str, drawn: list[Result]) -> Scale:
    """Round numbers around all values and limits, and nothing, so that heights compare."""
    if concept.startswith("muscle_strength_mrc"):
        return Scale(0.0, FULL, 1.0)
    numbers = [0.0, *(r.quantity.value for r in drawn if r.quantity)]
    numbers += [r.high for r in drawn if r.high is not None]
    room = [r.low * _ABOVE_A_LOWER_LIMIT for r in drawn if r.low is not None and r.high is None]
    is_share = max(numbers) <= _WHOLE and any(r.quantity and r.quantity.unit == "%" for r in drawn)
    numbers += [min(number, _WHOLE) if is_share else number for number in room]
    lowest, highest = min(numbers), max(numbers)
    step = _round_step(max(highest - lowest, 1e-9) / 4)
    return Scale(
        floor(lowest / step + 1e-9) * step, max(ceil(highest / step - 1e-9), floor(lowest / step + 1e-9) + 1) * step, step
    )


_ABOVE_A_LOWER_LIMIT = 1.2
"""Room above a range that has no upper limit."""

_WHOLE = 100.0
"""Per cent; a scale goes beyond it only where a value does."""


def _round_step(least: float) -> float:
    """1, 2 or 5 times a power of ten, not less than this."""
    power = 10.0 ** floor(log10(least))
    return float(next(power * factor for factor in (1, 2, 5, 10) if power * factor >= least * (1 - 1e-9)))


def _x(per_cent: float) -> float:
    return round(PLOT.left + (PLOT.right - PLOT.left) * per_cent / 100, 1)


def ticks_of(axis: Axis) -> tuple[ChartTick, ...]:
    """So many dates that their labels have room."""
    return tuple(ChartTick(_x(tick.at), tick.label) for tick in axis.ticks[:: ceil(len(axis.ticks) / _MOST_TICKS)])


def point_of(result: Result, scale: Scale, axis: Axis, as_of: date, title: str) -> Point:
    """Where a result stands. Raises ValueError for one without a date or a number."""
    if result.when is None or result.quantity is None:
        raise ValueError("only dated numbers are drawn")
    span = until(result.when, as_of)
    first, last = _x(axis.at(span.first)), _x(axis.at(span.last))
    flag = flag_of(result)
    says = say(
        "{title}, {when}: {value}, {flag}", title=title, when=result.when, value=value_words(result), flag=flag_words(flag)
    )
    y, comparator = scale.y(result.quantity.value), result.quantity.comparator or ""
    return Point(round((first + last) / 2, 1), y, first, last, flag, comparator, says)


def bands_of(drawn: list[Result], points: tuple[Point, ...], scale: Scale) -> Iterable[Band]:
    """The range from each change of it to the next; the first also stands for the time before, the last for the time after."""
    limits = [(result.low, result.high) for result in drawn]
    changes = [index for index, pair in enumerate(limits) if not index or pair != limits[index - 1]]
    for index, following in zip(changes, [*changes[1:], None], strict=False):
        low, high = limits[index]
        if low is None and high is None:
            continue
        left = points[index].x if index else float(PLOT.left)
        right = float(PLOT.right) if following is None else points[following].x
        upper = scale.y(scale.high if high is None else high)
        lower = scale.y(scale.low if low is None else low)
        yield Band(left, upper, round(right - left, 1), round(lower - upper, 1))
