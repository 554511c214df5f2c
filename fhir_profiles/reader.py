"""Reading: whatever a client sends as FHIR R4 JSON becomes one `PatientRecord`.

One pass. Each resource is judged by whose it is, then by what would change its meaning, then by its status, and only then by its
content (phenotypes.md section 1). A resource that cannot be used becomes an issue and costs no other.

What an unusable resource does to "not done": if it may have been one that we look for (its subject or its code cannot be
told, its status is unknown, it carries a modifier that we do not know, it has the shape of another FHIR version, or it came
in versions that contradict each other), its type is `FAILED` from then on, so that nothing is concluded from what that type
does not show (SAF-02, SAF-07, SAF-08). The same holds for the types of a Bundle that was cut or carries an error. A field
that cannot be read inside a resource that can, such as a date or a unit, leaves the type `PRESENT`: the fact is there, it
only says less.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime

from fhir_profiles.chart import UNSUPPORTED_VERSION, Chart, in_order
from fhir_profiles.codes import Terminology
from fhir_profiles.elements import Element
from fhir_profiles.identity import Sorted, id_of_patient, sort_by_patient
from fhir_profiles.read_care import (
    read_adverse_event,
    read_allergy,
    read_encounter,
    read_immunization,
    read_procedure,
    read_report,
    read_service_request,
)
from fhir_profiles.read_conditions import read_condition
from fhir_profiles.read_medications import (
    dosing_of,
    medication_of,
    read_administration,
    read_dispense,
    read_request,
    read_statement,
    systemic_concepts,
)
from fhir_profiles.read_observations import read_observation
from fhir_profiles.read_patient import Demographics, read_patient
from fhir_profiles.record import DraftOrder, InputState, Issue, PatientRecord
from fhir_profiles.resources import collect, type_and_id
from fhir_profiles.sentences import say

_READERS: Mapping[str, Callable[[Element, Chart], None]] = {
    "AdverseEvent": read_adverse_event,
    "AllergyIntolerance": read_allergy,
    "Condition": read_condition,
    "DiagnosticReport": read_report,
    "Encounter": read_encounter,
    "Immunization": read_immunization,
    "MedicationAdministration": read_administration,
    "MedicationDispense": read_dispense,
    "MedicationRequest": read_request,
    "MedicationStatement": read_statement,
    "Observation": read_observation,
    "Procedure": read_procedure,
    "ServiceRequest": read_service_request,
}
"""FamilyMemberHistory is missing on purpose: what a relative has is no fact about the patient (phenotypes.md section 1)."""

# Resource types that R4 no longer has, and the type that took their place.
_FORMER_TYPES: Mapping[str, str] = {
    "DiagnosticOrder": "ServiceRequest",
    "MedicationOrder": "MedicationRequest",
    "ProcedureRequest": "ServiceRequest",
    "ReferralRequest": "ServiceRequest",
}

RESOURCE_TYPES = frozenset({"Patient", *_READERS, *_FORMER_TYPES})
"""Types of the resources about a patient that are read, or whose former shape is noticed."""

_DRAFT_TYPES = ("MedicationRequest", "ServiceRequest")
_NO_DRAFT = {"cancelled", "completed", "entered-in-error", "revoked", "stopped"}


def read_record(
    parts: Iterable[object],
    *,
    terminology: Terminology,
    as_of: date,
    patient_id: str | None = None,
    inputs: Mapping[str, InputState] | None = None,
    several_patients: bool = False,
    servers: Iterable[str] = (),
) -> PatientRecord:
    """Read what was sent about one patient.

    Args:
        parts: parsed JSON values: Bundles of any type, single resources, lists of them, prefetch values, None.
        terminology: what codes mean.
        as_of: the day of the record, in UTC as the times of the chart are; facts dated later are dropped.
        patient_id: FHIR id of the patient (`context.patientId`); None to take it from the Patient, else from the subjects,
            which must all agree.
        inputs: what the caller knows about kinds of input, by resource type. A type that was read is `PRESENT` unless told
            `FAILED`; told `PRESENT`, a Bundle with a `next` link does not count as cut, because the caller followed it.
        several_patients: `parts` hold several Patients on purpose; the resources of the others are left out silently.
        servers: base URLs of the FHIR servers on which the patient has the id `patient_id`; none where that is not known, and
            then an absolute reference counts by its id alone.

    Returns:
        The record. If data of another patient is among the input, it has no facts, `is_mismatched` is true, and every issue
        names a resource of another patient (never whose it is).

    Raises:
        TypeError: `parts` is one JSON value instead of several, `as_of` is a datetime, or `several_patients` comes without
            `patient_id`. No JSON input raises anything.
    """
    if isinstance(as_of, datetime):
        raise TypeError("as_of must be a date, not a datetime; say in which zone it is that day")
    if several_patients and patient_id is None:
        raise TypeError("several_patients needs patient_id: nothing else says which of them is meant")
    collection = collect(parts)
    input_by_patient = sort_by_patient(collection, patient_id, several_patients, _READERS, servers)
    identity = input_by_patient.identity
    if input_by_patient.mismatches:
        issues = in_order(input_by_patient.mismatches)
        return PatientRecord(as_of=as_of, patient_id=identity.patient_id, issues=issues, is_mismatched=True)
    chart = Chart(terminology, as_of, identity)
    who = read_patient(identity.patient, as_of) if identity.patient and chart.is_sound(identity.patient) else Demographics()
    chart.birth = who.birth
    for element in input_by_patient.unclear:
        chart.lose(element, "", _UNCLEAR.get(element.type, _UNCLEAR_SUBJECT))
    for element in input_by_patient.own:
        if reader := _READERS.get(element.type):
            reader(element, chart)
        elif former := _FORMER_TYPES.get(element.type):
            element.report("", UNSUPPORTED_VERSION)
            chart.failed.add(former)
    return chart.record(who.birth, who.sex, who.is_deceased, _states(input_by_patient, chart, inputs or {}))


def read_drafts(
    draft_orders: object,
    selections: Iterable[str] | None,
    *,
    terminology: Terminology,
    as_of: date,
    patient_id: str | None,
    servers: Iterable[str] = (),
) -> tuple[tuple[DraftOrder, ...], tuple[Issue, ...]]:
    """Read `context.draftOrders`.

    Args:
        draft_orders: the Bundle; with or without `type`.
        selections: `context.selections` of order-select; None for order-sign, where all are selected.
        terminology: what codes mean.
        as_of: the day of the call.
        patient_id: `context.patientId`.
        servers: as for `read_record`.

    Returns:
        The drafted MedicationRequests and ServiceRequests by reference, and what could not be read. If a draft is for another
        patient there are no drafts and every issue is one for which `identity.is_mismatch` holds (SAF-06).
    """
    collection = collect([draft_orders])
    input_by_patient = sort_by_patient(collection, patient_id, False, _DRAFT_TYPES, servers)
    if input_by_patient.mismatches:
        return (), in_order(input_by_patient.mismatches)
    chart = Chart(terminology, as_of, input_by_patient.identity)
    for element in input_by_patient.unclear:
        chart.lose(element, "", _UNCLEAR_SUBJECT)
    selected = None if selections is None else {_literal(one) for one in selections}
    drafts = [
        _draft(element, chart, selected is None or element.reference in selected)
        for element in input_by_patient.own
        if element.type in _DRAFT_TYPES and _is_draft(element, chart)
    ]
    return tuple(sorted(drafts, key=lambda draft: draft.reference)), in_order(collection.issues)


def patients_in(parts: Iterable[object]) -> tuple[str, ...]:
    """The ids of the Patient resources among the input, each once, sorted."""
    collection = collect(parts)
    everything = (*collection, *collection.superseded)
    return tuple(sorted({name for one in everything if one.type == "Patient" and (name := id_of_patient(one))}))


_UNCLEAR_SUBJECT = say("does not name its patient by a reference that can be told; not used")
_UNCLEAR = {"Patient": say("has no id, so that it cannot be told whether it is the patient asked for; not used")}


def _states(input_by_patient: Sorted, chart: Chart, told: Mapping[str, InputState]) -> dict[str, InputState]:
    """The state of each kind of input, from what was told, what was met and what could not be used."""
    collection = input_by_patient.identity.collection
    states = dict(told)
    met = {element.type for element in input_by_patient.own}
    if input_by_patient.identity.patient:
        met.add("Patient")
    for kind in sorted(met):
        if told.get(kind) is not InputState.FAILED:
            states[kind] = InputState.PRESENT
    cut = {kind for kind in collection.cut if told.get(kind) is not InputState.PRESENT}
    for kind in sorted(chart.failed | collection.contradicting | cut):
        states[kind] = InputState.FAILED
    return states


def _is_draft(element: Element, chart: Chart) -> bool:
    """Whether somebody is writing this order: not one that is over, not an order not to, nothing that we may misread."""
    return element.code("status") not in _NO_DRAFT and chart.is_sound(element) and not chart.is_prohibition(element)


def _draft(element: Element, chart: Chart, is_selected: bool) -> DraftOrder:
    """What is drafted; without a concept while nothing is chosen."""
    if element.type == "ServiceRequest":
        return DraftOrder(element.reference, chart.coded(element, "code").concepts, is_selected, resource=element.content)
    dosing = dosing_of(element, chart)
    concepts = systemic_concepts(medication_of(element, chart), dosing.route)
    return DraftOrder(element.reference, concepts, is_selected, *dosing, resource=element.content)


def _literal(selection: object) -> str:
    """A selection as `Type/id`; some clients send it absolute."""
    text = selection if isinstance(selection, str) else ""
    named = type_and_id(text)
    return "/".join(named) if named else text
