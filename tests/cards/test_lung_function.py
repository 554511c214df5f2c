"""Lung function testing: asked for once, followed up when abnormal, and never taken for done or not done in the dark."""

import pytest

from fhir_profiles.findings import Answer
from tests.cards.reading import card_about, explanation, held, orders, topics, undecided
from tests.patient import Json, Patient

PATIENT = Patient().has("dermatomyositis", since="2026-05")


def card(patient: Patient) -> Json | None:
    return card_about("lungFunction", patient.cards())


def summary(patient: Patient) -> str:
    found = card(patient)
    assert found is not None
    return str(found["summary"])


@pytest.mark.parametrize(
    "diagnosis",
    [
        *("dermatomyositis", "polymyositis", "inclusion_body_myositis", "antisynthetase_syndrome", "overlap_myositis"),
        *("immune_mediated_necrotising_myopathy", "dermatomyositis_clinically_amyopathic", "idiopathic_inflammatory_myopathy"),
    ],
)
def test_every_myositis_without_a_lung_function_test_is_asked_for_one(diagnosis: str) -> None:
    """sunderkotter-2016-pft-all: every patient, inclusion body myositis included."""
    patient = Patient().has(diagnosis, since="2026-05")
    assert summary(patient).startswith("No lung function test on record: recommended for every patient with myositis")
    assert orders(patient.cards(), "lungFunction") == {"pulmonary-function-test"}


def test_a_child_is_asked_too() -> None:
    child = Patient(born="2016-01-01").has("dermatomyositis", since="2026-05")
    assert "pulmonary-function-test" in orders(child.cards(), "lungFunction")


def test_a_suspected_myositis_gets_the_work_up() -> None:
    assert "lungFunction" in topics(Patient().has("dermatomyositis", since="2026-05", verification="provisional").cards())


@pytest.mark.parametrize("status", ["resolved", "inactive"])
def test_a_myositis_that_is_over_gets_none(status: str) -> None:
    assert Patient().has("dermatomyositis", since="2016-05", status=status).cards() == []


@pytest.mark.parametrize(
    "patient",
    [
        PATIENT.had("pulmonary_function_test", on="2019-01-01"),
        PATIENT.had("spirometry"),
        PATIENT.reported("pulmonary_function_test"),
        PATIENT.result("fvc_percent_predicted", 95, low=80),
        PATIENT.result("dlco_percent_predicted", 95, low=80),
        PATIENT.ordered("pulmonary_function_test"),
    ],
)
def test_one_that_was_done_or_is_ordered_is_not_asked_for_again(patient: Patient) -> None:
    """The source names no repeat interval: any test on record settles it."""
    assert card(patient) is None


@pytest.mark.parametrize("status", ["not-done", "entered-in-error"])
def test_one_that_did_not_take_place_is_asked_for(status: str) -> None:
    resource = PATIENT.had("spirometry").resources[-1] | {"status": status}
    assert card(Patient(resources=(*PATIENT.resources, resource))) is not None


ABNORMAL = PATIENT.result("fvc_percent_predicted", 55, low=80, on="2026-10-01")


def test_an_abnormal_test_asks_for_a_pulmonologist_and_not_for_another_test() -> None:
    assert summary(ABNORMAL) == (
        "Lung function is abnormal and no pulmonology referral is on record: further work-up is recommended (Sunderkötter 2016)"
    )
    assert orders(ABNORMAL.cards(), "lungFunction") == {"pulmonology-referral"}


@pytest.mark.parametrize("flag", ["low", "abnormal"])
def test_the_laboratorys_flag_alone_makes_it_abnormal(flag: str) -> None:
    patient = PATIENT.result("dlco_percent_predicted", 48, flag=flag)
    assert orders(patient.cards(), "lungFunction") == {"pulmonology-referral"}


def test_a_result_that_does_not_say_whether_it_is_abnormal_orders_no_second_test() -> None:
    patient = PATIENT.result("fvc_percent_predicted", 62)
    assert "pulmonary-function-test" not in orders(patient.cards())


def test_an_abnormal_test_with_a_referral_says_no_more() -> None:
    assert card(ABNORMAL.ordered("referral_pulmonology")) is None


def test_a_normal_test_says_nothing() -> None:
    assert card(PATIENT.result("fvc_percent_predicted", 95, low=80)) is None


def test_a_newer_normal_test_ends_the_advice() -> None:
    assert card(ABNORMAL.result("fvc_percent_predicted", 92, low=80, on="2026-11-10")) is None


def test_where_procedures_were_not_supplied_the_card_says_in_the_data_supplied() -> None:
    patient = PATIENT.without("Procedure", "DiagnosticReport", "Observation")
    assert summary(patient).startswith("No lung function test in the data supplied: recommended")
    found = card(patient)
    assert found is not None
    assert any("were not supplied" in missing["text"] for missing in explanation(found)["missing"])


@pytest.mark.parametrize("kind", ["Procedure", "DiagnosticReport", "Observation"])
def test_where_one_kind_failed_it_could_not_be_assessed_and_nothing_is_ordered(kind: str) -> None:
    patient = PATIENT.failed(kind)
    assert summary(patient).startswith("Lung function: could not be assessed; ")
    assert orders(patient.cards(), "lungFunction") == set()
    assert "sunderkotter-2016-pft-all" not in held(patient)
    assert undecided(patient)["sunderkotter-2016-pft-all"].holds is Answer.UNKNOWN


def test_one_that_is_shown_as_done_stands_whatever_else_failed() -> None:
    assert card(PATIENT.reported("pulmonary_function_test").failed("Procedure")) is None


def test_with_air_in_the_mediastinum_no_spirometry_is_offered() -> None:
    patient = PATIENT.has("pneumomediastinum", since="2026-11-01")
    assert "pulmonary-function-test" not in orders(patient.cards())
    found = card(patient)
    assert found is not None
    assert "house default, unverified" in found["detail"]
