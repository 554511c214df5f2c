"""Feedback outlives the service that took it (issue 4, Must show 5): a real process, killed, on both databases."""

import json
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
import pytest
from sqlalchemy import create_engine, select

from server.store.tables import feedback
from soak.processes import ends_of_workers, kill_workers
from tests.end_to_end.checked_connection import CheckedConnection
from tests.end_to_end.conftest import COMMAND, Service, end, wait_for_line
from tests.end_to_end.serving import wait_until
from tests.postgresql import PostgresqlServer
from tests.server.charts import ANTI_TIF1, Json, chart, hook_call, prefetch_of

VIEW = "/cds-services/myositis-patient-view"
LIVES = 3


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def environment(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """With a database that has all tables; the tests below share it, the one that looks at every row first."""
    path = {"PATH": os.defpath}
    if request.param == "sqlite":
        file = tmp_path_factory.mktemp("feedback") / "store.sqlite3"
        shutil.copy(request.getfixturevalue("migrated_file"), file)
        yield path | {"MYOSITIS_CDS_DATABASE_URL": f"sqlite:///{file}"}
        return
    server: PostgresqlServer = request.getfixturevalue("postgresql")
    url = server.new_database(template=request.getfixturevalue("migrated_postgresql"))
    yield path | {"MYOSITIS_CDS_DATABASE_URL": url}
    server.drop(url)


@dataclass
class Killable(Service):
    """A service whose worker can be killed, while its supervisor lives on."""

    log: Path

    def kill(self) -> None:
        """Kill whoever answers, and see that this is what happened."""
        before, killed = ends_of_workers(self.log), kill_workers(self.process.pid)
        assert killed
        wait_until(lambda: ends_of_workers(self.log) == before + [-signal.SIGKILL] * len(killed))
        assert self.process.poll() is None


@pytest.fixture(scope="module")
def service(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killable]:
    """With one worker."""
    log, command = tmp_path_factory.mktemp("service") / "log", [COMMAND, "serve", "--port", "0"]
    with (
        log.open("w") as stderr,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True, env=environment) as process,
    ):
        try:
            line = wait_for_line(process, "myositis-cds serves")
            yield Killable(int(line.rpartition(":")[2].partition("/")[0]), process, log)
        finally:
            end(process)


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
    service: Killable, environment: dict[str, str]
) -> None:
    _, answer = service.request("POST", VIEW, hook_call(ANTI_TIF1, prefetch_of(chart(ANTI_TIF1))))
    card, another = answer["cards"][:2]
    assert send(service, accepted(card["uuid"])) == 200
    assert send(service, accepted(card["uuid"])) == 200
    service.kill()

    assert send(service, accepted(card["uuid"]), accepted(another["uuid"]), accepted("123456")) == 200
    service.kill()

    counted = report(environment)
    followed = {row["recommendation"]: (row["shown"], row["accepted"]) for row in counted["recommendations"] if row["accepted"]}
    said = [one["extension"]["org.myositis-cds.explanation"]["recommendations"] for one in (card, another)]
    assert followed == {name: (1, 1) for names in said for name in names}
    assert counted["unknownCards"] == [{"service": "myositis-patient-view", "accepted": 1, "overridden": 0}]


@pytest.mark.slow
@pytest.mark.requirement("F-9", "PR-01")
def test_a_service_that_is_killed_at_work_has_kept_everything_that_it_acknowledged(
    service: Killable, environment: dict[str, str]
) -> None:
    before = set(cards_with_feedback(environment))
    sent: list[str] = []
    acknowledged: list[str] = []
    lives = [0]  # what each worker acknowledged

    def keep_sending() -> None:
        while len(lives) <= LIVES:
            sent.append(str(uuid4()))
            with suppress(OSError, HTTPException):
                if send(service, accepted(sent[-1])) == 200:
                    acknowledged.append(sent[-1])
                    lives[-1] += 1

    sender = threading.Thread(target=keep_sending)
    sender.start()
    for _ in range(LIVES):
        wait_until(lambda: lives[-1] >= 15)
        service.kill()
        lives.append(0)
    sender.join(timeout=30)
    assert not sender.is_alive()
    kept = [card for card in cards_with_feedback(environment) if card not in before]
    assert len(acknowledged) >= LIVES * 15
    assert set(acknowledged) <= set(kept) <= set(sent)
    assert len(set(kept)) == len(kept)
