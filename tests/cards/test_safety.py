"""Drug safety: every rule with a patient for whom it speaks and one for whom it keeps silent (clinical/drug-safety.md)."""

import pytest

from cards.knowledge import knowledge
from cards.recommendation import Caution, Level
from cards.safety import cautions_for
from cards.verdicts import Case
from tests.cards.reading import drugs, offered, options
from tests.patient import Patient

KNOWN = knowledge()
RULES = {rule.id: rule for rule in KNOWN.safety}

OLD = Patient(sex="female", born="1964-02-01").has("dermatomyositis", since="2026-05")
YOUNG = Patient(sex="female", born="1992-01-01").has("dermatomyositis", since="2026-05")
MAN = Patient(sex="male", born="1950-01-01").has("dermatomyositis", since="2026-05")
PREGNANT = YOUNG.has("pregnancy", since="2026-07")
NOT_PREGNANT = YOUNG.answered("pregnancy_status", "not_pregnant", on="2026-11-10")
NO_HEPATITIS = OLD.result("hbsag", flag="negative").result("anti_hbc_total", flag="negative")
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
    "spirometry-with-pneumomediastinum": ("pulmonary-function-test", OLD.has("pneumomediastinum"), OLD),
    "methotrexate-pregnancy": ("methotrexate", PREGNANT, NOT_PREGNANT),
    "methotrexate-kidney": ("methotrexate", OLD.has("ckd_stage_4"), OLD.has("ckd_stage_3")),
    "methotrexate-ild": ("methotrexate", OLD.has("interstitial_lung_disease"), OLD),
    "methotrexate-liver": ("methotrexate", OLD.has("cirrhosis"), OLD),
    "methotrexate-leukopenia": ("methotrexate", OLD.result("leukocytes", 2, low=4), OLD.result("leukocytes", 6, low=4)),
    "methotrexate-trimethoprim": ("methotrexate", OLD.takes("trimethoprim_sulfamethoxazole"), OLD),
    "methotrexate-trying-to-conceive": ("methotrexate", YOUNG.has("trying_to_conceive"), YOUNG),
    "methotrexate-folic-acid": ("methotrexate", OLD, OLD.takes("folic_acid")),
    "methotrexate-weekly": ("methotrexate", OLD, None),
    "contraception": ("mycophenolate", YOUNG, MAN),
    "azathioprine-allopurinol": ("azathioprine", OLD.takes("allopurinol"), OLD),
    "azathioprine-low-tpmt": ("azathioprine", OLD.result("tpmt_activity", 4, low=10), OLD.result("tpmt_activity", 20, low=10)),
    "azathioprine-tpmt": ("azathioprine", OLD, OLD.result("tpmt_activity", 20, low=10)),
    "azathioprine-mycophenolate": ("azathioprine", OLD.takes("mycophenolate_mofetil"), OLD),
    "azathioprine-harms": ("azathioprine", OLD, None),
    "azathioprine-pregnancy": ("azathioprine", PREGNANT, NOT_PREGNANT),
    "mycophenolate-pregnancy": ("mycophenolate", PREGNANT, NOT_PREGNANT),
    "mycophenolate-trying-to-conceive": ("mycophenolate", YOUNG.has("trying_to_conceive"), YOUNG),
    "mycophenolate-infection": ("mycophenolate", OLD.has("hepatitis_c"), NO_HEPATITIS),
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
    "immunosuppression-malignancy": ("rituximab", OLD.has("malignancy", since="2026-06"), OLD),
    "immunosuppression-infection": ("tacrolimus", OLD.has("herpes_zoster", since="2026-11"), OLD),
    "glucocorticoid-systemic-sclerosis": ("glucocorticoid-oral", OLD.has("systemic_sclerosis"), OLD),
    "glucocorticoid-bone": ("glucocorticoid-oral", OLD, None),
    "glucocorticoid-pneumocystis": ("glucocorticoid-oral", OLD, None),
    "baseline-blood-count": ("methotrexate", OLD, TESTED),
    "baseline-liver": ("methotrexate", OLD, TESTED),
    "baseline-kidney": ("methotrexate", OLD, TESTED),
    "statin-anti-hmgcr-draft": ("statin", OLD.antibody("anti_hmgcr", "positive"), OLD.antibody("anti_hmgcr", "negative")),
    "statin-anti-hmgcr-taken": ("statin", OLD.antibody("anti_hmgcr", "positive"), OLD.antibody("anti_hmgcr", "negative")),
}


def spoken(patient: Patient, treatment: str) -> dict[str, Caution]:
    return {caution.id: caution for caution in cautions_for(treatment, Case(patient.assess()), KNOWN, Level)}


def test_every_safety_rule_has_its_patients_here() -> None:
    assert set(SPEAKS) == set(RULES)


@pytest.mark.parametrize("name", SPEAKS)
def test_a_rule_speaks_about_the_drug_in_the_patient_it_is_about(name: str) -> None:
    treatment, patient, _ = SPEAKS[name]
    caution = spoken(patient, treatment)[name]
    assert caution.is_certain
    assert (caution.level, caution.text, caution.source) == (RULES[name].level, RULES[name].says, RULES[name].source)


@pytest.mark.parametrize("name", [name for name, (_, _, other) in SPEAKS.items() if other])
def test_a_rule_keeps_silent_about_the_drug_in_another_patient(name: str) -> None:
    treatment, _, patient = SPEAKS[name]
    assert patient is not None
    assert name not in spoken(patient, treatment)


@pytest.mark.parametrize("name", SPEAKS)
def test_a_rule_keeps_silent_about_other_drugs(name: str) -> None:
    _, patient, _ = SPEAKS[name]
    assert name not in spoken(patient, "plasma-exchange")


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
