"""Care: what was done, what is ordered, and what the patient does not tolerate (phenotypes.md section 1, rules 1 and 3)."""

from collections.abc import Iterable

from fhir_profiles.chart import Chart, Coded
from fhir_profiles.dates import DateInterval
from fhir_profiles.elements import Element, codes_of, objects
from fhir_profiles.read_medications import medication_of, referenced_drug
from fhir_profiles.read_observations import contained_observations, read_observation
from fhir_profiles.read_refusals import read_refusal
from fhir_profiles.record import Event, Intolerance, Order
from fhir_profiles.resources import type_and_id
from fhir_profiles.sentences import say

_PROCEDURE_DONE = frozenset({"completed"})
_PROCEDURE_UNDER_WAY = frozenset({"preparation", "in-progress", "on-hold"})
_PROCEDURE_IGNORED = frozenset({"not-done", "stopped", "entered-in-error"})
_REPORT_COUNTED = frozenset({"final", "amended", "corrected", "appended", "preliminary", "partial"})
_REPORT_IGNORED = frozenset({"registered", "cancelled", "entered-in-error"})
_SERVICE_ORDERED = frozenset({"draft", "active", "on-hold"})
_SERVICE_DONE = frozenset({"completed"})
_SERVICE_IGNORED = frozenset({"revoked", "entered-in-error"})
_VACCINE_GIVEN = frozenset({"completed"})
_VACCINE_IGNORED = frozenset({"not-done", "entered-in-error"})
_ENCOUNTER_COUNTED = frozenset({"in-progress", "finished"})
_ENCOUNTER_IGNORED = frozenset({"planned", "arrived", "triaged", "onleave", "cancelled", "entered-in-error"})
_DECLINED = frozenset({"not-done"})
_NO_ALLERGY = {"no_known_allergy", "no_known_drug_allergy"}
_DRUG_ENTRIES = {"MedicationRequest", "MedicationStatement", "MedicationAdministration", "MedicationDispense"}


def read_procedure(procedure: Element, chart: Chart) -> None:
    """A completed Procedure was done; one in preparation, under way or on hold is ordered and not done yet.

    One that was not done is a refusal where its status reason says that the patient declined.
    """
    code = chart.coded(procedure, "code")
    read_refusal(procedure, code, _DECLINED, procedure.time("performed"), chart)
    status = chart.admit(procedure, code, _PROCEDURE_DONE | _PROCEDURE_UNDER_WAY, _PROCEDURE_IGNORED)
    if status is None:
        return
    when = procedure.time("performed")
    if status in _PROCEDURE_DONE:
        _file_event(procedure, code, when, chart)
    else:
        is_planned = when is not None and when.first > chart.as_of
        _file_order(procedure, code, None if is_planned else when, chart)


def read_report(report: Element, chart: Chart) -> None:
    """A DiagnosticReport shows that the examination was done; Observations that it contains are results."""
    code = chart.coded(report, "code")
    results = contained_observations(report, "result", chart)
    if code.is_irrelevant and not results:
        return
    if not chart.counted_status(report, _REPORT_COUNTED, _REPORT_IGNORED):
        return
    when = report.time("effective") or report.date("issued")
    if not code.is_irrelevant and chart.has_code(report, code):
        _file_event(report, code, when, chart)
    for result in results:
        read_observation(result, chart, when)


def read_service_request(request: Element, chart: Chart) -> None:
    """An active, drafted or held ServiceRequest is an order, dated by the day of ordering; a completed one was done.

    An `option` is one of several things that may be ordered, and `doNotPerform` is an order not to: neither is an order.
    """
    code = chart.coded(request, "code")
    status = chart.admit(request, code, _SERVICE_ORDERED | _SERVICE_DONE, _SERVICE_IGNORED)
    if status is None or chart.is_prohibition(request) or request.code("intent") == "option":
        return
    ordered = request.date("authoredOn")
    if status in _SERVICE_DONE:
        _file_event(request, code, request.time("occurrence") or ordered, chart)
    else:
        _file_order(request, code, ordered, chart)


def read_immunization(immunization: Element, chart: Chart) -> None:
    """A completed Immunization, or one that the patient declined."""
    code = chart.coded(immunization, "vaccineCode")
    read_refusal(immunization, code, _DECLINED, immunization.date("occurrenceDateTime"), chart)
    if chart.admit(immunization, code, _VACCINE_GIVEN, _VACCINE_IGNORED):
        _file_event(immunization, code, immunization.date("occurrenceDateTime"), chart)


def read_encounter(encounter: Element, chart: Chart) -> None:
    """An Encounter counts only for the coded reason it had, once it took place."""
    reasons = [chart.meaning(reason) for reason in objects(encounter.content.get("reasonCode"))]
    concepts = _concepts(reasons)
    if concepts and chart.counted_status(encounter, _ENCOUNTER_COUNTED, _ENCOUNTER_IGNORED):
        by_text = all(reason.by_text for reason in reasons if reason.concepts)
        _file_event(encounter, Coded(concepts, by_text, True), encounter.span("period"), chart)


def read_allergy(allergy: Element, chart: Chart) -> None:
    """An active AllergyIntolerance that was not refuted, by its code or by the substance of a reaction.

    A clinical status that we do not know counts as active: the error would be a caution too many. "No known allergy" is no
    intolerance; it only shows that the question was asked.
    """
    codes = [_substance(allergy, "code", chart)]
    codes += [_substance(reaction, "substance", chart) for reaction in allergy.children("reaction")]
    concepts = tuple(concept for concept in _concepts(codes) if concept not in _NO_ALLERGY)
    if (not concepts and any(code.is_readable for code in codes)) or not chart.is_sound(allergy):
        return
    clinical, verification = (codes_of(allergy.content.get(f"{kind}Status")) for kind in ("clinical", "verification"))
    is_over = "active" not in clinical and not clinical.isdisjoint(("inactive", "resolved"))
    if is_over or not verification.isdisjoint(("refuted", "entered-in-error")):
        return
    by_text = all(code.by_text for code in codes if code.concepts)
    when = allergy.time("onset") or allergy.date("recordedDate")
    _file_intolerance(allergy, Coded(concepts, by_text, bool(concepts)), when, chart)


def read_adverse_event(event: Element, chart: Chart) -> None:
    """The drugs suspected in an AdverseEvent that really happened; a potential one (a near miss) is none."""
    suspects = [_suspect(event, entity.content.get("instance"), chart) for entity in event.children("suspectEntity")]
    if all(suspect.is_irrelevant for suspect in suspects) or not chart.is_sound(event):
        return
    actuality = event.code("actuality")
    if actuality != "actual":
        if actuality != "potential":
            chart.lose(event, "actuality", say("is missing or not known; not used"))
        return
    if not all(suspect.is_readable for suspect in suspects):
        chart.lose(event, "suspectEntity", say("names a drug that cannot be told; not used"))
    concepts = _concepts(suspects)
    if concepts:
        by_text = all(suspect.by_text for suspect in suspects if suspect.concepts)
        _file_intolerance(event, Coded(concepts, by_text, True), event.date("date") or event.date("detected"), chart)


def _suspect(event: Element, instance: object, chart: Chart) -> Coded:
    """The drug of a suspect: a Medication, or the entry by which the patient had it. Devices and procedures are none of ours."""
    target = instance.get("reference") if isinstance(instance, dict) else None
    found = chart.identity.collection.find(target, event) if isinstance(target, str) else None
    kind = found.type if found else (type_and_id(target) or ("Medication",))[0] if isinstance(target, str) else "Medication"
    if found and kind in _DRUG_ENTRIES:
        return medication_of(found, chart)
    if kind == "Medication" or kind in _DRUG_ENTRIES:
        return referenced_drug(event, instance, chart)
    return Coded(is_readable=True)


def _substance(element: Element, name: str, chart: Chart) -> Coded:
    """A substance as it is coded, or as drug texts are written."""
    code = chart.coded(element, name)
    return code if code.concepts else chart.coded_drug(element, name)


def _concepts(codes: Iterable[Coded]) -> tuple[str, ...]:
    return tuple(sorted({concept for code in codes for concept in code.concepts}))


def _file_event(element: Element, code: Coded, when: DateInterval | None, chart: Chart) -> None:
    if not chart.is_future(element, when):
        chart.events.append(Event(reference=element.reference, concepts=code.concepts, when=when, matched_by_text=code.by_text))


def _file_order(element: Element, code: Coded, when: DateInterval | None, chart: Chart) -> None:
    if not chart.is_future(element, when):
        chart.orders.append(Order(reference=element.reference, concepts=code.concepts, when=when, matched_by_text=code.by_text))


def _file_intolerance(element: Element, code: Coded, when: DateInterval | None, chart: Chart) -> None:
    if chart.has_code(element, code) and not chart.is_future(element, when):
        chart.intolerances.append(
            Intolerance(reference=element.reference, concepts=code.concepts, when=when, matched_by_text=code.by_text)
        )
