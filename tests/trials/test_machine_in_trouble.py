"""A service process whose machine has no room, no handles, or a network that swallows everything; and then has them again."""

import resource
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from server.store.database import upgrade_database
from server.store.deadline import TRANSACTION_SECONDS
from server.store.writing import CHECKED_SECONDS
from soak.processes import tree_of
from tests.end_to_end.checked_connection import CheckedConnection
from tests.fault_proxy import BlackHole, Fault, fault_proxy
from tests.postgresql import PostgresqlServer
from tests.trials.load import Load, load
from tests.trials.postgresql_outage import health
from tests.trials.processes import handles_of, short_of
from tests.trials.trusting_service import TrustingService, trusting_service

PATIENCE = 20.0
PAUSE = 0.05
"""Seconds between two hook calls of a sender."""
BUSY_SECONDS = 3.0
"""What else an answer may take, on a machine that has other things to do."""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("machine") / "store.sqlite3"


@pytest.fixture(scope="module")
def service(file: Path) -> Iterator[TrustingService]:
    """On SQLite."""
    with trusting_service(file.parent, f"sqlite:///{file}") as running:
        yield running


def readiness(service: TrustingService, expected: int) -> None:
    """Ask until a service says so."""
    deadline = time.monotonic() + PATIENCE
    while (said := health(service, "ready")) != expected and time.monotonic() < deadline:
        time.sleep(0.1)
    assert said == expected


def statuses(sending: Load, count: int) -> set[int]:
    """What the next requests are answered with; those that are under way belong to the time before."""
    now, deadline = time.monotonic(), time.monotonic() + PATIENCE
    while len(new := [one for one in sending.answered if one.began > now]) < count and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(new) >= count
    return {one.status for one in new}


@pytest.mark.slow
@pytest.mark.requirement("DB-04", "F-9")
def test_a_full_disk_is_said_and_breaks_nothing_and_is_over_when_there_is_room(service: TrustingService, file: Path) -> None:
    full = dict.fromkeys(tree_of(service.process.pid), 4096)  # no page finds room in the write-ahead log
    with load(service, 2, PAUSE) as sending:
        assert statuses(sending, 8) == {200}
        with short_of(service.process.pid, resource.RLIMIT_FSIZE, full):
            readiness(service, 503)
            assert statuses(sending, 8) == {503}
            assert health(service, "live") == 200
        readiness(service, 200)
        assert statuses(sending, 8) == {200}
    acknowledged = {one.card for one in sending.answered if one.card and one.status == 200}
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        kept = {card for (card,) in connection.execute("SELECT card FROM feedback")}
    assert acknowledged
    assert acknowledged <= kept


@pytest.mark.slow
@pytest.mark.requirement("PR-04")
def test_without_handles_it_is_not_ready_and_lives_and_comes_back(service: TrustingService) -> None:
    readiness(service, 200)
    with closing(CheckedConnection(service.port)) as connection:

        def ask(path: str) -> int:
            connection.request("GET", path)
            return connection.answer().status

        assert ask("/health/ready") == 200
        allowed = {one: handles_of(one) for one in tree_of(service.process.pid)}  # not one more
        with short_of(service.process.pid, resource.RLIMIT_NOFILE, allowed):
            assert ask("/health/ready") == 503
            assert ask("/health/live") == 200
            assert ask("/cds-services") == 200
        assert ask("/health/ready") == 200
    with load(service, 2, PAUSE) as sending:
        assert statuses(sending, 8) == {200}
    assert service.process.poll() is None


@pytest.mark.slow
@pytest.mark.requirement("DB-02", "DB-03")
def test_a_database_that_swallows_everything_holds_no_request(tmp_path: Path, postgresql: PostgresqlServer) -> None:
    url = postgresql.new_database()
    upgrade_database(url)
    with fault_proxy(f"{postgresql.folder}/.s.PGSQL.5432") as proxy:
        name = url.partition("@/")[2].partition("?")[0]
        through = f"postgresql+psycopg://postgres@127.0.0.1:{proxy.port}/{name}"
        with trusting_service(tmp_path, through) as service, load(service, 20, 4 * PAUSE) as sending:  # more than it has threads
            assert statuses(sending, 40) == {200}
            proxy.fault = BlackHole()
            hole = time.monotonic()
            readiness(service, 503)
            assert statuses(sending, 60) == {503}
            began = time.monotonic()
            assert health(service, "live") == 200
            assert time.monotonic() - began < BUSY_SECONDS
            proxy.fault = Fault()
            healed = time.monotonic()
            readiness(service, 200)
            assert time.monotonic() - healed < TRANSACTION_SECONDS + CHECKED_SECONDS + BUSY_SECONDS
            assert statuses(sending, 40) == {200}
        swallowed = sending.between(hole, healed)
        assert max(one.seconds for one in swallowed) < TRANSACTION_SECONDS + BUSY_SECONDS
        assert all(one.retry_after for one in swallowed if one.status == 503)
