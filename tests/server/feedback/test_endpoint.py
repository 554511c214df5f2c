"""Feedback over HTTP: who may send it, what is answered, what is kept."""

import logging
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from server.application import create_app
from server.cds_hooks.services import SERVICES
from server.feedback.items import read_feedback
from server.feedback.keep import keep
from server.runtime import open_runtime
from server.store.database import IN_MEMORY, open_database
from server.store.tables import feedback, feedback_comments
from server.trust.clients import Caller, Client
from server.trust.gate import Gate
from tests.server.answers import check_outcome, diagnostics
from tests.server.charts import Json
from tests.server.conftest import CONFIG
from tests.server.feedback.conftest import VIEW, Ehr, accepted, overridden
from tests.server.logged import lines, text

CARD = "0d9a3c1e-6a53-4a55-93b9-a3f1b2a0d9c4"
CANARY = "Erika-Mustermann-7391"


def kept(database: Engine) -> list[tuple[str, str]]:
    """Card and outcome of everything that is kept."""
    with database.connect() as connection:
        return sorted((row.card, row.outcome) for row in connection.execute(select(feedback)))


# --- what is answered


@pytest.mark.requirement("F-1")
@pytest.mark.parametrize("service", SERVICES)
def test_every_service_takes_feedback(ehr: Ehr, service: str) -> None:
    assert ehr.send(overridden(CARD), path=f"/cds-services/{service}/feedback").status_code == 200


@pytest.mark.requirement("X-3")
def test_a_double_slash_from_a_configured_trailing_one_still_reaches_it(ehr: Ehr) -> None:
    assert ehr.send(overridden(CARD), path="/cds-services//myositis-patient-view/feedback").status_code == 200


def test_an_unknown_service_is_not_found(ehr: Ehr) -> None:
    response = ehr.send(overridden(CARD), path=f"/cds-services/{CANARY}/feedback")
    assert response.status_code == 404
    assert diagnostics(response.get_json(force=True)).startswith("MYO-1103")
    assert CANARY not in response.text


@pytest.mark.requirement("F-10", "L-5")
def test_where_all_is_kept_it_says_so_in_json_whether_or_not_the_card_is_known(ehr: Ehr) -> None:
    response = ehr.send(overridden(CARD), accepted("123456"))
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/fhir+json"
    assert response.headers["Cache-Control"] == "no-store"
    check_outcome(response.get_json(force=True))
    assert response.get_json(force=True)["issue"][0]["severity"] == "information"


@pytest.mark.requirement("F-9", "F-10")
def test_the_good_items_of_a_partly_bad_batch_are_kept_and_the_bad_ones_named(ehr: Ehr, database: Engine) -> None:
    response = ehr.send(overridden(CARD), {"card": CANARY, "outcome": CANARY}, overridden("other", reason={"system": CANARY}))
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/fhir+json"
    first, second = response.get_json(force=True)["issue"]
    assert first["severity"] == "error"
    assert first["diagnostics"] == "MYO-1603: feedback[1].outcome must be accepted or overridden."
    assert second["severity"] == "warning"
    assert second["diagnostics"].startswith("MYO-1604: feedback[2].overrideReason.reason ")
    assert CANARY not in response.text
    assert kept(database) == [(CARD, "overridden"), ("other", "overridden")]


@pytest.mark.requirement("F-10")
def test_where_nothing_can_be_kept_the_batch_is_refused(ehr: Ehr, database: Engine) -> None:
    response = ehr.send({"card": CARD})
    assert response.status_code == 400
    check_outcome(response.get_json(force=True))
    assert kept(database) == []


@pytest.mark.parametrize(
    ("body", "status", "number"),
    [
        pytest.param(b"", 400, "MYO-1001", id="no body"),
        pytest.param(b"{", 400, "MYO-1002", id="no JSON"),
        pytest.param(b"{}", 400, "MYO-1601", id="no feedback"),
        pytest.param(b'{"feedback": [' + b"1," * 200 + b"1]}", 413, "MYO-1602", id="too many items"),
        pytest.param(b'{"feedback": ["' + b"a" * 1024 * 1024 + b'"]}', 413, "MYO-1004", id="too long"),
    ],
)
@pytest.mark.requirement("F-2", "FB-04")
def test_bad_bodies_are_refused(ehr: Ehr, body: bytes, status: int, number: str) -> None:
    response = ehr.http.post(f"{VIEW}/feedback", data=body, content_type="application/json")
    assert response.status_code == status
    assert diagnostics(response.get_json(force=True)).startswith(number)


@pytest.mark.requirement("F-11")
def test_the_gate_hears_both_urls_that_a_token_may_be_for(database: Engine) -> None:
    """Whether `aud` is the service's URL or the feedback's is not said."""
    heard: list[list[str]] = []

    class Listening(Gate):
        def admit(self, request: object, audiences: Sequence[str]) -> Caller:
            heard.append(audiences)
            return Caller(Client("hospital"))

    runtime = replace(open_runtime(CONFIG), gate=Listening(), database=database)
    create_app(CONFIG, runtime=runtime).test_client().post(f"{VIEW}/feedback", json={"feedback": []})
    assert heard == [[f"{CONFIG.public_url}{VIEW}", f"{CONFIG.public_url}{VIEW}/feedback"]]


def test_the_answer_tells_how_long_its_parts_took(ehr: Ehr) -> None:
    parts = ehr.send(overridden(CARD)).headers["Server-Timing"].split(", ")
    assert [part.split(";")[0] for part in parts] == ["trust", "request", "store", "audit"]


# --- what is kept


@pytest.mark.requirement("F-9", "FB-01")
def test_the_same_twice_is_kept_once_within_a_batch_and_over_several(ehr: Ehr, database: Engine) -> None:
    for _ in range(2):
        assert ehr.send(overridden(CARD), overridden(CARD), accepted(CARD)).status_code == 200
    assert kept(database) == [(CARD, "accepted"), (CARD, "overridden")]


@pytest.mark.requirement("FB-01")
def test_another_moment_is_another_word(ehr: Ehr, database: Engine) -> None:
    ehr.send(overridden(CARD), overridden(CARD, at="2026-11-22T11:00:00+01:00"), overridden(CARD, at="2026-11-22T10:00:01Z"))
    assert len(kept(database)) == 2


@pytest.mark.requirement("F-9")
def test_feedback_on_cards_that_were_never_shown_is_kept_too(ehr: Ehr, database: Engine) -> None:
    ehr.send(overridden("123456"), overridden(CARD))
    assert [card for card, _ in kept(database)] == [CARD, "123456"]


@pytest.mark.requirement("F-12")
def test_a_comment_is_kept_apart(ehr: Ehr, database: Engine) -> None:
    ehr.send(overridden(CARD, userComment="not now"), overridden("other"))
    with database.connect() as connection:
        (row,) = connection.execute(select(feedback, feedback_comments).join(feedback_comments))
    assert (row.card, row.comment, row.is_cut) == (CARD, "not now", False)
    assert "comment" not in feedback.columns


@pytest.mark.requirement("FB-01", "DB-05")
def test_senders_of_the_same_at_the_same_time_do_not_get_in_each_others_way(ehr_of: Callable[..., Ehr], database: Engine) -> None:
    """As after a time-out, when a batch is sent again while the first is still under way; each in an order of its own."""
    card = ehr_of().open_chart()[0]
    items = [overridden(card), *(overridden(str(number)) for number in range(150))]
    statuses: list[int] = []

    def send(seed: int) -> None:
        mixed = Random(seed).sample(items, len(items))
        statuses.append(ehr_of().send(*mixed).status_code)

    threads = [threading.Thread(target=send, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 4
    assert len(kept(database)) == len(items)


WORDS = st.tuples(st.sampled_from("abc"), st.sampled_from([accepted, overridden]), st.sampled_from([f"{n:02}" for n in range(9)]))


@pytest.mark.requirement("FB-01")
@given(words=st.lists(WORDS, max_size=8), data=st.data())
def test_neither_order_nor_repetition_nor_batches_matter(
    words: list[tuple[str, Callable[..., Json], str]], data: st.DataObject
) -> None:
    items = [outcome(card, at=f"2026-11-22T10:00:{second}Z") for card, outcome, second in words]
    anyhow = data.draw(st.permutations(items + data.draw(st.lists(st.sampled_from(items), max_size=4)) if items else items))
    cut = data.draw(st.integers(0, len(anyhow)))
    assert _after(items) == _after(anyhow[:cut], anyhow[cut:])


def _after(*batches: list[Json]) -> list[tuple[str, str]]:
    database = open_database(IN_MEMORY)
    for batch in batches:
        keep(database, Caller(Client("hospital")), "service", read_feedback({"feedback": batch}).items, 0)
    with database.connect() as connection:
        found = sorted(f"{row.card} {row.outcome} {row.outcome_at}" for row in connection.execute(select(feedback)))
    database.dispose()
    return [(text, "") for text in found]


# --- the database in trouble


@pytest.fixture
def without_tables(database: Engine) -> Iterator[Engine]:
    """A database that fails at every statement about feedback."""
    with database.begin() as connection:
        for table in ("feedback_comments", "feedback", "cards_shown", "snoozes"):
            connection.exec_driver_sql(f"ALTER TABLE {table} RENAME TO {table}_lost")
    yield database
    with database.begin() as connection:
        for table in ("feedback_comments", "feedback", "cards_shown", "snoozes"):
            connection.exec_driver_sql(f"ALTER TABLE {table}_lost RENAME TO {table}")


@pytest.mark.requirement("DB-02")
def test_where_the_database_fails_the_sender_is_asked_to_send_again(
    ehr: Ehr, without_tables: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    response = ehr.send(overridden(CARD, userComment=CANARY))
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "30"
    assert diagnostics(response.get_json(force=True)).startswith("MYO-1902")
    (line,) = lines(caplog, "store")
    assert re.fullmatch(r"event=store_trouble doing=keep_feedback error=\w+", line)
    assert CANARY not in caplog.text


@pytest.mark.requirement("DB-03")
def test_where_the_database_fails_cards_are_shown_all_the_same(
    ehr: Ehr, without_tables: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    assert ehr.open_chart()
    doing = [re.findall("doing=(.*?) ", line) for line in lines(caplog, "store")]
    assert doing == [["silenced"], ["remember_cards"]]


# --- the log


@pytest.mark.requirement("F-12", "L-4", "LOG-07")
def test_a_comment_shows_nowhere(ehr: Ehr, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    card = ehr.open_chart()[0]
    reason = {"system": CANARY, "code": CANARY, "display": CANARY}
    unreadable = {"card": CANARY, "outcome": "overridden", "overrideReason": {"userComment": CANARY}, CANARY: CANARY}
    responses = [
        ehr.send(overridden(card, userComment=CANARY)),
        ehr.send(overridden(CANARY, reason=reason, userComment=CANARY * 1000), unreadable),
        ehr.send(overridden(card, reason=reason, userComment=CANARY), path=f"/cds-services/{CANARY}/feedback"),
    ]
    assert [response.status_code for response in responses] == [200, 200, 404]
    assert not any(CANARY in f"{response.text}{response.headers}" for response in responses)
    assert "event=feedback" in text(caplog)
    assert CANARY not in caplog.text


@pytest.mark.requirement("L-4")
def test_one_can_go_from_a_hook_instance_to_its_cards_and_to_what_became_of_them(
    ehr: Ehr, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    instance = "5a1a4d1d-5b2c-4d55-9d29-0d2f0b8cb0a1"
    cards = ehr.open_chart(hookInstance=instance)
    ehr.send(accepted(cards[0]), overridden("123456"), {"card": 1})
    asked, told = (dict(re.findall(r"(\w+)=(\S*)", line)) for line in lines(caplog, "requests"))
    assert asked["instance"] == instance
    assert asked["shown"].split(",") == [card["uuid"] for card in cards]
    assert (told["cards"], told["repeated"], told["unknown"], told["refused"]) == ("2", "0", "1", "1")
    (event,) = lines(caplog, "feedback")
    assert event == (
        f"event=feedback client=hospital service=myositis-patient-view card={cards[0]['uuid']} "
        f"topic={cards[0]['source']['topic']['code']} outcome=accepted "
        f"recommendations={len(cards[0]['extension']['org.myositis-cds.explanation']['recommendations'])}"
    )
