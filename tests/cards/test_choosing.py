"""Few cards, one alarm, and nothing lost by it: which cards an answer has, and why the others are not there."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cards.choosing import LeftOut, choose
from cards.knowledge import knowledge
from cards.recommendation import Recommendation
from cards.show import EVERYTHING, Show
from cards.to_cards import to_cards
from cards.told import Told, mark_of
from fhir_profiles.findings import Answer
from tests.cards.reading import card_about, explanation, topics
from tests.cards.test_laws import DRUGS, charts
from tests.patient import Json, Patient

KEY = b"k" * 32
DERMATOMYOSITIS = Patient(sex="female", born="1992-01-01").has("dermatomyositis", since="2026-08")
RAPID = DERMATOMYOSITIS.antibody("anti_mda5", "positive").has("ild_rapidly_progressive", since="2026-11")
ON_METHOTREXATE_AND_PREGNANT = RAPID.has("pregnancy", since="2026-09").takes("methotrexate")
"""An emergency of the lung, and a drug that must not be taken: two critical matters at once."""


def shown(patient: Patient, show: Show, drafting: tuple[str, ...] | None = None) -> list[Json]:
    return to_cards(patient.recommendations(drafting), patient.assess(), seed="hook-1", show=show)


def said_on(cards: list[Json]) -> set[str]:
    return {name for card in cards for name in explanation(card)["recommendations"]}


def is_warning_against(one: Recommendation) -> bool:
    """Written out again: a treatment that is given or written, and should not be."""
    against = bool(one.avoid) or (one.topic == "drugSafety" and one.urgency != "routine")
    return one.holds is Answer.YES and one.is_worth_a_card and against


def why(patient: Patient, show: Show) -> dict[str, LeftOut]:
    return dict(choose(patient.recommendations(), show, knowledge()).left_out)


# --- one alarm


@pytest.mark.requirement("SAF-21")
@pytest.mark.parametrize("cap", [1, 2, 5])
def test_two_critical_matters_are_one_card_that_says_both_whatever_the_cap(cap: int) -> None:
    first, *others = shown(ON_METHOTREXATE_AND_PREGNANT, Show(cap=cap))
    assert [card["indicator"] for card in others].count("critical") == 0
    assert first["indicator"] == "critical"
    assert first["summary"] == (
        "Rapidly progressive interstitial lung disease: specialist centre now; "
        "also methotrexate is being taken: contraindicated in pregnancy"
    )
    assert "methotrexate-pregnancy" in said_on([first])
    assert "contraindicated in pregnancy" in first["detail"]
    assert "drugSafety" not in topics(others)


def test_the_alarm_names_what_it_holds_back_and_no_other_card_does() -> None:
    held_back = choose(RAPID.recommendations(), EVERYTHING, knowledge()).held_back
    assert "tumourScreening" in held_back
    assert set(held_back) == {topic for topic, reason in why(RAPID, EVERYTHING).items() if reason is LeftOut.WAITS}
    first, *others = shown(RAPID, EVERYTHING)
    _, _, named = first["detail"].partition("**Held back while this is critical**\n\n")
    named = named.partition("\n\n")[0]
    assert named.splitlines() == [f"- {knowledge().topics[topic].display}" for topic in held_back]
    assert not [card for card in [*others, *shown(DERMATOMYOSITIS, EVERYTHING)] if "Held back" in card["detail"]]


@pytest.mark.parametrize(
    ("show", "is_named"),
    [
        (replace(EVERYTHING, topics_off=frozenset({"tumourScreening"})), False),
        (replace(EVERYTHING, least_indicator="warning"), False),
        (replace(EVERYTHING, silenced=frozenset(one.id for one in RAPID.recommendations())), True),
    ],
    ids=["off", "below", "snoozed"],
)
def test_the_alarm_names_no_topic_that_is_never_shown_here(show: Show, is_named: bool) -> None:
    """Snoozed ones are named: what is critical reads the same whatever was said before."""
    assert ("tumourScreening" in choose(RAPID.recommendations(), show, knowledge()).held_back) is is_named


def test_each_of_the_two_alone_has_the_card_of_its_own_topic() -> None:
    assert topics(shown(RAPID, EVERYTHING))[0] == "urgentReferral"
    pregnant = DERMATOMYOSITIS.has("pregnancy", since="2026-09").takes("methotrexate")
    assert topics(shown(pregnant, EVERYTHING))[0] == "drugSafety"


def test_two_contraindications_of_drafts_are_one_card_that_names_both() -> None:
    pregnant = DERMATOMYOSITIS.has("pregnancy", since="2026-09")
    (card,) = shown(pregnant, Show(cap=1), ("methotrexate", "cyclophosphamide"))
    assert card["indicator"] == "critical"
    assert {"methotrexate-pregnancy", "cyclophosphamide-pregnancy"} <= said_on([card])
    assert all(drug in card["summary"].lower() for drug in ("methotrexate", "cyclophosphamide"))


@pytest.mark.requirement("SAF-21")
@settings(max_examples=40)
@given(charts(), st.sampled_from([None, *DRUGS]), st.integers(1, 6), st.sampled_from(["info", "warning", "critical"]))
def test_at_most_the_cap_at_most_one_critical_and_no_critical_matter_is_lost(
    patient: Patient, drafted: str | None, cap: int, least: str
) -> None:
    drafting = None if drafted is None else (drafted,)
    cards = shown(patient, Show(cap=cap, least_indicator=least), drafting)
    assert len(cards) <= cap
    assert [card["indicator"] for card in cards].count("critical") <= 1
    assert all(len(card["summary"].encode("utf-16-le")) < 280 for card in cards)
    urgent = {r.id for r in patient.recommendations(drafting) if r.holds is Answer.YES and r.urgency == "urgent"}
    assert urgent <= said_on(cards)


@pytest.mark.requirement("SAF-21")
@settings(max_examples=40)
@given(charts(), st.sampled_from([None, *DRUGS]), st.integers(1, 3))
def test_the_cap_never_takes_away_what_speaks_against_a_drug(patient: Patient, drafted: str | None, cap: int) -> None:
    drafting = None if drafted is None else (drafted,)
    against = {r.id for r in patient.recommendations(drafting) if is_warning_against(r)}
    assert against <= said_on(shown(patient, Show(cap=cap), drafting))


def test_a_warning_that_has_no_room_stands_on_the_last_card_and_in_its_sentence() -> None:
    patient = Patient(sex="male", born="1955-01-01").has("inclusion_body_myositis", since="2024").takes("azathioprine")
    patient = patient.takes("allopurinol")
    assert topics(shown(patient, EVERYTHING))[:2] == ["drugSafety", "supportiveCare"]
    (card,) = shown(patient, Show(cap=1))
    assert card["summary"] == (
        "Azathioprine: allopurinol or febuxostat makes azathioprine myelotoxic; "
        "also usually not recommended in inclusion body myositis"
    )
    assert "not recommended in inclusion body myositis" in card["detail"]
    assert why(patient, Show(cap=1))["supportiveCare"] is LeftOut.OVER_CAP


# --- thresholds


def test_a_reader_who_wants_warnings_only_is_shown_no_information() -> None:
    cards = shown(ON_METHOTREXATE_AND_PREGNANT, Show(least_indicator="warning"))
    assert [card["indicator"] for card in cards] == ["critical", "warning"]
    assert why(ON_METHOTREXATE_AND_PREGNANT, Show(least_indicator="warning"))["lungFunction"] is LeftOut.BELOW


def test_a_reader_who_wants_what_is_critical_only_is_shown_every_contraindication() -> None:
    (card,) = shown(ON_METHOTREXATE_AND_PREGNANT, Show(least_indicator="critical"))
    assert "methotrexate-pregnancy" in said_on([card])
    pregnant = DERMATOMYOSITIS.has("pregnancy", since="2026-09")
    (card,) = shown(pregnant, Show(least_indicator="critical"), ("methotrexate",))
    assert card["indicator"] == "critical"


# --- advice against a treatment

INCLUSION_BODY_MYOSITIS = Patient(sex="male", born="1955-01-01").has("inclusion_body_myositis", since="2024")
UNREAD = INCLUSION_BODY_MYOSITIS.has("respiratory_failure", since="2026-11").failed("MedicationRequest")


@pytest.mark.requirement("SAF-21")
@settings(max_examples=40)
@given(
    charts(),
    st.sampled_from([None, *DRUGS]),
    st.sets(st.sampled_from(sorted(knowledge().topics))),
    st.sampled_from(["info", "warning", "critical"]),
    st.integers(1, 5),
)
def test_no_setting_leaves_out_what_speaks_against_a_drug(
    patient: Patient, drafted: str | None, off: set[str], least: str, cap: int
) -> None:
    drafting = None if drafted is None else (drafted,)
    said = patient.recommendations(drafting)
    against = {r.id for r in said if (is_warning_against(r) and r.is_against) or r.warns_unread}
    assert against <= said_on(shown(patient, Show(cap=cap, topics_off=frozenset(off), least_indicator=least), drafting))


@pytest.mark.parametrize("show", [Show(topics_off=frozenset({"supportiveCare"})), Show(least_indicator="critical")])
def test_a_topic_that_is_off_or_weighs_too_little_still_speaks_against_a_drug_and_says_nothing_else(show: Show) -> None:
    (drafted,) = shown(INCLUSION_BODY_MYOSITIS, show, ("methotrexate",))
    assert said_on([drafted]) == {"bmj-ibm-no-immunosuppression"}
    taken = shown(INCLUSION_BODY_MYOSITIS.takes("methotrexate"), show)
    assert said_on([card_about("supportiveCare", taken)]) == {"bmj-ibm-no-immunosuppression"}


def test_drug_safety_that_is_off_still_stops_a_drug() -> None:
    pregnant = DERMATOMYOSITIS.has("pregnancy", since="2026-09").takes("methotrexate")
    cards = shown(pregnant, Show(topics_off=frozenset({"drugSafety"})))
    assert cards[0]["indicator"] == "critical"
    assert "methotrexate-pregnancy" in said_on(cards[:1])


@pytest.mark.parametrize("show", [EVERYTHING, Show(cap=1), Show(cap=1, least_indicator="critical")])
def test_advice_against_unread_drugs_is_a_warning_that_waits_for_no_emergency(show: Show) -> None:
    cards = shown(UNREAD, show)
    assert cards[0]["indicator"] == "critical"
    assert "bmj-ibm-no-immunosuppression" in said_on(cards)
    if show == EVERYTHING:
        assert card_about("supportiveCare", cards)["indicator"] == "warning"
    else:
        assert cards[0]["summary"] == (
            "Respiratory failure: specialist centre now; "
            "also medications could not be read completely: one may be advised against in this disease"
        )


# --- what was said in this visit


def told(patient: Patient) -> Told:
    return Told(KEY, frozenset(mark_of(one, KEY) for one in patient.recommendations()))


def test_what_this_reader_was_shown_in_this_visit_is_not_said_again() -> None:
    assert shown(DERMATOMYOSITIS, EVERYTHING)
    assert shown(DERMATOMYOSITIS, Show(told=told(DERMATOMYOSITIS))) == []
    assert set(why(DERMATOMYOSITIS, Show(told=told(DERMATOMYOSITIS))).values()) == {LeftOut.REPEATED}


def test_what_has_changed_is_said_again() -> None:
    """A lung function test that was ordered meanwhile changes nothing about the tumour search; a new diagnosis does."""
    before = told(DERMATOMYOSITIS)
    later = DERMATOMYOSITIS.antibody("anti_tif1_gamma", "positive")
    assert "tumourScreening" in topics(shown(later, Show(told=before)))


def test_a_key_of_another_visit_knows_nothing() -> None:
    other = Told(b"x" * 32, told(DERMATOMYOSITIS).marks)
    assert shown(DERMATOMYOSITIS, Show(told=other)) == shown(DERMATOMYOSITIS, EVERYTHING)


@pytest.mark.requirement("SAF-21")
@settings(max_examples=30)
@given(charts(), st.sampled_from([None, *DRUGS]))
def test_whatever_was_said_before_what_is_critical_or_about_a_drug_is_said_again(patient: Patient, drafted: str | None) -> None:
    drafting = None if drafted is None else (drafted,)
    said = patient.recommendations(drafting)
    everything = Told(KEY, frozenset(mark_of(one, KEY) for one in said))
    cards = shown(patient, Show(cap=99, told=everything), drafting)
    whole = shown(patient, Show(cap=99), drafting)
    assert card_about("drugSafety", cards) == card_about("drugSafety", whole)
    assert [c for c in cards if c["indicator"] == "critical"] == [c for c in whole if c["indicator"] == "critical"]
    assert {r.id for r in said if is_warning_against(r)} <= said_on(cards)


def test_a_mark_depends_on_everything_that_is_said() -> None:
    one = next(r for r in DERMATOMYOSITIS.recommendations() if r.because)
    changes = ({"says": "x"}, {"because": ()}, {"holds": Answer.UNKNOWN}, {"orders": ("x",)}, {"urgency": "urgent"})
    marks = {mark_of(replace(one, **change), KEY) for change in changes}  # type: ignore[arg-type]
    assert len(marks | {mark_of(one, KEY)}) == len(changes) + 1
