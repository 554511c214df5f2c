"""Next-line therapy as a decision: what is offered, in which order, on whose word, and what is set aside and why."""

from dataclasses import replace

import pytest

from cards.knowledge import knowledge
from tests.cards.reading import card_about, drugs, explanation, held, offered, options, orders, topics, undecided
from tests.patient import Json, Patient, codeable

WOMAN = Patient(sex="female", born="1964-02-01")
YOUNG_WOMAN = Patient(sex="female", born="1991-02-17")
CHILD = Patient(sex="male", born="2016-04-01").has("dermatomyositis", since="2026-05")

MILD_PM = WOMAN.has("polymyositis", since="2026-09").strength("hip_flexion", 4).strength("shoulder_abduction", 4)
SEVERE_DM = WOMAN.has("dermatomyositis", since="2026-01").strength("hip_flexion", 3).strength("shoulder_abduction", 3)
REFRACTORY_DM = SEVERE_DM.stopped("prednisolone", because="ineffective").stopped("azathioprine", because="ineffective")
THIRD_LINE_DM = REFRACTORY_DM.stopped("immunoglobulin_iv", because="ineffective")
CHRONIC_ILD = MILD_PM.has("interstitial_lung_disease", since="2025-06", severity="moderate")
RAPID_ILD = WOMAN.has("dermatomyositis", since="2026-10").has("ild_rapidly_progressive", since="2026-11")


def card(patient: Patient) -> Json | None:
    return card_about("nextLineTherapy", patient.cards())


def words(patient: Patient) -> str:
    found = card(patient)
    assert found is not None
    return f"{found['summary']}\n{found['detail']}"


def backers(patient: Patient, treatment: str) -> set[str]:
    return {backing.source.short for backing in options(patient)[treatment].backing}


def why_not(patient: Patient, treatment: str) -> str:
    reason = options(patient)[treatment].not_offered
    assert reason is not None, f"{treatment} is offered"
    return reason


def therapy(patient: Patient) -> set[str]:
    return {name for name, r in held(patient).items() if r.topic == "nextLineTherapy"}


def lines(patient: Patient) -> set[str]:
    """The lines of the statements that hold."""
    named = therapy(patient)
    return {rule.line for rule in knowledge().rules if rule.id in named and rule.offers and rule.line != "any"}


# --- the four that the issue asks to show -------------------------------------------------------------------------------


def test_refractory_severe_dermatomyositis_gets_second_line_options_of_the_right_sources() -> None:
    assert set(offered(REFRACTORY_DM)) == {"ivig", "ciclosporin", "tacrolimus", "mycophenolate"}
    assert lines(REFRACTORY_DM) == {"second"}
    assert backers(REFRACTORY_DM, "ivig") >= {"Sunderkötter 2016", "Hengstman 2009", "BMJ Best Practice"}
    assert backers(REFRACTORY_DM, "ciclosporin") == backers(REFRACTORY_DM, "tacrolimus") == {"BMJ Best Practice"}
    assert words(REFRACTORY_DM).startswith("Second-line options for severe dermatomyositis: ")


def test_refractory_severe_dermatomyositis_gets_no_azathioprine_again() -> None:
    assert "azathioprine" not in offered(REFRACTORY_DM)
    assert "azathioprine" not in drugs(REFRACTORY_DM.cards())
    assert drugs(REFRACTORY_DM.cards()) <= {"ivig", "ciclosporin", "tacrolimus", "mycophenolate"}


def test_untreated_non_severe_polymyositis_gets_first_line() -> None:
    assert offered(MILD_PM) == ["glucocorticoid-oral", "methotrexate", "azathioprine"]
    assert lines(MILD_PM) == {"first"}
    assert therapy(MILD_PM) == {
        "sunderkotter-2016-cs-oral-nonsevere",
        "hengstman-2009-first-line-prednisone-plus-dmard",
        "bmj-nonsevere-1l-oral-cs",
        "bmj-nonsevere-1l-csdmard-early",
        "bmj-nonsevere-1l-bsr-no-preference",
        "drake-1996-glucocorticoids",
        "drake-1996-steroid-sparing",
        "meyer-2019-first-line-cs-mtx-aza",
        "bsr-2022-glucocorticoid-adult",
        "bsr-2022-csdmard-choice",
    }
    assert words(MILD_PM).startswith(
        "First-line options for non-severe polymyositis: oral glucocorticoid with methotrexate or azathioprine\n"
    )
    assert drugs(MILD_PM.cards()) == {"glucocorticoid-oral", "methotrexate", "azathioprine"}


@pytest.mark.parametrize(
    "patient",
    [
        WOMAN.has("inclusion_body_myositis", since="2020"),
        WOMAN.has("inclusion_body_myositis", since="2020").strength("proximal", 2).raised_ck(),
        WOMAN.has("inclusion_body_myositis", since="2020").takes("prednisone"),
        WOMAN.has("inclusion_body_myositis", since="2020").has("interstitial_lung_disease"),
        WOMAN.has("inclusion_body_myositis", since="2020", status="remission"),
        MILD_PM.has("inclusion_body_myositis", since="2020"),
        MILD_PM.has("inclusion_body_myositis", since="2026", verification="provisional"),
        SEVERE_DM.has("inclusion_body_myositis", since="2026", verification="differential"),
        RAPID_ILD.has("inclusion_body_myositis", since="2026", verification="unconfirmed"),
    ],
    ids=[
        *("untreated", "severe", "on prednisone", "with lung disease", "in remission", "beside polymyositis"),
        *("suspected beside polymyositis", "considered beside severe dermatomyositis", "considered beside rapid lung disease"),
    ],
)
def test_inclusion_body_myositis_gets_no_drug_not_even_where_it_is_only_suspected(patient: Patient) -> None:
    cards = patient.cards()
    assert drugs(cards) == set()
    assert offered(patient) == []
    assert "nextLineTherapy" not in topics(cards)


def test_inclusion_body_myositis_refuted_blocks_nothing() -> None:
    assert offered(MILD_PM.has("inclusion_body_myositis", since="2026", verification="refuted")) == offered(MILD_PM)


@pytest.mark.parametrize(
    "patient",
    [
        Patient(),
        Patient().has("hypertension").takes("prednisone").raised_ck(),
        Patient().has("dermatomyositis", verification="refuted").strength("proximal", 2),
        Patient().has("dermatomyositis", verification="entered-in-error"),
        Patient().has("dermatomyositis", since="2016", status="resolved"),
        Patient().antibody("anti_tif1_gamma", "positive"),
        Patient().has("muscular_dystrophy").raised_ck().strength("proximal", 3),
        Patient().add("FamilyMemberHistory", status="completed", condition=[{"code": {"text": "Dermatomyositis"}}]),
    ],
    ids=["healthy", "other diseases", "refuted", "in error", "resolved", "antibody alone", "dystrophy", "mother's"],
)
def test_without_myositis_there_is_no_card(patient: Patient) -> None:
    assert patient.cards() == []


# --- for whom therapy is advised at all ---------------------------------------------------------------------------------


@pytest.mark.parametrize("verification", ["provisional", "differential", "unconfirmed"])
def test_a_suspected_diagnosis_gets_work_up_and_no_therapy(verification: str) -> None:
    patient = WOMAN.has("dermatomyositis", since="2026-09", verification=verification).strength("proximal", 3)
    assert card(patient) is None
    assert offered(patient) == []


def test_a_syndrome_that_was_only_computed_gets_no_therapy() -> None:
    patient = WOMAN.antibody("anti_jo1", "positive").has("interstitial_lung_disease", since="2026-03").strength("proximal", 3)
    assert offered(patient) == []


def test_a_disease_in_remission_gets_no_induction() -> None:
    patient = WOMAN.has("dermatomyositis", since="2022", status="remission").takes("azathioprine", since="2022-07")
    assert card(patient) is None


def test_somebody_who_has_died_gets_no_card() -> None:
    record = MILD_PM.bundle()
    record["entry"][0]["resource"]["deceasedBoolean"] = True
    died = Patient(resources=tuple(entry["resource"] for entry in record["entry"][1:]))
    assert died.cards() != []
    assert Patient.cards(_Deceased(resources=died.resources)) == []


class _Deceased(Patient):
    def bundle(self) -> Json:
        bundle = super().bundle()
        bundle["entry"][0]["resource"]["deceasedDateTime"] = "2026-11-01"
        return bundle


# --- first line ---------------------------------------------------------------------------------------------------------


def test_severe_disease_gets_an_intravenous_pulse_with_an_immunosuppressant_and_ivig() -> None:
    assert offered(SEVERE_DM)[0] == "glucocorticoid-intravenous"
    assert {"methotrexate", "azathioprine", "mycophenolate", "ivig"} <= set(offered(SEVERE_DM))
    assert {"Sunderkötter 2016", "BMJ Best Practice"} <= backers(SEVERE_DM, "glucocorticoid-intravenous")
    found = card(SEVERE_DM)
    assert found is not None
    assert found["indicator"] == "warning"


def test_ivig_is_no_first_choice_in_disease_that_is_neither_severe_nor_refractory() -> None:
    """C2: "Non-severe, not refractory: do not suggest IVIG"."""
    assert "ivig" not in options(MILD_PM)


def test_rituximab_and_cyclophosphamide_wait_for_failure() -> None:
    """C8: not before failure, unless lung disease is acute, severe or rapidly progressive."""
    for patient in (MILD_PM, SEVERE_DM, CHRONIC_ILD):
        assert {"rituximab", "cyclophosphamide"}.isdisjoint(options(patient))


def test_where_severity_is_not_known_it_is_asked_for_and_never_taken_for_non_severe() -> None:
    patient = WOMAN.has("polymyositis", since="2026-09")
    assert "hengstman-2009-first-line-prednisone-plus-dmard" in therapy(patient)
    assert {"bmj-nonsevere-1l-oral-cs", "sunderkotter-2016-cs-oral-nonsevere"} <= set(undecided(patient))
    assert "Graded proximal muscle strength (MRC)" in words(patient)


def test_on_glucocorticoid_alone_the_steroid_sparing_drug_is_offered_and_the_steroid_is_not() -> None:
    patient = MILD_PM.takes("prednisone", since="2026-10-25")
    assert offered(patient) == ["methotrexate", "azathioprine"]
    assert why_not(patient, "glucocorticoid-oral") == "already on record: glucocorticoid current since 25 October 2026"
    assert "glucocorticoid-oral" not in drugs(patient.cards())


def test_a_pulse_can_be_due_although_tablets_are_being_taken() -> None:
    assert "glucocorticoid-intravenous" in offered(SEVERE_DM.takes("prednisone", since="2026-11-10"))


@pytest.mark.parametrize("drug", ["azathioprine", "methotrexate", "mycophenolate_mofetil"])
def test_while_a_drug_is_on_trial_nothing_else_is_suggested(drug: str) -> None:
    patient = MILD_PM.takes("prednisone", since="2026-10-25").takes(drug, since="2026-10-25").raised_ck()
    assert card(patient) is None


def test_a_trial_of_eleven_weeks_is_not_failure() -> None:
    patient = MILD_PM.takes("prednisone", since="2026-09-06").takes("azathioprine", since="2026-09-06").raised_ck()
    assert card(patient) is None


def test_hydroxychloroquine_and_creams_leave_the_disease_untreated() -> None:
    patient = MILD_PM.takes("hydroxychloroquine").takes("tacrolimus", route="topical")
    assert offered(patient) == offered(MILD_PM)


def test_who_was_treated_and_may_be_at_rest_is_offered_no_induction_until_somebody_says_that_the_disease_is_active() -> None:
    """Induction is for the untreated; unknown is not no, so that it is asked and not denied."""
    quiet = Patient("female", "1964-02-01").has("polymyositis", since="2020-03").strength("proximal", 5)
    treated = quiet.stopped("prednisone", because="completed", since="2020-04-01", until="2022-05-01")
    assert offered(treated) == []
    asked = {item.text for item in undecided(treated)["hengstman-2009-first-line-prednisone-plus-dmard"].missing}
    assert "whether the disease is active, as earlier treatment has ended" in asked
    assert "hengstman-2009-first-line-prednisone-plus-dmard" in therapy(treated.raised_ck())


@pytest.mark.parametrize(("dose", "is_offered"), [(15, True), (5, False)])
def test_azathioprine_is_added_when_the_steroid_stays_above_the_cushing_threshold(dose: float, is_offered: bool) -> None:
    """sunderkotter-2016-aza-adult, in disease that is not severe."""
    patient = MILD_PM.takes("prednisone", since="2026-07-01", dose=dose)
    assert ("sunderkotter-2016-aza-adult" in therapy(patient)) is is_offered


def test_where_the_dose_is_not_known_it_is_asked_for() -> None:
    patient = MILD_PM.takes("prednisone", since="2026-07-01")
    assert "daily dose of the glucocorticoid" in [m.text for m in undecided(patient)["sunderkotter-2016-aza-adult"].missing]


# --- lung ---------------------------------------------------------------------------------------------------------------


def test_chronic_lung_disease_puts_mycophenolate_and_azathioprine_first() -> None:
    ranked = [one for one in offered(CHRONIC_ILD) if not one.startswith("glucocorticoid")]
    assert ranked[:2] == ["mycophenolate", "azathioprine"]
    assert {"Morrisset 2016", "BMJ Best Practice"} <= backers(CHRONIC_ILD, "mycophenolate")
    assert "Morrisset 2016" in backers(CHRONIC_ILD, "azathioprine")


def test_with_lung_disease_methotrexate_comes_last_says_why_and_is_no_ready_made_order() -> None:
    """C7: "With ILD rank MTX last and say why"."""
    assert offered(CHRONIC_ILD)[-1] == "methotrexate"
    assert [caution.id for caution in options(CHRONIC_ILD)["methotrexate"].cautions] == ["methotrexate-ild"]
    assert "methotrexate" not in drugs(CHRONIC_ILD.cards())
    assert "C7" in words(CHRONIC_ILD)


def test_rapidly_progressive_lung_disease_is_urgent_and_sends_to_a_centre_before_all_else() -> None:
    first = RAPID_ILD.cards()[0]
    assert (topics([first]), first["indicator"]) == (["urgentReferral"], "critical")
    assert "contact a specialist centre now" in first["summary"]


@pytest.mark.parametrize(
    "complication",
    [
        *("ild_rapidly_progressive", "respiratory_failure", "myocarditis", "pneumomediastinum", "dysphagia_severe"),
        "pulmonary_hypertension",
    ],
)
def test_a_life_threatening_complication_that_no_guideline_covers_sends_to_a_centre(complication: str) -> None:
    """unmet-life-threatening: "Highest-priority card when such a condition is active"."""
    first = MILD_PM.has(complication, since="2026-11").cards()[0]
    assert (topics([first]), first["indicator"]) == (["urgentReferral"], "critical")


def test_rapidly_progressive_lung_disease_names_the_combination() -> None:
    found = card(RAPID_ILD)
    assert found is not None
    assert {"cyclophosphamide", "rituximab", "ciclosporin", "tacrolimus"} <= set(offered(RAPID_ILD))
    assert offered(RAPID_ILD)[0].startswith("glucocorticoid")
    for drug in ("cyclophosphamide", "rituximab", "ciclosporin", "tacrolimus"):
        assert "Morrisset 2016" in backers(RAPID_ILD, drug)
    assert {"C6", "C8"} <= set(explanation(found)["conflicts"])


def test_where_the_tempo_of_lung_disease_is_not_known_it_is_asked_for() -> None:
    patient = MILD_PM.has("interstitial_lung_disease", since="2025-06")
    assert "morrisset-2016-ild-chronic-mild-moderate" in undecided(patient)
    assert "Severity and tempo of the interstitial lung disease: the record does not settle it" in words(patient)


def test_acute_lung_disease_is_not_treated_as_chronic() -> None:
    assert offered(RAPID_ILD)[-1] == "methotrexate"  # after azathioprine: C7
    assert "morrisset-2016-ild-chronic-mild-moderate" not in therapy(RAPID_ILD)
    assert "morrisset-2016-ild-acute-severe" not in therapy(CHRONIC_ILD)


def test_respiratory_failure_makes_lung_disease_acute() -> None:
    patient = CHRONIC_ILD.has("respiratory_failure", since="2026-11")
    assert "morrisset-2016-ild-acute-severe" in therapy(patient)


def test_anti_mda5_with_rapid_lung_disease_names_rituximab_on_one_more_ground() -> None:
    patient = RAPID_ILD.antibody("anti_mda5", "positive")
    assert "bmj-rtx-mda5-lung" in therapy(patient)
    assert "bmj-rtx-mda5-lung" not in therapy(RAPID_ILD)
    assert "rituximab" in offered(patient)


def test_when_treatment_of_the_lung_fails_transplantation_is_named() -> None:
    patient = CHRONIC_ILD.stopped("prednisone", because="ineffective").stopped("mycophenolate_mofetil", because="ineffective")
    assert "morrisset-2016-ild-failure" in therapy(patient)
    assert "transplantation" in words(patient)
    assert "ivig" in offered(patient)


def test_second_line_with_severe_lung_disease_is_not_ivig_for_hengstman() -> None:
    patient = REFRACTORY_DM.has("ild_rapidly_progressive", since="2026-11")
    assert "hengstman-2009-second-line-severe-lung" in therapy(patient)
    assert "hengstman-2009-second-line-no-severe-lung-ivig" not in therapy(patient)


# --- second and third line ----------------------------------------------------------------------------------------------


def test_intolerance_leads_to_the_second_line_too() -> None:
    patient = MILD_PM.takes("prednisone", since="2026-09-10").stopped("methotrexate", because="intolerance", since="2026-09-10")
    assert {"ciclosporin", "tacrolimus", "mycophenolate", "azathioprine"} <= set(offered(patient))
    assert "methotrexate" not in offered(patient)


def test_in_disease_that_is_not_severe_ivig_waits_for_failure_and_not_for_intolerance() -> None:
    """C2: "Non-severe, not refractory: do not suggest IVIG. Refractory: offer IVIG"."""
    harmed = MILD_PM.takes("prednisone", since="2026-09-10").stopped("methotrexate", because="intolerance", since="2026-09-10")
    failed = MILD_PM.takes("prednisone", since="2026-09-10").stopped("methotrexate", because="ineffective", since="2026-09-10")
    assert "ivig" not in offered(harmed)
    assert "ivig" in offered(failed)


def test_the_working_definition_leads_to_the_second_line_and_says_that_it_is_one() -> None:
    patient = SEVERE_DM.takes("prednisone", since="2026-05-01").takes("azathioprine", since="2026-05-01")
    assert {"ivig", "ciclosporin", "tacrolimus", "mycophenolate"} <= set(offered(patient))
    assert "azathioprine" not in offered(patient)
    assert "working definition" in words(patient)


def test_a_drug_stopped_in_silence_asks_why_and_suggests_nothing_meanwhile() -> None:
    patient = MILD_PM.takes("prednisone", since="2026-08-01").stopped("azathioprine")
    assert offered(patient) == []
    assert "Next-line therapy: could not be assessed; why azathioprine was stopped (no effect, or not tolerated?)" in words(
        patient
    )


def test_a_drug_stopped_for_a_pregnancy_that_is_over_is_neither_failed_nor_asked_about() -> None:
    patient = MILD_PM.takes("prednisone", since="2026-10-25").stopped("methotrexate", because="pregnancy", since="2026-09-05")
    assert "why methotrexate was stopped" not in words(patient)
    assert "azathioprine" in offered(patient)
    assert "the reason for stopping is not on record" not in words(patient)


def test_third_line_of_severe_disease_is_cyclophosphamide_or_rituximab() -> None:
    assert {"cyclophosphamide", "rituximab"} <= set(offered(THIRD_LINE_DM))
    assert backers(THIRD_LINE_DM, "rituximab") >= {"BMJ Best Practice", "Hengstman 2009"}
    assert "bmj-severe-3l-cyc-or-rtx" in therapy(THIRD_LINE_DM)
    assert {"azathioprine", "ivig"}.isdisjoint(offered(THIRD_LINE_DM))
    assert "has failed" in why_not(THIRD_LINE_DM, "ivig")


def test_third_line_of_non_severe_disease_names_abatacept_with_its_later_trial() -> None:
    patient = (
        WOMAN.has("dermatomyositis", since="2026-01")
        .strength("proximal", 4)
        .stopped("prednisolone", because="ineffective")
        .stopped("methotrexate", because="ineffective")
        .stopped("mycophenolate_mofetil", because="ineffective")
    )
    assert {"rituximab", "cyclophosphamide", "abatacept", "ivig"} <= set(offered(patient))
    assert "the later phase 3 trial missed its primary endpoint" in words(patient)
    assert "C14" in words(patient)


def test_abatacept_is_not_on_the_list_of_severe_disease() -> None:
    assert "abatacept" not in options(THIRD_LINE_DM)


@pytest.mark.parametrize("antibody", ["anti_jo1", "anti_mi2"])
def test_an_antibody_that_speaks_for_rituximab_is_named(antibody: str) -> None:
    assert "bmj-rtx-jo1-mi2" in therapy(THIRD_LINE_DM.antibody(antibody, "positive"))
    assert "bmj-rtx-jo1-mi2" not in therapy(THIRD_LINE_DM.antibody(antibody, "negative"))


def test_anti_srp_speaks_for_rituximab_in_severe_refractory_necrotising_myopathy() -> None:
    patient = (
        WOMAN.has("immune_mediated_necrotising_myopathy", since="2026-01")
        .strength("proximal", 3)
        .stopped("prednisolone", because="ineffective")
        .stopped("methotrexate", because="ineffective")
    )
    assert "bmj-rtx-anti-srp-imnm" in therapy(patient.antibody("anti_srp", "positive"))
    assert "bmj-rtx-anti-srp-imnm" not in therapy(patient.antibody("anti_hmgcr", "positive"))


def test_a_trial_in_the_third_line_stops_the_escalation() -> None:
    patient = WOMAN.has("dermatomyositis", since="2026-01").strength("proximal", 4)
    for drug in ("prednisolone", "azathioprine", "mycophenolate_mofetil"):
        patient = patient.stopped(drug, because="ineffective")
    assert "rituximab" in offered(patient)
    assert card(patient.takes("rituximab", since="2026-10-20")) is None


def test_severe_disease_on_trial_may_get_a_pulse_and_is_not_called_first_line() -> None:
    patient = THIRD_LINE_DM.takes("rituximab", since="2026-10-20")
    assert set(offered(patient)) == {"glucocorticoid-intravenous"}
    assert not words(patient).startswith("First-line")


def test_where_every_option_is_used_up_the_card_sends_to_a_specialist() -> None:
    patient = THIRD_LINE_DM
    for drug in ("rituximab", "cyclophosphamide", "ciclosporin", "tacrolimus", "mycophenolate_mofetil"):
        patient = patient.stopped(drug, because="ineffective")
    patient = patient.cannot_tolerate("methylprednisolone")
    assert offered(patient) == []
    assert words(patient).startswith("No option of the guidelines is left for severe dermatomyositis: seek specialist advice")


# --- pregnancy ----------------------------------------------------------------------------------------------------------

PREGNANT = YOUNG_WOMAN.has("dermatomyositis", since="2026-08").strength("proximal", 4).has("pregnancy", since="2026-07")


@pytest.mark.parametrize(
    "patient", [PREGNANT, PREGNANT.stopped("azathioprine", because="ineffective"), PREGNANT.strength("proximal", 3)]
)
def test_in_pregnancy_no_teratogen_is_ever_offered(patient: Patient) -> None:
    for drug in ("methotrexate", "mycophenolate", "cyclophosphamide"):
        assert drug not in offered(patient)
        assert drug not in drugs(patient.cards())


def test_in_pregnancy_the_glucocorticoid_comes_first_and_ivig_alone_is_the_other_route() -> None:
    """C9: both routes are offered."""
    assert offered(PREGNANT)[0] == "glucocorticoid-oral"
    assert "Doria 2004" in backers(PREGNANT, "glucocorticoid-oral")
    assert "ivig" in offered(PREGNANT)
    assert "C9" in words(PREGNANT)
    assert why_not(PREGNANT, "methotrexate") == "contraindicated in pregnancy (FDA label)"


def test_in_pregnancy_after_glucocorticoid_the_compatible_drugs_are_offered() -> None:
    patient = PREGNANT.stopped("prednisone", because="ineffective", since="2026-09-01")
    assert {"ciclosporin", "azathioprine", "plasma-exchange", "ivig"} <= set(offered(patient))
    for drug in ("ciclosporin", "azathioprine", "plasma-exchange", "ivig"):
        assert "Doria 2004" in backers(patient, drug)


def test_where_pregnancy_is_not_known_a_teratogen_stays_in_the_table_without_an_order() -> None:
    """SAF-23 and decision 3: unknown withholds the order, not the advice."""
    patient = YOUNG_WOMAN.has("polymyositis", since="2026-09").strength("proximal", 4)
    assert "methotrexate" in offered(patient)
    assert "methotrexate" not in drugs(patient.cards())
    withheld = options(patient)["methotrexate"].order_withheld
    assert withheld is not None
    assert withheld.startswith("check first: ")
    assert "pregnancy" in withheld
    assert "pregnancy-test" in orders(patient.cards())
    assert "azathioprine" in drugs(patient.cards())


def test_a_recent_negative_test_makes_the_order_ready() -> None:
    patient = YOUNG_WOMAN.has("polymyositis", since="2026-09").strength("proximal", 4)
    assert "methotrexate" in drugs(patient.answered("pregnancy_status", "not_pregnant", on="2026-11-10").cards())


# --- children -----------------------------------------------------------------------------------------------------------


def test_a_child_begins_with_glucocorticoid_and_methotrexate() -> None:
    assert offered(CHILD)[0].startswith("glucocorticoid")
    assert "Enders 2017" in backers(CHILD, "methotrexate")
    assert offered(CHILD)[1] == "methotrexate"
    assert "enders-2017-first-line-cs-mtx" in therapy(CHILD)


def test_statements_for_adults_are_not_held_against_children() -> None:
    adults_only = ("hengstman-2009", "morrisset-2016", "doria-2004", "sunderkotter-2016-aza-adult")
    for patient in (CHILD, CHILD.has("interstitial_lung_disease"), CHILD.stopped("methotrexate", because="ineffective")):
        assert [name for name in therapy(patient) if name.startswith(adults_only)] == []


def test_resistant_juvenile_disease_names_what_can_be_added_anti_tnf_among_it() -> None:
    patient = CHILD.stopped("prednisolone", because="ineffective").stopped("methotrexate", because="ineffective")
    assert {"ivig", "rituximab", "cyclophosphamide", "anti-tnf"} <= set(offered(patient))
    assert "C12" in words(patient)


def test_anti_tnf_is_never_offered_to_an_adult() -> None:
    """C12: children only."""
    for patient in (MILD_PM, SEVERE_DM, REFRACTORY_DM, THIRD_LINE_DM, RAPID_ILD):
        assert "anti-tnf" not in options(patient)
    grown_up = Patient(born="2000-04-01").has("dermatomyositis", since="2012-09").stopped("methotrexate", because="ineffective")
    assert "anti-tnf" not in options(grown_up)


def test_a_child_who_does_not_tolerate_methotrexate_changes_to_ciclosporin_or_mycophenolate() -> None:
    patient = CHILD.takes("prednisolone", since="2026-06-01").stopped("methotrexate", because="intolerance")
    assert {"ciclosporin", "mycophenolate"} <= set(offered(patient))
    assert "Enders 2017" in backers(patient, "ciclosporin")
    assert "methotrexate" not in offered(patient)


def test_a_high_risk_child_is_referred_at_once() -> None:
    patient = CHILD.has("aspiration", since="2026-11")
    found = card_about("urgentReferral", patient.cards())
    assert found is not None
    assert found["indicator"] == "critical"
    assert topics(patient.cards())[0] == "urgentReferral"


def test_a_high_risk_child_is_referred_at_once_although_the_orders_could_not_be_read() -> None:
    found = card_about("urgentReferral", CHILD.has("aspiration", since="2026-11").failed("ServiceRequest").cards())
    assert found is not None
    assert found["indicator"] == "critical"
    assert "suggestions" not in found


def test_a_child_that_does_not_respond_reads_nothing_of_tapering_and_no_drug_without_an_order_in_the_title() -> None:
    first_line = CHILD.takes("prednisolone", since="2026-05-01").stopped("methotrexate", because="ineffective")
    patient = first_line.strength("hip_flexion", 4).strength("shoulder_abduction", 4)
    assert "tapered" not in words(patient)
    assert "cyclophosphamide" in offered(patient)
    assert "cyclophosphamide" not in card(patient)["summary"]  # type: ignore[index]


# --- what is set aside, withheld or said beside it ----------------------------------------------------------------------


def test_the_test_before_the_first_dose_is_offered_with_the_drug() -> None:
    """drug-safety.md section 3: the missing test as a second suggestion, not a block."""
    assert {"azathioprine", "tpmt-activity"} <= orders(MILD_PM.cards())
    assert "tpmt-activity" not in orders(MILD_PM.ordered("tpmt_activity").cards())
    assert "tpmt-activity" not in orders(MILD_PM.cannot_tolerate("azathioprine").cards())


@pytest.mark.parametrize("drug", ["methotrexate", "azathioprine"])
def test_an_allergy_sets_a_drug_aside(drug: str) -> None:
    patient = MILD_PM.cannot_tolerate(drug)
    assert drug not in offered(patient)
    assert drug not in drugs(patient.cards())
    assert why_not(patient, drug) == f"not tolerated: {drug}: intolerance on record"


def test_an_allergy_that_was_refuted_sets_nothing_aside() -> None:
    assert "methotrexate" in offered(MILD_PM.cannot_tolerate("methotrexate", verification="refuted"))


def test_what_failed_is_listed_with_the_reason() -> None:
    patient = REFRACTORY_DM.stopped("ciclosporin", because="ineffective")
    assert why_not(patient, "ciclosporin").startswith("has failed: ciclosporin stopped because it did not work")
    assert "Not suggested" in words(patient)


def test_allopurinol_sets_azathioprine_aside() -> None:
    patient = MILD_PM.takes("allopurinol")
    assert "azathioprine" not in offered(patient)
    assert "myelotoxic" in why_not(patient, "azathioprine")
    assert "methotrexate" in offered(patient)


def test_without_hepatitis_serology_rituximab_has_no_ready_made_order_and_the_tests_are_offered() -> None:
    assert "rituximab" in offered(THIRD_LINE_DM)
    assert "rituximab" not in drugs(THIRD_LINE_DM.cards())
    assert {"hepatitis-b-surface-antigen", "hepatitis-b-core-antibody"} <= orders(THIRD_LINE_DM.cards())


def test_serology_that_is_already_ordered_is_not_suggested_again() -> None:
    patient = THIRD_LINE_DM.ordered("hbsag").ordered("anti_hbc_total")
    assert orders(patient.cards()).isdisjoint({"hepatitis-b-surface-antigen", "hepatitis-b-core-antibody"})


def test_with_negative_serology_rituximab_is_ready_to_order() -> None:
    patient = THIRD_LINE_DM.result("hbsag", flag="negative").result("anti_hbc_total", flag="negative")
    assert "rituximab" in drugs(patient.cards())


@pytest.mark.parametrize("marker", ["hbsag", "anti_hbc_total"])
def test_positive_serology_sets_rituximab_aside(marker: str) -> None:
    patient = THIRD_LINE_DM.result(marker, flag="positive")
    assert "is on record: risk of reactivation" in why_not(patient, "rituximab")


def test_a_positive_serology_of_earlier_years_counts_whatever_came_later() -> None:
    """Drug safety, section 0: HBsAg and anti-HBc results ever; whoever reads of the old one reads of the newest too."""
    patient = THIRD_LINE_DM.result("hbsag", flag="negative").result("anti_hbc_total", flag="negative")
    patient = patient.result("anti_hbc_total", flag="positive", on="2023-10-01")
    assert "is on record: risk of reactivation" in why_not(patient, "rituximab")
    told = [item.text for item in patient.assess().features["hepatitis-b-core-antibody"].evidence]
    assert len(told) == 2
    assert "2023" in told[0]
    assert "not shown by the newest result" in told[1]


def test_before_rituximab_tuberculosis_is_looked_for_as_before_any_biologic() -> None:
    """EULAR 2022: before b/tsDMARDs."""
    patient = THIRD_LINE_DM.result("hbsag", flag="negative").result("anti_hbc_total", flag="negative")
    assert "biologic-tuberculosis" in [c.id for c in options(patient)["rituximab"].cautions]
    for found in (patient.has("tuberculosis_latent", since="2020"), patient.result("igra", flag="positive", on="2023-10-01")):
        assert "biologic-tuberculosis-known" in [c.id for c in options(found)["rituximab"].cautions]


@pytest.mark.parametrize("words", ["Pulmonary tuberculosis", "active tuberculosis"])
def test_tuberculosis_in_words_is_an_infection(words: str) -> None:
    active = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]}
    written = THIRD_LINE_DM.add("Condition", clinicalStatus=active, recordedDate="2026-11-01", code={"text": words})
    assert written.assess().features["serious-infection"].is_present


def test_in_lung_disease_of_systemic_sclerosis_the_glucocorticoid_comes_last_and_without_an_order() -> None:
    """ACR/CHEST 2023 is strongly against it."""
    patient = CHRONIC_ILD.has("systemic_sclerosis", since="2020")
    assert offered(patient)[0] != "glucocorticoid-oral"
    assert options(patient)["glucocorticoid-oral"].order_withheld == "no order is made ready"
    assert "glucocorticoid" not in words(patient).partition("\n")[0]
    assert not {"glucocorticoid-oral", "glucocorticoid-intravenous"} & drugs(patient.cards())


@pytest.mark.parametrize(
    "patient",
    [
        MILD_PM.has("systemic_sclerosis", since="2020").has("interstitial_lung_disease", verification="provisional"),
        RAPID_ILD.has("systemic_sclerosis", since="2020"),
        replace(RAPID_ILD, born="2014-02-01").has("systemic_sclerosis", since="2020"),
    ],
)
def test_with_systemic_sclerosis_the_warning_is_there_however_the_lungs_are(patient: Patient) -> None:
    glucocorticoids = [option for name, option in options(patient).items() if name.startswith("glucocorticoid")]
    said = {caution.id for option in glucocorticoids for caution in option.cautions}
    assert "glucocorticoid-systemic-sclerosis" in said
    assert "glucocorticoid-systemic-sclerosis-lungs" not in said


def test_a_child_that_was_never_treated_is_shown_no_third_line() -> None:
    child = replace(RAPID_ILD, born="2014-02-01").has("systemic_sclerosis", since="2020")
    assert "hird-line" not in words(child).partition("\n")[0]


@pytest.mark.parametrize("test", ["hbsag", "anti_hbc_total", "igra"])
def test_an_unclear_result_of_earlier_years_is_overtaken_by_a_negative_one(test: str) -> None:
    negative = (
        THIRD_LINE_DM.result("hbsag", flag="negative").result("anti_hbc_total", flag="negative").result("igra", flag="negative")
    )
    assert options(negative.antibody(test, "borderline", on="2023-10-01"))["rituximab"].order_withheld is None


def test_tuberculosis_of_earlier_years_is_still_told_before_rituximab() -> None:
    for found in ("tuberculosis_active", "tuberculosis_latent"):
        patient = THIRD_LINE_DM.has(found, since="2015", status="resolved").result("igra", flag="negative")
        assert "biologic-tuberculosis-known" in [c.id for c in options(patient)["rituximab"].cautions]


def test_what_is_to_be_avoided_in_pregnancy_is_not_made_ready_and_comes_after_what_is_not() -> None:
    patient = RAPID_ILD.antibody("anti_mda5", "positive")
    pregnant = replace(patient, born="1996-02-01").has("pregnancy", since="2026-08")
    assert options(pregnant)["jak-inhibitor"].order_withheld == "no order is made ready"
    fitting = [name for name in offered(pregnant) if options(pregnant)[name].is_best_fit]
    assert fitting[-1] == "jak-inhibitor"


def test_the_headline_says_that_all_it_names_is_held_back() -> None:
    patient = (
        THIRD_LINE_DM.result("hbsag", flag="negative").result("anti_hbc_total", flag="negative").has("pneumonia", since="2026-11")
    )
    assert "held back" in words(patient).partition("\n")[0]
    assert drugs(patient.cards()) == set()


def test_options_of_several_lines_are_called_next_only_after_a_first() -> None:
    child = replace(RAPID_ILD, born="2014-02-01").antibody("anti_mda5", "positive")
    assert words(child).startswith("Treatment options for ")


def test_glucocorticoid_carries_the_warning_of_systemic_sclerosis() -> None:
    patient = MILD_PM.has("systemic_sclerosis", since="2020")
    assert "glucocorticoid-systemic-sclerosis" in [c.id for c in options(patient)["glucocorticoid-oral"].cautions]


def test_an_option_with_a_caution_comes_after_one_without() -> None:
    patient = MILD_PM.has("liver_disease").result("tpmt_activity", 20, low=10)
    ranked = [one for one in offered(patient) if not one.startswith("glucocorticoid")]
    assert ranked.index("azathioprine") < ranked.index("methotrexate")


def test_a_drug_of_the_past_is_offered_in_words_and_not_as_an_order() -> None:
    patient = (
        WOMAN.has("polymyositis", since="2026-01")
        .strength("proximal", 4)
        .stopped("azathioprine")
        .stopped("methotrexate", because="ineffective")
    )
    silent = options(patient).get("azathioprine")
    assert silent is None or silent.order_withheld == "was taken before; the reason for stopping is not on record"
    assert "azathioprine" not in drugs(patient.cards())


# --- words --------------------------------------------------------------------------------------------------------------


def test_each_backer_keeps_its_own_strength_in_its_own_words() -> None:
    detail = words(THIRD_LINE_DM)
    assert "Hengstman 2009 (recommended, third line)" in detail
    assert "may be considered, third line" in detail


def test_everything_that_the_chart_raises_against_an_offered_drug_is_printed_in_full() -> None:
    for patient in (MILD_PM, CHRONIC_ILD, RAPID_ILD, THIRD_LINE_DM, CHILD):
        printed = words(patient).replace("\\", "")
        for option in options(patient).values():
            if option.not_offered is None:
                for caution in option.cautions:
                    assert caution.text in printed, caution.id
            if option.not_offered is None and option.is_best_fit:
                for reminder in option.reminders:
                    assert reminder.text in printed, reminder.id


# --- what was not to be had ---------------------------------------------------------------------------------------------


def test_medications_that_could_not_be_read_leave_therapy_unassessed() -> None:
    patient = MILD_PM.failed("MedicationRequest")
    assert words(patient).startswith("Next-line therapy: could not be assessed; medications could not be read completely")
    assert drugs(patient.cards()) == set()
    assert offered(patient) == []


@pytest.mark.parametrize("kinds", [("MedicationRequest", "MedicationStatement"), ("MedicationRequest",)])
def test_without_a_medication_list_no_line_of_treatment_is_told(kinds: tuple[str, ...]) -> None:
    """A server that keeps no statements says that there are none: that does not stand for prescriptions."""
    patient = THIRD_LINE_DM.without(*kinds)
    assert offered(patient) == []
    assert drugs(patient.cards()) == set()
    assert "could not be assessed; medications were not supplied" in words(patient)
    assert "No failure" not in words(patient)


@pytest.mark.parametrize("kind", ["MedicationRequest", "MedicationStatement"])
def test_a_site_with_one_kind_of_medication_list_gets_advice(kind: str) -> None:
    patient = MILD_PM
    if kind == "MedicationStatement":
        patient = MILD_PM.without("MedicationRequest").add(
            kind, status="active", medicationCodeableConcept=codeable("allopurinol")
        )
    else:
        patient = MILD_PM.without("MedicationStatement")
    assert "glucocorticoid-oral" in offered(patient)


@pytest.mark.parametrize("kind", ["AllergyIntolerance", "MedicationAdministration"])
def test_what_could_not_be_read_is_not_taken_for_no_intolerance_and_no_infusion(kind: str) -> None:
    assert drugs(MILD_PM.cards())
    patient = MILD_PM.failed(kind)
    assert drugs(patient.cards()) == set()
    assert "could not be assessed" in words(patient)
    assert "could not be read completely" in words(patient)


def test_where_the_line_is_known_all_the_same_allergies_that_failed_withhold_the_orders() -> None:
    patient = REFRACTORY_DM.failed("AllergyIntolerance")
    assert offered(patient)
    assert drugs(patient.cards()) == set()
    assert "check first: allergies and intolerances could not be read completely" in words(patient)


def test_an_intolerance_that_is_in_the_prescriptions_needs_no_allergy_list_to_tell_the_line() -> None:
    patient = SEVERE_DM.stopped("methotrexate", because="intolerance")
    unread = patient.failed("AllergyIntolerance")
    assert offered(unread) == offered(patient)
    assert drugs(unread.cards()) == set()
    on_azathioprine = unread.stopped("azathioprine")
    assert offered(on_azathioprine) == []


def test_allergies_that_were_never_supplied_are_said_beside_the_advice() -> None:
    patient = MILD_PM.without("AllergyIntolerance")
    assert "No failure or intolerance of first-line treatment in the data supplied" in words(patient)
    assert drugs(patient.cards()) == drugs(MILD_PM.cards())


PREGNANT = YOUNG_WOMAN.has("dermatomyositis", since="2026-09").has("pregnancy", since="2026-07").strength("hip_flexion", 4)


@pytest.mark.parametrize("kind", ["MedicationRequest", "AllergyIntolerance", "MedicationAdministration"])
def test_a_line_that_cannot_be_told_is_said_in_short_with_the_contraindications_that_hold_anyway(kind: str) -> None:
    patient = PREGNANT.failed(kind)
    found = card(patient)
    assert found is not None
    assert "methotrexate: contraindicated in pregnancy" in found["detail"]
    assert "if the missing data confirm it" not in found["detail"]
    assert len(found["detail"]) < 2000
    assert found["indicator"] == "info"
    assert explanation(found)["recommendations"]


def test_a_pregnancy_stands_without_a_birth_date_and_no_drug_is_made_ready() -> None:
    patient = replace(PREGNANT, sex=None, born=None)
    cards = patient.cards()
    assert "obstetric-referral" in orders(cards, "pregnancyCare")
    assert drugs(cards) == set()
    assert "methotrexate: contraindicated in pregnancy" in words(patient)


def test_a_juvenile_disease_of_this_year_is_a_childs_without_a_birth_date_and_no_drug_is_made_ready() -> None:
    unread = replace(WOMAN, sex=None, born=None).strength("hip_flexion", 4)
    patient = unread.has("dermatomyositis_juvenile", since="2026-07")
    cards = patient.cards()
    assert "specialistReferral" in topics(cards)
    assert drugs(cards) == set()
    assert "pregnancy-test" not in orders(cards)
    old = unread.has("dermatomyositis_juvenile", since="2006-07")
    assert "specialistReferral" not in topics(old.cards())


IBM = WOMAN.has("inclusion_body_myositis", since="2021").had("physiotherapy")


@pytest.mark.parametrize("patient", [IBM.failed("MedicationRequest"), IBM.without("MedicationRequest", "MedicationStatement")])
def test_inclusion_body_myositis_with_unread_medications_says_so_and_what_is_usually_not_recommended(patient: Patient) -> None:
    found = card_about("supportiveCare", patient.cards())
    assert found is not None
    assert found["summary"].startswith("Medications ")
    assert "usually not recommended in inclusion body myositis" in found["summary"]
    assert "whether such a drug is being taken is not known" in found["detail"]
    assert found["indicator"] == "warning"


def test_inclusion_body_myositis_without_treatment_gets_no_advice_against_it() -> None:
    assert "usually not recommended" not in str(IBM.cards())
