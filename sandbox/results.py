"""Results over time: what was measured, test by test, the newest first."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sandbox.charts import Chart
from sandbox.fhir_parts import Json
from sandbox.summary import Row, first, name_of, newest_first, row_of

WHEN = "effectiveDateTime"
DAY = "%Y-%m-%d"


@dataclass(frozen=True, slots=True)
class Point:
    """A measured value on a day."""

    day: date
    value: float


@dataclass(frozen=True, slots=True)
class Series:
    """All results of one test.

    Args:
        name: of the test.
        rows: one to a result, the newest first.
        points: the measured values, the oldest first.
        low, high: the laboratory's limits, where it has them.
        course: from the first to the last value, in words; empty for fewer than two.
    """

    name: str
    rows: tuple[Row, ...]
    points: tuple[Point, ...]
    low: float | None
    high: float | None
    course: str


def results_over_time(chart: Chart) -> tuple[Series, ...]:
    """The tests of a chart: first the ones that were repeated, then the others by their newest result."""
    by_name: dict[str, list[Json]] = {}
    for observation in newest_first(chart.of("Observation"), WHEN):
        by_name.setdefault(name_of(observation.get("code")), []).append(observation)
    tests = (_series(name, observations) for name, observations in by_name.items())
    return tuple(sorted(tests, key=lambda test: len(test.points) < 2))


def _series(name: str, observations: list[Json]) -> Series:
    points = tuple(point for observation in reversed(observations) if (point := _point(observation)))
    limits = first(observations[0].get("referenceRange"))
    rows = tuple(map(_row, observations))
    course = f"{_value(observations[-1])} on {rows[-1].when}, {_value(observations[0])} on {rows[0].when}"
    return Series(name, rows, points, _limit(limits, "low"), _limit(limits, "high"), course if len(points) > 1 else "")


def _point(observation: Json) -> Point | None:
    """A value that can be drawn; partial dates, words and pairs of numbers cannot."""
    value = observation.get("valueQuantity", {}).get("value")
    try:
        day = datetime.strptime(str(observation.get(WHEN, ""))[:10], DAY).date()  # noqa: DTZ007 - a day, not a moment
    except ValueError:
        return None
    return Point(day, float(value)) if isinstance(value, (int, float)) else None


def _limit(limits: Mapping[str, Json], name: str) -> float | None:
    return limits[name].get("value") if name in limits else None


def _row(observation: Json) -> Row:
    value = _value(observation)
    flags = _flags(observation.get("interpretation", []))
    status = observation.get("status", "final")
    details = (value, *(flag for flag in flags if flag not in value.lower()), _range(observation), _unusual(status))
    return row_of(observation, str(observation.get(WHEN, "")), observation.get("code"), details)


def _unusual(status: str) -> str:
    return "" if status == "final" else status


def _flags(concepts: Iterable[Json]) -> list[str]:
    return [name_of({"coding": [coding]}).lower() for concept in concepts for coding in concept.get("coding", ())]


def _value(observation: Json) -> str:
    if parts := [part.get("valueQuantity", {}) for part in observation.get("component", ())]:
        return "/".join(str(part.get("value", "?")) for part in parts) + f" {parts[0].get('unit', '')}"
    if "valueCodeableConcept" in observation:
        return name_of(observation["valueCodeableConcept"])
    quantity = observation.get("valueQuantity", {})
    said = quantity.get("value", observation.get("valueString", "no value"))
    return f"{said} {quantity.get('unit', '')}".strip()


def _range(observation: Json) -> str:
    for limits in observation.get("referenceRange", []):
        low, high = (str(limits[name]["value"]) if name in limits else "" for name in ("low", "high"))
        return f"range {low}–{high}" if low and high else f"range from {low}" if low else f"range up to {high}"
    return ""
