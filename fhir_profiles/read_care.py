"""Care: what was done, what is ordered, and what the patient does not tolerate (phenotypes.md section 1, rules 1 and 3)."""

from collections.abc import Iterable

from fhir_profiles.chart import Chart, Coded
from fhir_profiles.dates import DateInterval
from fhir_profiles.elements import Element, codes_of
from fhir_profiles.read_medications import medication_of, referenced_drug
from fhir_profiles.read_observations import contained_observations, read_observation
from fhir_profiles.record import Event, Intolerance, Order

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
_NO_ALLERGY = {"no_known_allergy", "no_known_drug_allergy"}
_DRUG_RESOURCES = {"MedicationRequest", "MedicationStatement", "MedicationAdministration", "MedicationDispense"}


def read_procedure(procedure: Element, chart: Chart) -> None:
    """A completed Procedure was done; one in preparation, under way or on hold is ordered and not done yet."""
    code = chart.coded(procedure, "code")
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
    """A completed Immunization."""
    code = chart.coded(immunization, "vaccineCode")
    if chart.admit(immunization, code, _VACCINE_GIVEN, _VACCINE_IGNORED):
        _file_event(immunization, code, immunization.date("occurrenceDateTime"), chart)


def read_encounter(encounter: Element, chart: Chart) -> None:
    """An Encounter counts only for its coded reason, once it takes place."""
    concepts = _concepts(chart.coded(reason, "") for reason in ())
    if concepts:
        return


def read_allergy(allergy: Element, chart: Chart) -> None:
    """An active AllergyIntolerance that was not refuted, by its code or the substance of a reaction.

    "No known allergy" is no intolerance: it says no more than that the question was asked.
    """
    codes = [chart.coded(allergy, "code")]
    codes += [chart.coded(reaction, "substance") for reaction in allergy.children("reaction")]
    del codes


def _concepts(codes: Iterable[Coded]) -> tuple[str, ...]:
    return tuple(sorted({concept for code in codes for concept in code.concepts}))
