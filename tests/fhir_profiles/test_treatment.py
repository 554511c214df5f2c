"""The treatment state: what was given, what became of it, and how far the lines have been used (phenotypes.md section 5)."""

import pytest

from fhir_profiles.findings import Answer, Standing
from fhir_profiles.treatment import Course, Treatment
from tests.patient import Patient, codeable

PATIENT = Patient().has("dermatomyositis", since="2026-01").raised_ck(on="2026-02-01")
SIX_MONTHS_ON_BOTH = PATIENT.takes("prednisone", since="2026-05-01").takes("azathioprine", since="2026-05-01")


def treatment(patient: Patient) -> Treatment:
    return patient.assess().treatment


def course(patient: Patient, agent: str) -> Course:
    return treatment(patient).courses[agent]


def outcomes(patient: Patient) -> dict[str, str]:
    return {agent: str(one.outcome) for agent, one in treatment(patient).courses.items()}


def finding(patient: Patient, code: str) -> Standing:
    return patient.assess().features[code].standing


# --- what became of a course --------------------------------------------------------------------------------------------


def test_a_current_drug_is_current_with_its_start_and_its_dose() -> None:
    taken = course(PATIENT.takes("prednisone", since="2026-10-01", dose=40), "glucocorticoid")
    assert (taken.outcome, taken.is_current, taken.daily_dose_mg) == ("current", True, 40)
    assert [item.text for item in taken.evidence] == ["glucocorticoid current since 1 October 2026"]


def test_a_drug_stopped_because_it_did_not_work_has_failed() -> None:
    patient = PATIENT.stopped("azathioprine", because="ineffective")
    assert outcomes(patient) == {"azathioprine": "failed"}
    assert course(patient, "azathioprine").evidence[0].text.startswith("azathioprine stopped because it did not work")


@pytest.mark.parametrize("reason", ["intolerance", "allergy"])
def test_a_drug_stopped_because_of_harm_was_not_tolerated(reason: str) -> None:
    assert outcomes(PATIENT.stopped("azathioprine", because=reason)) == {"azathioprine": "not-tolerated"}


def test_a_drug_stopped_without_a_reason_has_not_failed() -> None:
    patient = PATIENT.stopped("azathioprine")
    assert outcomes(patient) == {"azathioprine": "stopped"}
    assert course(patient, "azathioprine").evidence[0].text.startswith("azathioprine no longer taken, no reason given")


@pytest.mark.parametrize("reason", ["pregnancy", "completed", "temporary", "interaction"])
def test_a_drug_stopped_for_another_reason_has_not_failed_either(reason: str) -> None:
    assert outcomes(PATIENT.stopped("azathioprine", because=reason)) == {"azathioprine": "stopped"}


def test_an_allergy_to_a_drug_never_taken_is_an_allergy_and_no_treatment() -> None:
    patient = PATIENT.cannot_tolerate("azathioprine")
    assert outcomes(patient) == {"azathioprine": "allergy"}
    assert (treatment(patient).phase, treatment(patient).line) == ("untreated", 0)


def test_an_intolerance_on_record_marks_the_course_that_was_stopped_in_silence() -> None:
    assert outcomes(PATIENT.stopped("azathioprine").cannot_tolerate("azathioprine")) == {"azathioprine": "not-tolerated"}


@pytest.mark.parametrize(
    ("verification", "status"), [("refuted", "active"), ("entered-in-error", "active"), ("confirmed", "resolved")]
)
def test_an_allergy_that_was_refuted_or_is_over_does_not_count(verification: str, status: str) -> None:
    assert outcomes(PATIENT.cannot_tolerate("azathioprine", verification=verification, status=status)) == {}


def test_the_salts_and_brands_of_one_drug_are_one_course() -> None:
    patient = PATIENT.stopped("mycophenolate_mofetil", because="ineffective").stopped("mycophenolic_acid")
    assert outcomes(patient) == {"mycophenolate": "failed"}
    assert len(course(patient, "mycophenolate").evidence) == 2


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled", "draft"])
def test_a_prescription_that_was_never_meant_or_never_given_is_no_course(status: str) -> None:
    resource = PATIENT.takes("azathioprine").resources[-1] | {"status": status}
    assert outcomes(Patient(resources=(*PATIENT.resources, resource))) == {}


@pytest.mark.parametrize("intent", ["proposal", "plan"])
def test_a_plan_is_not_a_treatment(intent: str) -> None:
    resource = PATIENT.takes("azathioprine").resources[-1] | {"intent": intent}
    assert outcomes(Patient(resources=(*PATIENT.resources, resource))) == {}


def test_tacrolimus_on_the_skin_is_no_treatment_of_the_muscle() -> None:
    assert outcomes(PATIENT.takes("tacrolimus", route="topical")) == {}
    assert outcomes(PATIENT.takes("tacrolimus__non_systemic")) == {}
    assert outcomes(PATIENT.takes("tacrolimus")) == {"tacrolimus": "current"}


def test_ciclosporin_eye_drops_are_no_treatment_of_the_muscle() -> None:
    assert outcomes(PATIENT.takes("ciclosporin", route="ophthalmic")) == {}


def test_plasma_exchange_is_a_treatment_that_counts_towards_no_line() -> None:
    patient = PATIENT.had("plasma_exchange")
    assert outcomes(patient) == {"plasma-exchange": "stopped"}
    assert treatment(patient).line == 0


# --- adequate trial and the working definition --------------------------------------------------------------------------


def test_active_disease_after_12_weeks_of_both_means_that_both_have_failed() -> None:
    patient = SIX_MONTHS_ON_BOTH.raised_ck()
    assert outcomes(patient) == {"glucocorticoid": "failed", "azathioprine": "failed"}
    assert course(patient, "azathioprine").is_current
    assert course(patient, "azathioprine").evidence[-1].text == (
        "active disease after at least 12 weeks (working definition, dose not judged): raised creatine kinase on 1 November 2026"
    )


@pytest.mark.parametrize(
    "active",
    [
        SIX_MONTHS_ON_BOTH.raised_ck(),
        SIX_MONTHS_ON_BOTH.strength("proximal", 3),
        SIX_MONTHS_ON_BOTH.has("dermatomyositis", since="2026-01", status="relapse"),
    ],
    ids=["raised creatine kinase", "severe weakness", "recorded relapse"],
)
def test_an_enzyme_severe_weakness_or_a_recorded_relapse_shows_active_disease(active: Patient) -> None:
    assert outcomes(active)["azathioprine"] == "failed"


@pytest.mark.parametrize(
    "quiet",
    [
        SIX_MONTHS_ON_BOTH,
        SIX_MONTHS_ON_BOTH.normal_ck(),
        SIX_MONTHS_ON_BOTH.strength("proximal", 4),
        SIX_MONTHS_ON_BOTH.raised_ck(on="2026-06-01"),
        SIX_MONTHS_ON_BOTH.raised_ck(on="2026-10-01").normal_ck(on="2026-11-01"),
        SIX_MONTHS_ON_BOTH.result("creatine_kinase", 900, high=190, on="2026-11-01"),
    ],
    ids=[
        *("nothing said", "normal enzyme", "mild weakness may be damage", "enzyme of half a year ago", "enzyme normal by now"),
        "enzyme raised and less than half of what it was",
    ],
)
def test_without_active_disease_nothing_has_failed(quiet: Patient) -> None:
    assert outcomes(quiet) == {"glucocorticoid": "current", "azathioprine": "current"}


def test_a_trial_of_eleven_weeks_is_too_short_to_judge() -> None:
    patient = PATIENT.takes("prednisone", since="2026-05-01").takes("azathioprine", since="2026-09-06").raised_ck()
    assert outcomes(patient)["azathioprine"] == "current"


def test_a_trial_of_twelve_weeks_is_long_enough() -> None:
    patient = PATIENT.takes("prednisone", since="2026-05-01").takes("azathioprine", since="2026-08-30").raised_ck(on="2026-11-22")
    assert outcomes(patient)["azathioprine"] == "failed"


def test_an_enzyme_measured_at_the_start_of_the_trial_shows_no_failure_after_12_weeks() -> None:
    """Section 5: "active disease … after glucocorticoid and >=1 immunosuppressant each … for about >=3 months"."""
    patient = PATIENT.takes("prednisone", since="2026-08-25").takes("azathioprine", since="2026-08-25").raised_ck(on="2026-09-01")
    assert outcomes(patient) == {"glucocorticoid": "current", "azathioprine": "current"}


def test_glucocorticoid_alone_is_not_refractory_disease() -> None:
    assert outcomes(PATIENT.takes("prednisone", since="2026-01-10").raised_ck()) == {"glucocorticoid": "current"}


def test_an_undated_trial_is_not_judged() -> None:
    patient = PATIENT.takes("prednisone", since=None).takes("azathioprine", since=None).raised_ck()
    assert outcomes(patient) == {"glucocorticoid": "current", "azathioprine": "current"}


def test_a_course_of_years_ago_does_not_make_a_new_one_long() -> None:
    """A short course of prednisone for asthma in 2015 is no part of the one begun two weeks ago."""
    patient = PATIENT.stopped("prednisone", since="2015-01-01", until="2015-01-14").takes("prednisone", since="2026-11-08")
    assert finding(patient, "glucocorticoid-for-3-months") is not Standing.PRESENT


@pytest.mark.parametrize(
    ("since", "is_long"), [("2026-08-30", False), ("2026-08-28", False), ("2026-08-22", True), ("2026-07-01", True)]
)
def test_three_months_of_glucocorticoid_are_months_of_the_calendar(since: str, *, is_long: bool) -> None:
    """ACR 2022 speaks of 3 months; 12 weeks, the working definition of a trial, are over sooner."""
    found = finding(PATIENT.takes("prednisone", since=since), "glucocorticoid-for-3-months")
    assert (found is Standing.PRESENT) is is_long


def test_tapering_by_new_prescriptions_is_one_course() -> None:
    patient = (
        PATIENT.stopped("prednisone", because="completed", since="2026-07-01", until="2026-09-30")
        .takes("prednisone", since="2026-10-01", dose=10)
        .takes("azathioprine", since="2026-07-01")
        .raised_ck(on="2026-11-20")
    )
    assert outcomes(patient) == {"glucocorticoid": "failed", "azathioprine": "failed"}


# --- phase and line -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("patient", "line"),
    [
        (PATIENT, 0),
        (PATIENT.takes("prednisone"), 1),
        (PATIENT.takes("prednisone").takes("azathioprine"), 1),
        (PATIENT.takes("prednisone").stopped("azathioprine", because="ineffective"), 1),
        (PATIENT.stopped("azathioprine", because="ineffective").takes("immunoglobulin_iv"), 2),
        (PATIENT.stopped("azathioprine", because="intolerance").stopped("immunoglobulin_iv", because="ineffective"), 2),
        (
            PATIENT.stopped("azathioprine", because="ineffective")
            .stopped("immunoglobulin_iv", because="ineffective")
            .takes("rituximab"),
            3,
        ),
        (
            PATIENT.stopped("azathioprine", because="ineffective")
            .stopped("methotrexate", because="intolerance")
            .stopped("immunoglobulin_iv", because="ineffective")
            .stopped("rituximab", because="ineffective"),
            3,
        ),
        (PATIENT.takes("hydroxychloroquine"), 0),
    ],
)
def test_lines_are_counted_by_immunosuppressants_that_failed_or_harmed(patient: Patient, line: int) -> None:
    assert treatment(patient).line == line


@pytest.mark.parametrize(
    ("patient", "phase"),
    [
        (PATIENT, "untreated"),
        (PATIENT.takes("hydroxychloroquine"), "untreated"),
        (PATIENT.takes("prednisone"), "induction"),
        (
            Patient().has("dermatomyositis", since="2022", status="remission").takes("azathioprine", since="2022-07"),
            "maintenance",
        ),
        (Patient().has("dermatomyositis", since="2022", status="remission"), "untreated"),
    ],
)
def test_the_phase_follows_treatment_and_remission(patient: Patient, phase: str) -> None:
    assert treatment(patient).phase == phase


def test_in_remission_nothing_is_called_refractory() -> None:
    patient = (
        Patient()
        .has("dermatomyositis", since="2022", status="remission")
        .takes("prednisone", since="2022-07-01")
        .takes("azathioprine", since="2022-07-01")
        .raised_ck()
    )
    assert outcomes(patient) == {"glucocorticoid": "current", "azathioprine": "current"}


def test_a_drug_that_failed_against_another_disease_before_this_one_began_uses_up_no_line() -> None:
    """Section 5: lines count "in the current disease course; drugs for another disease count as exposure only"."""
    patient = PATIENT.stopped("azathioprine", because="ineffective", since="2014-01-01", until="2016-03-01")
    assert finding(patient, "first-line-used-up") is not Standing.PRESENT


# --- what rules ask -----------------------------------------------------------------------------------------------------


def test_first_line_is_used_up_once_an_immunosuppressant_failed_or_harmed() -> None:
    assert finding(PATIENT.stopped("azathioprine", because="ineffective"), "first-line-used-up") is Standing.PRESENT
    assert finding(PATIENT.stopped("azathioprine", because="intolerance"), "first-line-used-up") is Standing.PRESENT
    assert finding(PATIENT.takes("azathioprine"), "first-line-used-up") is Standing.NOT_RECORDED


def test_failure_is_told_apart_from_harm() -> None:
    assert finding(PATIENT.stopped("azathioprine", because="ineffective"), "first-line-failed") is Standing.PRESENT
    assert finding(PATIENT.stopped("azathioprine", because="intolerance"), "first-line-failed") is Standing.NOT_RECORDED


def test_two_lines_are_used_up_once_two_drugs_are_and_one_of_them_is_of_the_second_line() -> None:
    once = PATIENT.stopped("azathioprine", because="ineffective")
    assert finding(once, "two-drugs-used-up") is Standing.NOT_RECORDED
    two_of_the_first = once.stopped("methotrexate", because="ineffective")
    assert finding(two_of_the_first, "two-drugs-used-up") is Standing.PRESENT
    assert finding(two_of_the_first, "second-line-drug-used-up") is Standing.NOT_RECORDED
    assert finding(once.stopped("immunoglobulin_iv", because="ineffective"), "second-line-drug-used-up") is Standing.PRESENT


def test_an_infusion_counts_as_being_taken_for_as_long_as_it_acts() -> None:
    def given(on: str) -> Patient:
        return PATIENT.add(
            "MedicationAdministration", status="completed", medicationCodeableConcept=codeable("rituximab"), effectiveDateTime=on
        )

    assert "rituximab" in treatment(given("2026-07-01")).current
    assert "rituximab" not in treatment(given("2026-01-15")).current


def test_a_drug_that_was_resumed_has_not_failed_by_its_first_stop() -> None:
    patient = PATIENT.stopped("azathioprine", because="intolerance", since="2026-02-01", until="2026-03-01")
    assert outcomes(patient.takes("azathioprine", since="2026-10-25")) == {"azathioprine": "current"}


def test_a_drug_stopped_in_silence_leaves_the_line_open_and_asks_why() -> None:
    found = PATIENT.stopped("azathioprine").assess().features["first-line-used-up"]
    assert found.standing is Standing.UNCLEAR
    assert [m.text for m in found.missing] == ["why azathioprine was stopped (no effect, or not tolerated?)"]


@pytest.mark.parametrize("reason", ["pregnancy", "completed"])
def test_nobody_is_asked_why_a_drug_was_stopped_when_the_chart_says_why(reason: str) -> None:
    found = PATIENT.stopped("methotrexate", because=reason).assess().features["first-line-used-up"]
    assert (found.recorded, found.missing) == (Answer.NO, ())


def test_a_failed_glucocorticoid_does_not_use_up_a_line_by_itself() -> None:
    assert finding(PATIENT.stopped("prednisone", because="ineffective"), "first-line-used-up") is Standing.NOT_RECORDED


def test_a_current_immunosuppressant_that_has_not_failed_is_in_trial() -> None:
    assert finding(PATIENT.takes("azathioprine"), "immunosuppressant-in-trial") is Standing.PRESENT
    assert finding(SIX_MONTHS_ON_BOTH.raised_ck(), "immunosuppressant-in-trial") is Standing.NOT_RECORDED
    assert finding(SIX_MONTHS_ON_BOTH.raised_ck(), "on-steroid-sparing-drug") is Standing.PRESENT


@pytest.mark.parametrize(
    ("dose", "expected"), [(10, Standing.PRESENT), (7.5, Standing.RULED_OUT), (5, Standing.RULED_OUT), (None, Standing.UNCLEAR)]
)
def test_the_cushing_threshold_is_held_against_the_dose_after_three_months(dose: float | None, expected: Standing) -> None:
    patient = PATIENT.takes("prednisone", since="2026-05-01", dose=dose)
    assert finding(patient, "glucocorticoid-above-cushing-threshold") is expected


def test_a_dose_in_the_first_weeks_is_not_held_against_the_threshold() -> None:
    patient = PATIENT.takes("prednisone", since="2026-10-25", dose=60)
    assert finding(patient, "glucocorticoid-above-cushing-threshold") is Standing.NOT_RECORDED


def test_only_prednisolone_equivalents_without_conversion_are_compared() -> None:
    patient = PATIENT.takes("dexamethasone", since="2026-05-01", dose=4)
    found = patient.assess().features["glucocorticoid-above-cushing-threshold"]
    assert found.standing is Standing.UNCLEAR
    assert [m.text for m in found.missing] == ["daily dose of the glucocorticoid"]


@pytest.mark.parametrize(
    ("patient", "standing", "words"),
    [
        (PATIENT, Standing.NOT_RECORDED, []),
        (PATIENT.without("MedicationRequest", "MedicationStatement"), Standing.FAILED, ["medications were not supplied"]),
        (PATIENT.without("MedicationRequest"), Standing.FAILED, ["medications were not supplied"]),
        (PATIENT.without("MedicationStatement"), Standing.NOT_RECORDED, []),
        (PATIENT.failed("MedicationRequest"), Standing.FAILED, ["medications could not be read completely"]),
        (PATIENT.failed("MedicationAdministration"), Standing.FAILED, ["administered drugs could not be read completely"]),
    ],
)
def test_no_treatment_on_record_says_how_sure_that_is(patient: Patient, standing: Standing, words: list[str]) -> None:
    found = patient.assess().features["systemic-treatment"]
    assert found.standing is standing
    assert [m.text for m in found.missing] == words


# --- who was treated once and takes nothing now ---------------------------------------------------------------------------


LAST_YEAR = {"since": "2025-01-10", "until": "2025-12-01"}
FOR_YEARS = Patient().has("dermatomyositis", since="2010-03")
TREATED = FOR_YEARS.stopped("prednisone", because="completed", **LAST_YEAR)


@pytest.mark.parametrize(
    "patient",
    [
        TREATED,
        TREATED.stopped("methotrexate", **LAST_YEAR),
        TREATED.stopped("methotrexate", because="ineffective", since="2015-01-10", until="2015-12-01"),
        TREATED.stopped("methotrexate", because="ineffective", since="2015-01-10", until=None),
    ],
    ids=["completed", "ended in silence", "failed long before", "failed, nobody knows when"],
)
def test_after_a_treatment_that_ended_it_is_asked_whether_the_disease_is_active(patient: Patient) -> None:
    """The first lines of the sources are for the untreated (hengstman-2009-first-line-prednisone-plus-dmard)."""
    found = patient.assess().features["rest-after-treatment"]
    assert found.standing is Standing.UNCLEAR
    assert [item.concept for item in found.missing] == ["Condition.clinicalStatus"]


@pytest.mark.parametrize(
    "patient",
    [
        FOR_YEARS,
        TREATED.raised_ck(),
        TREATED.strength("hip_flexion", 4).strength("shoulder_abduction", 4),
        TREATED.has("myocarditis", since="2026-11"),
        TREATED.has("interstitial_lung_disease", severity="severe", since="2026-11"),
        TREATED.takes("azathioprine"),
        TREATED.stopped("methotrexate", because="ineffective", **LAST_YEAR),
        TREATED.stopped("methotrexate", because="intolerance", **LAST_YEAR),
        TREATED.stopped("methotrexate", because="pregnancy", **LAST_YEAR),
        FOR_YEARS.stopped("prednisone", because="completed", since="2026-10-01", until="2026-11-10"),
    ],
    ids=[
        *("never treated", "raised enzyme", "weak", "severe", "severe lung disease", "on treatment"),
        *("given up without effect", "given up because of harm", "given up in pregnancy", "ended two weeks ago"),
    ],
)
def test_nobody_is_thought_to_be_at_rest_who_is_ill_treated_or_never_was_treated(patient: Patient) -> None:
    assert finding(patient, "rest-after-treatment") is Standing.RULED_OUT
