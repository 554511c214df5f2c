"""Refusals: what the patient declined, and what has overtaken it (unmet-patient-preference; phenotypes.md section 1, rule 1)."""

from typing import Any

import pytest

from fhir_profiles.courses import Outcome
from fhir_profiles.findings import Standing
from fhir_profiles.record import InputState, Refusal
from tests.fhir_profiles.charts import (
    METHOTREXATE,
    PREDNISOLONE,
    SHOE_SIZE,
    SNOMED,
    SOMEBODY_ELSE,
    TACROLIMUS,
    TOPICAL_ROUTE,
    Json,
    administration,
    coded,
    condition,
    facts,
    immunization,
    patient,
    problems,
    procedure,
    read,
    request,
    statement,
)
from tests.patient import Patient

DECLINED = coded(SNOMED, "105480006")
ACT_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
SICK = Patient().has("dermatomyositis", since="2026-04")


def not_done(**more: Any) -> Json:
    return procedure(**{"status": "not-done", "statusReason": DECLINED, **more})


# --- what is a refusal --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("resource", "concept", "day"),
    [
        (not_done(), "colonoscopy", "1 March 2025"),
        (request(status="cancelled", statusReason=DECLINED), "methotrexate", "10 January 2025"),
        (statement(status="not-taken", statusReason=[DECLINED]), "methotrexate", "10 January 2025"),
        (statement(status="not-taken", statusReason=[DECLINED], dateAsserted="2025-02-03"), "methotrexate", "3 February 2025"),
        (administration(status="not-done", statusReason=[DECLINED]), "methotrexate", "10 January 2025"),
        (administration(status="not-done", reasonNotGiven=[DECLINED]), "methotrexate", "10 January 2025"),
    ],
)
def test_a_status_reason_that_the_patient_declined_makes_a_refusal(resource: Json, concept: str, day: str) -> None:
    (refusal,) = facts(read(patient(), resource))
    assert isinstance(refusal, Refusal)
    assert refusal.concepts == (concept,)
    assert str(refusal.when) == day
    assert refusal.reference == f"{resource['resourceType']}/{resource['id']}"


def test_a_vaccination_that_the_patient_declined_is_a_refusal() -> None:
    declined = immunization(status="not-done", statusReason=coded(ACT_REASON, "PATOBJ"))
    (refusal,) = facts(read(patient(), declined))
    assert isinstance(refusal, Refusal)


@pytest.mark.parametrize(
    "reason",
    [
        coded(SNOMED, "183945002"),
        coded(SNOMED, "443390004"),
        coded(SNOMED, "116101000119100"),
        coded(ACT_REASON, "PATOBJ"),
        coded("http://hl7.org/fhir/v3/ActReason", "PREFUS"),
        coded("http://hl7.org/fhir/sid/icd-10-cm", "Z53.20"),
        coded("http://hl7.org/fhir/sid/icd-10", "Z53.2"),
        {"text": "Patient declined"},
        {"text": "Declined by the patient."},
        {"text": "patient's choice"},
    ],
)
def test_a_refusal_is_coded_in_several_ways_or_said_in_exact_words(reason: Json) -> None:
    assert list(read(patient(), not_done(statusReason=reason)).refusals) == ["colonoscopy"]


@pytest.mark.parametrize(
    "reason",
    [
        None,
        coded(SNOMED, "183932001"),
        coded(SNOMED, "182902003"),
        coded("http://hl7.org/fhir/sid/icd-10-cm", "Z53.21"),
        coded("http://hl7.org/fhir/sid/icd-10-cm", "Z53.09"),
        {"text": "patient has not declined"},
        {"text": "declined by insurance"},
        {"text": "patient declined sedation, rescheduled"},
    ],
)
def test_not_done_for_another_reason_is_no_fact(reason: Json | None) -> None:
    """That the patient could not pay, left before being seen, or must not have it, is no refusal."""
    resource = not_done(statusReason=reason) if reason else procedure(status="not-done")
    record = read(patient(), resource)
    assert (facts(record), record.issues) == ([], ())
    assert record.inputs["Procedure"] is InputState.PRESENT


@pytest.mark.parametrize(
    "resource",
    [
        procedure(status="entered-in-error", statusReason=DECLINED),
        not_done(code=SHOE_SIZE),
        request(status="entered-in-error", statusReason=DECLINED),
        request(status="cancelled", statusReason=DECLINED, doNotPerform=True),
        request(status="draft", statusReason=DECLINED),
        not_done(performedDateTime="2031-01-01"),
        not_done(modifierExtension=[{"url": "https://hospital.example/other", "valueBoolean": True}]),
    ],
)
def test_what_is_in_error_or_dated_later_or_not_understood_is_no_refusal(resource: Json) -> None:
    assert read(patient(), resource).refusals == {}


def test_a_refusal_dated_later_is_reported() -> None:
    assert "dated after" in problems(read(patient(), not_done(performedDateTime="2031-01-01")))["Procedure/scope"]


def test_the_refusal_of_another_patient_is_never_read() -> None:
    record = read(patient(), not_done(subject=SOMEBODY_ELSE))
    assert record.is_mismatched
    assert record.refusals == {}


def test_a_condition_that_something_was_declined_does_not_say_what() -> None:
    record = read(patient(), condition(code=coded("http://hl7.org/fhir/sid/icd-10-cm", "Z53.20")))
    assert record.refusals == {}


def test_refusing_a_cream_is_not_refusing_the_drug() -> None:
    cream = statement(
        status="not-taken",
        statusReason=[DECLINED],
        medicationCodeableConcept=TACROLIMUS,
        dosage=[{"route": TOPICAL_ROUTE}],
    )
    assert "tacrolimus" not in read(patient(), cream).refusals


def test_who_declines_one_drug_has_not_declined_its_class() -> None:
    declined = statement(status="not-taken", statusReason=[DECLINED], medicationCodeableConcept=PREDNISOLONE)
    assert list(read(patient(), declined).refusals) == ["prednisolone"]


def test_a_drug_that_the_patient_stopped_was_given_and_is_declined_from_the_day_it_ended() -> None:
    stopped = request(
        status="stopped",
        statusReason=DECLINED,
        medicationCodeableConcept=METHOTREXATE,
        dosageInstruction=[{"timing": {"repeat": {"boundsPeriod": {"start": "2025-01-10", "end": "2025-04-02"}}}}],
    )
    record = read(patient(), stopped)
    assert str(record.refusals["methotrexate"][0].when) == "2 April 2025"
    (entry,) = record.drugs["methotrexate"]
    assert (entry.was_given, entry.stop_reason) == (True, "other")


# --- what a refusal means -----------------------------------------------------------------------------------------------


def test_a_declined_test_is_not_done() -> None:
    found = SICK.declined("colonoscopy").assess().investigation("colonoscopy")
    assert found.standing is Standing.NOT_RECORDED
    assert found.evidence == ()
    assert found.declined is not None
    assert found.declined.title == "Colonoscopy"


@pytest.mark.parametrize("later", ["had", "reported", "ordered"])
def test_a_test_that_is_done_or_ordered_later_overtakes_the_refusal(later: str) -> None:
    patient = getattr(SICK.declined("colonoscopy", on="2026-05-03"), later)("colonoscopy", on="2026-06-01")
    assert patient.assess().declined == ()


@pytest.mark.parametrize("day", ["2020-01-01", "2026-05-03", "2026-05", None])
def test_what_was_done_before_or_on_no_certain_day_after_overtakes_nothing(day: str | None) -> None:
    patient = SICK.had("colonoscopy", on=day).declined("colonoscopy", on="2026-05-03")
    assert [refusal.title for refusal in patient.assess().declined] == ["Colonoscopy"]


def test_an_undated_refusal_stands() -> None:
    patient = SICK.declined("colonoscopy", on=None).had("colonoscopy", on="2026-06-01")
    assert [refusal.when for refusal in patient.assess().declined] == [None]


def test_a_refusal_years_ago_still_stands() -> None:
    assert len(SICK.declined("colonoscopy", on="2009").assess().declined) == 1


def test_the_newest_refusal_comes_first() -> None:
    patient = SICK.declined("colonoscopy", on="2024-01-01").declined("mammography", on="2026-01-01")
    assert [refusal.title for refusal in patient.assess().declined] == ["Mammography", "Colonoscopy"]


def test_who_takes_the_drug_later_no_longer_declines_it() -> None:
    patient = SICK.declined("methotrexate", on="2026-05-03").takes("methotrexate", since="2026-06-01")
    assert patient.assess().refusal_of_treatment("methotrexate") is None


def test_a_prescription_of_the_day_on_which_it_was_declined_overtakes_nothing() -> None:
    patient = SICK.takes("methotrexate", since="2026-05-03").declined("methotrexate", on="2026-05-03")
    assert patient.assess().refusal_of_treatment("methotrexate") is not None


@pytest.mark.parametrize(
    ("drug", "route", "declined"),
    [
        ("methylprednisolone", "intravenous", {"glucocorticoid-pulse"}),
        ("methylprednisolone", "oral", {"glucocorticoid"}),
        ("methylprednisolone", None, {"glucocorticoid", "glucocorticoid-pulse"}),
        ("prednisone", None, {"glucocorticoid"}),
        ("infliximab", None, {"anti-tnf"}),
        ("plasma_exchange", None, {"plasma-exchange"}),
    ],
)
def test_a_refusal_is_about_the_treatment_that_it_names(drug: str, route: str | None, declined: set[str]) -> None:
    assessment = SICK.declined(drug, route=route).assess()
    assert {a for a in assessment.definitions.agents if assessment.refusal_of_treatment(a)} == declined


@pytest.mark.parametrize(
    ("test", "declined"),
    [
        ("ct_chest_abdomen_pelvis", {"ct-thorax", "ct-abdomen"}),
        ("ct_chest", {"ct-thorax"}),
        ("pet_ct_fdg", {"fdg-pet-ct"}),
        ("spirometry", {"pulmonary-function-test"}),
        ("dlco", set()),
        ("pelvic_ultrasound_transvaginal", set()),
        ("referral_gynaecology", {"gynaecological-examination"}),
    ],
)
def test_declining_a_part_or_an_alternative_declines_that_alone(test: str, declined: set[str]) -> None:
    assessment = SICK.declined(test).assess()
    assert {code for code in assessment.definitions.investigations if assessment.investigation(code).declined} == declined


def test_declining_a_drug_says_nothing_about_how_it_worked() -> None:
    before, after = SICK.assess(), SICK.declined("methotrexate").assess()
    assert after.treatment == before.treatment
    stopped = SICK.add(
        "MedicationRequest",
        status="stopped",
        intent="order",
        medicationCodeableConcept=METHOTREXATE,
        authoredOn="2026-05-01",
        statusReason=DECLINED,
    ).assess()
    assert stopped.treatment.courses["methotrexate"].outcome is Outcome.STOPPED
    assert stopped.treatment.line == SICK.stopped("methotrexate", because="pregnancy").assess().treatment.line
    assert stopped.refusal_of_treatment("methotrexate") is not None
