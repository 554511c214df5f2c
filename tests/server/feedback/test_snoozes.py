"""Advice that was overridden for a reason is quiet for a while: this advice, this patient, this EHR, never anything critical."""

import json
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import permutations
from uuid import uuid4

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select, update

from cards.override_reasons import LONGEST_QUIET, LONGEST_QUIET_AFTER_WARNING, OverrideReason, quiet_days, reasons
from server.feedback.snoozes import Word, quiet_until
from server.store.tables import cards_shown, snoozes
from tests.server.charts import Json, chart, dermatomyositis, hook_call, order_call, prefetch_of
from tests.server.feedback.conftest import SIGN, VIEW, Ehr, accepted, of_topic, overridden, topic_of
from tests.server.logged import lines

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
TOPIC = "lungFunction"
METHOTREXATE = {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "6851", "display": "Methotrexate"}]}
CRITICAL = "nxp2-dermatomyositis-dysphagia"
INCLUSION_BODY = "inclusion-body-myositis"
ON_PREDNISONE = "inclusion-body-myositis-on-prednisone"
RAPID_LUNG_DISEASE = "mda5-amyopathic-rapid-ild"
FAILED = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "timeout"}]}
PROPHYLAXIS = "anti-tif1-gamma-dermatomyositis"


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as coordinates:
        yield coordinates


def at(moment: datetime) -> str:
    return moment.isoformat()


@pytest.fixture
def card(ehr: Ehr) -> Json:
    """The card about lung function, that was just shown."""
    return of_topic(ehr.open_chart(), TOPIC)


# --- what is quiet


def test_advice_that_was_overridden_for_one_of_its_reasons_is_not_shown_again(ehr: Ehr, card: Json) -> None:
    before = ehr.topics()
    ehr.send(overridden(card))
    assert TOPIC in before
    assert ehr.topics() == before - {TOPIC}


def test_a_word_on_a_question_silences_no_finding_that_comes_later(ehr: Ehr) -> None:
    """Results could not be read, so lung function could only be asked for; then they are read, and they are abnormal."""
    slug = "jo1-antisynthetase-ild"
    unread = prefetch_of(json.loads(json.dumps(chart(slug)).replace(slug, "p1"))) | {"observations": FAILED}
    call = hook_call("p1", unread, hookInstance=str(uuid4()))
    question = of_topic(ehr.post(VIEW, call).get_json()["cards"], "lungFunction")
    assert "could not be assessed" in question["summary"]
    ehr.send(overridden(question))
    assert "lungFunction" not in {
        topic_of(card) for card in ehr.post(VIEW, call | {"hookInstance": str(uuid4())}).get_json()["cards"]
    }
    assert of_topic(ehr.open_chart(slug=slug), "lungFunction")["indicator"] == "warning"


def test_the_same_hook_instance_at_two_servers_gives_two_cards(ehr: Ehr) -> None:
    instance = str(uuid4())
    cards = [ehr.open_chart(fhirServer=f"https://{name}.example/fhir", hookInstance=instance) for name in ("a", "b")]
    assert not {card["uuid"] for card in cards[0]} & {card["uuid"] for card in cards[1]}


def test_other_patients_other_ehrs_and_other_tenants_and_servers_hear_it_still(
    ehr: Ehr, ehr_of: Callable[..., Ehr], card: Json
) -> None:
    ehr.send(overridden(card))
    assert TOPIC in ehr.topics("another-patient")
    assert TOPIC in ehr_of("elsewhere").topics()
    assert TOPIC in ehr_of("hospital", tenant="second").topics()
    assert TOPIC in ehr.topics(fhirServer="https://second.example/fhir")


def test_it_is_back_after_the_days_that_client_and_reason_allow(ehr: Ehr, card: Json, clock: time_machine.Traveller) -> None:
    ehr.send(overridden(card))
    clock.move_to(NOW + timedelta(days=30, seconds=-1))
    assert TOPIC not in ehr.topics()
    clock.move_to(NOW + timedelta(days=30))
    assert TOPIC in ehr.topics()


def test_one_clinicians_disagreement_is_for_a_week(ehr: Ehr, card: Json, clock: time_machine.Traveller) -> None:
    ehr.send(overridden(card, reason=next(r for r in card["overrideReasons"] if r["code"] == "recipient-disagrees-evidence")))
    clock.move_to(NOW + timedelta(days=7, seconds=-1))
    assert TOPIC not in ehr.topics()
    clock.move_to(NOW + timedelta(days=7))
    assert TOPIC in ehr.topics()


@pytest.mark.requirement("SAF-21")
def test_sending_it_again_makes_it_no_longer(ehr: Ehr, card: Json, clock: time_machine.Traveller) -> None:
    ehr.send(overridden(card, at=at(NOW)))
    clock.move_to(NOW + timedelta(days=29))
    ehr.send(overridden(card, at=at(NOW)))
    clock.move_to(NOW + timedelta(days=30))
    assert TOPIC in ehr.topics()


def test_it_counts_from_when_it_was_said_even_if_it_comes_late(ehr: Ehr, card: Json, clock: time_machine.Traveller) -> None:
    clock.move_to(NOW + timedelta(days=20))
    ehr.send(overridden(card, at=at(NOW)))
    assert TOPIC not in ehr.topics()
    clock.move_to(NOW + timedelta(days=30))
    assert TOPIC in ehr.topics()


def test_a_clock_that_is_fast_makes_it_no_longer(ehr: Ehr, card: Json, clock: time_machine.Traveller) -> None:
    ehr.send(overridden(card, at="2099-01-01T00:00:00Z"))
    clock.move_to(NOW + timedelta(days=30))
    assert TOPIC in ehr.topics()


def test_whoever_accepts_the_advice_later_hears_it_again(ehr: Ehr, card: Json) -> None:
    ehr.send(overridden(card, at=at(NOW - timedelta(minutes=1))), accepted(card, at=at(NOW)))
    assert TOPIC in ehr.topics()


def test_an_older_acceptance_that_comes_late_changes_nothing(ehr: Ehr, card: Json) -> None:
    ehr.send(overridden(card, at=at(NOW)))
    ehr.send(accepted(card, at=at(NOW - timedelta(minutes=1))))
    assert TOPIC not in ehr.topics()


# --- what is not


@pytest.mark.parametrize(
    "feedback_on",
    [
        pytest.param(lambda card: overridden(card["uuid"]), id="no reason"),
        pytest.param(lambda card: overridden(card["uuid"], userComment="not applicable"), id="words only"),
        pytest.param(lambda card: overridden(card, reason={"system": "https://ehr.example", "code": "45"}), id="its own reason"),
        pytest.param(
            lambda card: overridden(card, reason={"system": "https://ehr.example", "code": "action-completed"}),
            id="another system",
        ),
        pytest.param(accepted, id="accepted"),
    ],
)
def test_only_a_reason_that_the_card_offers_makes_it_quiet(ehr: Ehr, card: Json, feedback_on: Callable[[Json], Json]) -> None:
    assert ehr.send(feedback_on(card)).status_code == 200
    assert TOPIC in ehr.topics()


@pytest.mark.requirement("F-7", "F-8")
@pytest.mark.parametrize("system", [None, "http: //terminology.hl7.org/CodeSystem/non-adherence-reason-codes"])
def test_the_reason_counts_without_its_system_and_with_a_space_in_it(ehr: Ehr, card: Json, system: str | None) -> None:
    ehr.send(overridden(card, reason={"code": "action-completed"} | ({"system": system} if system else {})))
    assert TOPIC not in ehr.topics()


@pytest.mark.requirement("FB-03")
def test_another_ehr_cannot_silence_a_card_of_ours_nor_learn_that_there_is_one(
    ehr: Ehr, ehr_of: Callable[..., Ehr], card: Json
) -> None:
    elsewhere = ehr_of("elsewhere")
    response, of_nobody = elsewhere.send(overridden(card)), elsewhere.send(overridden(str(uuid4())))
    assert (response.status_code, response.text) == (of_nobody.status_code, of_nobody.text)
    assert response.status_code == 200
    assert TOPIC in ehr.topics()
    assert TOPIC in ehr_of("elsewhere").topics()


def test_feedback_that_was_sent_for_another_service_silences_nothing_also_when_more_comes(
    ehr: Ehr, card: Json, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    ehr.send(overridden(card, at=at(NOW)), path="/cds-services/myositis-order-sign/feedback")
    ehr.send(overridden(card["uuid"], at=at(NOW - timedelta(minutes=1))))
    assert TOPIC in ehr.topics()
    told = [line.split() for line in lines(caplog) if "endpoint=feedback.feedback" in line]
    assert ["unknown=1" in line for line in told] == [True, False]


def test_a_client_that_is_set_so_is_told_everything_again(ehr_of: Callable[..., Ehr]) -> None:
    ehr = ehr_of("never-quiet")
    ehr.send(overridden(of_topic(ehr.open_chart(), TOPIC)))
    assert TOPIC in ehr.topics()


# --- critical cards


def test_feedback_on_a_card_that_was_critical_silences_nothing(ehr: Ehr, card: Json, database: Engine) -> None:
    with database.begin() as connection:
        connection.execute(update(cards_shown).where(cards_shown.c.card == card["uuid"]).values(indicator="critical"))
    ehr.send(overridden(card))
    assert TOPIC in ehr.topics()


def test_advice_that_was_silenced_speaks_when_it_is_critical(ehr: Ehr, database: Engine) -> None:
    """Its card was a mere warning before: the second of two urgent ones, or of an older version of the knowledge."""
    urgent = of_topic(ehr.open_chart(slug=CRITICAL), "urgentReferral")
    assert urgent["indicator"] == "critical"
    with database.begin() as connection:
        connection.execute(update(cards_shown).values(indicator="warning"))
    ehr.send(overridden(urgent))
    with database.connect() as connection:
        quiet = set(connection.scalars(select(snoozes.c.recommendation)))
    assert quiet == set(urgent["extension"]["org.myositis-cds.explanation"]["recommendations"])
    assert "urgentReferral" in ehr.topics(slug=CRITICAL)


@pytest.mark.requirement("SAF-21")
def test_a_word_on_an_order_being_written_holds_for_that_day(ehr: Ehr, clock: time_machine.Traveller) -> None:
    """Of the warnings about a drug, whoever writes the next order must hear them again; regulatory-usability U-9."""

    def warned() -> list[Json]:
        draft = {
            "resourceType": "MedicationRequest", "id": "1", "status": "draft", "intent": "order",
            "subject": {"reference": "Patient/p1"}, "medicationCodeableConcept": METHOTREXATE,
        }  # fmt: skip
        orders = {"resourceType": "Bundle", "entry": [{"resource": draft}]}
        call = order_call("order-sign", "p1", dermatomyositis(), orders) | {"hookInstance": str(uuid4())}
        cards = ehr.post(SIGN, call).get_json()["cards"]
        return [card for card in cards if topic_of(card) == "drugSafety"]

    (card,) = warned()
    assert card["indicator"] != "critical"
    ehr.send(overridden(card), path=f"{SIGN}/feedback")
    assert warned() == []
    clock.move_to(NOW + timedelta(days=1))
    assert warned()


# --- advice against


def advice_against(cards: list[Json]) -> list[str]:
    return [card["summary"] for card in cards if "not recommended in inclusion body myositis" in card["detail"]]


@pytest.mark.requirement("SAF-21")
@pytest.mark.parametrize("reason", reasons(), ids=lambda reason: reason.code)
def test_that_immunosuppression_is_advised_against_in_inclusion_body_myositis_is_said_to_every_draft(
    ehr: Ehr, reason: OverrideReason
) -> None:
    """A reason for writing methotrexate all the same is none for writing azathioprine, nor for the next methotrexate."""
    first = ehr.sign("methotrexate", INCLUSION_BODY)
    for card in first:
        ehr.send(overridden(card, reason={"code": reason.code}), path=f"{SIGN}/feedback")
    assert advice_against(first)
    for drug in ("methotrexate", "azathioprine", "rituximab"):
        assert advice_against(ehr.sign(drug, INCLUSION_BODY)), drug


@pytest.mark.requirement("SAF-21")
def test_what_is_said_when_the_chart_is_opened_silences_no_advice_against(ehr: Ehr) -> None:
    """ "No physiotherapist" is a reason about the rest of the same card."""
    for card in ehr.open_chart(slug=ON_PREDNISONE):
        ehr.send(overridden(card, reason={"code": "service-not-available"}))
    assert advice_against(ehr.open_chart(slug=ON_PREDNISONE))
    assert advice_against(ehr.sign("methotrexate", ON_PREDNISONE))


def test_a_warning_about_a_draft_is_said_of_every_draft(ehr: Ehr) -> None:
    slug = "dermatomyositis-methotrexate-intolerance"
    card = of_topic(ehr.sign("methotrexate", slug), "drugSafety")
    assert card["indicator"] == "warning"
    ehr.send(overridden(card), path=f"{SIGN}/feedback")
    assert "drugSafety" in map(topic_of, ehr.sign("methotrexate", slug))


# --- warnings, and emergencies


def test_a_warning_is_quiet_for_a_week_whatever_the_reason(ehr: Ehr, clock: time_machine.Traveller) -> None:
    """Prophylaxis and physiotherapy are one card; a reason that was meant for one quiets both."""
    card = of_topic(ehr.open_chart(slug=PROPHYLAXIS), "supportiveCare")
    assert card["indicator"] == "warning"
    ehr.send(overridden(card, reason={"code": "service-not-available"}))
    clock.move_to(NOW + timedelta(days=7, seconds=-1))
    assert "supportiveCare" not in ehr.topics(slug=PROPHYLAXIS)
    clock.move_to(NOW + timedelta(days=7))
    assert "supportiveCare" in ehr.topics(slug=PROPHYLAXIS)


def test_the_treatment_is_shown_in_an_emergency_whatever_was_said_about_it(ehr: Ehr) -> None:
    """A contraindication is about one drug, and the card about a combination."""
    card = of_topic(ehr.open_chart(slug=RAPID_LUNG_DISEASE), "nextLineTherapy")
    assert card["indicator"] == "warning"
    ehr.send(overridden(card, reason={"code": "patient-contraindication"}))
    assert "nextLineTherapy" in ehr.topics(slug=RAPID_LUNG_DISEASE)


def test_without_an_emergency_a_word_on_the_treatment_counts(ehr: Ehr) -> None:
    slug = "polymyositis-severe"
    ehr.send(overridden(of_topic(ehr.open_chart(slug=slug), "nextLineTherapy")))
    assert "nextLineTherapy" not in ehr.topics(slug=slug)


# --- the log


def test_it_is_logged_what_is_silenced_and_each_time_how_much_was_left_out(
    ehr: Ehr, card: Json, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    ehr.send(overridden(card, at=at(NOW)), overridden("123456"))
    said = len(card["extension"]["org.myositis-cds.explanation"]["recommendations"])
    events = [line for line in lines(caplog) if "event=snoozed" in line]
    assert events == [f"event=snoozed client=hospital card={card['uuid']} recommendations={said} days=30"]
    caplog.clear()
    ehr.open_chart()
    (line,) = lines(caplog, "requests")
    assert f"silenced={said}" in line.split()


def test_what_waits_for_another_reason_is_not_called_silenced(ehr: Ehr, caplog: pytest.LogCaptureFixture) -> None:
    """Beside a critical card, routine cards wait."""
    caplog.set_level(logging.INFO)
    ehr.open_chart(slug=CRITICAL)
    (line,) = lines(caplog, "requests")
    assert "silenced=0" in line.split()


# --- how long, and the latest word


@pytest.mark.parametrize("reason", reasons(), ids=lambda reason: reason.code)
def test_every_reason_has_a_bounded_length(reason: OverrideReason) -> None:
    days = {one: quiet_days(reason.system, reason.code, TOPIC, one) for one in ("info", "warning", "critical")}
    assert 1 <= days["warning"] <= min(days["info"], LONGEST_QUIET_AFTER_WARNING)
    assert days["info"] <= LONGEST_QUIET
    assert days["critical"] == 0


def test_a_client_can_only_shorten_it(ehr_of: Callable[..., Ehr], clock: time_machine.Traveller) -> None:
    ehr = ehr_of("patient-client")
    card = of_topic(ehr.open_chart(), TOPIC)
    ehr.send(overridden(card, reason={"code": "service-not-available"}))
    clock.move_to(NOW + timedelta(days=30, seconds=-1))
    assert TOPIC not in ehr.topics()
    clock.move_to(NOW + timedelta(days=30))
    assert TOPIC in ehr.topics()


MOMENTS = st.integers(0, 5)
WORDS = st.lists(
    st.builds(
        lambda names, second, days: Word(
            "p", "c", tuple(sorted(names)), f"2026-11-22T10:00:0{second}Z", days, days and second + days
        ),
        st.sets(st.sampled_from("RST"), min_size=1),
        MOMENTS,
        st.sampled_from([0, 7, 30]),
    ),
    max_size=4,
)


@pytest.mark.requirement("FB-01")
@given(WORDS)
def test_in_whichever_order_words_come_the_latest_on_each_recommendation_counts(words: list[Word]) -> None:
    (outcome,) = {tuple(sorted(quiet_until(order).items())) for order in permutations(words)}
    for name, until in outcome:
        latest = max(word.said_at for word in words if name in word.recommendations)
        assert until == min(word.until for word in words if name in word.recommendations and word.said_at == latest)
