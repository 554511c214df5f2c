"""Care: done, ordered, not tolerated (phenotypes.md section 1, rules 1 and 3)."""

from collections.abc import Callable
from typing import Any

import pytest

from fhir_profiles.record import Event, InputState, Intolerance, Order
from tests.fhir_profiles.charts import (
    METHOTREXATE,
    SHOE_SIZE,
    SNOMED,
    Json,
    adverse_event,
    allergy,
    coded,
    encounter,
    facts,
    immunization,
    patient,
    problems,
    procedure,
    read,
    report,
    request,
    service_request,
    without,
)


def kinds(*resources: Json) -> list[type]:
    return [type(fact) for fact in facts(read(patient(), *resources))]


# --- done, ordered, neither ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "status", "kind"),
    [
        (procedure, "completed", Event),
        (procedure, "preparation", Order),
        (procedure, "in-progress", Order),
        (procedure, "on-hold", Order),
        *((report, status, Event) for status in ("final", "amended", "corrected", "appended", "preliminary", "partial")),
        (service_request, "draft", Order),
        (service_request, "active", Order),
        (service_request, "on-hold", Order),
        (service_request, "completed", Event),
        (immunization, "completed", Event),
        (encounter, "finished", Event),
        (encounter, "in-progress", Event),
    ],
)
def test_the_status_says_whether_it_was_done_or_ordered(make: Callable[..., Json], status: str, kind: type) -> None:
    assert kinds(make(status=status)) == [kind]


@pytest.mark.parametrize(
    ("make", "status"),
    [
        *((procedure, status) for status in ("not-done", "stopped", "entered-in-error")),
        *((report, status) for status in ("registered", "cancelled", "entered-in-error")),
        *((service_request, status) for status in ("revoked", "entered-in-error")),
        *((immunization, status) for status in ("not-done", "entered-in-error")),
        *((encounter, status) for status in ("planned", "cancelled", "entered-in-error")),
    ],
)
def test_what_was_not_done_is_neither(make: Callable[..., Json], status: str) -> None:
    """SAF-07; and the type was supplied, so "not done" may be concluded."""
    record = read(patient(), make(status=status))
    assert (facts(record), record.issues) == ([], ())
    assert record.inputs[make()["resourceType"]] is InputState.PRESENT


@pytest.mark.parametrize("make", [procedure, report, service_request, immunization, encounter])
@pytest.mark.parametrize("status", [None, "unknown", "finalised", ["completed"]])
def test_an_unknown_status_leaves_it_open_whether_it_was_done(make: Callable[..., Json], status: Any) -> None:
    """SAF-08: an unreadable Procedure means that "not done" is no longer certain."""
    record = read(patient(), make(status=status))
    assert facts(record) == []
    assert record.inputs[make()["resourceType"]] is InputState.FAILED


@pytest.mark.parametrize("make", [procedure, report, service_request, immunization])
@pytest.mark.parametrize("code", [None, "73761001", {}, [], 5, {"coding": []}])
def test_a_code_that_cannot_be_read_leaves_it_open_what_was_done(make: Callable[..., Json], code: Any) -> None:
    field = "vaccineCode" if make is immunization else "code"
    record = read(patient(), make(**{field: code}))
    assert facts(record) == []
    assert record.inputs[make()["resourceType"]] is InputState.FAILED


@pytest.mark.parametrize("make", [procedure, report, service_request])
def test_what_is_none_of_ours_is_passed_over_whatever_its_state(make: Callable[..., Json]) -> None:
    record = read(patient(), make(code=SHOE_SIZE, status="nonsense"))
    assert (facts(record), record.issues) == ([], ())
    assert record.inputs[make()["resourceType"]] is InputState.PRESENT


@pytest.mark.parametrize("intent", ["order", "plan", "original-order", "reflex-order", None])
def test_an_order_of_any_firmness_is_ordered(intent: Any) -> None:
    assert kinds(service_request(intent=intent)) == [Order]


def test_an_option_is_no_order() -> None:
    assert kinds(service_request(intent="option")) == []


def test_an_order_not_to_do_it_is_no_order() -> None:
    """SAF-07."""
    assert kinds(service_request(doNotPerform=True)) == []


# --- dates ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("resource", "when"),
    [
        (procedure(), "1 March 2025"),
        (without(procedure(performedPeriod={"start": "2025-02"}), "performedDateTime"), "February 2025"),
        (without(procedure(performedString="last spring"), "performedDateTime"), "None"),
        (procedure(status="preparation", performedDateTime="2025-09-01"), "None"),
        (procedure(status="in-progress"), "1 March 2025"),
        (report(), "1 March 2025"),
        (without(report(issued="2025-03-02T10:00:00Z"), "effectiveDateTime"), "2 March 2025"),
        (service_request(occurrenceDateTime="2025-09-01"), "1 March 2025"),
        (service_request(status="completed", occurrenceDateTime="2025-04-01"), "1 April 2025"),
        (service_request(status="completed"), "1 March 2025"),
        (immunization(), "1 February 2025"),
        (encounter(), "1 March 2025"),
    ],
)
def test_done_is_dated_by_the_doing_and_ordered_by_the_ordering(resource: Json, when: str) -> None:
    assert [str(fact.when) for fact in facts(read(patient(), resource))] == [when]


@pytest.mark.parametrize(
    "resource",
    [
        procedure(performedDateTime="2025-07-01"),
        report(effectiveDateTime="2025-07-01"),
        service_request(authoredOn="2025-07-01"),
        immunization(occurrenceDateTime="2025-07-01"),
        allergy(recordedDate="2025-07-01"),
        adverse_event(date="2025-07-01"),
    ],
    ids=lambda resource: resource["resourceType"],
)
def test_what_is_dated_in_the_future_is_dropped_and_reported(resource: Json) -> None:
    record = read(patient(), resource, without(request(status="stopped"), "authoredOn"))
    assert [fact.reference for fact in facts(record)] == ["MedicationRequest/mtx"]
    assert list(problems(record)) == [f"{resource['resourceType']}/{resource['id']}"]


# --- encounters ----------------------------------------------------------------------------------------------------


def test_an_encounter_without_a_reason_of_ours_is_no_fact() -> None:
    assert (
        kinds(encounter(reasonCode=[SHOE_SIZE]), encounter(id="b", reasonCode="x"), without(encounter(id="c"), "reasonCode"))
        == []
    )


# --- not tolerated -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "resource",
    [
        allergy(),
        allergy(clinicalStatus=coded("x", "active"), verificationStatus=coded("x", "confirmed")),
        allergy(verificationStatus=coded("x", "unconfirmed")),
        allergy(clinicalStatus="active"),
        allergy(clinicalStatus={"coding": [{"code": "active"}, {"code": "inactive"}]}),
        allergy(clinicalStatus=coded("x", "perhaps")),
        allergy(code=SHOE_SIZE, reaction=[{"substance": METHOTREXATE}]),
        allergy(code={"text": "methotrexate"}),
    ],
)
def test_a_drug_that_is_not_tolerated_is_an_intolerance(resource: Json) -> None:
    record = read(patient(), resource)
    assert [type(fact) for fact in record.intolerances["methotrexate"]] == [Intolerance]
    assert record.issues == ()


@pytest.mark.parametrize(
    "more",
    [
        {"clinicalStatus": coded("x", "inactive")},
        {"clinicalStatus": coded("x", "resolved")},
        {"verificationStatus": coded("x", "refuted")},
        {"verificationStatus": coded("x", "entered-in-error")},
    ],
)
def test_an_intolerance_that_is_over_or_never_was_is_no_fact(more: Json) -> None:
    record = read(patient(), allergy(**more))
    assert (facts(record), record.issues) == ([], ())


@pytest.mark.parametrize("code", ["716186003", "409137002"])
def test_no_known_allergy_is_no_intolerance_and_shows_that_it_was_asked(code: str) -> None:
    record = read(patient(), allergy(code=coded(SNOMED, code)))
    assert (facts(record), record.issues) == ([], ())
    assert record.inputs["AllergyIntolerance"] is InputState.PRESENT


def test_an_allergy_to_nobody_knows_what_leaves_it_open() -> None:
    record = read(patient(), without(allergy(), "code"))
    assert record.inputs["AllergyIntolerance"] is InputState.FAILED


@pytest.mark.parametrize(
    ("instance", "parts"),
    [
        ({"reference": "MedicationRequest/mtx"}, [request(status="cancelled")]),
        ({"reference": "Medication/m"}, [{"resourceType": "Medication", "id": "m", "code": METHOTREXATE}]),
        ({"reference": "Medication/gone", "display": "Methotrexate 10 mg"}, []),
        ({"reference": "#m"}, []),
    ],
)
def test_the_suspect_of_an_adverse_event_is_not_tolerated(instance: Json, parts: list[Json]) -> None:
    contained = [{"resourceType": "Medication", "id": "m", "code": METHOTREXATE}]
    event = adverse_event(suspectEntity=[{"instance": instance}], contained=contained)
    assert kinds(event, *parts) == [Intolerance]


def test_a_near_miss_is_no_intolerance() -> None:
    record = read(patient(), adverse_event(actuality="potential"), request(status="cancelled"))
    assert (facts(record), record.issues) == ([], ())


def test_an_adverse_event_that_may_not_have_happened_is_not_used() -> None:
    record = read(patient(), without(adverse_event(), "actuality"), request(status="cancelled"))
    assert facts(record) == []
    assert record.inputs["AdverseEvent"] is InputState.FAILED


@pytest.mark.parametrize("instance", [None, "Medication/m", {"reference": "Medication/gone"}, {"display": ""}])
def test_a_suspect_that_cannot_be_told_leaves_it_open(instance: Any) -> None:
    record = read(patient(), adverse_event(suspectEntity=[{"instance": instance}]))
    assert facts(record) == []
    assert record.inputs["AdverseEvent"] is InputState.FAILED


@pytest.mark.parametrize("reference", ["Device/pump", "Procedure/scope", "Immunization/zoster"])
def test_a_suspect_that_is_no_drug_is_none_of_ours(reference: str) -> None:
    record = read(patient(), adverse_event(suspectEntity=[{"instance": {"reference": reference}}]))
    assert (facts(record), record.issues) == ([], ())
