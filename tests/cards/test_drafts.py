"""What is said about a drug that is being drafted (drug-safety.md), and about nothing else."""

import pytest

from tests.cards.reading import card_about, explanation, held, resources, topics
from tests.patient import Json, Patient

DM = Patient().has("dermatomyositis", since="2026-05").result("tpmt_activity", 20, low=10)
PREGNANT = Patient(born="1992-01-01").has("dermatomyositis", since="2026-05").has("pregnancy", since="2026-07")
IBM = Patient(sex="male", born="1955-01-01").has("inclusion_body_myositis", since="2020")


def card(patient: Patient, topic: str, *drafts: str) -> Json:
    found = card_about(topic, patient.cards(drafting=drafts))
    assert found is not None
    return found


@pytest.mark.parametrize("drug", ["methotrexate", "mycophenolate_mofetil", "mycophenolic_acid", "cyclophosphamide"])
def test_a_teratogen_drafted_in_pregnancy_is_critical(drug: str) -> None:
    found = card(PREGNANT, "drugSafety", drug)
    assert found["indicator"] == "critical"
    assert "pregnan" in f"{found['summary']} {found['detail']}"
    assert any("draft" in item["text"] for item in explanation(found)["because"])


@pytest.mark.parametrize("drug", ["azathioprine", "ciclosporin", "tacrolimus", "prednisone", "immunoglobulin_iv"])
def test_a_drug_that_is_compatible_with_pregnancy_raises_no_alarm(drug: str) -> None:
    assert "critical" not in [found["indicator"] for found in PREGNANT.cards(drafting=(drug,))]


def test_where_pregnancy_is_not_known_a_draft_is_not_called_contraindicated() -> None:
    """drug-safety.md: unknown is not safe and not unsafe; never STOP."""
    young = Patient(born="1992-01-01").has("dermatomyositis", since="2026-05")
    said = held(young, ("methotrexate",))["methotrexate-pregnancy"]
    assert (said.strength, said.urgency) == ("reminder", "routine")
    assert "check first" in said.says
    assert card(young, "drugSafety", "methotrexate")["indicator"] == "info"


def test_rituximab_drafted_without_hepatitis_b_serology_is_a_warning_that_offers_the_serology() -> None:
    """drug-safety.md, rituximab: HBsAg and anti-HBc not on record, screen before the first dose."""
    found = card(Patient(born="1964-01-01").has("dermatomyositis", since="2026-05"), "drugSafety", "rituximab")
    assert found["indicator"] == "warning"
    assert {"Order hepatitis B surface antigen", "Order hepatitis B core antibody"} <= {s["label"] for s in found["suggestions"]}


@pytest.mark.parametrize("drug", ["immunoglobulin_iv", "prednisone", "methotrexate", "azathioprine", "rituximab", "tofacitinib"])
def test_a_drug_drafted_in_inclusion_body_myositis_gets_a_warning_under_supportive_care(drug: str) -> None:
    found = card(IBM, "supportiveCare", drug)
    assert found["indicator"] == "warning"
    assert "inclusion body myositis" in found["summary"]
    assert "suggestions" not in found
    assert found["overrideReasons"]


def test_ivig_in_inclusion_body_myositis_shows_that_the_guidelines_disagree() -> None:
    """C1: the card says that one eminence-based guideline (Enk 2016) accepts it in severe disease."""
    found = card(IBM, "supportiveCare", "immunoglobulin_iv")
    assert "C1" in explanation(found)["conflicts"]
    assert "Enk 2016" in found["detail"]
    assert "Feasby 2007" in found["detail"]


def test_a_drug_that_is_being_taken_in_inclusion_body_myositis_is_spoken_of_when_the_chart_is_opened() -> None:
    found = card_about("supportiveCare", IBM.takes("prednisone").cards())
    assert found is not None
    assert found["indicator"] == "warning"
    assert "not recommended" in found["detail"]


@pytest.mark.parametrize("drug", ["allopurinol", "febuxostat"])
def test_azathioprine_drafted_beside_allopurinol_is_critical(drug: str) -> None:
    found = card(DM.takes(drug), "drugSafety", "azathioprine")
    assert found["indicator"] == "critical"
    assert "myelotoxic" in found["detail"]


def test_methotrexate_with_lung_disease_is_a_warning() -> None:
    found = card(DM.has("interstitial_lung_disease"), "drugSafety", "methotrexate")
    assert found["indicator"] == "warning"
    assert {"methotrexate-ild"} <= set(explanation(found)["recommendations"])


def test_methotrexate_without_folic_acid_is_a_reminder() -> None:
    assert "methotrexate-folic-acid" in held(DM, ("methotrexate",))
    assert "methotrexate-folic-acid" not in held(DM.takes("folic_acid"), ("methotrexate",))


@pytest.mark.parametrize("drug", ["allopurinol", "colecalciferol", "warfarin", "atorvastatin"])
def test_a_draft_that_no_rule_is_about_gets_no_card(drug: str) -> None:
    assert DM.cards(drafting=(drug,)) == []


def test_without_a_draft_there_is_nothing_to_say() -> None:
    assert DM.cards(drafting=()) == []


@pytest.mark.parametrize("drug", ["methotrexate", "azathioprine", "immunoglobulin_iv", "prednisone", "rituximab"])
def test_a_draft_for_somebody_without_myositis_gets_no_card(drug: str) -> None:
    nobody = Patient(born="1992-01-01").has("pregnancy", since="2026-07").has("interstitial_lung_disease").takes("allopurinol")
    assert nobody.cards(drafting=(drug,)) == []
    refuted = nobody.has("dermatomyositis", verification="refuted")
    assert refuted.cards(drafting=(drug,)) == []


def test_a_draft_says_nothing_about_screening_or_lung_function() -> None:
    assert set(topics(DM.cards(drafting=("methotrexate",)))) <= {"drugSafety", "supportiveCare"}


def test_two_drafts_are_spoken_of_in_one_card() -> None:
    found = card(PREGNANT, "drugSafety", "methotrexate", "mycophenolate_mofetil")
    assert {"methotrexate-pregnancy", "mycophenolate-pregnancy"} <= set(explanation(found)["recommendations"])


def test_a_card_about_a_draft_suggests_no_drug() -> None:
    cards = PREGNANT.cards(drafting=("methotrexate",)) + IBM.cards(drafting=("prednisone",))
    assert [one for one in resources(cards) if one["resourceType"] == "MedicationRequest"] == []


def test_a_statin_drafted_for_a_patient_with_anti_hmgcr_is_critical() -> None:
    """drug-safety.md, statins: do not re-expose."""
    patient = Patient().has("immune_mediated_necrotising_myopathy", since="2026-05").antibody("anti_hmgcr", "positive")
    assert card(patient, "drugSafety", "atorvastatin")["indicator"] == "critical"
