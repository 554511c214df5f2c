"""The assessment as a whole: pure, of one patient, as of one day."""

from datetime import date

import pytest

from fhir_profiles.assess import assess
from fhir_profiles.findings import Standing
from fhir_profiles.reader import read_record
from tests.patient import AS_OF, Patient, terminology

PATIENT = Patient().has("dermatomyositis", since="2026-05")


def test_the_same_record_gives_the_same_assessment() -> None:
    record = PATIENT.antibody("anti_tif1_gamma", "positive").takes("prednisone").raised_ck().record()
    assert assess(record) == assess(record)


@pytest.mark.parametrize(
    ("born", "ages"),
    [
        ("1964-02-01", (62, 62)),
        ("1964-11-22", (62, 62)),
        ("1964-11-23", (61, 61)),
        ("1976", (49, 50)),
        ("1976-11", (49, 50)),
        ("1964-02-29", (62, 62)),
        (None, (None, None)),
        ("2027-01-01", (None, None)),
    ],
)
def test_age_is_in_completed_years_and_as_wide_as_the_date_of_birth_allows(
    born: str | None, ages: tuple[int | None, int | None]
) -> None:
    assert Patient(born=born).assess().ages == ages


def test_the_disease_began_on_the_first_day_that_a_diagnosis_gives() -> None:
    patient = PATIENT.has("polymyositis", since="2026-02")
    assert patient.assess().disease_began == date(2026, 2, 1)
    assert Patient().has("dermatomyositis", recorded="2026-06-07").assess().disease_began == date(2026, 6, 7)
    assert Patient().has("dermatomyositis").assess().disease_began is None


def test_remission_holds_only_if_every_diagnosis_says_so() -> None:
    remission = Patient().has("dermatomyositis", since="2022", status="remission")
    assert remission.assess().in_remission
    assert not remission.has("overlap_myositis", since="2022").assess().in_remission
    assert not Patient().assess().in_remission


@pytest.mark.parametrize(
    ("patient", "expected"),
    [
        (PATIENT.raised_ck(on="2026-06-01").raised_ck(), Standing.PRESENT),
        (PATIENT.raised_ck(on="2026-06-01").result("creatine_kinase", 900, high=190), Standing.UNCLEAR),
        (PATIENT.raised_ck(), Standing.UNCLEAR),
        (PATIENT.strength("proximal", 3), Standing.PRESENT),
        (Patient().has("dermatomyositis", since="2024", status="relapse"), Standing.PRESENT),
        (PATIENT.normal_ck().strength("proximal", 5), Standing.UNCLEAR),
        (PATIENT.normal_ck().strength("proximal", 4), Standing.UNCLEAR),
        (PATIENT.normal_ck().has("ild_rapidly_progressive", since="2026-10"), Standing.PRESENT),
        (PATIENT.normal_ck().has("ild_rapidly_progressive", since="2025-10"), Standing.UNCLEAR),
        (PATIENT.has("interstitial_lung_disease").has("respiratory_failure", since="2026-11"), Standing.PRESENT),
        (PATIENT, Standing.NOT_RECORDED),
        (PATIENT.failed("Observation"), Standing.FAILED),
    ],
)
def test_disease_is_active_by_relapse_lung_enzyme_or_severe_weakness(patient: Patient, expected: Standing) -> None:
    assert patient.assess().features["active-disease"].standing is expected


def test_data_of_another_patient_leave_nothing_assessed() -> None:
    stranger = {
        "resourceType": "Condition",
        "id": "strange",
        "subject": {"reference": "Patient/2"},
        "code": {"text": "Dermatomyositis"},
    }
    record = read_record([PATIENT.bundle(), stranger], terminology=terminology(), as_of=AS_OF, patient_id="1")
    found = assess(record)
    assert record.is_mismatched
    assert (found.phenotypes, found.features, found.antibodies, found.primary) == ((), {}, {}, None)
    assert found.issues[0].reference == "Condition/strange"


def test_a_patient_without_myositis_has_no_primary_phenotype() -> None:
    assert Patient().has("hypertension").assess().primary is None


def test_problems_in_the_data_are_handed_on() -> None:
    odd = PATIENT.add(
        "Observation", status="final", code={"text": "anti-Jo-1"}, effectiveDateTime="yesterday", valueString="positive"
    )
    assert [issue.reference for issue in odd.assess().issues] == ["Observation/observation-1.effectiveDateTime"]
