"""Whose resource is it? Another patient's data must never count as this patient's (SAF-01, 02, 03, 04, 06)."""

from typing import Any

import pytest

from fhir_profiles.identity import ANOTHER_PATIENT, is_mismatch
from fhir_profiles.reader import patients_in, read_drafts
from fhir_profiles.record import InputState
from tests.fhir_profiles.charts import (
    ME,
    SOMEBODY_ELSE,
    TODAY,
    Json,
    antibody,
    bundle,
    condition,
    everything,
    facts,
    family_history,
    observation,
    patient,
    problems,
    procedure,
    read,
    request,
    terminology,
    without,
)

UUID = "urn:uuid:0b0c6c8e-1d5c-4d2f-9f68-3f1f6c0a6a11"
OTHER_UUID = "urn:uuid:99999999-1d5c-4d2f-9f68-3f1f6c0a6a11"
IDENTIFIER = {"system": "https://hospital.example/mrn", "value": "12345"}
OTHER_IDENTIFIER = {"system": "https://hospital.example/mrn", "value": "67890"}


def about(reference: Any, **more: Any) -> Json:
    """The diagnosis of whoever is referred to."""
    return condition(subject={"reference": reference} if isinstance(reference, str) else reference, **more)


# --- the patient's own ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reference",
    [
        "Patient/1",
        "Patient/1/_history/2",
        "https://ehr.example/fhir/r4/Patient/1",
        "https://ehr.example/fhir/r4/Patient/1/_history/2",
        "Patient//1",
        "Patient/1?_format=json",
        "Patient/1#name",
        "https://ehr.example//fhir/r4/Patient//1/?_format=json#name",
        UUID,
    ],
)
def test_a_subject_in_any_spelling_is_the_patient(reference: str) -> None:
    sent = {"resourceType": "Bundle", "entry": [{"fullUrl": UUID, "resource": patient()}, {"resource": about(reference)}]}
    record = read(sent)
    assert "dermatomyositis" in record.diagnoses
    assert record.issues == ()


def test_without_patient_and_id_the_subjects_name_the_patient_if_all_agree() -> None:
    record = read(condition(), antibody(subject={"reference": "https://ehr.example/Patient/1"}), patient_id=None)
    assert (record.patient_id, len(facts(record))) == ("1", 2)


def test_a_transaction_in_which_nothing_has_an_id_yet_is_one_patients() -> None:
    entries = [{"fullUrl": UUID, "resource": without(patient(), "id")}, {"resource": without(about(UUID), "id")}]
    record = read({"resourceType": "Bundle", "type": "transaction", "entry": entries}, patient_id=None)
    assert (record.patient_id, record.sex, list(record.diagnoses)) == (UUID[9:], "female", ["dermatomyositis"])


def test_a_lone_patient_without_any_id_is_the_patient_if_nobody_was_asked_for() -> None:
    record = read(without(patient(), "id"), condition(), patient_id=None)
    assert (record.patient_id, record.sex, list(record.diagnoses)) == ("1", "female", ["dermatomyositis"])


def test_a_patient_without_id_is_not_the_one_asked_for() -> None:
    """SAF-01: Patient.id must equal context.patientId; where there is none it cannot be told."""
    record = read(without(patient(), "id"), condition())
    assert record.sex is None
    assert record.inputs["Patient"] is InputState.FAILED
    assert "no id" in problems(record)["Patient without id"]


@pytest.mark.parametrize(
    "contained",
    [
        {"resourceType": "Patient", "id": "p", "identifier": [IDENTIFIER]},
        {"resourceType": "Patient", "id": "1"},
    ],
    ids=["by identifier", "by id"],
)
def test_a_contained_patient_is_known_by_identifier_or_id(contained: Json) -> None:
    record = read(patient(identifier=[IDENTIFIER]), about(f"#{contained['id']}", contained=[contained]))
    assert "dermatomyositis" in record.diagnoses
    assert record.issues == ()


# --- somebody else's -----------------------------------------------------------------------------------------------

FOREIGN_REFERENCES = [
    "Patient/2",
    "Patient/2/_history/1",
    "https://ehr.example/fhir/r4/Patient/2",
    "https://ehr.example/fhir/r4/Patient/2/_history/1",
    OTHER_UUID,
    "urn:oid:2.999.2",
    "Patient/11",
    "Patient/1x",
    "https://ehr.example/Patient/1/Patient/2",
    "Patient//2",
    "Patient/2?a=b",
    "Patient/2#x",
    "https://ehr.example/fhir/r4/Patient/2?a=b",
    "https://ehr.example/fhir/r4/Patient/2#Patient/1",
    "https://ehr.example/fhir/r4//Patient//2//_history//1/",
]


@pytest.mark.parametrize("reference", FOREIGN_REFERENCES)
def test_another_patients_resource_makes_everything_unusable(reference: str) -> None:
    """SAF-01, for every form of reference."""
    record = read(bundle(patient(), antibody(), procedure()), about(reference))
    assert record.is_mismatched
    assert facts(record) == []
    assert (record.sex, record.birth, dict(record.refuted), dict(record.inputs)) == (None, None, {}, {})
    assert record.issues[0].reference == "Condition/dm"


def test_a_mismatch_never_says_who_the_other_patient_is() -> None:
    record = read(patient(), about("Patient/mrs-jones"), patient(id="mrs-jones"))
    assert record.is_mismatched
    assert "jones" not in repr(record)
    assert {issue.problem for issue in record.issues} == {ANOTHER_PATIENT}


@pytest.mark.parametrize("resource", everything(), ids=lambda resource: resource["resourceType"])
def test_resources_of_every_type_are_checked(resource: Json) -> None:
    """SAF-01."""
    field = "patient" if "patient" in resource else "subject"
    assert read(patient(), {**resource, field: SOMEBODY_ELSE}).is_mismatched


@pytest.mark.parametrize(
    "resource",
    [
        family_history(patient=SOMEBODY_ELSE),
        {"resourceType": "CarePlan", "id": "c", "subject": SOMEBODY_ELSE},
        {"resourceType": "Specimen", "id": "s", "subject": SOMEBODY_ELSE},
        {"resourceType": "Account", "id": "a", "subject": [ME, SOMEBODY_ELSE]},
        observation(contained=[{"resourceType": "Condition", "id": "c", "subject": SOMEBODY_ELSE}]),
        {"resourceType": "Coverage", "id": "c", "beneficiary": SOMEBODY_ELSE},
        {"resourceType": "ResearchSubject", "id": "r", "individual": SOMEBODY_ELSE},
        {"resourceType": "EnrollmentRequest", "id": "e", "candidate": SOMEBODY_ELSE},
    ],
    ids=["family history", "type we do not read", "specimen", "list of subjects", "contained", "coverage", "study", "enrolment"],
)
def test_a_resource_that_holds_no_fact_is_checked_too(resource: Json) -> None:
    assert read(patient(), condition(), resource).is_mismatched


def test_an_older_version_that_was_another_patients_is_a_mismatch() -> None:
    older = about("Patient/2", meta={"versionId": "1"})
    assert read(patient(), older, condition(meta={"versionId": "2"})).is_mismatched


def test_a_patient_resource_with_another_id_is_a_mismatch() -> None:
    record = read(patient(id="2"), condition())
    assert record.is_mismatched
    assert [issue.reference for issue in record.issues] == ["Patient"]


def test_an_empty_id_is_nobodys() -> None:
    assert read(patient(), condition(), patient_id="").is_mismatched


def test_two_patients_are_a_mismatch_if_nobody_was_asked_for() -> None:
    assert read(patient(), patient(id="2"), condition(), patient_id=None).is_mismatched


def test_two_versions_of_another_patient_are_still_another_patient() -> None:
    assert read(patient(id="2", gender="male"), patient(id="2"), condition()).is_mismatched


def test_subjects_that_disagree_are_a_mismatch_if_nobody_was_asked_for() -> None:
    record = read(condition(), antibody(), observation(subject=SOMEBODY_ELSE), patient_id=None)
    assert record.is_mismatched
    assert [issue.reference for issue in record.issues] == ["Observation/ck"]


def test_a_contained_patient_with_record_numbers_of_another_house_is_nobodys_that_could_be_told() -> None:
    """Its id means nothing outside the resource that contains it."""
    contained = {"resourceType": "Patient", "id": "1", "identifier": [{"system": "https://other.example/mrn", "value": "1"}]}
    record = read(patient(identifier=[IDENTIFIER]), about("#1", contained=[contained]))
    assert not record.is_mismatched
    assert record.inputs["Condition"] is InputState.FAILED


def test_a_contained_patient_with_another_record_number_is_a_mismatch() -> None:
    contained = {"resourceType": "Patient", "id": "p", "identifier": [OTHER_IDENTIFIER]}
    assert read(patient(identifier=[IDENTIFIER]), about("#p", contained=[contained])).is_mismatched


def test_an_address_of_somebody_else_is_somebody_else_whatever_stands_there() -> None:
    """SAF-01: what a reference says and what it resolves to must be the same patient."""
    lying = {"resourceType": "Bundle", "entry": [{"fullUrl": "https://ehr.example/Patient/2", "resource": patient()}]}
    assert read(lying).is_mismatched
    assert read(patient(), {**lying, "entry": [{**lying["entry"][0], "resource": procedure()}]}, about("Patient/2")).is_mismatched
    other = {"resourceType": "Bundle", "entry": [{"fullUrl": "https://ehr.example/Patient/1", "resource": patient(id="2")}]}
    assert read(other, about("https://ehr.example/Patient/1")).is_mismatched


def test_a_contained_resource_may_name_several_subjects() -> None:
    contained = {"resourceType": "Account", "id": "a", "subject": [ME, SOMEBODY_ELSE]}
    assert read(patient(), condition(contained=[contained])).is_mismatched


# --- the same id on another server ----------------------------------------------------------------------------------

OUR_SERVER = "https://ehr.example/fhir/r4"


@pytest.mark.parametrize(
    "base",
    [
        OUR_SERVER,
        "https://EHR.example:443/fhir/r4",
        "http://ehr.example/fhir/r4",
        "https://second.example/fhir",
    ],
)
def test_the_patient_may_be_at_any_address_of_a_known_server(base: str) -> None:
    record = read(patient(), about(f"{base}/Patient/1"), servers=(f"{OUR_SERVER}/", "https://second.example/fhir"))
    assert "dermatomyositis" in record.diagnoses


@pytest.mark.parametrize(
    "base",
    ["https://other.example/fhir/r4", "https://ehr.example/fhir/tenant-2", "https://ehr.example:8443/fhir/r4", "https://["],
)
def test_the_same_id_on_another_server_could_be_anybodys(base: str) -> None:
    """SAF-01: an absolute reference must be under a base of this EHR; SAF-02: what cannot be told is not used."""
    record = read(patient(), procedure(), about(f"{base}/Patient/1"), servers=(OUR_SERVER,))
    assert "dermatomyositis" not in record.diagnoses
    assert not record.is_mismatched
    assert record.inputs["Condition"] is InputState.FAILED
    assert record.inputs["Procedure"] is InputState.PRESENT


def at(base: str, resource: Json) -> Json:
    entry = {"fullUrl": f"{base}/{resource['resourceType']}/{resource['id']}", "resource": resource}
    return {"resourceType": "Bundle", "entry": [entry]}


def test_a_relative_subject_is_meant_on_the_server_that_the_resource_came_from() -> None:
    """https://hl7.org/fhir/R4/bundle.html#references: relative to the address of the entry."""
    record = read(at(OUR_SERVER, procedure()), at("https://other.example/fhir", condition()), servers=(OUR_SERVER,))
    assert "dermatomyositis" not in record.diagnoses
    assert record.inputs["Condition"] is InputState.FAILED
    assert record.inputs["Procedure"] is InputState.PRESENT


def test_a_patient_from_another_server_is_not_read() -> None:
    record = read(at(OUR_SERVER, procedure()), at("https://other.example/fhir", patient()), servers=(OUR_SERVER,))
    assert record.sex is None
    assert record.inputs["Patient"] is InputState.FAILED


def test_a_server_that_writes_its_inner_address_everywhere_is_believed() -> None:
    """As servers behind a proxy do; then nothing distinguishes the address from a known one."""
    inner = "http://hapi.internal:8080/fhir"
    record = read(at(inner, procedure()), at(inner, condition()), at(inner, patient()), servers=(OUR_SERVER,))
    assert "dermatomyositis" in record.diagnoses
    assert record.sex == "female"


def test_where_no_server_is_known_the_id_alone_counts() -> None:
    assert "dermatomyositis" in read(patient(), about("https://any.example/Patient/1")).diagnoses


# --- nobody's that could be told -----------------------------------------------------------------------------------

NOBODY = [
    None,
    {},
    {"display": "Anna Example"},
    {"identifier": IDENTIFIER},
    {"reference": 5},
    {"reference": "Patient?identifier=7"},
    {"reference": "Patient"},
    {"reference": "Group/9"},
    {"reference": "#missing"},
    "Patient/1",
    5,
]


@pytest.mark.parametrize("subject", NOBODY, ids=repr)
def test_a_resource_whose_subject_cannot_be_told_is_left_out_and_its_type_incomplete(subject: Any) -> None:
    """SAF-02: and "not done" can no longer be said of that type."""
    record = read(patient(), condition(), procedure(subject=subject))
    assert list(record.events) == []
    assert record.inputs["Procedure"] is InputState.FAILED
    assert record.inputs["Condition"] is InputState.PRESENT
    assert list(problems(record)) == ["Procedure/scope"]
    assert "dermatomyositis" in record.diagnoses


def test_an_unknown_contained_patient_cannot_be_told() -> None:
    record = read(patient(), about("#p", contained=[{"resourceType": "Patient", "id": "p"}]))
    assert (list(record.diagnoses), record.inputs["Condition"]) == ([], InputState.FAILED)


def test_a_missing_subject_in_a_type_that_holds_no_fact_is_no_matter() -> None:
    assert read(patient(), {"resourceType": "Medication", "id": "m"}, {"resourceType": "List", "id": "l"}).issues == ()


@pytest.mark.parametrize("reference", ["Device/pump", "Location/ward"])
def test_what_was_observed_about_a_thing_is_set_aside(reference: str) -> None:
    record = read(patient(), observation(subject={"reference": reference}))
    assert facts(record) == []
    assert not record.is_mismatched
    assert list(problems(record)) == ["Observation/ck.subject"]


# --- about somebody else, in the patient's own chart ----------------------------------------------------------------


@pytest.mark.parametrize("focus", [[SOMEBODY_ELSE], [{"display": "fetus"}], [ME, {"reference": "Device/1"}], "fetus"])
def test_an_observation_that_focuses_on_somebody_else_is_no_fact(focus: Any) -> None:
    """SAF-04."""
    record = read(patient(), antibody(focus=focus, valueBoolean=True))
    assert facts(record) == []
    assert not record.is_mismatched
    assert list(problems(record)) == ["Observation/jo1.focus"]


def test_a_focus_on_the_patient_is_no_matter() -> None:
    assert "anti_jo1" in read(patient(), antibody(focus=[ME], valueBoolean=True)).results


def test_a_donors_specimen_makes_no_fact() -> None:
    """SAF-04."""
    donor = {"resourceType": "Specimen", "id": "s", "subject": SOMEBODY_ELSE}
    record = read(patient(), antibody(valueBoolean=True, specimen={"reference": "#s"}, contained=[donor]))
    assert facts(record) == []
    assert not record.is_mismatched
    assert list(problems(record)) == ["Observation/jo1.specimen"]


def test_the_patients_own_specimen_is_no_matter() -> None:
    specimen = {"resourceType": "Specimen", "id": "s", "subject": ME}
    assert "anti_jo1" in read(patient(), antibody(valueBoolean=True, specimen={"reference": "Specimen/s"}), specimen).results


def test_family_history_is_never_a_fact() -> None:
    """SAF-04, phenotypes.md section 1 rule 3."""
    record = read(patient(), family_history())
    assert facts(record) == []
    assert record.issues == ()
    assert record.inputs["FamilyMemberHistory"] is InputState.PRESENT


@pytest.mark.parametrize("more", [{"active": False}, {"link": [{"type": "replaced-by", "other": {"reference": "Patient/3"}}]}])
def test_a_patient_record_that_is_no_longer_in_use_is_reported(more: Json) -> None:
    """SAF-03."""
    assert len(read(patient(**more)).issues) == 1


# --- several patients on purpose ------------------------------------------------------------------------------------


def test_of_several_patients_the_one_that_was_asked_for_is_read() -> None:
    several = bundle(patient(), patient(id="2", gender="male"), condition(), antibody(subject=SOMEBODY_ELSE))
    one, two = (read(several, patient_id=name, several_patients=True) for name in ("1", "2"))
    assert (one.sex, [fact.reference for fact in facts(one)], one.issues) == ("female", ["Condition/dm"], ())
    assert (two.sex, [fact.reference for fact in facts(two)], two.issues) == ("male", ["Observation/jo1"], ())
    assert "Observation" not in one.inputs


def test_a_patient_who_is_not_in_the_bundle_is_a_mismatch_even_among_several() -> None:
    several = bundle(patient(), patient(id="2"), condition(), antibody(subject={"reference": "Patient/3"}))
    assert read(several, several_patients=True).is_mismatched


def test_several_patients_need_a_name() -> None:
    with pytest.raises(TypeError, match="patient_id"):
        read(patient(), patient_id=None, several_patients=True)


def test_the_patients_of_an_input_are_listed_once_each() -> None:
    assert patients_in([bundle(patient(id="b"), condition(), patient(id="a")), patient(id="b", gender="male"), None]) == (
        "a",
        "b",
    )


# --- drafts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reference", FOREIGN_REFERENCES)
def test_a_draft_for_another_patient_is_refused(reference: str) -> None:
    """SAF-06."""
    drafts = bundle(request(), request(id="other", subject={"reference": reference}))
    found, issues = read_drafts(drafts, None, terminology=terminology(), as_of=TODAY, patient_id="1")
    assert found == ()
    assert [issue.reference for issue in issues] == ["MedicationRequest/other"]
    assert all(is_mismatch(issue) for issue in issues)
