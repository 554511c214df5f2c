"""Weakness and how severe it is: MRC grades and recorded weakness (phenotypes.md section 3)."""

import pytest

from fhir_profiles.findings import Finding, Standing
from tests.patient import Patient


def severe(patient: Patient) -> Finding:
    return patient.assess().features["severe-weakness"]


def mild(patient: Patient) -> Finding:
    return patient.assess().features["mild-or-moderate-weakness"]


@pytest.mark.parametrize("grade", [0, 2, 3, 3.5])
def test_proximal_strength_as_a_whole_below_4_is_severe(grade: float) -> None:
    assert severe(Patient().strength("proximal", grade)).is_present


def test_two_muscle_groups_below_4_are_severe() -> None:
    found = severe(Patient().strength("hip_flexion", 3).strength("shoulder_abduction", 3))
    assert found.is_present
    assert [item.text for item in found.evidence] == [
        "shoulder abduction MRC 3 on 10 November 2026",
        "hip flexion MRC 3 on 10 November 2026",
    ]


def test_grade_4_is_not_worse_than_4() -> None:
    patient = Patient().strength("hip_flexion", 4).strength("shoulder_abduction", 4)
    assert severe(patient).standing is Standing.RULED_OUT
    assert mild(patient).is_present


def test_one_muscle_below_4_is_weakness_but_leaves_severe_open() -> None:
    patient = Patient().strength("hip_flexion", 3).strength("shoulder_abduction", 5)
    assert severe(patient).standing is Standing.UNCLEAR
    assert [m.concept for m in severe(patient).missing] == ["muscle_strength_mrc_proximal"]
    assert mild(patient).is_present


def test_full_strength_is_no_weakness() -> None:
    patient = Patient().strength("hip_flexion", 5).strength("shoulder_abduction", 5)
    assert severe(patient).standing is Standing.RULED_OUT
    assert mild(patient).standing is Standing.RULED_OUT


def test_a_grade_of_the_last_episode_is_not_one_of_today() -> None:
    patient = Patient().strength("proximal", 2, on="2025-11-10")
    assert severe(patient).standing is Standing.NOT_RECORDED


def test_the_newest_grade_of_a_muscle_counts() -> None:
    better = Patient().strength("proximal", 3, on="2026-09-01").strength("proximal", 4, on="2026-11-01")
    assert severe(better).standing is Standing.RULED_OUT


def test_of_two_sides_graded_on_one_day_the_weaker_counts() -> None:
    sides = Patient().strength("proximal", 4).strength("proximal", 3)
    assert severe(sides).is_present


@pytest.mark.parametrize("grade", [6, -1, 30])
def test_a_number_that_is_no_mrc_grade_is_not_used(grade: float) -> None:
    assert severe(Patient().strength("proximal", grade)).standing is Standing.NOT_RECORDED


def test_an_undated_grade_is_not_used() -> None:
    assert severe(Patient().strength("proximal", 2, on=None)).standing is Standing.NOT_RECORDED


@pytest.mark.parametrize(
    ("severity", "is_severe", "is_mild"),
    [
        ("severe", Standing.PRESENT, Standing.RULED_OUT),
        ("moderate", Standing.RULED_OUT, Standing.PRESENT),
        ("mild", Standing.RULED_OUT, Standing.PRESENT),
        (None, Standing.UNCLEAR, Standing.UNCLEAR),
    ],
)
def test_without_grades_the_recorded_weakness_decides(severity: str | None, is_severe: Standing, is_mild: Standing) -> None:
    patient = Patient().has("proximal_muscle_weakness", severity=severity)
    assert severe(patient).standing is is_severe
    assert mild(patient).standing is is_mild


@pytest.mark.parametrize("severity", ["severe", "mild"])
def test_a_weakness_graded_in_an_earlier_episode_leaves_open_how_strong_the_patient_is_now(severity: str) -> None:
    """The patient may have full strength since: no newer grade is on record, and MMT8 is not converted (section 3)."""
    patient = Patient().has("proximal_muscle_weakness", severity=severity, since="2021-05")
    assert severe(patient).standing is mild(patient).standing is Standing.UNCLEAR
    assert [item.concept for item in severe(patient).missing] == ["muscle_strength_mrc_proximal"]


def test_a_weakness_that_came_back_is_one_of_today() -> None:
    patient = Patient().has("proximal_muscle_weakness", severity="severe", since="2021-05", status="relapse")
    assert severe(patient).is_present


def test_grades_come_before_the_word_on_the_problem_list() -> None:
    patient = Patient().has("proximal_muscle_weakness", severity="severe").strength("proximal", 4)
    assert severe(patient).standing is Standing.RULED_OUT


@pytest.mark.parametrize("verification", ["provisional", "refuted", "entered-in-error"])
def test_weakness_that_is_not_confirmed_is_not_graded(verification: str) -> None:
    patient = Patient().has("proximal_muscle_weakness", severity="severe", verification=verification)
    assert not severe(patient).is_present


def test_without_any_word_of_strength_it_is_asked_for() -> None:
    found = severe(Patient())
    assert found.standing is Standing.NOT_RECORDED
    assert [m.text for m in found.missing] == ["graded proximal muscle strength (MRC)"]


def test_strength_that_could_not_be_read_is_not_taken_for_good_strength() -> None:
    assert severe(Patient().failed("Observation")).standing is Standing.FAILED
    assert mild(Patient().failed("Observation")).standing is Standing.FAILED


@pytest.mark.parametrize(
    ("patient", "expected"),
    [
        (Patient().strength("hip_flexion", 4), Standing.PRESENT),
        (Patient().strength("proximal", 2), Standing.PRESENT),
        (Patient().has("muscle_weakness"), Standing.PRESENT),
        (Patient().strength("hip_flexion", 5), Standing.NOT_RECORDED),
    ],
)
def test_any_weakness_is_weakness(patient: Patient, expected: Standing) -> None:
    assert patient.assess().features["any-weakness"].standing is expected
