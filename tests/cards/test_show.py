"""What a clinician silenced, and what is said all the same."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cards.knowledge import knowledge
from cards.recommendation import Recommendation
from cards.show import EVERYTHING, Show
from cards.to_cards import to_cards
from fhir_profiles.findings import Answer
from tests.cards.reading import card_about, explanation, topics
from tests.cards.test_laws import DRUGS, charts
from tests.patient import Json, Patient

SILENCED = frozenset(rule.id for rule in (*knowledge().rules, *knowledge().safety))
"""Every statement there is: whatever was overridden, it is some of these."""

DERMATOMYOSITIS = Patient(sex="female", born="1964-02-01").has("dermatomyositis", since="2026-08")
INCLUSION_BODY = Patient(sex="male", born="1955-02-01").has("inclusion_body_myositis", since="2024")


def cards(patient: Patient, drafting: tuple[str, ...] | None = None, silenced: frozenset[str] = SILENCED) -> list[Json]:
    shown = replace(EVERYTHING, cap=99, silenced=silenced)
    return to_cards(patient.recommendations(drafting), patient.assess(), seed="hook-1", show=shown)


def speaks_against(said: Recommendation) -> bool:
    """As the statement itself has it: treatments to avoid, or a rule of drug safety that is more than a reminder."""
    return said.holds is Answer.YES and (bool(said.avoid) or (said.topic == "drugSafety" and said.urgency != "routine"))


@pytest.mark.requirement("SAF-21")
@settings(max_examples=60, deadline=None)
@given(charts(), st.sampled_from([None, *DRUGS]))
def test_whatever_was_overridden_a_card_that_advises_against_stays(patient: Patient, drafted: str | None) -> None:
    drafting = None if drafted is None else (drafted,)
    said = [name for card in cards(patient, drafting) for name in explanation(card)["recommendations"]]
    assert {one.id for one in patient.recommendations(drafting) if speaks_against(one)} <= set(said)


@settings(max_examples=40, deadline=None)
@given(charts())
def test_what_stays_said_is_said_in_the_same_words_and_nothing_is_added(patient: Patient) -> None:
    everything = cards(patient, silenced=frozenset())
    assert all(card["uuid"] in {one["uuid"] for one in everything} for card in cards(patient))
    assert [one for one in everything if one["indicator"] == "critical"] == [
        one for one in cards(patient) if one["indicator"] == "critical"
    ]


def test_what_is_no_advice_against_can_all_be_silenced() -> None:
    assert cards(DERMATOMYOSITIS, silenced=frozenset())
    assert cards(DERMATOMYOSITIS) == []


@pytest.mark.parametrize("drug", ["methotrexate", "azathioprine", "rituximab", "prednisone", "immunoglobulin_iv"])
def test_in_inclusion_body_myositis_what_is_advised_against_is_said_of_each_draft_and_while_it_is_taken(drug: str) -> None:
    assert card_about("supportiveCare", cards(INCLUSION_BODY, (drug,)))
    assert card_about("supportiveCare", cards(INCLUSION_BODY.takes(drug)))
    assert card_about("supportiveCare", cards(INCLUSION_BODY)) is None


def test_advice_against_that_hangs_on_unread_medications_is_not_silenced_before_they_are_read() -> None:
    unread = INCLUSION_BODY.failed("MedicationRequest").recommendations()
    (open_question,) = [one for one in unread if one.id == "bmj-ibm-no-immunosuppression"]
    assert open_question.holds is Answer.UNKNOWN
    assert not Show(silenced=SILENCED).is_quiet_about(open_question)


def test_a_caution_about_a_drug_that_is_being_taken_keeps_its_card() -> None:
    """A glucocorticoid in systemic sclerosis: it stands among the options, as what is on record already."""
    overlap = Patient(sex="female", born="1964-02-01").has("overlap_myositis", since="2026-08").has("systemic_sclerosis")
    silenced = cards(overlap.takes("prednisone", dose=10))
    assert card_about("nextLineTherapy", silenced)
    assert card_about("nextLineTherapy", cards(overlap)) is None


def test_a_reminder_about_a_draft_can_be_silenced_and_a_warning_not() -> None:
    reminded, warned = DERMATOMYOSITIS, DERMATOMYOSITIS.has("liver_disease")
    assert topics(cards(reminded, ("methotrexate",), frozenset())) == ["drugSafety"]
    assert cards(reminded, ("methotrexate",)) == []
    assert topics(cards(warned, ("methotrexate",))) == ["drugSafety"]


def test_in_an_emergency_the_treatment_is_shown_whatever_was_said_about_it() -> None:
    rapid = DERMATOMYOSITIS.antibody("anti_mda5", "positive").has("ild_rapidly_progressive", since="2026-11")
    assert topics(cards(rapid)) == ["urgentReferral", "nextLineTherapy"]
    off = Show(silenced=SILENCED, topics_off=frozenset({"nextLineTherapy"}))
    assert "nextLineTherapy" not in topics(to_cards(rapid.recommendations(), rapid.assess(), seed="hook-1", show=off))
