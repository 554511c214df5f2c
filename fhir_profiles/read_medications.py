"""Drugs: ordered, reported, given and dispensed, as one kind of entry (phenotypes.md section 5, drug-safety.md section 0)."""

from collections.abc import Iterable, Set
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from fhir_profiles.chart import UNREADABLE, Chart, Coded
from fhir_profiles.dates import DateInterval
from fhir_profiles.elements import Element, Times, codes_of
from fhir_profiles.quantities import Measure
from fhir_profiles.read_refusals import read_refusal
from fhir_profiles.record import DrugEntry
from fhir_profiles.sentences import say

_LOCAL_ROUTES = ("topical", "ophthalmic")
_ROUTES = {f"route_{route}": route for route in ("intravenous", "subcutaneous", "oral", *_LOCAL_ROUTES)}
_NON_SYSTEMIC = "__non_systemic"
_ANY_OF_A_CLASS = "_any"

_ORDERING_INTENTS = {"", "order", "original-order", "reflex-order", "filler-order", "instance-order"}
_DOSE = Measure("mg", {"mg": 1.0, "g": 1000.0})
_DAYS = {"h": 1 / 24, "d": 1.0, "wk": 7.0}
_NO_DAY: frozenset[str] = frozenset()
_TIMES_A_DAY = {"am": 1.0, "pm": 1.0, "qd": 1.0, "bid": 2.0, "tid": 3.0, "qid": 4.0, "qod": 0.5}
"""Timing codes that FHIR R4 itself lists for `Timing.code`."""

# The first that holds is the reason: what must not be repeated outweighs what merely did not help.
_STOP_REASONS = {
    "stop_reason_allergy": "intolerance",
    "stop_reason_intolerance": "intolerance",
    "stop_reason_pregnancy": "pregnancy",
    "stop_reason_ineffective": "ineffective",
}


@dataclass(frozen=True, slots=True)
class Statuses:
    """What the status codes of one resource type mean.

    Args:
        given: the patient had the drug; `current` among them: has it still.
        planned: nobody says that it was given.
        ignored: it was not given, or never was meant.
        declined: the patient may be the one who did not want it; the status reason says.
    """

    given: Set[str]
    current: Set[str]
    planned: Set[str]
    ignored: Set[str]
    declined: Set[str]


_REQUEST = Statuses(
    given={"active", "completed", "stopped", "on-hold"},
    current={"active"},
    planned=set(),
    ignored={"cancelled", "entered-in-error", "draft"},
    declined={"cancelled", "stopped", "on-hold"},
)
_STATEMENT = Statuses(
    given={"active", "completed", "stopped", "on-hold"},
    current={"active"},
    planned={"intended"},
    ignored={"entered-in-error", "not-taken"},
    declined={"not-taken", "stopped", "on-hold"},
)
_ADMINISTRATION = Statuses(
    given={"in-progress", "completed", "stopped", "on-hold"},
    current={"in-progress"},
    planned=set(),
    ignored={"entered-in-error", "not-done"},
    declined={"not-done", "stopped"},
)
_DISPENSE = Statuses(
    given={"in-progress", "completed"},
    current=set(),
    planned=set(),
    ignored={"entered-in-error", "cancelled", "declined", "preparation", "on-hold", "stopped"},
    declined=set(),
)


class Schedule(NamedTuple):
    """What is common to an entry's dosages.

    Args:
        start, end: the period that they cover.
        route: the only route that they name.
        daily_dose_mg: milligrams a day.
        times_a_week: at the most, by all of them together.
    """

    start: DateInterval | None = None
    end: DateInterval | None = None
    route: str | None = None
    daily_dose_mg: float | None = None
    times_a_week: float | None = None


_NO_SCHEDULE = Schedule()


class Dosing(NamedTuple):
    """How a drafted drug is to be taken, as far as it is structured.

    Args:
        route: the only route that its dosages name.
        daily_dose_mg: milligrams a day.
        times_a_week: at the most, by all dosages together.
        is_in_words: how often is written, and in words alone.
    """

    route: str | None = None
    daily_dose_mg: float | None = None
    times_a_week: float | None = None
    is_in_words: bool = False


def dosing_of(request: Element, chart: Chart) -> Dosing:
    """The dosing of a MedicationRequest that is being written; free text is not read."""
    schedule = _schedule(request, "dosageInstruction", chart)
    dosages = [one for one in request.children("dosageInstruction") if not one.content.get("modifierExtension")]
    times = _times_a_week(dosages, [_repeat(dosage) for dosage in dosages])
    return Dosing(schedule.route, schedule.daily_dose_mg, times, times is None and any(map(_has_words, dosages)))


def read_request(request: Element, chart: Chart) -> None:
    """File a MedicationRequest. A proposal, and a plan that nobody reports as taken, is no exposure."""
    drug = medication_of(request, chart)
    if drug.is_irrelevant:
        return
    schedule = _schedule(request, "dosageInstruction", chart)
    _file(request, drug, _REQUEST, request.date("authoredOn"), schedule, chart, is_meant=_is_ordered(request))


def read_statement(statement: Element, chart: Chart) -> None:
    """File a MedicationStatement."""
    drug = medication_of(statement, chart)
    if drug.is_irrelevant:
        return
    start, end = _effective(statement)
    schedule = _schedule(statement, "dosage", chart)._replace(start=start, end=end)
    _file(statement, drug, _STATEMENT, statement.date("dateAsserted"), schedule, chart)


def read_administration(administration: Element, chart: Chart) -> None:
    """File a MedicationAdministration: exposure, and current only while it runs."""
    drug = medication_of(administration, chart)
    if drug.is_irrelevant:
        return
    start, end = _effective(administration)
    if administration.code("status") != "in-progress":
        end = end or start
    schedule = _schedule(administration, "dosage", chart)._replace(start=start, end=end)
    _file(administration, drug, _ADMINISTRATION, None, schedule, chart)


def read_dispense(dispense: Element, chart: Chart) -> None:
    """File a MedicationDispense: exposure; whether the patient still has some of it, nobody says."""
    drug = medication_of(dispense, chart)
    if drug.is_irrelevant:
        return
    start = dispense.date("whenHandedOver") or dispense.date("whenPrepared")
    schedule = _schedule(dispense, "dosageInstruction", chart)._replace(start=start, end=None)
    _file(dispense, drug, _DISPENSE, None, schedule, chart)


def medication_of(resource: Element, chart: Chart) -> Coded:
    """The drug of a resource: coded in it or in a Medication contained or sent along, or named by the reference's display."""
    coded = chart.coded_drug(resource, "medicationCodeableConcept")
    return coded if coded.is_readable else referenced_drug(resource, resource.content.get("medicationReference"), chart)


def referenced_drug(resource: Element, reference: object, chart: Chart) -> Coded:
    """The drug that a Reference to a Medication means.

    Args:
        resource: the resource that holds the reference.
        reference: a FHIR Reference.
        chart: knows what was sent along.
    """
    if not isinstance(reference, dict):
        return UNREADABLE
    target = reference.get("reference")
    medication = chart.identity.collection.find(target, resource) if isinstance(target, str) else None
    if medication and medication.type == "Medication" and medication.code("status") != "entered-in-error":
        coded = _drug_of_medication(medication, chart)
        if coded.is_readable:
            return coded
    display = reference.get("display")
    concepts = chart.terminology.concepts_of_drug_text(display) if isinstance(display, str) else ()
    return Coded(concepts, by_text=True, is_readable=bool(display))


def systemic_concepts(drug: Coded, route: str | None) -> tuple[str, ...]:
    """The concepts of a drug given by a route.

    What is put on the skin or into the eye is no systemic treatment, whichever drug it is: its concepts get the suffix
    `__non_systemic`, and membership of a class (`systemic_corticosteroid_any`) is dropped.
    """
    if route not in _LOCAL_ROUTES:
        return drug.concepts
    return tuple(
        f"{concept.removesuffix(_NON_SYSTEMIC)}{_NON_SYSTEMIC}"
        for concept in drug.concepts
        if not concept.endswith(_ANY_OF_A_CLASS)
    )


def route_of(dosages: list[Element], chart: Chart) -> str | None:
    """The route that all dosages of an entry name."""
    routes = {_route(dosage, chart) for dosage in dosages}
    return routes.pop() if len(routes) == 1 else None


def _file(
    entry: Element,
    drug: Coded,
    statuses: Statuses,
    written: DateInterval | None,
    schedule: Schedule,
    chart: Chart,
    is_meant: bool = True,
) -> None:
    """File one entry. One without a known status is kept, as neither current nor taken."""
    status = entry.code("status")
    systemic = drug._replace(concepts=systemic_concepts(drug, schedule.route)) if schedule.route in _LOCAL_ROUTES else drug
    read_refusal(entry, systemic, statuses.declined, _declined_on(status, written, schedule, chart.as_of), chart, schedule.route)
    if status in statuses.ignored or not chart.is_sound(entry) or chart.is_prohibition(entry):
        return
    if not chart.has_code(entry, drug) or chart.is_future(entry, written or schedule.start):
        return
    if status not in statuses.given and status not in statuses.planned:
        chart.lose(entry, "status", say("is missing or not known; counted as neither current nor taken"))
    start, end = schedule.start or written, schedule.end
    begins_later = start is not None and start.first > chart.as_of
    was_given = is_meant and status in statuses.given and not begins_later
    is_current = was_given and status in statuses.current and not (end is not None and end.last < chart.as_of)
    if systemic.concepts:
        chart.drugs.append(
            DrugEntry(
                reference=entry.reference,
                concepts=systemic.concepts,
                when=written if begins_later else start,
                matched_by_text=drug.by_text,
                status=status,
                is_current=is_current,
                was_given=was_given,
                end=end,
                route=schedule.route,
                daily_dose_mg=schedule.daily_dose_mg,
                times_a_week=schedule.times_a_week,
                stop_reason=None if is_current else _stop_reason(entry, chart),
            )
        )


def _declined_on(status: str, written: DateInterval | None, schedule: Schedule, as_of: date) -> DateInterval | None:
    """A drug that was given is declined on the day it ended; a planned end that lies ahead is no such day."""
    ended = schedule.end if status == "stopped" and schedule.end and schedule.end.first <= as_of else None
    return ended or written or schedule.start


def _drug_of_medication(medication: Element, chart: Chart) -> Coded:
    """The drug of a Medication by its code, else by its ingredients."""
    if not chart.is_sound(medication):
        return UNREADABLE
    coded = chart.coded_drug(medication, "code")
    if coded.concepts:
        return coded
    parts = [chart.coded_drug(part, "itemCodeableConcept") for part in medication.children("ingredient")]
    concepts = tuple(sorted({concept for part in parts for concept in part.concepts}))
    return Coded(concepts, any(part.by_text for part in parts), coded.is_readable or bool(concepts))


def _is_ordered(request: Element) -> bool:
    """Meant to be taken: an order, or a plan that records what the patient takes (US Core). Some senders leave out the intent."""
    intent, content = request.code("intent"), request.content
    is_reported = content.get("reportedBoolean") is True or isinstance(content.get("reportedReference"), dict)
    return intent in _ORDERING_INTENTS or (intent == "plan" and is_reported)


def _effective(entry: Element) -> Times:
    """Start and end of `effective[x]`; a single day is a start."""
    day = entry.date("effectiveDateTime")
    return (day, None) if day else entry.bounds("effectivePeriod")


def _stop_reason(entry: Element, chart: Chart) -> str | None:
    reasons = entry.children("statusReason") or entry.children("statusReasonCodeableConcept")
    if not reasons:
        return None
    concepts = {concept for reason in reasons for concept in chart.terminology.concepts_of_codeable(reason.content)[0]}
    for concept, reason in _STOP_REASONS.items():
        if concept in concepts:
            return reason
    return "other"


def _schedule(entry: Element, field: str, chart: Chart) -> Schedule:
    """What all dosages of an entry say together; nothing if one of them may mean something that we do not know (SAF-07)."""
    dosages = entry.children(field)
    if not dosages:
        return _NO_SCHEDULE
    if any(dosage.content.get("modifierExtension") for dosage in dosages):
        entry.report(field, say("has a modifierExtension that we do not know; dose, route and end not evaluated"))
        return _NO_SCHEDULE
    repeats = [_repeat(dosage) for dosage in dosages]
    periods = [repeat.bounds("boundsPeriod") for repeat in repeats if repeat and "boundsPeriod" in repeat.content]
    ends = [end for _, end in periods if end]
    return Schedule(
        start=min([start for start, _ in periods if start], default=None),
        end=max(ends, key=lambda end: end.last) if ends and len(ends) == len(dosages) else None,
        route=route_of(dosages, chart),
        daily_dose_mg=_daily_dose(dosages[0], repeats[0]) if len(dosages) == 1 else None,
        times_a_week=_times_a_week(dosages, repeats),
    )


def _repeat(dosage: Element) -> Element | None:
    timing = dosage.child("timing")
    return timing.child("repeat") if timing else None


def _route(dosage: Element, chart: Chart) -> str | None:
    if "route" not in dosage.content:
        return None
    routes = {_ROUTES[concept] for concept in chart.coded(dosage, "route").concepts if concept in _ROUTES}
    return routes.pop() if len(routes) == 1 else None


def _daily_dose(dosage: Element, repeat: Element | None) -> float | None:
    """Milligrams a day; None unless dose and timing are structured and leave nothing open (SAF-14)."""
    content = dosage.content
    if content.get("asNeededBoolean") or content.get("asNeededCodeableConcept"):
        return None
    rates = dosage.children("doseAndRate")
    if len(rates) != 1 or repeat is None:
        return None
    dose, times = _milligrams(rates[0]), _times_a_day(repeat)
    return None if dose is None or times is None else float(f"{dose * times:.12g}")


def _times_a_week(dosages: Iterable[Element], repeats: Iterable[Element | None]) -> float | None:
    """How often a week the drug is taken at the most, by coded timing.

    Dosages on different days of the week add up; of those that name no day, or the same one, the most frequent counts, since
    a dose may be made up of two strengths.
    """
    on_day: dict[object, float] = {}
    often: list[float] = []
    for dosage, repeat in zip(dosages, repeats, strict=True):
        days, times = _days_of_week(repeat), _doses_a_week(dosage, repeat)
        if times is not None:
            often.append(times)
            for day in days:
                on_day[day] = max(times / len(days), on_day.get(day, 0.0))
    return float(f"{max(*often, sum(on_day.values())):.12g}") if often else None


def _has_words(dosage: Element) -> bool:
    """Whether a dosage, or its timing, is told in words or by a code that says nothing to us."""
    timing = dosage.child("timing")
    return bool(dosage.content.get("text") or (timing and timing.content.get("code")))


def _doses_a_week(dosage: Element, repeat: Element | None) -> float | None:
    """How often a week one dosage is taken, by its timing or by the code of its timing."""
    times = _repeats_a_week(repeat) if repeat else None
    if times is not None or (timing := dosage.child("timing")) is None:
        return times
    coded = [_TIMES_A_DAY[code] * 7 for code in codes_of(timing.content.get("code")) if code in _TIMES_A_DAY]
    return max(coded, default=None)


def _repeats_a_week(repeat: Element) -> float | None:
    """At the most: the higher end of a range, and every day of the week that is named."""
    content, unit, period = repeat.content, repeat.code("periodUnit"), repeat.number("period")
    days = _days_of_week(repeat)
    if not content.keys().isdisjoint(("count", "countMax")):
        return None
    if days and period is None:
        return float(len(days))
    named = [n for name in ("frequency", "frequencyMax") if (n := repeat.number(name)) is not None]
    frequency = max(named, default=len(days))
    if period is None or unit not in _DAYS or frequency <= 0 or period <= 0:
        return None
    if unit == "wk":
        return max(frequency, len(days)) / period
    times = frequency * 7 / (period * _DAYS[unit])
    return times * len(days) / 7 if days else times


def _days_of_week(repeat: Element | None) -> frozenset[str]:
    """The days that a timing names, each once."""
    named = repeat.content.get("dayOfWeek") if repeat else None
    return frozenset([day for day in named if isinstance(day, str)]) if isinstance(named, list) else _NO_DAY


def _milligrams(rate: Element) -> float | None:
    quantity = rate.child("doseQuantity")
    if quantity is None or quantity.content.get("comparator") is not None:
        return None
    factor = _DOSE.factor(quantity.content)
    number = quantity.number("value")
    return None if factor is None or number is None or number <= 0 else number * factor


def _times_a_day(repeat: Element) -> float | None:
    """How often a day, where frequency, period and its unit say so and nothing else in the timing says otherwise."""
    content = repeat.content
    frequency, period = repeat.number("frequency"), repeat.number("period")
    unit = repeat.code("periodUnit")
    days = _DAYS.get(unit)
    if frequency is None or period is None or days is None or frequency <= 0 or period <= 0:
        return None
    if not content.keys().isdisjoint(("frequencyMax", "periodMax", "count", "countMax")):
        return None
    for name in ("dayOfWeek", "timeOfDay", "when"):
        moments = content.get(name)
        if moments is not None and not (isinstance(moments, list) and len(moments) == frequency):
            return None
    if content.get("dayOfWeek") is not None and (unit, period) != ("wk", 1):
        return None
    return frequency / (period * days)
