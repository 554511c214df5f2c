"""Reading as a whole: any wrapping, any dialect, one bad resource at a time, and what is known about what was not there."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from fhir_profiles.reader import read_drafts
from fhir_profiles.record import DraftOrder, InputState, Issue
from tests.fhir_profiles.charts import (
    DERMATOMYOSITIS,
    ME,
    METHOTREXATE,
    SHOE_SIZE,
    TACROLIMUS,
    TODAY,
    TOPICAL_ROUTE,
    Json,
    administration,
    allergy,
    bundle,
    coded,
    condition,
    dispense,
    encounter,
    everything,
    facts,
    immunization,
    observation,
    patient,
    problems,
    procedure,
    read,
    report,
    request,
    service_request,
    statement,
    terminology,
    without,
)

# --- what is known about what was not there (SAF-08) ----------------------------------------------------------------


def test_a_kind_that_was_read_is_present_and_any_other_was_not_supplied() -> None:
    record = read(patient(), condition())
    assert record.input_state("Condition") is InputState.PRESENT
    assert record.input_state("Procedure") is InputState.NOT_SUPPLIED


def test_what_the_caller_knows_about_a_kind_is_kept() -> None:
    told = {"Procedure": InputState.CONFIRMED_EMPTY, "Observation": InputState.FAILED}
    record = read(patient(), condition(), inputs=told)
    assert {kind: record.inputs[kind] for kind in told} == told


@pytest.mark.parametrize("told", [InputState.CONFIRMED_EMPTY, InputState.NOT_SUPPLIED, InputState.PRESENT])
def test_what_was_read_is_there_whatever_the_caller_thought(told: InputState) -> None:
    assert read(patient(), procedure(), inputs={"Procedure": told}).inputs["Procedure"] is InputState.PRESENT


def test_a_kind_told_as_failed_stays_failed_even_if_some_of_it_was_read() -> None:
    record = read(patient(), procedure(), inputs={"Procedure": InputState.FAILED})
    assert record.inputs["Procedure"] is InputState.FAILED
    assert list(record.events) == ["colonoscopy"]


CUT = bundle(procedure(), type="searchset", link=[{"relation": "next", "url": "https://ehr.example/fhir?page=2"}])


def test_a_kind_that_was_cut_is_incomplete() -> None:
    """Conformance R-15."""
    record = read(patient(), CUT)
    assert record.inputs["Procedure"] is InputState.FAILED
    assert list(record.events) == ["colonoscopy"]


def test_a_caller_who_followed_the_pages_says_so() -> None:
    assert read(patient(), CUT, inputs={"Procedure": InputState.PRESENT}).inputs["Procedure"] is InputState.PRESENT


def test_an_unusable_resource_makes_its_kind_incomplete_whatever_the_caller_thought() -> None:
    record = read(patient(), procedure(status="unknown"), inputs={"Procedure": InputState.PRESENT})
    assert record.inputs["Procedure"] is InputState.FAILED


def test_versions_that_contradict_each_other_make_their_kind_incomplete() -> None:
    record = read(patient(), procedure(), procedure(status="not-done"))
    assert list(record.events) == []
    assert record.inputs["Procedure"] is InputState.FAILED


def test_the_newest_version_counts_once() -> None:
    old, new = procedure(meta={"versionId": "1"}), procedure(meta={"versionId": "2"}, status="entered-in-error")
    for order in ((old, new), (new, old)):
        assert facts(read(patient(), *order)) == []
    record = read(bundle(patient(), procedure()), bundle(procedure()))
    assert [fact.reference for fact in record.events["colonoscopy"]] == ["Procedure/scope"]


# --- modifiers and other FHIR versions (SAF-07, SAF-17) -------------------------------------------------------------


@pytest.mark.parametrize("resource", everything()[:11], ids=lambda resource: resource["resourceType"])
def test_a_resource_with_an_unknown_modifier_is_not_used(resource: Json) -> None:
    """SAF-07: the modifier may turn the meaning around."""
    kind, reference = resource["resourceType"], f"{resource['resourceType']}/{resource['id']}"
    record = read(patient(), {**resource, "modifierExtension": [{"url": "https://ehr.example/negated", "valueBoolean": True}]})
    assert facts(record) == []
    assert record.inputs[kind] is InputState.FAILED
    assert list(problems(record)) == [f"{reference}.modifierExtension"]


R5 = [
    {**without(request(), "medicationCodeableConcept"), "medication": {"concept": METHOTREXATE}},
    {**without(statement(), "medicationCodeableConcept"), "medication": {"reference": {"reference": "Medication/m"}}},
    {**without(administration(), "medicationCodeableConcept"), "medication": {"concept": METHOTREXATE}},
    {**without(dispense(), "medicationCodeableConcept"), "medication": {"concept": METHOTREXATE}},
    {**without(procedure(), "performedDateTime"), "occurrenceDateTime": "2025-03-01"},
    service_request(code={"concept": DERMATOMYOSITIS}),
    encounter(actualPeriod={"start": "2025-03-01"}),
    report(study=[]),
]
STU3_OR_DSTU2 = [
    statement(taken="n"),
    statement(wasNotTaken=True),
    procedure(notDone=True),
    procedure(notPerformed=True),
    immunization(notGiven=True),
    immunization(wasNotGiven=True),
    administration(notGiven=True),
    dispense(notDone=True),
    {**without(condition(), "subject"), "patient": ME},
    allergy(substance=METHOTREXATE, status="refuted"),
]


@pytest.mark.requirement("SAF-17")
@pytest.mark.parametrize("resource", R5 + STU3_OR_DSTU2, ids=lambda resource: resource["resourceType"])
def test_the_shape_of_another_fhir_version_is_named_and_not_used(resource: Json) -> None:
    """SAF-17: what STU3 denied by a field of its own, R4 would read as done."""
    record = read(patient(), resource)
    assert facts(record) == []
    assert record.inputs[resource["resourceType"]] is InputState.FAILED
    assert [issue.problem for issue in record.issues] == ["has the shape of an unsupported FHIR version (we read R4); not used"]


@pytest.mark.parametrize(
    ("former", "today"),
    [("MedicationOrder", "MedicationRequest"), ("DiagnosticOrder", "ServiceRequest"), ("ProcedureRequest", "ServiceRequest")],
)
def test_a_type_that_r4_no_longer_has_leaves_its_successor_incomplete(former: str, today: str) -> None:
    """Conformance X-7: the official sandbox talks to a DSTU2 server by default."""
    record = read(patient(), {"resourceType": former, "id": "x", "subject": ME})
    assert record.inputs[today] is InputState.FAILED
    assert list(problems(record)) == [f"{former}/x"]


# --- dirty shapes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "dirt",
    [
        None,
        {},
        [],
        5,
        "x",
        {"resourceType": "Condition"},
        {"resourceType": "Condition", "id": 7, "subject": []},
        {"resourceType": "Bundle", "entry": "x"},
        {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": ["Patient"]}}]},
        condition(id="bad", code="dermatomyositis"),
        condition(id="bad", onsetDateTime=["2024"]),
        observation(id="bad", component={"code": 5}),
        observation(id="bad", component="x", referenceRange="y", interpretation="H"),
        request(id="bad", dosageInstruction="daily"),
        request(id="bad", dosageInstruction={"timing": "daily", "route": "oral"}),
        {"resourceType": "Unheard", "id": "x", "subject": ME},
    ],
    ids=repr,
)
def test_one_bad_resource_never_costs_another(dirt: Any) -> None:
    """SAF-16."""
    record = read(patient(), dirt, condition(), procedure())
    assert not record.is_mismatched
    assert "Condition/dm" in {fact.reference for fact in record.diagnoses["dermatomyositis"]}
    assert list(record.events) == ["colonoscopy"]


def test_a_problem_is_named_by_place_and_never_by_value() -> None:
    secret = "Anna-Example-secret"
    record = read(
        patient(birthDate=secret, gender=secret, deceasedBoolean=secret),
        condition(onsetDateTime=secret, verificationStatus=secret, clinicalStatus=secret),
        observation(status=secret),
        observation(id="b", valueQuantity={"value": secret, "unit": secret}),
        observation(id="c", valueQuantity={"value": 5, "unit": secret}, effectiveDateTime=secret),
        request(doNotPerform=secret),
        procedure(subject=secret),
    )
    assert len(record.issues) >= 9
    assert all(secret not in issue.problem and secret not in issue.reference for issue in record.issues)


WITHOUT_A_CODE_OF_OURS = [
    *(make(id="extra", code=SHOE_SIZE) for make in (allergy, condition, observation, procedure, report, service_request)),
    *(make(id="extra", medicationCodeableConcept=SHOE_SIZE) for make in (administration, dispense, request, statement)),
    *(immunization(id="extra", vaccineCode=SHOE_SIZE), encounter(id="extra", reasonCode=[SHOE_SIZE])),
    {"resourceType": "CarePlan", "id": "extra", "subject": ME},
]


@pytest.mark.requirement("SAF-01")
@pytest.mark.parametrize("resource", WITHOUT_A_CODE_OF_OURS, ids=lambda one: one["resourceType"])
def test_what_no_rule_can_use_is_still_asked_whose_it_is(resource: Json) -> None:
    owner = "patient" if "patient" in resource else "subject"
    assert not read(patient(), condition(), resource).is_mismatched
    assert read(patient(), condition(), {**resource, owner: {"reference": "Patient/2"}}).is_mismatched


@pytest.mark.requirement("SAF-02")
@pytest.mark.parametrize("resource", WITHOUT_A_CODE_OF_OURS[:-1], ids=lambda one: one["resourceType"])
def test_what_no_rule_can_use_and_is_nobodys_makes_its_kind_incomplete(resource: Json) -> None:
    record = read(patient(), without(resource, "patient", "subject"))
    assert record.inputs[resource["resourceType"]] is InputState.FAILED


def test_issues_are_ordered_by_place_and_said_once() -> None:
    record = read(patient(), procedure(id="b", status=None), procedure(id="a", status=None), 5, 5)
    assert [issue.reference for issue in record.issues] == ["Procedure/a.status", "Procedure/b.status", "input"]


def test_a_resource_without_an_id_is_read_and_named_as_such() -> None:
    record = read(patient(), without(condition(), "id"))
    assert [fact.reference for fact in record.diagnoses["dermatomyositis"]] == ["Condition without id"]


def test_a_resource_without_an_id_is_named_by_its_full_url() -> None:
    entries = [{"resource": patient()}, {"fullUrl": "urn:uuid:5", "resource": without(condition(), "id")}]
    record = read({"resourceType": "Bundle", "entry": entries})
    assert [fact.reference for fact in record.diagnoses["dermatomyositis"]] == ["urn:uuid:5"]


def test_nothing_at_all_is_an_empty_record() -> None:
    record = read(patient_id=None)
    assert (record.patient_id, facts(record), record.issues, dict(record.inputs)) == (None, [], (), {})


def test_the_moment_is_a_day() -> None:
    with pytest.raises(TypeError, match="datetime"):
        read(patient(), as_of=datetime(2025, 6, 15, tzinfo=UTC))
    assert read(patient(), as_of=date(2025, 6, 15)).as_of == TODAY


def test_depth_inside_a_resource_is_no_danger() -> None:
    deep: Any = {}
    for _ in range(50_000):
        deep = {"extension": [deep], "contained": [deep]}
    record = read(
        patient(extension=[deep]), condition(code={"coding": [deep], "text": "dermatomyositis"}, contained=[deep]), deep
    )
    assert list(record.diagnoses) == ["dermatomyositis"]


# --- drafts ---------------------------------------------------------------------------------------------------------


def drafts(sent: Any, selections: Any = None) -> tuple[tuple[DraftOrder, ...], tuple[Issue, ...]]:
    return read_drafts(sent, selections, terminology=terminology(), as_of=TODAY, patient_id="1")


SANDBOX_DRAFT = {
    "resourceType": "Bundle",
    "entry": [
        {
            "resource": {
                "resourceType": "MedicationRequest",
                "id": "request-123",
                "status": "draft",
                "category": {"coding": [{"code": "outpatient"}]},
                "subject": ME,
                "medicationCodeableConcept": METHOTREXATE,
            }
        }
    ],
}


def test_the_draft_of_the_official_sandbox_is_read() -> None:
    """Conformance X-12, X-13: no Bundle.type, no intent, category as an object."""
    found, issues = drafts(SANDBOX_DRAFT, ["MedicationRequest/request-123"])
    assert found == (DraftOrder("MedicationRequest/request-123", ("methotrexate",), True),)
    assert issues == ()


@pytest.mark.parametrize("medication", [{}, {"medicationCodeableConcept": {}}, {"medicationCodeableConcept": None}])
def test_a_draft_before_a_drug_is_chosen_is_a_draft_of_nothing_yet(medication: Json) -> None:
    """Conformance X-14."""
    found, issues = drafts(bundle({**without(request(), "medicationCodeableConcept"), **medication}))
    assert found == (DraftOrder("MedicationRequest/mtx", ()),)
    assert issues == ()


@pytest.mark.parametrize(
    ("selections", "selected"),
    [
        (None, [True, True]),
        ([], [False, False]),
        (["MedicationRequest/mtx"], [True, False]),
        (["https://ehr.example/fhir/ServiceRequest/scope"], [False, True]),
        ([5, None, "MedicationRequest/other"], [False, False]),
    ],
)
def test_at_signing_all_are_selected_and_before_only_those_named(selections: Any, selected: list[bool]) -> None:
    found, _ = drafts(bundle(service_request(status="draft"), request(status="draft")), selections)
    assert [(draft.reference, draft.concepts, draft.is_selected) for draft in found] == [
        ("MedicationRequest/mtx", ("methotrexate",), selected[0]),
        ("ServiceRequest/scope", ("colonoscopy",), selected[1]),
    ]


def test_a_drug_in_a_medication_sent_along_is_found() -> None:
    draft = {**without(request(), "medicationCodeableConcept"), "medicationReference": {"reference": "Medication/m"}}
    found, _ = drafts(bundle(draft, {"resourceType": "Medication", "id": "m", "code": METHOTREXATE}))
    assert [one.concepts for one in found] == [("methotrexate",)]


def test_a_drafted_ointment_is_no_systemic_drug() -> None:
    found, _ = drafts(bundle(request(medicationCodeableConcept=TACROLIMUS, dosageInstruction=[{"route": TOPICAL_ROUTE}])))
    assert [one.concepts for one in found] == [("tacrolimus__non_systemic",)]


def dosed(*dosages: Json) -> DraftOrder:
    (found,), _ = drafts(bundle(request(status="draft", dosageInstruction=list(dosages))))
    return found


def repeated(**repeat: Any) -> Json:
    return {"timing": {"repeat": repeat}}


@pytest.mark.requirement("SAF-14")
@pytest.mark.parametrize(
    ("dosages", "times_a_week"),
    [
        ([repeated(frequency=1, period=1, periodUnit="wk")], 1),
        ([repeated(frequency=1, period=1, periodUnit="wk", dayOfWeek=["mon"])], 1),
        ([repeated(frequency=2, period=1, periodUnit="d")], 14),
        ([{"timing": {"code": {"coding": [{"code": "BID"}]}}}], 14),
        ([{"timing": {"code": {"text": "QD"}}}], 7),
        ([repeated(frequency=1, period=1, periodUnit="wk"), repeated(frequency=1, period=1, periodUnit="d")], 7),
        ([repeated(frequency=1, period=1, periodUnit="d"), {"text": "as told"}], 7),
        ([{"text": "every day"}], None),
        ([{"timing": {"code": {"text": "every day"}}}], None),
        ([repeated(frequency=1, frequencyMax=7, period=1, periodUnit="wk")], 7),
        ([repeated(frequency=1, period=1, periodUnit="wk", dayOfWeek=["mon", "thu"])], 2),
        ([repeated(frequency=2, period=1, periodUnit="wk", dayOfWeek=["mon", "thu"])], 2),
        ([repeated(frequency=2, period=1, periodUnit="wk", dayOfWeek=["mon"])], 2),
        ([repeated(dayOfWeek=["mon", "thu"])], 2),
        ([repeated(frequency=1, period=1, periodUnit="d", dayOfWeek=["mon"])], 1),
        ([repeated(frequency=1, period=1, periodUnit="d", dayOfWeek=["mon", "tue", "wed"])], 3),
        ([repeated(frequency=1, period=2, periodUnit="wk", dayOfWeek=["mon"])], 0.5),
        ([repeated(frequency=1, period=1, periodUnit="wk", dayOfWeek=[day]) for day in ("mon", "thu")], 2),
        ([repeated(frequency=1, period=1, periodUnit="wk", dayOfWeek=["mon"])] * 2, 1),
        ([repeated(frequency=1, period=1, periodUnit="wk")] * 2, 1),
        ([repeated(frequency=1, period=1, periodUnit="wk", dayOfWeek="mon")], 1),
        ([repeated(frequency=1, period=12, periodUnit="h", count=3)], None),
        ([repeated(frequency=1, period=0, periodUnit="wk")], None),
        ([repeated(frequency=1, period=1, periodUnit="d") | {"modifierExtension": [{"url": "x"}]}], None),
        ([], None),
    ],
)
def test_how_often_a_draft_is_to_be_taken_is_read_from_coded_timing_only(dosages: list[Json], times_a_week: float | None) -> None:
    assert dosed(*dosages).times_a_week == times_a_week


def test_a_draft_keeps_its_route_and_its_dose_a_day() -> None:
    rate = [{"doseQuantity": {"value": 20, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"}}]
    found = dosed(repeated(frequency=2, period=1, periodUnit="d") | {"doseAndRate": rate})
    assert (found.daily_dose_mg, found.route) == (40, None)


def test_a_draft_is_kept_as_it_was_sent_and_does_not_show_in_its_representation() -> None:
    """To be given back whole in an `update`; what a clinician wrote never reaches a log."""
    sent = request(status="draft", note=[{"text": "a word about the patient"}])
    (found,), _ = drafts(bundle(sent))
    assert found.resource == sent
    assert "a word about the patient" not in repr(found)
    assert found.has_id


def test_a_draft_without_an_id_cannot_be_named_by_an_action() -> None:
    entry = {"fullUrl": "urn:uuid:0", "resource": without(request(status="draft"), "id")}
    (found,), _ = drafts({"resourceType": "Bundle", "entry": [entry]})
    assert not found.has_id


@pytest.mark.parametrize(
    ("name", "has_id"), [("a" * 64, True), ("A-1.b", True), ("a" * 65, False), ("a b", False), ("a](x)", False)]
)
def test_a_draft_whose_id_is_not_a_fhir_id_cannot_be_named_by_an_action(name: str, has_id: bool) -> None:
    draft = DraftOrder(f"MedicationRequest/{name}", (), resource={"resourceType": "MedicationRequest", "id": name})
    assert draft.has_id is has_id


@pytest.mark.parametrize(
    "resource",
    [
        request(status="entered-in-error"),
        request(status="cancelled"),
        service_request(status="revoked"),
        request(doNotPerform=True),
        {"resourceType": "NutritionOrder", "id": "n", "subject": ME},
    ],
)
def test_what_nobody_is_ordering_is_no_draft(resource: Json) -> None:
    assert drafts(bundle(resource)) == ((), ())


@pytest.mark.parametrize(
    "resource",
    [
        request(modifierExtension=[{"url": "x"}]),
        without(request(), "subject"),
        request(medication={"concept": METHOTREXATE}),
        service_request(code={"concept": SHOE_SIZE}),
        request(doNotPerform="no"),
    ],
)
def test_a_draft_that_we_may_misread_is_reported_and_not_used(resource: Json) -> None:
    found, issues = drafts(bundle(resource, request(id="good")))
    assert [draft.reference for draft in found] == ["MedicationRequest/good"]
    assert len(issues) == 1


@pytest.mark.parametrize("sent", [None, {}, [], 5, "x", {"resourceType": "Bundle"}, coded("x", "y")])
def test_drafts_that_are_none_break_nothing(sent: Any) -> None:
    assert drafts(sent)[0] == ()
