"""Organ features and contexts, answered in more than two values (design section 4, rule 1; drug-safety.md section 0)."""

from dataclasses import fields, replace

import pytest

from fhir_profiles.clinical_definitions import FeatureDefinition, definitions
from fhir_profiles.features import Question, answer, silence_of
from fhir_profiles.findings import Answer, Finding, Standing
from tests.patient import Patient, codeable

PRESENT, RULED_OUT, UNCLEAR = Standing.PRESENT, Standing.RULED_OUT, Standing.UNCLEAR
NOT_RECORDED, NOT_SUPPLIED, FAILED = Standing.NOT_RECORDED, Standing.NOT_SUPPLIED, Standing.FAILED

WOMAN = Patient(sex="female", born="1990-05-05")


def feature(patient: Patient, code: str) -> Finding:
    return patient.assess().features[code]


def standing(patient: Patient, code: str) -> Standing:
    return feature(patient, code).standing


# --- from the problem list ----------------------------------------------------------------------------------------------


def test_a_problem_on_the_list_is_present_with_its_reference_and_date() -> None:
    found = feature(Patient().has("interstitial_lung_disease", since="2026-05"), "interstitial-lung-disease")
    assert found.standing is PRESENT
    assert [(item.text, item.reference) for item in found.evidence] == [
        ("interstitial lung disease on the problem list since May 2026", "Condition/condition-1")
    ]
    assert found.missing == ()


def test_a_problem_list_that_was_supplied_and_is_silent_says_not_recorded() -> None:
    found = feature(Patient(), "interstitial-lung-disease")
    assert (found.standing, found.value, found.recorded) == (NOT_RECORDED, Answer.UNKNOWN, Answer.NO)
    assert [(m.text, m.concept) for m in found.missing] == [("interstitial lung disease: nothing on record", "hrct_chest")]


def test_a_problem_list_that_was_never_supplied_says_so() -> None:
    found = feature(Patient().without("Condition"), "interstitial-lung-disease")
    assert found.standing is NOT_SUPPLIED
    assert [m.text for m in found.missing] == ["interstitial lung disease: not in the data supplied"]


def test_a_problem_list_that_failed_leaves_it_unknown_on_either_reading() -> None:
    found = feature(Patient().failed("Condition"), "interstitial-lung-disease")
    assert (found.standing, found.value, found.recorded) == (FAILED, Answer.UNKNOWN, Answer.UNKNOWN)
    assert [m.text for m in found.missing] == ["interstitial lung disease: could not be assessed, the data were incomplete"]


def test_a_refuted_problem_is_ruled_out() -> None:
    found = feature(Patient().has("myocarditis", verification="refuted"), "myocarditis")
    assert (found.standing, found.value) == (RULED_OUT, Answer.NO)
    assert [item.text for item in found.evidence] == ["myocarditis was considered and refuted"]


def test_a_suspected_problem_leaves_the_question_open() -> None:
    assert standing(Patient().has("myocarditis", verification="provisional"), "myocarditis") is UNCLEAR


def test_a_problem_entered_in_error_was_never_there() -> None:
    assert standing(Patient().has("myocarditis", verification="entered-in-error"), "myocarditis") is NOT_RECORDED


@pytest.mark.parametrize("status", ["inactive", "resolved", "remission"])
def test_a_problem_that_is_over_says_nothing_about_now(status: str) -> None:
    assert standing(Patient().has("myocarditis", status=status), "myocarditis") is NOT_RECORDED


@pytest.mark.parametrize("status", ["recurrence", "relapse"])
def test_a_problem_that_came_back_is_present_and_says_so(status: str) -> None:
    found = feature(Patient().has("myocarditis", status=status), "myocarditis")
    assert found.is_present
    assert status in found.evidence[0].text


def test_a_problem_without_a_clinical_status_counts_as_active() -> None:
    assert standing(Patient().has("myocarditis", status=None), "myocarditis") is PRESENT


def test_a_thrombosis_of_the_past_still_counts_as_one() -> None:
    assert standing(Patient().has("thromboembolism", since="2012", status="resolved"), "past-thromboembolism") is PRESENT


def test_one_that_speaks_outweighs_one_that_is_silent() -> None:
    patient = Patient().has("myocarditis", verification="refuted").has("myocarditis", since="2026-10")
    assert standing(patient, "myocarditis") is PRESENT


def test_a_myositis_with_respiratory_involvement_does_not_settle_which() -> None:
    """ICD-10-CM M33.11 is not the same as interstitial lung disease: it may be weakness of the breathing muscles."""
    found = feature(Patient().has("http://hl7.org/fhir/sid/icd-10-cm|M33.11"), "interstitial-lung-disease")
    assert found.standing is UNCLEAR
    assert found.evidence[0].text == "a diagnosis that may include interstitial lung disease"


def test_what_was_matched_by_words_says_so() -> None:
    found = feature(Patient().has("text:Interstitial lung disease"), "interstitial-lung-disease")
    assert found.evidence[0].text.endswith("(matched by text, not by code)")


def test_a_relatives_disease_is_not_the_patients() -> None:
    mother = Patient().add("FamilyMemberHistory", status="completed", condition=[{"code": {"text": "Interstitial lung disease"}}])
    assert standing(mother, "interstitial-lung-disease") is NOT_RECORDED


# --- graded problems ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("severity", "expected"), [("severe", PRESENT), ("mild", NOT_RECORDED), (None, UNCLEAR)])
def test_dysphagia_is_severe_only_if_graded_so(severity: str | None, expected: Standing) -> None:
    assert standing(Patient().has("dysphagia", severity=severity), "dysphagia-graded-severe") is expected


def test_dysphagia_whose_very_code_says_severe_needs_no_grade() -> None:
    assert standing(Patient().has("dysphagia_severe"), "severe-dysphagia") is PRESENT


@pytest.mark.parametrize("complication", ["aspiration", "aspiration_pneumonia", "tube_feeding"])
def test_aspiration_and_tube_feeding_make_dysphagia_severe(complication: str) -> None:
    assert standing(Patient().has("dysphagia").has(complication), "severe-dysphagia") is PRESENT


# --- combinations -------------------------------------------------------------------------------------------------------


def test_respiratory_failure_from_lung_disease_needs_both() -> None:
    lung, failure = Patient().has("interstitial_lung_disease"), Patient().has("respiratory_failure")
    assert standing(lung, "respiratory-failure-from-ild") is NOT_RECORDED
    assert standing(failure, "respiratory-failure-from-ild") is NOT_RECORDED
    assert standing(lung.has("respiratory_failure"), "respiratory-failure-from-ild") is PRESENT


def test_rapidly_progressive_lung_disease_is_lung_disease_and_severe() -> None:
    patient = Patient().has("ild_rapidly_progressive", since="2026-11")
    for code in ("interstitial-lung-disease", "rapidly-progressive-ild", "severe-ild", "other-life-threatening"):
        assert standing(patient, code) is PRESENT


def test_low_lung_function_is_never_read_as_lung_disease() -> None:
    """Weak breathing muscles lower it too (phenotypes.md section 2)."""
    patient = Patient().result("fvc_percent_predicted", 55, low=80)
    assert standing(patient, "abnormal-lung-function") is PRESENT
    assert standing(patient, "interstitial-lung-disease") is NOT_RECORDED


# --- from results -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("patient", "expected"),
    [
        (Patient().result("fvc_percent_predicted", 62, low=80), PRESENT),
        (Patient().result("fvc_percent_predicted", 95, low=80), RULED_OUT),
        (Patient().result("fvc_percent_predicted", 62), UNCLEAR),
        (Patient().result("fvc_percent_predicted", 62, flag="low"), PRESENT),
        (Patient(), NOT_RECORDED),
        (Patient().without("Observation"), NOT_SUPPLIED),
        (Patient().failed("Observation"), FAILED),
    ],
)
def test_vital_capacity_is_reduced_by_the_laboratorys_own_limit_only(patient: Patient, expected: Standing) -> None:
    assert standing(patient, "reduced-fvc") is expected


def test_a_lung_function_result_flagged_abnormal_is_abnormal() -> None:
    """sunderkotter-2016-pft-abnormal-pulmonology: "PFT result abnormal (interpretation flag, or FVC/DLCO below lab limit)"."""
    assert standing(Patient().result("dlco_percent_predicted", 48, flag="abnormal"), "abnormal-lung-function") is PRESENT


def test_the_newest_result_decides() -> None:
    better = Patient().result("fvc_percent_predicted", 62, low=80, on="2025-01-10")
    assert standing(better.result("fvc_percent_predicted", 91, low=80, on="2026-11-01"), "reduced-fvc") is RULED_OUT
    worse = Patient().result("fvc_percent_predicted", 91, low=80, on="2025-01-10")
    assert standing(worse.result("fvc_percent_predicted", 62, low=80, on="2026-11-01"), "reduced-fvc") is PRESENT


def test_one_reduced_test_of_several_makes_lung_function_abnormal() -> None:
    patient = Patient().result("fvc_percent_predicted", 95, low=80).result("dlco_percent_predicted", 50, low=80)
    assert standing(patient, "abnormal-lung-function") is PRESENT


def test_creatine_kinase_older_than_three_months_is_not_raised_now_but_was_once() -> None:
    patient = Patient().raised_ck(on="2026-06-01")
    assert standing(patient, "raised-creatine-kinase") is NOT_RECORDED
    assert standing(patient, "raised-creatine-kinase-ever") is PRESENT


def test_creatine_kinase_raised_at_any_time_survives_a_normal_one() -> None:
    patient = Patient().raised_ck(on="2026-06-01").normal_ck(on="2026-11-01")
    assert standing(patient, "raised-creatine-kinase") is RULED_OUT
    assert standing(patient, "raised-creatine-kinase-ever") is PRESENT


@pytest.mark.parametrize(("score", "expected"), [(14, PRESENT), (15, RULED_OUT)])
def test_a_cmas_below_15_is_a_high_risk_sign(score: float, expected: Standing) -> None:
    assert standing(Patient(born="2016-01-01").result("cmas", score), "cmas-under-15") is expected


def test_hepatitis_b_follows_the_newest_surface_antigen() -> None:
    assert standing(Patient().result("hbsag", flag="positive"), "hepatitis-b") is PRESENT
    assert standing(Patient().result("hbsag", flag="negative"), "hepatitis-b") is RULED_OUT
    assert standing(Patient(), "hepatitis-b") is NOT_RECORDED


def test_a_serology_in_any_result_shows_that_it_was_tested() -> None:
    assert standing(Patient().result("hbsag", flag="negative"), "hepatitis-b-tested") is PRESENT
    assert standing(Patient(), "hepatitis-b-tested") is NOT_RECORDED


@pytest.mark.parametrize(("on", "expected"), [("2026-11-01", PRESENT), ("2026-05-01", NOT_RECORDED)])
def test_kidney_function_counts_for_three_months(on: str, expected: Standing) -> None:
    assert standing(Patient().result("egfr", 28, low=60, on=on), "kidney-disease") is expected


# --- from drugs ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("patient", "expected"),
    [
        (Patient().takes("atovaquone"), PRESENT),
        (Patient().takes("dapsone"), PRESENT),
        (Patient().stopped("atovaquone"), NOT_RECORDED),
        (Patient(), NOT_RECORDED),
        (Patient().without("MedicationRequest", "MedicationStatement"), NOT_SUPPLIED),
        (Patient().failed("MedicationRequest"), FAILED),
    ],
)
def test_a_preventive_drug_counts_while_it_is_taken(patient: Patient, expected: Standing) -> None:
    assert standing(patient, "pneumocystis-prophylaxis-current") is expected


_ALLOPURINOL = {"status": "active", "medicationCodeableConcept": codeable("allopurinol")}


@pytest.mark.parametrize(
    ("patient", "expected"),
    [
        (Patient().without("MedicationStatement"), NOT_RECORDED),
        (Patient().without("MedicationRequest").add("MedicationStatement", **_ALLOPURINOL), NOT_RECORDED),
        (Patient().without("MedicationRequest"), NOT_SUPPLIED),
        (Patient().failed("MedicationRequest").add("MedicationStatement", **_ALLOPURINOL), FAILED),
        (Patient().without("MedicationRequest").failed("MedicationStatement"), FAILED),
    ],
)
def test_either_kind_of_medication_list_is_one_but_no_statements_are_no_prescriptions(
    patient: Patient, expected: Standing
) -> None:
    """US Core sends prescriptions, UK Core statements."""
    assert standing(patient, "pneumocystis-prophylaxis-current") is expected


def test_no_pregnancy_test_answers_for_somebody_whose_age_is_not_known() -> None:
    asked = [Patient(sex="female", born=born).assess().features["pregnancy"].missing[0].concept for born in (None, "1990-01-01")]
    assert asked == ["Patient.birthDate", "pregnancy_test"]


# --- pregnancy ----------------------------------------------------------------------------------------------------------


def test_a_woman_of_36_without_any_word_of_it_may_be_pregnant() -> None:
    found = feature(WOMAN, "pregnancy")
    assert (found.standing, found.value) == (NOT_RECORDED, Answer.UNKNOWN)
    assert [m.text for m in found.missing] == ["pregnancy: nothing on record"]


@pytest.mark.parametrize(
    ("patient", "reason"),
    [
        (Patient(sex="male", born="1990-05-05"), "sex male"),
        (Patient(sex="female", born="1975-11-01"), "age over 50"),
        (Patient(sex="female", born="2018-01-01"), "age under 12"),
    ],
)
def test_a_man_a_woman_over_50_and_a_child_are_not_asked(patient: Patient, reason: str) -> None:
    found = feature(patient, "pregnancy")
    assert found.value is Answer.NO
    assert [item.text for item in found.evidence] == [reason]


@pytest.mark.parametrize("born", ["1976-06-01", "2014-11-01"])
def test_at_50_and_at_12_the_question_still_arises(born: str) -> None:
    assert feature(Patient(sex="female", born=born), "pregnancy").value is Answer.UNKNOWN


def test_where_sex_or_age_are_not_given_the_question_stays_open() -> None:
    assert feature(Patient(sex=None, born="1990-05-05"), "pregnancy").value is Answer.UNKNOWN
    assert feature(Patient(sex="female", born=None), "pregnancy").value is Answer.UNKNOWN
    assert feature(Patient(sex="female", born="1976"), "pregnancy").value is Answer.UNKNOWN


@pytest.mark.parametrize(
    "patient",
    [
        WOMAN.has("pregnancy", since="2026-07"),
        WOMAN.answered("pregnancy_status", "pregnancy", on="2026-10-01"),
        WOMAN.result("hcg_pregnancy_test", flag="positive", on="2026-11-01"),
    ],
)
def test_a_problem_a_status_or_a_test_say_that_she_is_pregnant(patient: Patient) -> None:
    assert standing(patient, "pregnancy") is PRESENT


@pytest.mark.parametrize(
    "patient",
    [
        WOMAN.has("pregnancy", since="2019-03", status="resolved"),
        WOMAN.has("pregnancy", since="2024-03"),
        WOMAN.answered("pregnancy_status", "pregnancy", on="2025-03-01"),
        WOMAN.result("hcg_pregnancy_test", flag="positive", on="2024-11-01"),
    ],
)
def test_a_pregnancy_of_the_past_is_neither_a_present_one_nor_the_proof_of_none(patient: Patient) -> None:
    assert feature(patient, "pregnancy").value is Answer.UNKNOWN


@pytest.mark.parametrize(
    "patient",
    [
        WOMAN.answered("pregnancy_status", "not_pregnant", on="2026-11-10"),
        WOMAN.result("hcg_pregnancy_test", flag="negative", on="2026-11-10"),
    ],
)
def test_a_recent_answer_that_she_is_not_pregnant_rules_it_out(patient: Patient) -> None:
    assert standing(patient, "pregnancy") is RULED_OUT


@pytest.mark.parametrize(
    "patient",
    [
        WOMAN.answered("pregnancy_status", "not_pregnant", on="2026-08-01"),
        WOMAN.result("hcg_pregnancy_test", flag="negative", on="2026-08-01"),
        WOMAN.answered("pregnancy_status", "not_pregnant", on="2026"),
    ],
)
def test_a_negative_answer_of_three_months_ago_rules_nothing_out(patient: Patient) -> None:
    assert feature(patient, "pregnancy").value is Answer.UNKNOWN


def test_a_newer_status_replaces_an_older_one() -> None:
    delivered = WOMAN.answered("pregnancy_status", "pregnancy", on="2026-04-01").answered("pregnancy_status", "not_pregnant")
    assert standing(delivered, "pregnancy") is RULED_OUT


def test_a_recent_not_pregnant_outweighs_a_positive_test_of_last_spring() -> None:
    """drug-safety.md section 0: pregnant within about 10 months "and no later delivery/end"."""
    delivered = WOMAN.result("hcg_pregnancy_test", flag="positive", on="2026-03-01").answered("pregnancy_status", "not_pregnant")
    assert not feature(delivered, "pregnancy").is_present


@pytest.mark.parametrize("born", ["1975-01-01", "1974-01-01"])
def test_a_pregnancy_on_record_is_believed_at_any_age(born: str) -> None:
    """The ages of drug-safety.md section 0 say who could be pregnant without a word of it; a recorded pregnancy is one."""
    assert feature(Patient(sex="female", born=born).has("pregnancy", since="2026-08"), "pregnancy").value is not Answer.NO


def test_a_refuted_pregnancy_does_not_count() -> None:
    assert not feature(WOMAN.has("pregnancy", since="2026-07", verification="refuted"), "pregnancy").is_present


# --- what is not on record, in short


KINDS = ("Condition", "Observation", "DiagnosticReport", "MedicationRequest", "MedicationStatement")


@pytest.mark.requirement("SAF-08")
@pytest.mark.parametrize("patient", [Patient(), WOMAN, *(Patient().failed(kind) for kind in KINDS)], ids=["man", "woman", *KINDS])
def test_a_question_of_which_nothing_is_on_record_is_answered_as_if_every_list_had_been_read(patient: Patient) -> None:
    assessment = patient.assess()
    silence = silence_of(assessment.record)
    for code, definition in definitions().features.items():
        if definition.any or definition.all:
            continue
        short = Question(code, definition, assessment.record, assessment.ages, silence, definitions().treatment)
        long = short._replace(silence=replace(silence, concepts=definition.concepts))
        assert definition.concepts.isdisjoint(silence.concepts)
        assert answer(short, alone) == answer(long, alone), code


def alone(code: str) -> Finding:
    raise AssertionError(f"combines {code}")


def test_every_value_set_that_a_definition_names_is_among_its_concepts() -> None:
    lists = [
        one.name for one in fields(FeatureDefinition) if one.type == tuple[str, ...] and one.name not in ("any", "all", "lasting")
    ]
    assert len(lists) == 8
    for name in lists:
        assert FeatureDefinition("x", **{name: ("some_value_set",)}).concepts == {"some_value_set"}
    answers = {"test": "a", "present": ["b"], "absent": ["c"]}
    assert FeatureDefinition("x", answers=answers, results_under={"result": "d", "value": 1}).concepts == set("abcd")
