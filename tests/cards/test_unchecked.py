"""Unknown is not no: what drug safety could not weigh is said, whatever could not be read."""

from collections.abc import Mapping

import pytest

from cards.conditions import compile_condition
from cards.recommendation import Level, Option
from cards.safety import unchecked_for
from cards.therapy import decide
from cards.verdicts import Case, Vocabulary
from fhir_profiles.record import DraftOrder
from server.basis import packaged_basis
from tests.cards.test_safety import ALL_ON, DOSED, EVERY, KNOWN, OFF, RULES, spoken
from tests.patient import Json, Patient

KINDS = ("Condition", "Observation", "DiagnosticReport", "MedicationRequest", "AllergyIntolerance")
NECROTISING = Patient(sex="female", born="1960-05-05").has("immune_mediated_necrotising_myopathy", since="2026-05")
DERMATOMYOSITIS = Patient(sex="female", born="1956-05-05").has("dermatomyositis", since="2026-05")
DRAFT = DraftOrder("MedicationRequest/draft-1", ())


def safety_card(patient: Patient, *drafts: str) -> Json | None:
    cards = patient.cards(drafting=drafts or None, cap=10)
    return next((card for card in cards if card["source"]["topic"]["code"] == "drugSafety"), None)


ABOUT_THE_DIAGNOSIS = {
    "ivig-infusion-rate",
    "jak-inhibitor-dermatomyositis",
    "statin-suspected-necrotising-myopathy",
    "hydroxychloroquine-rash",
}
"""Without a problem list nobody has a diagnosis that these could be about; the service then answers 412 (R-18)."""
WEIGHED = {
    kind: [
        name
        for name, rule in (RULES | OFF).items()
        if rule.level in (Level.WARN, Level.REMIND) and name not in DOSED
        if kind != "Condition" or name not in ABOUT_THE_DIAGNOSIS
    ]
    for kind in KINDS
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_rule_that_speaks_is_not_silenced_by_data_that_could_not_be_read(kind: str) -> None:
    """It still holds by what was read, or it is among what could not be checked."""
    assert len(WEIGHED[kind]) > 130
    assert [name for name in WEIGHED[kind] if is_silenced(name, kind)] == []


def is_silenced(name: str, kind: str) -> bool:
    treatment, patient, _ = EVERY[name]
    draft = DRAFT if (RULES | OFF)[name].about == "drafted" else None
    failed = patient.failed(kind)
    unchecked = unchecked_for(treatment, Case(failed.assess()), ALL_ON, draft=draft)
    return name not in spoken(failed, treatment, draft, ALL_ON) and not (unchecked and name in unchecked.rules)


@pytest.mark.parametrize("kind", ["Observation", "DiagnosticReport"])
def test_a_statin_in_necrotising_myopathy_with_unread_antibodies_is_a_warning_that_asks_for_them(kind: str) -> None:
    card = safety_card(NECROTISING.failed(kind), "atorvastatin")
    assert card
    assert card["indicator"] == "warning"
    assert "check first: anti-HMGCR" in card["summary"]
    assert not [action for one in card.get("suggestions", []) for action in one["actions"] if action["type"] == "delete"]


def test_a_statin_without_a_myositis_asks_nobody_for_antibodies() -> None:
    somebody = Patient(sex="male", born="1960-05-05").has("hypertension", since="2020-01")
    assert somebody.without("Observation", "DiagnosticReport").cards(drafting=("atorvastatin",)) == []
    assert somebody.failed("Observation").cards(drafting=("atorvastatin",)) == []


def test_a_statin_that_is_taken_with_unread_antibodies_is_told_when_the_chart_opens() -> None:
    card = safety_card(NECROTISING.takes("atorvastatin").failed("Observation"))
    assert card
    assert "Statin is being taken: could not be checked: anti-HMGCR" in card["summary"]


def test_azathioprine_stays_a_warning_and_claims_nothing_while_reports_could_not_be_read() -> None:
    card = safety_card(DERMATOMYOSITIS.failed("DiagnosticReport"), "azathioprine")
    assert card
    assert card["indicator"] == "warning"
    assert "could not be checked: TPMT or NUDT15" in card["summary"]
    assert "no TPMT" not in card["detail"]


def test_a_dangerous_pair_is_asked_for_while_the_medications_could_not_be_read() -> None:
    for unread in (
        DERMATOMYOSITIS.failed("MedicationRequest"),
        DERMATOMYOSITIS.without("MedicationRequest", "MedicationStatement"),
    ):
        card = safety_card(unread, "trimethoprim_sulfamethoxazole")
        assert card
        assert "could not be checked: methotrexate among the current drugs" in card["summary"]


def test_what_was_not_supplied_is_not_called_absent_from_the_record() -> None:
    card = safety_card(DERMATOMYOSITIS.without("Observation"), "methotrexate")
    assert card
    assert "no blood count values in the data supplied" in card["detail"]
    assert "no blood count values on record" not in card["detail"]


def test_a_blood_count_that_came_as_a_report_without_values_is_no_blood_count_values() -> None:
    """Nobody here has seen a number; that a report exists is not said to be untrue either."""
    card = safety_card(DERMATOMYOSITIS.reported("cbc_panel"), "methotrexate")
    assert card
    assert "no blood count values on record" in card["detail"]
    measured = safety_card(DERMATOMYOSITIS.result("platelets", 250, on="7 days ago"), "methotrexate")
    assert "no blood count values" not in (measured or {}).get("detail", "")


@pytest.mark.parametrize(
    ("patient", "words"),
    [
        (DERMATOMYOSITIS, "anti-TIF1-γ: no result on record"),
        (DERMATOMYOSITIS.without("Observation"), "anti-TIF1-γ: no result in the data supplied"),
        (DERMATOMYOSITIS.failed("Observation"), "anti-TIF1-γ: could not be assessed, the data were incomplete"),
        (DERMATOMYOSITIS.failed("DiagnosticReport"), "anti-TIF1-γ: could not be assessed, the data were incomplete"),
    ],
)
def test_an_antibody_is_called_untested_only_where_results_were_read(patient: Patient, words: str) -> None:
    vocabulary = Vocabulary(patient.assess().definitions)
    verdict = compile_condition({"antibody_positive": "anti-tif1-gamma"}, vocabulary, "here")(Case(patient.assess()))
    assert [item.text for item in verdict.missing] == [words]


def test_no_option_rises_in_rank_because_a_caution_could_not_be_read() -> None:
    """Azathioprine has its TPMT caution; unread, it counts like one, and its order waits."""
    patient = DERMATOMYOSITIS
    assert _options(patient.failed("DiagnosticReport"))["azathioprine"].rank >= _options(patient)["azathioprine"].rank
    assert _options(patient.failed("DiagnosticReport"))["azathioprine"].order_withheld


def _options(patient: Patient) -> Mapping[str, Option]:
    case = Case(patient.assess())
    offered = [rule for rule in KNOWN.rules if rule.offers and rule.when(case).answer.value == "yes"]
    return {option.treatment: option for option in decide(offered, case, packaged_basis().knowledge)}
