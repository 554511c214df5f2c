"""A small line of values over time, as coordinates for an SVG drawing."""

from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.results import Point

WIDTH, HEIGHT, MARGIN = 160, 36, 5
"""Of the drawing, in its own units (`viewBox`)."""


@dataclass(frozen=True, slots=True)
class Band:
    """The range in which values are normal, from its top down."""

    top: float
    height: float


@dataclass(frozen=True, slots=True)
class Sparkline:
    """What is drawn: dots joined by a line, above the band of normal values."""

    dots: tuple[tuple[float, float], ...]
    band: Band | None

    @property
    def line(self) -> str:
        """The `points` of an SVG polyline."""
        return " ".join(f"{x},{y}" for x, y in self.dots)


def sparkline(points: Sequence[Point], low: float | None = None, high: float | None = None) -> Sparkline:
    """Lay values out, the oldest at the left edge and the newest at the right, in proportion to time.

    Args:
        points: two or more, the oldest first.
        low, high: limits of normal; the axis reaches to them, so that a value's distance from normal can be seen.
    """
    limits = [limit for limit in (low, high) if limit is not None]
    bottom, top = min([*limits, *(p.value for p in points)]), max([*limits, *(p.value for p in points)])
    days, span = (points[-1].day - points[0].day).days or 1, (top - bottom) or 1

    def y(value: float) -> float:
        return round(HEIGHT - MARGIN - (value - bottom) / span * (HEIGHT - 2 * MARGIN), 1)

    def x(point: Point) -> float:
        return round(MARGIN + (point.day - points[0].day).days / days * (WIDTH - 2 * MARGIN), 1)

    upper, lower = y(top if high is None else high), y(bottom if low is None else low)
    return Sparkline(tuple((x(p), y(p.value)) for p in points), Band(upper, round(lower - upper, 1)) if limits else None)
