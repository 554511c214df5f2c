"""Which myositis it is: the recorded diagnosis first, refined or questioned by evidence (phenotypes.md sections 1 and 2)."""

import pytest

from fhir_profiles.phenotypes import Certainty
from tests.patient import Patient

ICD10CM, ICD10 = "http://hl7.org/fhir/sid/icd-10-cm", "http://hl7.org/fhir/sid/icd-10"

DERMATOMYOSITIS = Patient().has("dermatomyositis", since="2026-05")
POLYMYOSITIS = Patient().has("polymyositis", since="2026-05")
CHILD = Patient(born="2016-04-01")


def certainties(patient: Patient) -> dict[str, str]:
    """Every phenotype that holds, the primary one first."""
    return {phenotype.code: str(phenotype.certainty) for phenotype in patient.assess().phenotypes}


# --- recorded -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("diagnosis", "phenotypes"),
    [
        ("dermatomyositis", ["dermatomyositis"]),
        ("dermatomyositis_adult", ["dermatomyositis"]),
        ("dermatomyositis_clinically_amyopathic", ["clinically-amyopathic-dermatomyositis", "dermatomyositis"]),
        ("dermatomyositis_paraneoplastic", ["dermatomyositis"]),
        ("dermatomyositis_anti_mda5", ["anti-mda5-dermatomyositis", "dermatomyositis"]),
        ("dermatomyositis_anti_tif1_gamma", ["anti-tif1-gamma-dermatomyositis", "dermatomyositis"]),
        ("dermatomyositis_anti_nxp2", ["anti-nxp2-dermatomyositis", "dermatomyositis"]),
        ("antisynthetase_syndrome", ["antisynthetase-syndrome"]),
        ("immune_mediated_necrotising_myopathy", ["immune-mediated-necrotising-myopathy"]),
        ("polymyositis", ["polymyositis"]),
        ("inclusion_body_myositis", ["inclusion-body-myositis"]),
        ("overlap_myositis", ["overlap-myositis"]),
        ("idiopathic_inflammatory_myopathy", ["inflammatory-myopathy-unspecified"]),
    ],
)
def test_a_recorded_diagnosis_is_its_phenotype(diagnosis: str, phenotypes: list[str]) -> None:
    assert certainties(Patient().has(diagnosis, since="2026-05")) == dict.fromkeys(phenotypes, "recorded")


def test_sclerodermatomyositis_is_overlap_and_dermatomyositis() -> None:
    assert list(certainties(Patient().has("sclerodermatomyositis", since="2026-05"))) == ["overlap-myositis", "dermatomyositis"]


@pytest.mark.parametrize(
    ("code", "phenotype"),
    [
        (f"{ICD10CM}|M33.10", "dermatomyositis"),
        (f"{ICD10CM}|M33.12", "dermatomyositis"),
        (f"{ICD10CM}|M33.20", "polymyositis"),
        (f"{ICD10CM}|M33.90", "inflammatory-myopathy-unspecified"),
        (f"{ICD10CM}|G72.41", "inclusion-body-myositis"),
        (f"{ICD10CM}|G72.49", "inflammatory-myopathy-unspecified"),
        (f"{ICD10}|M33.1", "dermatomyositis"),
        (f"{ICD10}|M33.2", "polymyositis"),
        (f"{ICD10}|M33.9", "inflammatory-myopathy-unspecified"),
    ],
)
def test_the_chapters_of_icd_10_are_told_apart(code: str, phenotype: str) -> None:
    """Dermatopolymyositis unspecified (M33.9) and polymyositis (M33.2) are not dermatomyositis."""
    assert list(certainties(Patient().has(code, since="2026-05"))) == [phenotype]


def test_without_myopathy_in_icd_10_cm_is_dermatomyositis() -> None:
    assert "dermatomyositis" in certainties(Patient().has(f"{ICD10CM}|M33.13", since="2026-05"))


@pytest.mark.parametrize(
    "mimic",
    [
        *("infective_myositis", "myositis_unspecified", "muscular_dystrophy", "rhabdomyolysis", "drug_induced_myopathy"),
        *("hypothyroidism", "statin_muscle_toxicity", "interstitial_myositis", "sarcoid_myositis", "toxic_myopathy"),
    ],
)
def test_what_only_looks_like_it_is_no_inflammatory_myopathy(mimic: str) -> None:
    assert certainties(Patient().has(mimic, since="2026-05").raised_ck().strength("proximal", 3)) == {}


@pytest.mark.parametrize("code", ["M60.005", "M60.1", "M60.20", "G72.0", "G71.0", "M79.1"])
def test_codes_next_door_do_not_match(code: str) -> None:
    assert certainties(Patient().has(f"{ICD10CM}|{code}", since="2026-05")) == {}


@pytest.mark.parametrize("verification", ["refuted", "entered-in-error"])
def test_a_diagnosis_that_was_withdrawn_is_none(verification: str) -> None:
    assert certainties(Patient().has("dermatomyositis", since="2026-05", verification=verification)) == {}


@pytest.mark.parametrize("status", ["inactive", "resolved"])
def test_a_disease_that_is_over_makes_no_phenotype(status: str) -> None:
    assert certainties(Patient().has("dermatomyositis", since="2016-05", status=status)) == {}


@pytest.mark.parametrize("status", ["active", "recurrence", "relapse", "remission", None])
def test_a_disease_that_lasts_makes_one(status: str | None) -> None:
    assert certainties(Patient().has("dermatomyositis", since="2016-05", status=status)) == {"dermatomyositis": "recorded"}


def test_a_missing_clinical_status_is_shown() -> None:
    (phenotype,) = Patient().has("dermatomyositis", since="2016-05", status=None).assess().phenotypes
    assert phenotype.evidence[0].text == "dermatomyositis on the problem list (clinical status not given, since May 2016)"


@pytest.mark.parametrize("verification", ["provisional", "differential", "unconfirmed"])
def test_a_diagnosis_that_is_not_confirmed_is_suspected(verification: str) -> None:
    patient = Patient().has("dermatomyositis", since="2026-05", verification=verification)
    assert certainties(patient) == {"dermatomyositis": "suspected"}
    assert not patient.assess().phenotypes[0].is_confirmed


def test_a_confirmed_diagnosis_outweighs_a_suspicion_of_the_same() -> None:
    patient = DERMATOMYOSITIS.has("dermatomyositis", since="2026-03", verification="provisional")
    assert certainties(patient) == {"dermatomyositis": "recorded"}


def test_a_diagnosis_without_a_verification_status_stands() -> None:
    assert certainties(Patient().has("dermatomyositis", since="2026-05", verification=None)) == {"dermatomyositis": "recorded"}


def test_a_relatives_myositis_is_not_the_patients() -> None:
    mother = Patient().add("FamilyMemberHistory", status="completed", condition=[{"code": {"text": "Dermatomyositis"}}])
    assert certainties(mother) == {}


def test_a_diagnosis_dated_in_the_future_is_not_used() -> None:
    assert certainties(Patient().has("dermatomyositis", since="2027-01")) == {}


def test_a_diagnosis_in_words_alone_says_so() -> None:
    (phenotype,) = Patient().has("text:Dermatomyositis", since="2026-05").assess().phenotypes
    assert phenotype.evidence[0].text.endswith("matched by text, not by code)")


def test_each_phenotype_says_what_it_rests_on() -> None:
    (phenotype,) = DERMATOMYOSITIS.assess().phenotypes
    assert [(item.text, item.reference) for item in phenotype.evidence] == [
        ("dermatomyositis on the problem list (active, since May 2026)", "Condition/condition-1")
    ]


def test_a_finer_diagnosis_takes_the_place_of_an_unspecified_code_in_the_same_entry() -> None:
    both = Patient().add(
        "Condition",
        code={"coding": [{"system": ICD10CM, "code": "G72.49"}, {"system": "http://snomed.info/sct", "code": "715863001"}]},
    )
    assert list(certainties(both)) == ["immune-mediated-necrotising-myopathy"]


# --- onset in childhood -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("diagnosis", "phenotype"),
    [
        ("dermatomyositis", "juvenile-dermatomyositis"),
        ("polymyositis", "juvenile-myositis"),
        ("idiopathic_inflammatory_myopathy", "juvenile-myositis"),
    ],
)
def test_what_began_before_18_is_juvenile(diagnosis: str, phenotype: str) -> None:
    assert list(certainties(CHILD.has(diagnosis, since="2026-05"))) == [phenotype]


def test_what_began_in_childhood_stays_juvenile_in_an_adult() -> None:
    adult = Patient(born="2000-04-01").has("dermatomyositis", since="2012-09")
    assert list(certainties(adult)) == ["juvenile-dermatomyositis"]


def test_what_began_at_18_is_adult() -> None:
    assert list(certainties(Patient(born="2000-04-01").has("dermatomyositis", since="2018-05"))) == ["dermatomyositis"]


def test_without_an_onset_the_day_of_recording_tells_that_a_child_had_it() -> None:
    assert list(certainties(Patient(born="2000-04-01").has("dermatomyositis", recorded="2012-09-01"))) == [
        "juvenile-dermatomyositis"
    ]
    assert list(certainties(CHILD.has("dermatomyositis"))) == ["juvenile-dermatomyositis"]


def test_a_diagnosis_recorded_late_in_an_adult_is_not_called_juvenile() -> None:
    assert list(certainties(Patient(born="2000-04-01").has("dermatomyositis", recorded="2020-09-01"))) == ["dermatomyositis"]


@pytest.mark.parametrize("diagnosis", ["dermatomyositis_juvenile", "juvenile_polymyositis"])
def test_a_code_that_says_juvenile_needs_no_dates(diagnosis: str) -> None:
    (phenotype,) = certainties(Patient(born=None).has(diagnosis))
    assert phenotype.startswith("juvenile")


def test_without_a_date_of_birth_nothing_is_called_juvenile() -> None:
    assert list(certainties(Patient(born=None).has("dermatomyositis", since="2026-05"))) == ["dermatomyositis"]


# --- subsets by antibody ------------------------------------------------------------------------------------------------

SUBSETS = [
    ("anti_mda5", "anti-mda5-dermatomyositis"),
    ("anti_tif1_gamma", "anti-tif1-gamma-dermatomyositis"),
    ("anti_nxp2", "anti-nxp2-dermatomyositis"),
]


@pytest.mark.parametrize(("antibody", "subset"), SUBSETS)
def test_dermatomyositis_with_the_antibody_is_the_subset_and_stays_dermatomyositis(antibody: str, subset: str) -> None:
    assert certainties(DERMATOMYOSITIS.antibody(antibody, "positive")) == {subset: "supported", "dermatomyositis": "recorded"}


@pytest.mark.parametrize(("antibody", "subset"), SUBSETS)
def test_the_antibody_supports_a_subset_that_is_recorded(antibody: str, subset: str) -> None:
    recorded = Patient().has(f"dermatomyositis_{antibody}", since="2026-05")
    assert certainties(recorded)[subset] == "recorded"
    assert certainties(recorded.antibody(antibody, "positive"))[subset] == "supported"


@pytest.mark.parametrize(("antibody", "subset"), SUBSETS)
@pytest.mark.parametrize("answer", ["negative", "borderline"])
def test_a_negative_or_borderline_antibody_makes_no_subset(antibody: str, subset: str, answer: str) -> None:
    assert certainties(DERMATOMYOSITIS.antibody(antibody, answer)) == {"dermatomyositis": "recorded"}


@pytest.mark.parametrize(
    "antibody", ["anti_mda5", "anti_tif1_gamma", "anti_nxp2", "anti_jo1", "anti_srp", "anti_hmgcr", "anti_pm_scl"]
)
def test_an_antibody_alone_makes_no_phenotype(antibody: str) -> None:
    assert certainties(Patient().antibody(antibody, "positive")) == {}


@pytest.mark.parametrize("antibody", ["anti_mda5", "anti_tif1_gamma", "anti_nxp2"])
def test_a_negative_result_does_not_take_a_recorded_subset_away(antibody: str) -> None:
    subset = f"anti-{antibody.removeprefix('anti_').replace('_', '-')}-dermatomyositis"
    assert subset in certainties(Patient().has(f"dermatomyositis_{antibody}", since="2026-05").antibody(antibody, "negative"))


def test_an_antibody_beside_a_suspected_dermatomyositis_makes_a_suspected_subset() -> None:
    patient = Patient().has("dermatomyositis", since="2026-05", verification="provisional").antibody("anti_mda5", "positive")
    assert certainties(patient) == {"anti-mda5-dermatomyositis": "suspected", "dermatomyositis": "suspected"}


def test_an_antibody_beside_polymyositis_makes_no_dermatomyositis() -> None:
    assert certainties(POLYMYOSITIS.antibody("anti_mda5", "positive")) == {"polymyositis": "recorded"}


def test_in_a_child_anti_tif1_gamma_does_not_carry_the_cancer_rule_of_adults() -> None:
    child = CHILD.has("dermatomyositis", since="2026-05").antibody("anti_tif1_gamma", "positive")
    assert certainties(child) == {"juvenile-dermatomyositis": "recorded"}


def test_in_a_child_anti_nxp2_makes_its_subset() -> None:
    child = CHILD.has("dermatomyositis", since="2026-05").antibody("anti_nxp2", "positive")
    assert list(certainties(child)) == ["anti-nxp2-dermatomyositis", "juvenile-dermatomyositis"]


@pytest.mark.parametrize("rash", ["heliotrope_rash", "gottron_papules", "gottron_sign"])
def test_a_characteristic_rash_supports_a_recorded_dermatomyositis(rash: str) -> None:
    assert certainties(DERMATOMYOSITIS.has(rash)) == {"dermatomyositis": "supported"}


def test_a_rash_alone_makes_no_dermatomyositis() -> None:
    assert certainties(Patient().has("heliotrope_rash").has("gottron_papules").strength("proximal", 3)) == {}


def test_a_rash_does_not_confirm_a_suspicion() -> None:
    patient = Patient().has("dermatomyositis", since="2026-05", verification="provisional").has("heliotrope_rash")
    assert certainties(patient) == {"dermatomyositis": "suspected"}


# --- antisynthetase syndrome --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("antibody", ["jo1", "pl7", "pl12", "ej", "oj", "ks", "zo", "ha"])
def test_every_synthetase_antibody_with_a_recorded_myositis_makes_the_syndrome(antibody: str) -> None:
    patient = DERMATOMYOSITIS.antibody(f"anti_{antibody}", "positive")
    assert certainties(patient) == {"antisynthetase-syndrome": "supported", "dermatomyositis": "recorded"}


@pytest.mark.parametrize("feature", ["interstitial_lung_disease", "arthritis", "mechanics_hands", "raynaud", "fever"])
def test_the_antibody_with_one_feature_and_no_recorded_myositis_is_computed_only(feature: str) -> None:
    patient = Patient().antibody("anti_jo1", "positive").has(feature, since="2026-03")
    assert certainties(patient) == {"antisynthetase-syndrome": "computed"}
    assert not patient.assess().phenotypes[0].is_confirmed


def test_the_antibody_with_weakness_and_raised_creatine_kinase_is_computed_too() -> None:
    """Section 2.1: one of ILD, arthritis, myositis (weakness and CK), mechanic's hands, Raynaud, unexplained fever."""
    patient = Patient().antibody("anti_jo1", "positive").raised_ck().strength("hip_flexion", 4)
    assert certainties(patient) == {"antisynthetase-syndrome": "computed"}


def test_a_borderline_synthetase_antibody_makes_no_syndrome() -> None:
    patient = Patient().antibody("anti_jo1", "borderline").has("interstitial_lung_disease", since="2026-03")
    assert certainties(patient) == {}


def test_a_negative_anti_jo1_does_not_exclude_the_syndrome() -> None:
    patient = DERMATOMYOSITIS.antibody("anti_jo1", "negative").antibody("anti_pl7", "positive")
    assert "antisynthetase-syndrome" in certainties(patient)


def test_a_suspected_myositis_with_the_antibody_makes_a_suspected_syndrome() -> None:
    patient = Patient().has("polymyositis", since="2026-05", verification="provisional").antibody("anti_jo1", "positive")
    assert certainties(patient)["antisynthetase-syndrome"] == "suspected"


def test_inclusion_body_myositis_with_the_antibody_stays_inclusion_body_myositis() -> None:
    patient = Patient().has("inclusion_body_myositis", since="2020").antibody("anti_jo1", "positive")
    assert certainties(patient) == {"inclusion-body-myositis": "recorded"}


# --- necrotising myopathy -----------------------------------------------------------------------------------------------

NECROTISING = POLYMYOSITIS.antibody("anti_srp", "positive").raised_ck().strength("hip_flexion", 4)


@pytest.mark.parametrize("antibody", ["anti_srp", "anti_hmgcr"])
def test_antibody_creatine_kinase_and_weakness_make_necrotising_myopathy_of_polymyositis(antibody: str) -> None:
    patient = POLYMYOSITIS.antibody(antibody, "positive").raised_ck().strength("hip_flexion", 4)
    assert certainties(patient) == {"immune-mediated-necrotising-myopathy": "supported", "polymyositis": "conflicting"}


def test_each_of_the_three_is_needed() -> None:
    without_antibody = POLYMYOSITIS.raised_ck().strength("hip_flexion", 4)
    without_creatine_kinase = POLYMYOSITIS.antibody("anti_srp", "positive").strength("hip_flexion", 4)
    without_weakness = POLYMYOSITIS.antibody("anti_srp", "positive").raised_ck()
    borderline = POLYMYOSITIS.antibody("anti_srp", "borderline").raised_ck().strength("hip_flexion", 4)
    for patient in (without_antibody, without_creatine_kinase, without_weakness, borderline):
        assert certainties(patient) == {"polymyositis": "recorded"}


def test_a_creatine_kinase_of_last_year_and_full_strength_in_the_chart_are_weighed_as_they_are() -> None:
    once_raised = POLYMYOSITIS.antibody("anti_srp", "positive").raised_ck(on="2025-01-01").has("proximal_muscle_weakness")
    assert "immune-mediated-necrotising-myopathy" in certainties(once_raised)
    strong = POLYMYOSITIS.antibody("anti_srp", "positive").raised_ck().strength("hip_flexion", 5)
    assert certainties(strong) == {"polymyositis": "recorded"}


def test_untested_antibodies_do_not_make_it_seronegative_necrotising_myopathy() -> None:
    patient = Patient().has(f"{ICD10CM}|G72.49", since="2026-05").raised_ck().strength("proximal", 3)
    assert certainties(patient) == {"inflammatory-myopathy-unspecified": "recorded"}


def test_an_unspecified_inflammatory_myopathy_is_refined_and_stays_beside_it() -> None:
    patient = (
        Patient().has(f"{ICD10CM}|G72.49", since="2026-05").antibody("anti_hmgcr", "positive").raised_ck().strength("proximal", 3)
    )
    assert next(iter(certainties(patient).items())) == ("immune-mediated-necrotising-myopathy", "supported")


def test_a_recorded_necrotising_myopathy_is_supported_by_its_antibody_alone() -> None:
    patient = Patient().has("immune_mediated_necrotising_myopathy", since="2026-05").antibody("anti_hmgcr", "positive")
    assert certainties(patient) == {"immune-mediated-necrotising-myopathy": "supported"}


def test_dermatomyositis_with_anti_srp_stays_dermatomyositis() -> None:
    patient = DERMATOMYOSITIS.antibody("anti_srp", "positive").raised_ck().strength("hip_flexion", 4)
    assert certainties(patient) == {"dermatomyositis": "recorded"}


# --- overlap ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "disease",
    [
        "systemic_sclerosis",
        "systemic_lupus_erythematosus",
        "mixed_connective_tissue_disease",
        "sjogren_syndrome",
        "rheumatoid_arthritis",
    ],
)
def test_myositis_with_another_connective_tissue_disease_is_overlap(disease: str) -> None:
    assert certainties(POLYMYOSITIS.has(disease, since="2020")) == {"overlap-myositis": "supported", "polymyositis": "recorded"}


@pytest.mark.parametrize("antibody", ["anti_pm_scl", "anti_ku", "anti_u1_rnp"])
def test_myositis_with_an_overlap_antibody_is_overlap(antibody: str) -> None:
    """Section 2: "IIM + another defined CTD … or overlap antibody (PM-Scl, Ku, U1RNP, …)"."""
    assert certainties(POLYMYOSITIS.antibody(antibody, "positive"))["overlap-myositis"] == "supported"


def test_a_connective_tissue_disease_without_myositis_is_no_overlap_myositis() -> None:
    assert certainties(Patient().has("systemic_sclerosis", since="2020").antibody("anti_pm_scl", "positive")) == {}


def test_inclusion_body_myositis_with_sjogren_disease_is_not_overlap_myositis() -> None:
    patient = Patient().has("inclusion_body_myositis", since="2020").has("sjogren_syndrome", since="2018")
    assert certainties(patient) == {"inclusion-body-myositis": "recorded"}


# --- which comes first, and what questions what -------------------------------------------------------------------------


def test_inclusion_body_myositis_comes_first_and_questions_polymyositis() -> None:
    patient = POLYMYOSITIS.has("inclusion_body_myositis", since="2025")
    assert list(certainties(patient).items()) == [("inclusion-body-myositis", "recorded"), ("polymyositis", "conflicting")]
    questioned = patient.assess().phenotype("polymyositis")
    assert questioned is not None
    assert questioned.evidence[-1].text == "against polymyositis alone: inclusion body myositis"


def test_the_antisynthetase_syndrome_questions_polymyositis() -> None:
    assert certainties(POLYMYOSITIS.antibody("anti_jo1", "positive"))["polymyositis"] == "conflicting"


def test_a_suspicion_does_not_question_a_recorded_polymyositis() -> None:
    patient = POLYMYOSITIS.has("inclusion_body_myositis", since="2026", verification="provisional")
    assert list(certainties(patient).items()) == [("polymyositis", "recorded"), ("inclusion-body-myositis", "suspected")]


def test_several_phenotypes_stand_in_the_order_of_the_reference() -> None:
    patient = (
        Patient()
        .has("dermatomyositis", since="2026-05")
        .has("inclusion_body_myositis", since="2026-05")
        .has("immune_mediated_necrotising_myopathy", since="2026-05")
        .has("systemic_sclerosis", since="2026-05")
        .antibody("anti_jo1", "positive")
        .antibody("anti_mda5", "positive")
        .antibody("anti_tif1_gamma", "positive")
        .antibody("anti_nxp2", "positive")
    )
    assert list(certainties(patient)) == [
        "inclusion-body-myositis",
        "immune-mediated-necrotising-myopathy",
        "antisynthetase-syndrome",
        "anti-mda5-dermatomyositis",
        "anti-tif1-gamma-dermatomyositis",
        "anti-nxp2-dermatomyositis",
        "overlap-myositis",
        "dermatomyositis",
    ]


def test_a_confirmed_phenotype_comes_before_a_suspected_one_of_higher_rank() -> None:
    patient = POLYMYOSITIS.has("immune_mediated_necrotising_myopathy", since="2026-05", verification="differential")
    assert list(certainties(patient)) == ["polymyositis", "immune-mediated-necrotising-myopathy"]


def test_only_recorded_and_supported_are_firm_enough_for_therapy() -> None:
    suspected = Patient().has("overlap_myositis", verification="provisional")
    computed = Patient().antibody("anti_jo1", "positive").has("interstitial_lung_disease")
    for patient in (NECROTISING, DERMATOMYOSITIS, suspected, computed):
        for phenotype in patient.assess().phenotypes:
            assert phenotype.is_confirmed is (phenotype.certainty in (Certainty.RECORDED, Certainty.SUPPORTED))


def test_the_order_of_entries_makes_no_difference() -> None:
    patient = POLYMYOSITIS.has("systemic_sclerosis", since="2020").antibody("anti_jo1", "positive").raised_ck()
    expected = patient.assess().phenotypes
    for order in ([3, 2, 1, 0], [1, 3, 0, 2]):
        assert patient.shuffled(order).assess().phenotypes == expected
