"""Drug safety: every rule with a patient for whom it speaks and one for whom it keeps silent (clinical/drug-safety.md)."""

import re
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from cards.knowledge import Knowledge, SafetyRule, knowledge, load_knowledge
from cards.recommendation import Caution, Level
from cards.safety import cautions_for
from cards.verdicts import Case, RuleError
from fhir_profiles.record import DraftOrder
from tests.cards.reading import drugs, offered, options
from tests.for_each import for_each
from tests.patient import Patient
from tests.site import site_switching

KNOWN = knowledge()
RULES = {rule.id: rule for rule in KNOWN.safety}
OFF = {rule.id: rule for rule in KNOWN.safety_off}
with TemporaryDirectory() as _folder:
    ALL_ON = load_knowledge(site=site_switching(Path(_folder), on=OFF))

OLD = Patient(sex="female", born="1964-02-01").has("dermatomyositis", since="2026-05")
YOUNG = Patient(sex="female", born="1992-01-01").has("dermatomyositis", since="2026-05")
MAN = Patient(sex="male", born="1950-01-01").has("dermatomyositis", since="2026-05")
PREGNANT = YOUNG.has("pregnancy", since="2026-07")
NOT_PREGNANT = YOUNG.answered("pregnancy_status", "not_pregnant", on="2026-11-10")
NO_HEPATITIS = OLD.result("hbsag", flag="negative").result("anti_hbc_total", flag="negative")
SYSTEMIC_SCLEROSIS = OLD.has("systemic_sclerosis")
LONG_ON_STEROID = OLD.takes("prednisone", since="2026-01-01")
IMNM = OLD.has("immune_mediated_necrotising_myopathy", since="2026-05")
NOBODY = Patient(sex="female", born="1964-02-01")
CHILD = Patient(sex="female", born="2018-01-01").has("dermatomyositis_juvenile", since="2026-05")
TESTED = (
    OLD.result("leukocytes", 6, low=4)
    .result("alt", 20, high=40)
    .result("creatinine", 0.8, high=1.2)
    .result("tpmt_activity", 20, low=10)
    .result("igra", flag="negative")
    .result("hbsag", flag="negative")
    .result("anti_hbc_total", flag="negative")
)

SPEAKS: dict[str, tuple[str, Patient, Patient | None]] = {
    # rule: (treatment or order, somebody for whom it speaks, somebody for whom it does not; None where it always speaks)
    "screening-tests-in-pregnancy": ("ct-thorax", PREGNANT, NOT_PREGNANT),
    "bone-density-in-pregnancy": ("bone-density", PREGNANT, NOT_PREGNANT),
    "spirometry-with-pneumomediastinum": ("pulmonary-function-test", OLD.has("pneumomediastinum"), OLD),
    "drafted-although-not-tolerated": ("azathioprine", OLD.cannot_tolerate("azathioprine"), OLD),
    "drafted-although-failed": ("azathioprine", OLD.stopped("azathioprine", because="ineffective"), OLD),
    "methotrexate-pregnancy": ("methotrexate", PREGNANT, NOT_PREGNANT),
    "methotrexate-kidney": ("methotrexate", OLD.has("ckd_stage_4"), OLD.has("ckd_stage_3")),
    "methotrexate-ild": ("methotrexate", OLD.has("interstitial_lung_disease"), OLD),
    "methotrexate-liver": ("methotrexate", OLD.has("cirrhosis"), OLD),
    "methotrexate-leukopenia": ("methotrexate", OLD.result("leukocytes", 2, low=4), OLD.result("leukocytes", 6, low=4)),
    "methotrexate-trimethoprim": ("methotrexate", OLD.takes("trimethoprim_sulfamethoxazole"), OLD),
    "methotrexate-trying-to-conceive": ("methotrexate", YOUNG.has("trying_to_conceive"), YOUNG),
    "methotrexate-folic-acid": ("methotrexate", OLD, OLD.takes("folic_acid")),
    "methotrexate-weekly": ("methotrexate", OLD, None),
    "contraception": ("methotrexate", YOUNG, MAN),
    "methotrexate-daily": ("methotrexate", OLD, None),
    "methotrexate-taken-daily": ("methotrexate", OLD.takes("methotrexate", dose=10), OLD.takes("methotrexate")),
    "methotrexate-frequency-in-words": ("methotrexate", OLD, None),
    "methotrexate-baseline-lung": ("methotrexate", OLD, OLD.had("pulmonary_function_test").had("chest_xray")),
    "methotrexate-influenza-vaccine": ("influenza-vaccine", OLD.takes("methotrexate"), OLD),
    "azathioprine-liver": ("azathioprine", OLD.has("cirrhosis"), OLD),
    "azathioprine-leukopenia": ("azathioprine", OLD.has("neutropenia"), OLD),
    "azathioprine-malignancy": ("azathioprine", OLD, None),
    "azathioprine-breastfeeding": ("azathioprine", YOUNG.has("breastfeeding"), YOUNG),
    "mycophenolate-contraception": ("mycophenolate", YOUNG, MAN),
    "mycophenolate-kidney": ("mycophenolate", OLD.result("egfr", 20), OLD.result("egfr", 26)),
    "calcineurin-inhibitor-creatinine": ("ciclosporin", OLD, None),
    "ciclosporin-level": ("ciclosporin", OLD.takes("ciclosporin"), OLD.takes("ciclosporin").result("ciclosporin_level", 100)),
    "tacrolimus-level": ("tacrolimus", OLD.takes("tacrolimus"), OLD),
    "calcineurin-inhibitor-checks": ("tacrolimus", OLD, None),
    "calcineurin-inhibitor-pregnancy": ("tacrolimus", PREGNANT, NOT_PREGNANT),
    "ivig-thrombosis-precautions": ("ivig", OLD.has("stroke"), OLD),
    "ivig-kidney-age": ("ivig", MAN, OLD),
    "ivig-kidney-diabetes": ("ivig", OLD.has("diabetes_mellitus"), OLD),
    "ivig-kidney-sepsis": ("ivig", OLD.has("sepsis"), OLD.has("cellulitis")),
    "ivig-kidney-calcineurin-inhibitor": ("ivig", OLD.takes("tacrolimus"), OLD.takes("azathioprine")),
    "ivig-infusion-rate": ("ivig", OLD, CHILD),
    "ivig-label-harms": ("ivig", OLD, None),
    "ivig-allowed": ("ivig", PREGNANT, OLD),
    "rituximab-first-infusion": ("rituximab", OLD, OLD.takes("rituximab")),
    "rituximab-influenza-vaccine": ("rituximab", OLD.takes("vaccination_influenza"), OLD),
    "rituximab-pneumocystis": ("rituximab", OLD.takes("prednisone"), OLD.takes("prednisone").takes("atovaquone")),
    "cyclophosphamide-urinary-tract": ("cyclophosphamide", OLD, None),
    "cyclophosphamide-cumulative-dose": ("cyclophosphamide", OLD.stopped("cyclophosphamide", until="2026-10-10"), OLD),
    "cyclophosphamide-mesna": ("cyclophosphamide", OLD, None),
    "biologic-off-label": ("tocilizumab", OLD, None),
    "methotrexate-trimethoprim-planned": ("methotrexate", OLD, OLD.takes("trimethoprim_sulfamethoxazole")),
    "jak-inhibitor-boxed-warnings": ("jak-inhibitor", OLD, None),
    "jak-inhibitor-boxed-warnings-as-option": ("jak-inhibitor", OLD, None),
    "jak-inhibitor-age": ("jak-inhibitor", MAN, OLD),
    "jak-inhibitor-thrombosis": ("jak-inhibitor", OLD.has("stroke", since="2012", status="resolved"), OLD),
    "jak-inhibitor-malignancy": ("jak-inhibitor", OLD.has("malignancy_history"), OLD),
    "jak-inhibitor-infection": ("jak-inhibitor", OLD.has("pneumonia"), OLD),
    "jak-inhibitor-pregnancy": ("jak-inhibitor", PREGNANT, NOT_PREGNANT),
    "anti-tnf-adult": ("anti-tnf", OLD, CHILD),
    "tocilizumab-infection": ("tocilizumab", OLD.has("pneumonia"), OLD),
    "first-line-lung-disease": ("leflunomide", OLD.has("interstitial_lung_disease"), OLD),
    "glucocorticoid-bone-long": ("glucocorticoid-oral", LONG_ON_STEROID, LONG_ON_STEROID.had("dxa")),
    "glucocorticoid-pneumocystis-dose": ("glucocorticoid-oral", OLD, OLD.takes("pentamidine")),
    "glucocorticoid-infection": ("glucocorticoid-intravenous", OLD.has("sepsis"), OLD.has("tuberculosis_latent")),
    "glucocorticoid-hepatitis-b": ("glucocorticoid-oral", OLD.has("hepatitis_b_chronic"), OLD.has("tuberculosis_latent")),
    "glucocorticoid-tuberculosis": ("glucocorticoid-oral", OLD.has("tuberculosis_latent"), OLD.has("hepatitis_b_chronic")),
    "glucocorticoid-pregnancy": ("glucocorticoid-oral", PREGNANT, NOT_PREGNANT),
    "hydroxychloroquine-pregnancy": ("hydroxychloroquine", PREGNANT, NOT_PREGNANT),
    "statin-necrotising-myopathy": ("statin", IMNM.has("statin_muscle_toxicity", status="resolved"), IMNM),
    "statin-suspected-necrotising-myopathy": (
        "statin",
        OLD.has("immune_mediated_necrotising_myopathy", verification="provisional"),
        OLD.raised_ck().strength("proximal", 3),
    ),
    "blood-count-below-cut-off": ("mycophenolate", OLD.result("platelets", 120), OLD.result("platelets", 150)),
    "liver-injury-beyond-muscle": (
        "methotrexate",
        OLD.result("alt", 90, high=40).result("ggt", 200, high=60),
        OLD.result("alt", 90, high=40).result("ggt", 30, high=60),
    ),
    "monitoring-schedule": ("azathioprine", OLD, None),
    "live-vaccine-immunosuppression": ("live-vaccine", OLD.takes("tacrolimus"), OLD.takes("hydroxychloroquine")),
    "azathioprine-allopurinol": ("azathioprine", OLD.takes("allopurinol"), OLD),
    "azathioprine-low-tpmt": ("azathioprine", OLD.result("tpmt_activity", 4, low=10), OLD.result("tpmt_activity", 20, low=10)),
    "azathioprine-tpmt": ("azathioprine", OLD, OLD.result("tpmt_activity", 20, low=10)),
    "azathioprine-mycophenolate": ("azathioprine", OLD.takes("mycophenolate_mofetil"), OLD),
    "azathioprine-harms": ("azathioprine", OLD, None),
    "azathioprine-pregnancy": ("azathioprine", PREGNANT, NOT_PREGNANT),
    "mycophenolate-pregnancy": ("mycophenolate", PREGNANT, NOT_PREGNANT),
    "mycophenolate-trying-to-conceive": ("mycophenolate", YOUNG.has("trying_to_conceive"), YOUNG),
    "mycophenolate-infection": ("mycophenolate", OLD.has("sepsis"), OLD.has("hepatitis_c")),
    "mycophenolate-hepatitis-b": ("mycophenolate", OLD.result("anti_hbc_total", flag="positive"), NO_HEPATITIS),
    "mycophenolate-hepatitis-c": ("mycophenolate", OLD.has("hepatitis_c"), NO_HEPATITIS),
    "mycophenolate-azathioprine": ("mycophenolate", OLD.takes("azathioprine"), OLD),
    "calcineurin-inhibitor-kidney": ("tacrolimus", OLD.has("chronic_kidney_disease"), OLD),
    "calcineurin-inhibitor-hypertension": ("ciclosporin", OLD.has("hypertension"), OLD),
    "calcineurin-inhibitor-monitoring": ("ciclosporin", OLD, None),
    "ivig-anaphylaxis": ("ivig", OLD.has("anaphylaxis_immunoglobulin_reaction", status="resolved"), OLD),
    "ivig-iga-deficiency": ("ivig", OLD.has("iga_deficiency"), OLD),
    "ivig-thrombosis": ("ivig", OLD.has("thromboembolism", since="2012", status="resolved"), OLD),
    "ivig-kidney": ("ivig", OLD.result("egfr", 28, low=60), OLD.result("egfr", 90, low=60)),
    "ivig-harms": ("ivig", OLD, None),
    "rituximab-hepatitis-b": ("rituximab", OLD.result("anti_hbc_total", flag="positive"), NO_HEPATITIS),
    "rituximab-harms": ("rituximab", OLD, None),
    "cyclophosphamide-pregnancy": ("cyclophosphamide", PREGNANT, NOT_PREGNANT),
    "cyclophosphamide-breastfeeding": ("cyclophosphamide", YOUNG.has("breastfeeding"), YOUNG),
    "cyclophosphamide-infection": ("cyclophosphamide", OLD.has("urinary_tract_infection"), OLD),
    "cyclophosphamide-marrow": ("cyclophosphamide", OLD.has("pancytopenia"), OLD),
    "cyclophosphamide-not-life-threatening": ("cyclophosphamide", OLD.strength("proximal", 4), OLD.strength("proximal", 3)),
    "cyclophosphamide-trying-to-conceive": ("cyclophosphamide", YOUNG.has("trying_to_conceive"), YOUNG),
    "cyclophosphamide-cytopenia": ("cyclophosphamide", OLD.has("thrombocytopenia"), OLD),
    "cyclophosphamide-fertility": ("cyclophosphamide", MAN, OLD),
    "cyclophosphamide-harms": ("cyclophosphamide", OLD, None),
    "biologic-tuberculosis": ("abatacept", OLD, TESTED),
    "biologic-hepatitis-b": ("abatacept", OLD.result("hbsag", flag="negative"), TESTED),
    "biologic-tuberculosis-known": ("cyclophosphamide", OLD.result("igra", flag="positive"), TESTED),
    "biologic-hepatitis-b-known": ("jak-inhibitor", OLD.result("anti_hbc_total", flag="positive"), TESTED),
    "immunosuppression-malignancy": ("rituximab", OLD.has("malignancy", since="2026-06"), OLD),
    "immunosuppression-infection": ("tacrolimus", OLD.has("herpes_zoster", since="2026-11"), OLD),
    "glucocorticoid-systemic-sclerosis": ("glucocorticoid-oral", SYSTEMIC_SCLEROSIS, OLD),
    "glucocorticoid-systemic-sclerosis-lungs": (
        "glucocorticoid-oral",
        SYSTEMIC_SCLEROSIS.has("interstitial_lung_disease"),
        SYSTEMIC_SCLEROSIS,
    ),
    "rituximab-leukoencephalopathy": (
        "rituximab",
        OLD.has("progressive_multifocal_leukoencephalopathy", since="2015", status="resolved"),
        OLD,
    ),
    "glucocorticoid-bone": ("glucocorticoid-oral", OLD, OLD.had("dxa")),
    "glucocorticoid-pneumocystis": ("glucocorticoid-oral", OLD, OLD.takes("trimethoprim_sulfamethoxazole")),
    "baseline-blood-count": ("methotrexate", OLD, TESTED),
    "baseline-liver": ("methotrexate", OLD, TESTED),
    "baseline-kidney": ("methotrexate", OLD, TESTED),
    "statin-anti-hmgcr-draft": ("statin", OLD.antibody("anti_hmgcr", "positive"), OLD.antibody("anti_hmgcr", "negative")),
    "statin-anti-hmgcr-taken": ("statin", OLD.antibody("anti_hmgcr", "positive"), OLD.antibody("anti_hmgcr", "negative")),
}


OFF_SPEAKS: dict[str, tuple[str, Patient, Patient | None]] = {
    # rules that are off until a site turns them on, in the same form
    "drafted-imaging-in-pregnancy": ("ct-thorax", PREGNANT, YOUNG),
    "drafted-spirometry-with-pneumomediastinum": ("pulmonary-function-test", OLD.has("pneumomediastinum"), OLD),
    "contrast-ct-kidney": ("ct-abdomen", OLD.has("chronic_kidney_disease"), OLD),
    "methotrexate-egfr-below-30": ("methotrexate", OLD.result("egfr", 29), OLD.result("egfr", 30)),
    "methotrexate-egfr-30-to-59": ("methotrexate", OLD.result("egfr", 59), OLD.result("egfr", 29)),
    "methotrexate-viral-hepatitis": ("methotrexate", OLD.has("hepatitis_c"), NO_HEPATITIS),
    "methotrexate-alcohol": ("methotrexate", OLD.has("alcohol_misuse"), OLD),
    "methotrexate-men": ("methotrexate", MAN.has("trying_to_conceive"), YOUNG.has("trying_to_conceive")),
    "methotrexate-breastfeeding": ("methotrexate", YOUNG.has("breastfeeding"), YOUNG),
    "azathioprine-nudt15": ("azathioprine", OLD, OLD.result("nudt15_genotype", 1)),
    "azathioprine-pancreatitis": ("azathioprine", OLD, None),
    "azathioprine-warfarin": ("warfarin", OLD.takes("azathioprine"), OLD),
    "mycophenolate-breastfeeding": ("mycophenolate", YOUNG.has("breastfeeding"), YOUNG),
    "mycophenolate-aluminium": ("mycophenolate", OLD.takes("aluminium_hydroxide"), OLD),
    "mycophenolate-ciclosporin": ("ciclosporin", OLD.takes("mycophenolate_mofetil"), OLD),
    "calcineurin-inhibitor-pair": ("tacrolimus", OLD.takes("ciclosporin"), OLD.takes("tacrolimus")),
    "ciclosporin-simvastatin": ("simvastatin", OLD.takes("ciclosporin"), OLD.takes("tacrolimus")),
    "ciclosporin-statin": ("ciclosporin", OLD.takes("atorvastatin"), OLD),
    "calcineurin-inhibitor-raised-level": ("diltiazem", OLD.takes("tacrolimus"), OLD.takes("clarithromycin")),
    "tacrolimus-potassium-magnesium": ("tacrolimus", OLD, None),
    "ivig-serology-first": ("ivig", OLD, NO_HEPATITIS),
    "ivig-live-vaccine": ("live-vaccine", OLD.takes("immunoglobulin_iv"), OLD),
    "rituximab-severe-infection": ("rituximab", OLD.has("sepsis"), OLD),
    "rituximab-low-igg": ("rituximab", OLD.has("hypogammaglobulinaemia"), OLD.result("igg", 10, low=6)),
    "rituximab-measure-igg": ("rituximab", OLD, OLD.result("igg", 10, low=6)),
    "rituximab-ivig": ("ivig", OLD.takes("rituximab"), OLD.takes("prednisone")),
    "rituximab-vaccines-before": ("rituximab", OLD, None),
    "rituximab-pregnancy": ("rituximab", PREGNANT, YOUNG),
    "cyclophosphamide-neutrophils": ("cyclophosphamide", OLD.result("neutrophils", 1.4), OLD.result("neutrophils", 3)),
    "cyclophosphamide-kidney": ("cyclophosphamide", OLD.has("ckd_stage_3"), OLD),
    "cyclophosphamide-checks": ("cyclophosphamide", OLD, None),
    "two-biologics": ("abatacept", OLD.takes("tocilizumab"), OLD.takes("abatacept")),
    "jak-inhibitor-combination": ("azathioprine", OLD.takes("tofacitinib"), OLD),
    "jak-inhibitor-dermatomyositis": ("jak-inhibitor", OLD, NOBODY),
    "anti-tnf-may-worsen": ("anti-tnf", OLD, CHILD),
    "anti-tnf-heart-failure": ("anti-tnf", OLD.has("heart_failure"), OLD),
    "tocilizumab-harms": ("tocilizumab", OLD, None),
    "abatacept-copd": ("abatacept", OLD.has("copd"), OLD),
    "pneumocystis-agent": ("pneumocystis-prophylaxis", OLD, None),
    "dapsone-g6pd": ("dapsone", OLD.has("g6pd_deficiency"), OLD),
    "glucocorticoid-diabetes": ("glucocorticoid-oral", OLD.has("diabetes_mellitus"), OLD),
    "glucocorticoid-glaucoma": ("glucocorticoid-intravenous", OLD.has("glaucoma"), OLD),
    "glucocorticoid-hepatitis-b-dose": ("glucocorticoid-oral", OLD, NO_HEPATITIS),
    "glucocorticoid-myopathy": (
        "glucocorticoid-oral",
        LONG_ON_STEROID.strength("proximal", 4).normal_ck(),
        LONG_ON_STEROID.strength("proximal", 4).raised_ck(),
    ),
    "glucocorticoid-sick-day-rules": ("glucocorticoid-oral", OLD, None),
    "glucocorticoid-children": ("glucocorticoid-oral", CHILD, OLD),
    "hydroxychloroquine-retina": ("hydroxychloroquine", OLD.has("retinal_disorder"), OLD),
    "hydroxychloroquine-conduction": ("hydroxychloroquine", OLD.has("cardiac_conduction_disorder"), OLD),
    "hydroxychloroquine-kidney": ("hydroxychloroquine", OLD.has("ckd_stage_5"), OLD),
    "hydroxychloroquine-dose": ("hydroxychloroquine", OLD, None),
    "hydroxychloroquine-eyes": ("hydroxychloroquine", OLD, OLD.had("ophthalmology_retinal_screening")),
    "hydroxychloroquine-rash": ("hydroxychloroquine", OLD, NOBODY),
    "warfarin-pregnancy": ("warfarin", PREGNANT, YOUNG),
    "warfarin-bleeding": ("warfarin", OLD.takes("clarithromycin"), OLD),
    "bisphosphonate-kidney": ("bisphosphonate", OLD.result("egfr", 34), OLD.result("egfr", 36)),
    "bisphosphonate-dysphagia": ("bisphosphonate", OLD.has("dysphagia"), OLD),
    "bisphosphonate-pregnancy-plans": ("bisphosphonate", YOUNG.has("trying_to_conceive"), YOUNG),
    "bisphosphonate-calcium-teeth": ("bisphosphonate", OLD, None),
    "colchicine-kidney": ("colchicine", OLD.has("renal_impairment"), OLD),
    "colchicine-interaction": ("clarithromycin", OLD.takes("colchicine"), OLD.takes("ciclosporin")),
    "colchicine-myopathy": ("colchicine", OLD, None),
    "diltiazem-heart": ("diltiazem", OLD.has("heart_failure"), OLD),
    "probenecid-methotrexate": ("methotrexate", OLD.takes("probenecid"), OLD),
    "plasma-exchange-removes": ("plasma-exchange", OLD.takes("immunoglobulin_iv"), OLD),
    "plasma-exchange-line": ("plasma-exchange", OLD, None),
    "immunosuppression-stacking": (
        "glucocorticoid-oral",
        OLD.takes("methotrexate").takes("azathioprine").takes("abatacept"),
        OLD.takes("methotrexate").takes("abatacept"),
    ),
    "oral-drug-unsafe-swallow": ("methotrexate", OLD.has("aspiration_pneumonia"), OLD),
}
EVERY = {**SPEAKS, **OFF_SPEAKS}

DAILY = DraftOrder("MedicationRequest/draft-1", ("methotrexate",), times_a_week=7)
PREDNISONE_40 = DraftOrder("MedicationRequest/draft-1", ("prednisone",), daily_dose_mg=40)
DOSED = {
    "methotrexate-daily": DAILY,
    "methotrexate-frequency-in-words": DraftOrder("MedicationRequest/draft-1", ("methotrexate",), is_in_words=True),
    "glucocorticoid-pneumocystis-dose": PREDNISONE_40,
    "glucocorticoid-hepatitis-b-dose": PREDNISONE_40,
}


def spoken(patient: Patient, treatment: str, draft: DraftOrder | None = None, known: Knowledge = KNOWN) -> dict[str, Caution]:
    cautions = cautions_for(treatment, Case(patient.assess()), known, Level, draft=draft)
    return {caution.id: caution for caution in cautions}


def asked(name: str, patient: Patient, treatment: str) -> dict[str, Caution]:
    """What is said, all rules on, of a suggestion, or of a draft where the rule is about drafts alone."""
    drafted = DOSED.get(name, DraftOrder("MedicationRequest/draft-1", ()))
    rule = (RULES | OFF)[name]
    return spoken(patient, treatment, drafted if rule.about == "drafted" else None, ALL_ON)


def test_every_safety_rule_has_its_patients_here() -> None:
    assert set(SPEAKS) == set(RULES)
    assert set(OFF_SPEAKS) == set(OFF)


@for_each("name", EVERY)
def test_a_rule_speaks_about_the_drug_in_the_patient_it_is_about(name: str) -> None:
    """A rule that is off does so once a site has turned it on."""
    treatment, patient, _ = EVERY[name]
    caution = asked(name, patient, treatment)[name]
    rule = (RULES | OFF)[name]
    assert caution.is_certain
    assert (caution.level, caution.text, caution.source) == (rule.level, rule.says, rule.source)


@for_each("name", [name for name, (_, _, other) in EVERY.items() if other])
def test_a_rule_keeps_silent_about_the_drug_in_another_patient(name: str) -> None:
    treatment, _, patient = EVERY[name]
    assert patient is not None
    assert name not in asked(name, patient, treatment)


@pytest.mark.parametrize("kind", ["Observation", "DiagnosticReport"])
@pytest.mark.parametrize("name", ["baseline-blood-count", "baseline-liver", "baseline-kidney"])
def test_a_test_is_not_called_missing_while_what_may_hold_it_could_not_be_had(name: str, kind: str) -> None:
    caution = spoken(OLD.failed(kind), "methotrexate").get(name)
    assert caution is None or not caution.is_certain


@for_each("name", OFF_SPEAKS)
def test_a_rule_that_is_off_says_nothing_even_in_its_own_patient(name: str) -> None:
    treatment, patient, _ = OFF_SPEAKS[name]
    assert name not in spoken(patient, treatment)
    assert name not in spoken(patient, treatment, DOSED.get(name, DraftOrder("MedicationRequest/draft-1", ())))


@pytest.mark.parametrize(
    ("draft", "speaks"),
    [
        (DAILY, True),
        (DraftOrder("MedicationRequest/draft-1", ("methotrexate",), times_a_week=2), True),
        (DraftOrder("MedicationRequest/draft-1", ("methotrexate",), times_a_week=1), False),
        (DraftOrder("MedicationRequest/draft-1", ("methotrexate",)), False),
        (None, False),
    ],
)
def test_methotrexate_more_often_than_once_a_week_is_stopped_and_without_a_schedule_is_not(
    draft: DraftOrder | None, speaks: bool
) -> None:
    """Where the draft says nothing, the reminder that it is a weekly drug still speaks."""
    said = spoken(OLD, "methotrexate", draft)
    assert ("methotrexate-daily" in said) is speaks
    assert "methotrexate-weekly" in said


@pytest.mark.parametrize(
    ("draft", "level"),
    [
        (PREDNISONE_40, "glucocorticoid-pneumocystis-dose"),
        (DraftOrder("MedicationRequest/draft-1", ("prednisone",), daily_dose_mg=15), "glucocorticoid-pneumocystis"),
        (DraftOrder("MedicationRequest/draft-1", ("prednisone",)), "glucocorticoid-pneumocystis"),
        (DraftOrder("MedicationRequest/draft-1", ("dexamethasone",), daily_dose_mg=40), "glucocorticoid-pneumocystis"),
    ],
)
def test_pneumocystis_is_a_warning_only_where_the_draft_says_the_dose(draft: DraftOrder, level: str) -> None:
    """No source here converts other glucocorticoids into prednisolone, so their dose is not compared."""
    said = spoken(OLD, "glucocorticoid-oral", draft)
    assert [name for name in said if "pneumocystis" in name] == [level]


@pytest.mark.parametrize(
    ("patient", "certain"),
    [
        (OLD.result("hbsag", flag="negative").result("anti_hbc_total", flag="positive"), True),
        (OLD.result("hbsag", flag="negative").result("anti_hbc_total", flag="positive").takes("entecavir"), None),
        (OLD.result("hbsag", flag="positive").result("anti_hbc_total", flag="positive").takes("entecavir"), True),
    ],
)
def test_prophylaxis_lets_rituximab_pass_after_hepatitis_b_but_not_in_it(patient: Patient, certain: bool | None) -> None:
    said = spoken(patient, "rituximab").get("rituximab-hepatitis-b")
    assert (said.is_certain if said else None) is certain


@pytest.mark.parametrize(
    ("patient", "words"),
    [
        (OLD.result("hbsag", flag="positive"), "hepatitis B or its core antibody is on record: risk of reactivation"),
        (OLD.has("hepatitis_b_chronic"), "hepatitis B or its core antibody is on record: risk of reactivation"),
        (OLD, "if positive, hepatology plan and prophylaxis first"),
    ],
)
def test_a_datum_that_is_there_is_stated_and_one_that_is_missing_is_asked_for(patient: Patient, words: str) -> None:
    text = spoken(patient, "rituximab")["rituximab-hepatitis-b"].text
    assert words in text
    assert ("if positive" in text) is ("if positive" in words)


# --- which rules are on ---------------------------------------------------------------------------------------------------


def test_what_is_background_knowledge_is_off_but_for_the_house_defaults() -> None:
    assert {rule.basis for rule in KNOWN.safety_off} == {"K"}
    assert {rule.basis for rule in (*KNOWN.safety, *KNOWN.safety_off)} == {"S", "P", "K"}
    house = [rule for rule in KNOWN.safety if rule.basis == "K"]
    assert {(rule.source.id, rule.about) for rule in house} == {("house-default", "suggested")}
    assert len({rule.id for rule in (*KNOWN.safety, *KNOWN.safety_off)}) == len(KNOWN.safety) + len(KNOWN.safety_off)


def test_a_site_turns_rules_on_and_off_by_name_and_the_version_tells(tmp_path: Path) -> None:
    switched = load_knowledge(site=site_switching(tmp_path, on=["hydroxychloroquine-eyes"], off=["methotrexate-weekly"]))
    assert "hydroxychloroquine-eyes" in {rule.id for rule in switched.safety}
    assert "methotrexate-weekly" in {rule.id for rule in switched.safety_off}
    assert switched.version != KNOWN.version


@pytest.mark.parametrize(("on", "off"), [(["no-such-rule"], []), ([], ["no-such-rule"]), (["ivig-harms"], ["ivig-harms"])])
def test_a_rule_that_does_not_exist_or_is_in_both_lists_cannot_be_switched(on: list[str], off: list[str], tmp_path: Path) -> None:
    with pytest.raises(RuleError, match=r"is no rule|switched on and off"):
        load_knowledge(site=site_switching(tmp_path, on=on, off=off))


@for_each("name", SPEAKS)
def test_a_rule_keeps_silent_about_other_drugs(name: str) -> None:
    _, patient, _ = SPEAKS[name]
    assert name not in spoken(patient, "plasma-exchange")


@pytest.mark.parametrize("rule", [rule for rule in (RULES | OFF).values() if rule.instead], ids=lambda rule: rule.id)
def test_what_may_be_used_instead_is_said_with_who_says_so(rule: SafetyRule) -> None:
    cited = " ".join(re.findall(r"\(([^)]*)\)", rule.instead or ""))
    assert any(source.short in cited for source in KNOWN.sources.values())


def test_stop_rules_come_first_and_certain_ones_before_uncertain_ones() -> None:
    patient = PREGNANT.has("malignancy", since="2026-06").result("leukocytes", 2, low=4)
    levels = [caution.level for caution in spoken(patient, "cyclophosphamide").values()]
    assert levels == sorted(levels, key=list(Level).index)


# --- unknown is neither safe nor unsafe ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("treatment", "rule", "asked"),
    [
        ("methotrexate", "methotrexate-pregnancy", "pregnancy"),
        ("mycophenolate", "mycophenolate-pregnancy", "pregnancy"),
        ("cyclophosphamide", "cyclophosphamide-pregnancy", "pregnancy"),
        ("rituximab", "rituximab-hepatitis-b", "hepatitis B"),
    ],
)
def test_a_stop_rule_that_cannot_be_decided_speaks_as_uncertain_and_asks(treatment: str, rule: str, asked: str) -> None:
    caution = spoken(YOUNG, treatment)[rule]
    assert not caution.is_certain
    assert any(asked in missing.text for missing in caution.missing)


def test_a_warning_that_cannot_be_decided_says_nothing() -> None:
    patient = OLD.has("interstitial_lung_disease", verification="provisional")
    assert "methotrexate-ild" not in spoken(patient, "methotrexate")


def test_where_medications_could_not_be_read_azathioprine_waits_for_them() -> None:
    caution = spoken(OLD.failed("MedicationRequest"), "azathioprine")["azathioprine-allopurinol"]
    assert not caution.is_certain


@pytest.mark.parametrize("answer", ["negative", "borderline"])
def test_a_borderline_hepatitis_result_does_not_clear_rituximab(answer: str) -> None:
    patient = OLD.result("hbsag", flag="negative").result("anti_hbc_total", flag=answer)
    assert ("rituximab-hepatitis-b" in spoken(patient, "rituximab")) is (answer == "borderline")


# --- what becomes of it in a suggestion ---------------------------------------------------------------------------------

THIRD_LINE = (
    NO_HEPATITIS.strength("proximal", 3)
    .stopped("prednisolone", because="ineffective", since="2026-06-01")
    .stopped("azathioprine", because="ineffective", since="2026-06-01")
    .stopped("immunoglobulin_iv", because="ineffective", since="2026-06-01")
)


def test_a_certain_stop_takes_the_option_out_and_names_the_source() -> None:
    patient = THIRD_LINE.has("urinary_tract_infection", since="2026-11")
    assert "cyclophosphamide" not in offered(patient)
    assert options(patient)["cyclophosphamide"].not_offered == "acute infection is a contraindication (MHRA label)"


def test_a_hold_leaves_the_option_without_a_ready_made_order() -> None:
    mild = (
        NO_HEPATITIS.strength("proximal", 4)
        .stopped("prednisolone", because="ineffective", since="2026-06-01")
        .stopped("azathioprine", because="ineffective", since="2026-06-01")
        .stopped("immunoglobulin_iv", because="ineffective", since="2026-06-01")
    )
    assert "cyclophosphamide" in drugs(THIRD_LINE.cards())
    assert "cyclophosphamide" in offered(mild)
    assert "cyclophosphamide" not in drugs(mild.cards())


@pytest.mark.requirement("SAF-23", "SAF-18")
def test_a_hold_that_cannot_be_decided_holds_too() -> None:
    """Decision 3: unknown withholds the order, not the advice; here severity is not known."""
    unknown = (
        NO_HEPATITIS.stopped("prednisolone", because="ineffective", since="2026-06-01")
        .stopped("azathioprine", because="ineffective", since="2026-06-01")
        .stopped("immunoglobulin_iv", because="ineffective", since="2026-06-01")
    )
    assert unknown.assess().severity.value == "unknown"
    assert "cyclophosphamide" not in drugs(unknown.cards())


def test_a_warning_leaves_the_order_and_ranks_the_drug_lower() -> None:
    warned = THIRD_LINE.has("malignancy", since="2026-06")
    assert "rituximab" in offered(warned)
    assert "immunosuppression-malignancy" in [caution.id for caution in options(warned)["rituximab"].cautions]


# --- drugs that are being taken -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("drug", ["methotrexate", "mycophenolate_mofetil", "cyclophosphamide"])
def test_a_pregnant_woman_on_a_teratogen_gets_a_critical_card_with_what_is_compatible(drug: str) -> None:
    """drug-safety.md section 2, item 2: at patient-view; do not just block, give the alternatives."""
    first = PREGNANT.takes(drug, since="2026-06-01").cards()[0]
    assert first["source"]["topic"]["code"] == "drugSafety"
    assert first["indicator"] == "critical"
    assert "azathioprine" in first["detail"]
    assert "IVIG" in first["detail"]


def test_a_stable_drug_without_such_a_danger_is_not_lectured_about() -> None:
    patient = OLD.takes("methotrexate", since="2026-06-01").has("hypertension").has("liver_disease")
    assert "drugSafety" not in [card["source"]["topic"]["code"] for card in patient.cards()]


def test_a_statin_that_is_being_taken_with_anti_hmgcr_is_spoken_of() -> None:
    patient = OLD.antibody("anti_hmgcr", "positive").takes("atorvastatin", since="2020-01-01")
    assert "drugSafety" in [card["source"]["topic"]["code"] for card in patient.cards()]
