"""The 2016 ACR/EULAR Total Improvement Score, only where all six core set measures have two dated values on record.

Thresholds and points are data (`definitions/improvement.yaml`, clinical/beyond-sources.md section 6). The rows of points are
background knowledge, and nothing but a display rests on them. Scores are whole tenths. Our reference gives no range for enzymes,
so a fall counts as anything from nothing to full points, and the score has a minimum and a maximum.
"""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import yaml

from fhir_profiles.clinical_definitions import FOLDER
from fhir_profiles.findings import Evidence
from fhir_profiles.phenotypes import Phenotype
from fhir_profiles.quantities import unit_key
from fhir_profiles.record import PatientRecord, Result
from fhir_profiles.sentences import say
from fhir_profiles.wordings import on_day

RESPONSES = ("minimal", "moderate", "major")
NO_RESPONSE = "none"


@dataclass(frozen=True, slots=True)
class Measure:
    """One core set measure.

    Args:
        code, title: its name.
        concepts: ValueSets, the first with two values counts.
        above: percentages of the scale above which the points rise to the next of `points`, which begins with none.
        scale: highest value of the instrument, or None.
        higher_is_better: improvement is a rise.
    """

    code: str
    title: str
    concepts: tuple[str, ...]
    above: tuple[int, ...]
    points: tuple[int, ...]
    scale: int | None = None
    higher_is_better: bool = False


@dataclass(frozen=True, slots=True)
class Measured:
    """One measure for one patient: least and most points in tenths, and the two values that they rest on."""

    code: str
    title: str
    points: tuple[int, int]
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Improvement:
    """The response of one patient, as the criteria score it.

    Args:
        minimum, maximum: the score in tenths.
        least_response, most_response: `none`, `minimal`, `moderate` or `major`.
        thresholds: `adult` or `juvenile`.
        measures: all six.
        notes: what limits the score for this patient.
    """

    minimum: int
    maximum: int
    least_response: str
    most_response: str
    thresholds: str
    measures: tuple[Measured, ...]
    notes: tuple[str, ...]


@cache
def rules() -> Mapping[str, Any]:
    """The packaged definition, its measures as values."""
    content: dict[str, Any] = yaml.load((FOLDER / "improvement.yaml").read_text("utf-8"), Loader=yaml.CSafeLoader)
    measures = tuple(_measure(code, entry) for code, entry in content["measures"].items())
    return {**content, "measures": measures, "units": frozenset(map(unit_key, content["units"]))}


def _measure(code: str, entry: Mapping[str, Any]) -> Measure:
    bands = {int(name.removeprefix("over_")): tenths for name, tenths in entry["points"].items()}
    return Measure(
        code=code,
        title=entry["title"],
        concepts=tuple(entry["concepts"]),
        above=tuple(sorted(bands)),
        points=(0, *(bands[percent] for percent in sorted(bands))),
        scale=entry.get("scale"),
        higher_is_better=entry.get("higher_is_better", False),
    )


def find_improvement(record: PatientRecord, phenotypes: tuple[Phenotype, ...]) -> Improvement | None:
    """The score, or None where a measure lacks two dated values, or where the score is not meant for the disease.

    Args:
        record: the chart; the oldest value of a measure is its baseline, the newest is now.
        phenotypes: those that hold, the primary one first.
    """
    known = rules()
    if record.is_mismatched or not phenotypes or phenotypes[0].code in known["not_used_in"]:
        return None
    measured = []
    for measure in known["measures"]:
        found = _enzyme(record, measure) if measure.scale is None else _on_scale(record, measure, known["units"])
        if found is None:
            return None
        measured.append(found)
    return _improvement(tuple(measured), phenotypes, known)


def _improvement(measured: tuple[Measured, ...], phenotypes: tuple[Phenotype, ...], known: Mapping[str, Any]) -> Improvement:
    minimum, maximum = (sum(one.points[end] for one in measured) for end in (0, 1))
    thresholds = "juvenile" if any(phenotype.code.startswith("juvenile") for phenotype in phenotypes) else "adult"
    is_extended = phenotypes[0].code not in known["validated_in"]
    return Improvement(
        minimum=minimum,
        maximum=maximum,
        least_response=response_of(minimum, thresholds),
        most_response=response_of(maximum, thresholds),
        thresholds=thresholds,
        measures=measured,
        notes=(*known["limits"], *((known["extension"],) if is_extended else ())),
    )


def response_of(tenths: int, thresholds: str) -> str:
    """`none`, `minimal`, `moderate` or `major`, by the adult or the juvenile thresholds."""
    least = rules()["thresholds"][thresholds]
    return next((response for response in reversed(RESPONSES) if tenths >= least[response]), NO_RESPONSE)


def points_for(measure: Measure, baseline: float, now: float) -> int:
    """Points in tenths for the change from baseline to now, in percent of the scale; worsening gives none."""
    change = Fraction(str(now)) - Fraction(str(baseline))
    improved = change if measure.higher_is_better else -change
    return measure.points[bisect_left(measure.above, improved * 100 / Fraction(measure.scale or 1))]


def _on_scale(record: PatientRecord, measure: Measure, units: frozenset[str]) -> Measured | None:
    for concept in measure.concepts:
        results = [r for r in record.results.get(concept, ()) if _is_on_scale(r, measure, units)]
        if pair := _baseline_and_now(results):
            baseline, now = pair
            points = points_for(measure, _value(baseline), _value(now))
            return Measured(measure.code, measure.title, (points, points), _evidence(measure, pair))
    return None


def _is_on_scale(result: Result, measure: Measure, units: frozenset[str]) -> bool:
    quantity = result.quantity
    return quantity is not None and unit_key(quantity.unit) in units and 0 <= quantity.value <= (measure.scale or 0)


def _enzyme(record: PatientRecord, measure: Measure) -> Measured | None:
    """Nothing if no enzyme fell; else anything up to full points."""
    pairs = [pair for concept in measure.concepts if (pair := _baseline_and_now(list(record.results.get(concept, ()))))]
    if not pairs:
        return None
    fell = any(_value(now) < _value(baseline) for baseline, now in pairs)
    evidence = tuple(item for pair in pairs for item in _evidence(measure, pair))
    return Measured(measure.code, measure.title, (0, measure.points[-1] if fell else 0), evidence)


def _baseline_and_now(results: list[Result]) -> tuple[Result, Result] | None:
    """The oldest and the newest value; None unless they lie on two days. Newest first, as the record files them."""
    dated = [r for r in results if r.when and r.when.is_exact and r.quantity and r.quantity.comparator is None]
    return (dated[-1], dated[0]) if dated and dated[-1].when != dated[0].when else None


def _value(result: Result) -> float:
    return result.quantity.value if result.quantity else 0.0


def _evidence(measure: Measure, pair: tuple[Result, Result]) -> tuple[Evidence, ...]:
    return tuple(Evidence(_describe(measure, result), result.reference) for result in pair)


def _describe(measure: Measure, result: Result) -> str:
    return on_day(say("{title} {value:g}", title=measure.title, value=_value(result)), result.when)
