"""Severe, non-severe or unknown, and never non-severe by default (bmj-severity-severe-definition, -nonsevere-definition)."""

import pytest

from tests.patient import Patient

PATIENT = Patient().has("dermatomyositis", since="2026-05")
MILD = PATIENT.strength("hip_flexion", 4).strength("shoulder_abduction", 4)


def severity(patient: Patient) -> str:
    return patient.assess().severity.value


@pytest.mark.parametrize(
    "complication",
    [
        "myocarditis",
        "dysphagia_severe",
        "aspiration",
        "aspiration_pneumonia",
        "tube_feeding",
        "ild_rapidly_progressive",
        "pneumomediastinum",
        "respiratory_failure",
        "acute_respiratory_failure",
        "acute_respiratory_distress_syndrome",
        "pulmonary_hypertension",
    ],
)
def test_each_life_threatening_complication_makes_it_severe_however_strong_the_muscles(complication: str) -> None:
    """Section 3: the markers of the page, and the "other life-threatening" ones of source document A."""
    assert severity(MILD.has(complication, since="2026-11")) == "severe"


ACTIVE = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]}

STATES_IN_TIME = [
    "myocarditis",
    "dysphagia_severe",
    "aspiration",
    "ild_rapidly_progressive",
    "pneumomediastinum",
    "acute_respiratory_failure",
]


@pytest.mark.parametrize("complication", STATES_IN_TIME)
def test_a_complication_of_years_ago_that_nobody_closed_is_asked_about_and_makes_nothing_severe_today(complication: str) -> None:
    """Section 3: severe is a state in time; last year's ICU stay does not make today's disease severe."""
    found = MILD.has(complication, since="2016-03").assess().severity
    assert found.value == "unknown"
    (asked,) = found.missing
    assert asked.concept == "Condition.clinicalStatus"
    assert asked.text.endswith("; is it still so?")
    assert any("2016" in item.text for item in found.evidence)


@pytest.mark.parametrize("complication", STATES_IN_TIME)
def test_what_was_written_down_of_late_is_of_now_however_long_ago_it_began(complication: str) -> None:
    """From symptom to diagnosis it takes months."""
    assert severity(MILD.has(complication, since="2026-06-01", recorded="2026-11-20")) == "severe"
    assert severity(MILD.has(complication, since="2016-03", recorded="2016-03-20")) == "unknown"


@pytest.mark.parametrize("complication", STATES_IN_TIME)
def test_a_complication_that_came_back_or_has_no_date_is_of_now(complication: str) -> None:
    assert severity(MILD.has(complication, since="2016-03", status="relapse")) == "severe"
    assert severity(MILD.has(complication)) == "severe"


@pytest.mark.parametrize("lasting", ["pulmonary_hypertension", "tube_feeding"])
def test_what_lasts_stays_however_old_the_entry(lasting: str) -> None:
    assert severity(MILD.has(lasting, since="2016-03")) == "severe"


def test_chronic_respiratory_failure_lasts() -> None:
    chronic = {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "J96.11"}]}
    patient = MILD.add("Condition", code=chronic, clinicalStatus=ACTIVE, onsetDateTime="2016-03")
    assert severity(patient) == "severe"


def test_lung_disease_once_graded_mild_is_still_no_marker() -> None:
    assert severity(MILD.has("interstitial_lung_disease", severity="mild", since="2016-03")) == "non-severe"


def test_respiratory_failure_with_lung_disease_is_severe() -> None:
    assert severity(MILD.has("interstitial_lung_disease").has("respiratory_failure")) == "severe"


def test_dysphagia_graded_severe_is_severe() -> None:
    assert severity(MILD.has("dysphagia", severity="severe")) == "severe"


def test_strength_worse_than_4_in_several_groups_is_severe_and_says_so() -> None:
    found = PATIENT.strength("hip_flexion", 3).strength("shoulder_abduction", 3).assess().severity
    assert found.value == "severe"
    assert [item.text for item in found.evidence] == [
        "shoulder abduction MRC 3 on 10 November 2026",
        "hip flexion MRC 3 on 10 November 2026",
    ]


def test_mild_weakness_on_record_and_nothing_else_is_non_severe() -> None:
    assert severity(MILD) == "non-severe"
    assert severity(PATIENT.has("proximal_muscle_weakness", severity="moderate")) == "non-severe"


def test_mrc_4_is_not_severe() -> None:
    assert severity(PATIENT.strength("proximal", 4)) == "non-severe"


def test_lung_disease_without_failure_is_not_severe_in_itself() -> None:
    assert severity(MILD.has("interstitial_lung_disease", since="2025")) == "non-severe"


@pytest.mark.parametrize(
    "patient",
    [
        PATIENT,
        PATIENT.has("proximal_muscle_weakness"),
        PATIENT.strength("hip_flexion", 5),
        PATIENT.strength("hip_flexion", 3),
        PATIENT.strength("proximal", 4, on="2025-11-10"),
        MILD.has("dysphagia"),
        MILD.has("myocarditis", verification="provisional"),
        MILD.failed("Condition"),
        PATIENT.failed("Observation"),
        PATIENT.without("Observation"),
    ],
    ids=[
        "nothing recorded",
        "weakness without a grade",
        "full strength, no weakness on record",
        "one muscle below 4",
        "grades of last year",
        "dysphagia without a grade",
        "suspected myocarditis",
        "problem list could not be read",
        "results could not be read",
        "results not supplied",
    ],
)
def test_what_is_not_known_is_never_called_non_severe(patient: Patient) -> None:
    assert severity(patient) == "unknown"


def test_what_would_decide_it_is_asked_for() -> None:
    assert [m.text for m in PATIENT.assess().severity.missing] == ["graded proximal muscle strength (MRC)"]
    dysphagia = MILD.has("dysphagia").assess().severity
    assert [m.concept for m in dysphagia.missing] == ["swallow_videofluoroscopy"]


def test_a_complication_that_is_over_does_not_make_todays_disease_severe() -> None:
    assert severity(MILD.has("myocarditis", since="2024-01", status="resolved")) == "non-severe"


def test_troponin_alone_is_no_myocarditis() -> None:
    assert severity(MILD.result("troponin_t", 90, high=14)) == "non-severe"
