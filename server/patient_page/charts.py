"""Results over time as small charts, and the same facts in words. Pure; `plot` has the geometry.

The laboratory's own range is the only band, and a threshold is drawn only where a source of ours gives it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from fhir_profiles.codes import Terminology
from fhir_profiles.dates import DateInterval
from fhir_profiles.quantities import unit_key
from fhir_profiles.record import InputState, PatientRecord, Result, newest_first
from fhir_profiles.sentences import say, say_number
from fhir_profiles.strength import GROUPS, SEVERE_BELOW, WHOLE
from server.basis import packaged_basis
from server.evaluation import Evaluation
from server.patient_page.happenings import dated, specific_concept
from server.patient_page.labels import LABELS
from server.patient_page.lanes import antibody_concepts, every
from server.patient_page.plot import PLOT, Band, ChartTick, Level, Plot, Point, bands_of, point_of, scale_of, ticks_of
from server.patient_page.result_words import flag_of, flag_words, is_measured, range_words, unit_words, value_words
from server.patient_page.time_axis import Axis, axis_over, until

_FIRST = (
    *("creatine_kinase", "mmt8", "cmas", "muscle_strength_mrc", WHOLE, *GROUPS),
    *("fvc_percent_predicted", "fvc", "dlco_percent_predicted", "dlco_hb_adjusted", "dlco", "ferritin", "crp", "esr"),
    *("aldolase", "lactate_dehydrogenase", "ast", "alt", "troponin_t", "troponin_i", "oxygen_saturation"),
)
"""In this order, before all others by name."""

_EXPECTED = (
    (say("Creatine kinase"), ("creatine_kinase",)),
    (say("Graded muscle strength"), ("mmt8", "cmas", "muscle_strength_mrc", WHOLE, *GROUPS)),
    (say("Forced vital capacity"), ("fvc_percent_predicted", "fvc")),
    (say("Diffusing capacity of the lung"), ("dlco_percent_predicted", "dlco_hb_adjusted", "dlco")),
    (say("Ferritin"), ("ferritin",)),
)
"""What a page about myositis owes an answer about."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One result for the table: when, value, how it stands to the range, the range, the resource, and whether it is drawn."""

    when: str
    value: str
    flag: str
    range: str
    reference: str
    is_drawn: bool


@dataclass(frozen=True, slots=True)
class Series:
    """One kind of result over time.

    Args:
        concept: id of its ValueSet.
        title: its name.
        unit: of the drawn numbers.
        newest: the newest result in words.
        points: oldest first; empty where only a table is possible.
        line: the points joined, `x,y x,y`; empty with fewer than two.
        bands: the range of the laboratory, where one is given, from each result to the next.
        levels: the numbers of the scale, lowest first.
        ticks: of time.
        threshold: a threshold of a source.
        facts: every result, newest first.
        notes: what the drawing leaves out, and why.
    """

    concept: str
    title: str
    unit: str
    newest: str
    points: tuple[Point, ...]
    line: str
    bands: tuple[Band, ...]
    levels: tuple[Level, ...]
    ticks: tuple[ChartTick, ...]
    threshold: Level | None
    facts: tuple[Fact, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Charts:
    """Every series, and a sentence for each kind of result that one would look for and that is not there."""

    labels: ClassVar[Mapping[str, str]] = LABELS
    plot: ClassVar[Plot] = PLOT

    series: tuple[Series, ...]
    absent: tuple[str, ...]


def series(evaluation: Evaluation, terminology: Terminology | None = None) -> tuple[Series, ...]:
    """Every measured result over time, what matters most in myositis first; all on one axis of time.

    Args:
        evaluation: of the patient.
        terminology: names the results; the packaged one by default.
    """
    terms, as_of = terminology or packaged_basis().terminology, evaluation.record.as_of
    by_concept = _by_concept(evaluation, terms)
    days = [day for results in by_concept.values() for r in results if r.when for day in _days(until(r.when, as_of))]
    axis = axis_over(days, as_of)
    return tuple(_series(concept, results, axis, as_of, terms) for concept, results in by_concept.items())


def charts(evaluation: Evaluation, terminology: Terminology | None = None) -> Charts:
    """The series, and what is missing among them; arguments as for `series`."""
    found = series(evaluation, terminology)
    concepts = {one.concept for one in found}
    absent = (_absent(title, wanted, evaluation.record) for title, wanted in _EXPECTED if concepts.isdisjoint(wanted))
    return Charts(found, tuple(absent))


def _absent(title: str, wanted: tuple[str, ...], record: PatientRecord) -> str:
    """Unknown is not no: what was not supplied, and what could not be read, is said to be so."""
    if any(record.results.get(concept) for concept in wanted):
        return say("{test}: on record, without a number in a unit that is known here.", test=title)
    state = record.input_state("Observation")
    if state is InputState.FAILED:
        return say("{test}: none was read; results could not be read completely.", test=title)
    if state is InputState.NOT_SUPPLIED:
        return say("{test}: none in the data supplied; results were not supplied.", test=title)
    return say("{test}: none in the data supplied.", test=title)


def _days(when: DateInterval) -> tuple[date, date]:
    return when.first, when.last


def _by_concept(evaluation: Evaluation, terms: Terminology) -> dict[str, list[Result]]:
    """Measured results, each once, oldest first; numbers of antibodies stand with the antibodies."""
    antibodies = antibody_concepts(evaluation)
    found: dict[str, list[Result]] = {}
    for fact in every(evaluation.record.results):
        if isinstance(fact, Result) and is_measured(fact) and antibodies.isdisjoint(fact.concepts):
            known = next((concept for concept in _FIRST if concept in fact.concepts), None)
            found.setdefault(known or specific_concept(fact.concepts, terms), []).append(fact)
    order = {concept: place for place, concept in enumerate(_FIRST)}
    return {key: found[key] for key in sorted(found, key=lambda concept: (order.get(concept, len(order)), concept))}


def _series(concept: str, results: list[Result], axis: Axis, as_of: date, terms: Terminology) -> Series:
    newest = min(results, key=newest_first)
    unit = newest.quantity.unit if newest.quantity else ""
    drawn = sorted((result for result in results if _is_drawn(result, unit)), key=newest_first, reverse=True)
    scale = scale_of(concept, drawn)
    points = tuple(point_of(result, scale, axis, as_of, terms.title(concept)) for result in drawn)
    return Series(
        concept=concept,
        title=terms.title(concept),
        unit=unit_words(unit),
        newest=_newest(newest),
        points=points,
        line=" ".join(f"{point.x:g},{point.y:g}" for point in points) if len(points) > 1 else "",
        bands=tuple(bands_of(drawn, points, scale)),
        levels=scale.levels if drawn else (),
        ticks=ticks_of(axis),
        threshold=Level(scale.y(SEVERE_BELOW), say("below 4 in several muscle groups: severe (BMJ Best Practice)"))
        if concept in (WHOLE, *GROUPS)
        else None,
        facts=tuple(_fact(result, _is_drawn(result, unit)) for result in sorted(results, key=newest_first)),
        notes=tuple(_notes(results, unit)),
    )


def _is_drawn(result: Result, unit: str) -> bool:
    """Dated, and in the unit of the newest."""
    return result.when is not None and result.quantity is not None and unit_key(result.quantity.unit) == unit_key(unit)


def _newest(result: Result) -> str:
    value, flag = value_words(result), flag_words(flag_of(result))
    return say("Newest: {value}, {flag}, {when}", value=value, flag=flag, when=dated(result.when))


def _fact(result: Result, is_drawn: bool) -> Fact:
    flag = flag_words(flag_of(result))
    return Fact(dated(result.when), value_words(result), flag, range_words(result), result.reference, is_drawn)


def _notes(results: list[Result], unit: str) -> Iterable[str]:
    others = [r for r in results if r.quantity and unit_key(r.quantity.unit) != unit_key(unit)]
    if others:
        yield say_number(
            "{number} result in another unit is in the table only; units that are not listed are not converted.",
            "{number} results in other units are in the table only; units that are not listed are not converted.",
            len(others),
        )
    undated = sum(1 for result in results if result.when is None)
    if undated:
        yield say_number(
            "{number} result without a date is in the table only.",
            "{number} results without a date are in the table only.",
            undated,
        )
    if any(result.quantity and result.quantity.comparator for result in results):
        yield say("A number with < or > is a limit: the true value lies beyond it.")
