"""Condition: status before content (phenotypes.md section 1, rules 1 to 3)."""

from datetime import date
from typing import Any

import pytest

from fhir_profiles.dates import DateInterval
from fhir_profiles.record import Diagnosis, InputState
from tests.fhir_profiles.charts import (
    SHOE_SIZE,
    SNOMED,
    Json,
    coded,
    condition,
    facts,
    patient,
    problems,
    read,
    without,
)

VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"


def dermatomyositis(resource: Json) -> Diagnosis | None:
    found = read(patient(), resource).diagnoses.get("dermatomyositis", ())
    return found[0] if found else None


def verified(code: str) -> Json:
    return condition(verificationStatus=coded(VERIFICATION, code))


def test_a_confirmed_active_diagnosis_stands() -> None:
    found = dermatomyositis(condition())
    assert found == Diagnosis(
        reference="Condition/dm",
        concepts=("dermatomyositis",),
        when=DateInterval(date(2024, 5, 1), date(2024, 5, 31)),
        clinical_status="active",
        onset=DateInterval(date(2024, 5, 1), date(2024, 5, 31)),
    )
    assert found.is_active


@pytest.mark.requirement("SAF-07")
def test_a_diagnosis_entered_in_error_never_was() -> None:
    """SAF-07."""
    record = read(patient(), verified("entered-in-error"))
    assert (facts(record), dict(record.refuted), record.issues) == ([], {}, ())
    assert record.inputs["Condition"] is InputState.PRESENT


@pytest.mark.requirement("SAF-07")
def test_a_refuted_diagnosis_is_kept_apart() -> None:
    """SAF-07: it never counts as present."""
    record = read(patient(), verified("refuted"))
    assert facts(record) == []
    assert [fact.reference for fact in record.refuted["dermatomyositis"]] == ["Condition/dm"]


@pytest.mark.parametrize("code", ["provisional", "differential", "unconfirmed"])
def test_an_unconfirmed_diagnosis_is_suspected(code: str) -> None:
    found = dermatomyositis(verified(code))
    assert found is not None
    assert found.suspected


def test_a_diagnosis_without_verification_status_is_taken_as_it_stands() -> None:
    found = dermatomyositis(without(condition(), "verificationStatus"))
    assert found is not None
    assert not found.suspected


@pytest.mark.parametrize(
    "status",
    [coded(VERIFICATION, "maybe"), {"coding": [{"code": "confirmed"}, {"code": "provisional"}]}, 5, {}, {"coding": "confirmed"}],
    ids=repr,
)
def test_a_verification_status_that_says_nothing_known_leaves_a_suspicion(status: Any) -> None:
    """It allows work-up and no therapy."""
    record = read(patient(), condition(verificationStatus=status))
    assert [fact.suspected for fact in record.diagnoses["dermatomyositis"]] == [True]
    assert list(problems(record)) == ["Condition/dm.verificationStatus"]


@pytest.mark.parametrize(
    "status", ["entered-in-error", "Entered-In-Error", {"text": "entered-in-error"}, {"coding": {"code": "entered-in-error"}}]
)
def test_entered_in_error_is_understood_in_every_shape(status: Any) -> None:
    assert dermatomyositis(condition(verificationStatus=status)) is None


@pytest.mark.parametrize("code", ["active", "recurrence", "relapse", "remission", "inactive", "resolved"])
def test_the_clinical_status_is_kept(code: str) -> None:
    found = dermatomyositis(condition(clinicalStatus=coded(CLINICAL, code)))
    assert found is not None
    assert found.clinical_status == code


def test_a_resolved_diagnosis_is_over() -> None:
    found = dermatomyositis(condition(clinicalStatus=coded(CLINICAL, "resolved")))
    assert found is not None
    assert found.is_over
    assert not found.is_active


@pytest.mark.parametrize(
    "status", ["resolved", {"coding": [{"code": "resolved"}]}, {"text": "Resolved"}, [coded(CLINICAL, "resolved")]]
)
def test_a_clinical_status_in_another_shape_is_understood(status: Any) -> None:
    found = dermatomyositis(condition(clinicalStatus=status))
    assert found is not None
    assert found.clinical_status == "resolved"


@pytest.mark.parametrize(
    "category", [{"coding": [{"code": "problem-list-item"}]}, [coded("x", "encounter-diagnosis")], "problem", None]
)
def test_the_category_may_have_any_shape(category: Any) -> None:
    """Conformance X-13."""
    assert dermatomyositis(condition(category=category)) is not None


@pytest.mark.parametrize(
    ("abatement", "status"),
    [
        ({}, None),
        ({"abatementDateTime": "2025-01"}, "resolved"),
        ({"abatementPeriod": {"start": "2025-01", "end": "2025-02"}}, "resolved"),
        ({"abatementAge": {"value": 54, "code": "a"}}, "resolved"),
        ({"abatementDateTime": "2026-01"}, None),
        ({"abatementString": "ongoing"}, None),
    ],
)
def test_without_a_clinical_status_a_past_abatement_says_resolved(abatement: Json, status: str | None) -> None:
    found = dermatomyositis({**without(condition(), "clinicalStatus"), **abatement})
    assert found is not None
    assert found.clinical_status == status


def test_a_stated_clinical_status_outweighs_an_abatement() -> None:
    found = dermatomyositis(condition(abatementDateTime="2025-01"))
    assert found is not None
    assert found.clinical_status == "active"


def test_a_diagnosis_dated_in_the_future_is_dropped_and_reported() -> None:
    record = read(patient(), condition(onsetDateTime="2025-06-16"))
    assert facts(record) == []
    assert list(problems(record)) == ["Condition/dm"]
    assert record.inputs["Condition"] is InputState.PRESENT


def test_a_partial_date_that_may_be_past_is_not_the_future() -> None:
    assert dermatomyositis(condition(onsetDateTime="2025")) is not None


@pytest.mark.parametrize(
    ("more", "onset"),
    [
        ({"onsetDateTime": "2024-05-17"}, (date(2024, 5, 17), date(2024, 5, 17))),
        ({"onsetPeriod": {"start": "2024-05", "end": "2024-06"}}, (date(2024, 5, 1), date(2024, 6, 30))),
        ({"onsetPeriod": {"start": "2024-05"}}, (date(2024, 5, 1), date(2024, 5, 31))),
        ({"onsetAge": {"value": 12, "code": "a", "system": "http://unitsofmeasure.org"}}, (date(1982, 2, 3), date(1983, 2, 2))),
        ({"onsetAge": {"value": 18, "unit": "months"}}, (date(1971, 8, 3), date(1971, 9, 2))),
        (
            {"onsetRange": {"low": {"value": 10, "code": "a"}, "high": {"value": 12, "code": "a"}}},
            (date(1980, 2, 3), date(1983, 2, 2)),
        ),
    ],
)
def test_an_onset_is_the_days_that_it_may_mean(more: Json, onset: tuple[date, date]) -> None:
    found = dermatomyositis({**without(condition(), "onsetDateTime"), **more})
    assert found is not None
    assert found.onset == found.when == DateInterval(*onset)


@pytest.mark.parametrize(
    "more",
    [
        {"onsetString": "in childhood"},
        {"onsetAge": {"value": 12, "code": "wk"}},
        {"onsetAge": {"value": -1, "code": "a"}},
        {"onsetAge": {"value": 10**400, "code": "a"}},
        {"onsetAge": {"value": 12, "code": "a", "comparator": "<"}},
        {"onsetRange": {"low": {"value": 10, "code": "a"}}},
        {"onsetRange": {"low": {"value": 12, "code": "a"}, "high": {"value": 10, "code": "a"}}},
        {"onsetDateTime": "long ago"},
        {"onsetPeriod": {"start": "2025", "end": "2024"}},
    ],
)
def test_an_onset_that_cannot_be_dated_is_unknown_and_the_day_of_recording_stands_in(more: Json) -> None:
    found = dermatomyositis({**without(condition(), "onsetDateTime"), **more, "recordedDate": "2025-02-01"})
    assert found is not None
    assert found.onset is None
    assert found.when == DateInterval(date(2025, 2, 1), date(2025, 2, 1))


def test_an_onset_by_age_needs_a_date_of_birth() -> None:
    record = read(patient(birthDate=None), without(condition(onsetAge={"value": 12, "code": "a"}), "onsetDateTime"))
    assert [fact.onset for fact in record.diagnoses["dermatomyositis"]] == [None]


@pytest.mark.parametrize(
    ("code", "severity"), [("255604002", "mild"), ("6736007", "moderate"), ("24484000", "severe"), ("1", None)]
)
def test_a_coded_severity_is_kept(code: str, severity: str | None) -> None:
    found = dermatomyositis(condition(severity=coded(SNOMED, code)))
    assert found is not None
    assert found.severity == severity


def test_a_diagnosis_in_words_is_marked_as_matched_by_text() -> None:
    found = dermatomyositis(condition(code={"text": "Dermatomyositis"}))
    assert found is not None
    assert found.matched_by_text


@pytest.mark.parametrize(
    "text", ["no dermatomyositis", "family history of dermatomyositis", "dermatomyositis excluded", "mother has dermatomyositis"]
)
def test_words_that_deny_or_speak_of_relatives_make_no_diagnosis(text: str) -> None:
    assert facts(read(patient(), condition(code={"text": text}))) == []


def test_a_diagnosis_that_is_none_of_ours_is_passed_over_whatever_its_state() -> None:
    record = read(patient(), condition(code=SHOE_SIZE, verificationStatus=5, onsetDateTime="nonsense", modifierExtension=[{}]))
    assert (facts(record), record.issues, record.inputs["Condition"]) == ([], (), InputState.PRESENT)


def test_the_text_beside_a_coarse_code_says_which_disease_it_is() -> None:
    """G72.49 covers necrotising myopathy and others (phenotypes.md section 6); the words beside it decide."""
    unspecific = coded("http://hl7.org/fhir/sid/icd-10-cm", "G72.49")
    coarse, both, denied = (
        facts(read(patient(), condition(code={**unspecific, **more})))
        for more in ({}, {"text": "Immune-mediated necrotizing myopathy"}, {"text": "not necrotizing myopathy"})
    )
    assert denied == coarse
    by_text = {fact.concepts for fact in both if fact.matched_by_text}
    assert by_text == {("immune_mediated_necrotising_myopathy",)}
    assert [fact for fact in both if not fact.matched_by_text] == coarse
    assert {fact.reference for fact in both} == {coarse[0].reference}
