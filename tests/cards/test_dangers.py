"""The sentence of a card names what speaks against drugs: which drug and why, in every language, whatever else has no room."""

import pytest

from cards.knowledge import knowledge
from cards.recommendation import Recommendation
from cards.show import EVERYTHING, Show
from cards.to_cards import to_cards
from fhir_profiles.findings import Answer
from server.basis import packaged_basis
from server.knowledge.scenario_run import evaluated
from server.knowledge.scenarios import Scenario, packaged_scenarios
from server.languages.speaking import in_language
from tests.cards.reading import card_about, explanation
from tests.for_each import for_each
from tests.patient import Json, Patient

PREGNANT = Patient(sex="female", born="1992-01-01").has("dermatomyositis", since="2026-08").has("pregnancy", since="2026-09")
RAPID = PREGNANT.antibody("anti_mda5", "positive").has("ild_rapidly_progressive", since="2026-11")
INCLUSION_BODY_MYOSITIS = Patient(sex="male", born="1955-01-01").has("inclusion_body_myositis", since="2024")
OF_DRUGS = [scenario for scenario in packaged_scenarios() if "drug-safety" in scenario.file.name]


def first_card(patient: Patient, *drafting: str, cap: int = 5) -> Json:
    return to_cards(patient.recommendations(drafting or None), patient.assess(), seed="1", show=Show(cap=cap))[0]


def stops(said: list[Recommendation]) -> list[Recommendation]:
    return [r for r in said if r.holds is Answer.YES and r.topic == "drugSafety" and r.urgency == "urgent"]


@pytest.mark.requirement("SAF-21")
@for_each("scenario", OF_DRUGS, ids=lambda scenario: scenario.name)
def test_a_critical_sentence_names_each_stop_or_counts_it(scenario: Scenario) -> None:
    found = evaluated(scenario, packaged_basis())
    said = list(found.recommendations)
    topics = [topic.display for topic in knowledge().topics.values()]
    for cap in (1, 5):
        cards = to_cards(said, found.assessment, seed="1", show=Show(cap=cap)) if said else []
        for language in ("en", "de"):
            for card in (in_language(one, language) for one in cards if one["indicator"] == "critical"):
                sentence = card["summary"]
                assert len(sentence.encode("utf-16-le")) < 280
                assert not any(words in sentence for words in ("see the card", "the card says", "die Karte", "siehe Karte"))
                assert not any(sentence.endswith(f": {in_language(topic, language)}") for topic in topics)
                assert not any(f"also {topic}" in sentence for topic in topics)
                is_counted = any(word in sentence for word in ("more", "weiter"))
                for stop in stops(said):
                    drugs = [in_language(drug, language) for drug in stop.drugs]
                    assert is_counted or all(drug.lower() in sentence.lower() for drug in drugs)


def test_one_reason_against_several_drugs_is_given_once_and_another_beside_it() -> None:
    assert first_card(PREGNANT, "methotrexate", "mycophenolate_mofetil", "cyclophosphamide")["summary"] == (
        "Methotrexate, mycophenolate and cyclophosphamide: contraindicated in pregnancy (FDA label and EULAR 2024)"
    )
    both = first_card(PREGNANT.takes("allopurinol"), "azathioprine", "mycophenolate_mofetil")
    assert "contraindicated in pregnancy; also azathioprine: " in both["summary"]


@pytest.mark.parametrize("taken", [("methotrexate",), ("methotrexate", "mycophenolate_mofetil", "cyclophosphamide")])
def test_beside_contraindications_the_referral_still_names_the_emergency(taken: tuple[str, ...]) -> None:
    patient = RAPID
    for drug in taken:
        patient = patient.takes(drug)
    card = first_card(patient)
    assert card["summary"].startswith("Rapidly progressive interstitial lung disease: specialist centre now; also ")
    assert "contraindicated" in card["summary"]
    german = in_language(card, "de")["summary"]
    assert german.startswith("Rasch fortschreitende interstitielle Lungenerkrankung: jetzt Spezialzentrum; außerdem: ")
    assert "kontraindiziert" in german


def test_advice_against_several_drafts_names_all_of_them_in_one_line() -> None:
    card = first_card(INCLUSION_BODY_MYOSITIS, "methotrexate", "rituximab")
    assert card["summary"].startswith("Methotrexate and rituximab: usually not recommended in inclusion body myositis")
    lines = [line for line in card["detail"].splitlines() if "usually not recommended" in line]
    assert len(lines) == 1
    assert lines[0].startswith("- Methotrexate and rituximab: ")


def test_advice_of_two_guidelines_against_two_drafts_names_both_drugs() -> None:
    card = card_about(
        "supportiveCare",
        to_cards(
            INCLUSION_BODY_MYOSITIS.recommendations(("immunoglobulin_iv", "methotrexate")),
            INCLUSION_BODY_MYOSITIS.assess(),
            seed="1",
            show=EVERYTHING,
        ),
    )
    assert card is not None
    assert card["summary"].startswith("Intravenous immunoglobulin and methotrexate: not recommended in this disease")
    assert {"bmj-ibm-no-immunosuppression", "donofrio-2009-ivig-ibm-no"} & set(explanation(card)["recommendations"])
