"""Feedback outlives the service that took it (issue 4, Must show 5): a real process, killed, on both databases."""

import json
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from http.client import HTTPException
from typing import Any
from uuid import uuid4

import orjson
import pytest
from sqlalchemy import create_engine, select

from server.store.tables import feedback
from tests.end_to_end.checked_connection import CheckedConnection
from tests.end_to_end.conftest import COMMAND, Service, end
from tests.server.charts import ANTI_TIF1, Json, chart, hook_call, prefetch_of

VIEW = "/cds-services/myositis-patient-view"

Start = Callable[[], Service]


@pytest.fixture
def environment(database_url: str) -> dict[str, str]:
    return {"PATH": os.defpath, "MYOSITIS_CDS_DATABASE_URL": database_url}


@pytest.fixture
def start(environment: dict[str, str]) -> Iterator[Start]:
    """Starts services, one after the other, on the same database."""
    started: list[subprocess.Popen[str]] = []

    def run() -> Service:
        process = subprocess.Popen(
            [COMMAND, "serve", "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
        )
        started.append(process)
        assert process.stdout
        return Service(int(process.stdout.readline().rpartition(":")[2].partition("/")[0]), process)

    yield run
    for process in started:
        with process:
            end(process)


def kill(service: Service) -> None:
    service.process.kill()
    service.process.wait(timeout=15)


def send(service: Service, *items: Json) -> int:
    with closing(CheckedConnection(service.port, timeout=10)) as connection:
        connection.request("POST", f"{VIEW}/feedback", orjson.dumps({"feedback": items}), {"Content-Type": "application/json"})
        return connection.answer().status


def accepted(card: str) -> Json:
    return {
        "card": card,
        "outcome": "accepted",
        "outcomeTimestamp": "2026-11-22T10:00:00Z",
        "acceptedSuggestions": [{"id": str(uuid4())}],
    }


def report(environment: dict[str, str]) -> Any:
    command = [COMMAND, "report", "feedback", "--least", "1"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60, env=environment)
    return json.loads(printed.stdout)


def cards_with_feedback(environment: dict[str, str]) -> list[str]:
    database = create_engine(environment["MYOSITIS_CDS_DATABASE_URL"])
    with closing(database.connect()) as connection:
        cards = list(connection.scalars(select(feedback.c.card)))
    database.dispose()
    return cards


@pytest.mark.slow
@pytest.mark.requirement("F-9", "FB-01", "PR-01")
def test_feedback_that_was_sent_twice_counts_once_also_when_the_service_is_killed_in_between(
    start: Start, environment: dict[str, str]
) -> None:
    first = start()
    _, answer = first.request("POST", VIEW, hook_call(ANTI_TIF1, prefetch_of(chart(ANTI_TIF1))))
    card, another = answer["cards"][:2]
    assert send(first, accepted(card["uuid"])) == 200
    assert send(first, accepted(card["uuid"])) == 200
    kill(first)

    second = start()
    assert send(second, accepted(card["uuid"]), accepted(another["uuid"]), accepted("123456")) == 200
    kill(second)

    counted = report(environment)
    followed = {row["recommendation"]: (row["shown"], row["accepted"]) for row in counted["recommendations"] if row["accepted"]}
    said = [one["extension"]["org.myositis-cds.explanation"]["recommendations"] for one in (card, another)]
    assert followed == {name: (1, 1) for names in said for name in names}
    assert counted["unknownCards"] == [{"service": "myositis-patient-view", "accepted": 1, "overridden": 0}]


@pytest.mark.slow
@pytest.mark.requirement("F-9", "PR-01")
def test_a_service_that_is_killed_at_work_has_kept_everything_that_it_acknowledged(
    start: Start, environment: dict[str, str]
) -> None:
    service = start()
    sent: list[str] = []
    acknowledged: list[str] = []
    many = threading.Event()

    def keep_sending() -> None:
        with suppress(OSError, HTTPException):
            while True:
                sent.append(str(uuid4()))
                if send(service, accepted(sent[-1])) == 200:
                    acknowledged.append(sent[-1])
                if len(acknowledged) == 50:
                    many.set()

    sender = threading.Thread(target=keep_sending)
    sender.start()
    assert many.wait(timeout=30)
    kill(service)
    sender.join(timeout=30)
    assert not sender.is_alive()
    kept = cards_with_feedback(environment)
    assert set(acknowledged) <= set(kept) <= set(sent)
    assert len(set(kept)) == len(kept)
