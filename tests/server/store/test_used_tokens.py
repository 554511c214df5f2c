"""A token is accepted once: by one process of many, whatever its text, and never because the database is in trouble."""

import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count, takewhile
from pathlib import Path
from time import monotonic

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, event, func, select

from server.store.database import IN_MEMORY, open_database, upgrade_database
from server.store.errors import StoreError
from server.store.tables import used_tokens
from server.store.used_tokens import GRACE_SECONDS, remember
from tests.postgresql import PostgresqlServer
from tests.server.store.all_at_once import TOKENS
from tests.server.store.processes import all_at_once, python
from tests.server.store.rows import emptied

ISSUER = "https://ehr.example"
NOON = datetime(2126, 11, 22, 12, tzinfo=UTC)  # far ahead: what has expired by the real clock is forgotten
NOW = int(NOON.timestamp())


def rows(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(used_tokens)).scalar_one()


@pytest.mark.requirement("J-17", "JWT-14")
def test_a_token_is_new_once(database: Engine) -> None:
    assert remember(database, ISSUER, "1", NOW, NOW)
    assert not remember(database, ISSUER, "1", NOW, NOW)
    assert not remember(database, ISSUER, "1", NOW + 300, NOW)
    assert remember(database, ISSUER, "2", NOW, NOW)


@pytest.mark.requirement("J-17")
def test_each_issuer_has_its_own_tokens(database: Engine) -> None:
    assert remember(database, ISSUER, "1", NOW, NOW)
    assert remember(database, "https://other.example", "1", NOW, NOW)


@pytest.mark.requirement("DB-07")
@pytest.mark.parametrize(
    "jti", ["", "\0", "\ud800", "ä" * 100_000, "' OR 1=1 --"], ids=["empty", "NUL", "surrogate", "long", "SQL"]
)
def test_any_text_is_told_from_any_other(database: Engine, jti: str) -> None:
    assert remember(database, ISSUER, jti, NOW, NOW)
    assert not remember(database, ISSUER, jti, NOW, NOW)
    assert remember(database, ISSUER, f"{jti}.", NOW, NOW)


@pytest.fixture(scope="module")
def memory() -> Iterator[Engine]:
    engine = open_database(IN_MEMORY)
    yield engine
    engine.dispose()


@pytest.mark.requirement("DB-07")
@given(jtis=st.lists(st.text(st.characters()), unique=True, max_size=20))
def test_different_texts_are_different_tokens(memory: Engine, jtis: list[str]) -> None:
    engine = emptied(memory)
    assert all(remember(engine, ISSUER, jti, NOW, NOW) for jti in jtis)
    assert not any(remember(engine, ISSUER, jti, NOW, NOW) for jti in jtis)


@pytest.mark.requirement("J-17")
def test_tokens_go_soon_after_they_have_expired_and_not_before(database: Engine) -> None:
    with time_machine.travel(NOON) as clock:
        assert all(remember(database, ISSUER, f"old {number}", NOW + 300, NOW) for number in range(30))
        clock.shift(300 + GRACE_SECONDS)
        assert not remember(database, ISSUER, "old 1", NOW + 300, NOW)
        assert rows(database) == 30
        clock.shift(1)
        assert all(remember(database, ISSUER, f"new {number}", NOW + 3600, NOW) for number in range(100))
        assert rows(database) == 100


def test_tokens_go_faster_than_they_come(database: Engine) -> None:
    with time_machine.travel(NOON) as clock:
        for hour in range(6):
            assert all(remember(database, ISSUER, f"{hour} {number}", NOW + 3600 * (hour + 1), NOW) for number in range(200))
            clock.shift(3600 + GRACE_SECONDS)
        assert rows(database) < 3 * 200


@pytest.mark.requirement("J-17", "JWT-14", "DB-05")
def test_of_eight_processes_that_race_on_a_token_exactly_one_is_let_in(database_url: str) -> None:
    assert sorted(all_at_once("use", database_url), key=int) == [str(number) for number in range(TOKENS)]


KILLED_AFTER_COMMIT = """
import os, signal, sys
from server.store.database import open_database
from server.store.used_tokens import remember
assert remember(open_database(sys.argv[1]), "https://ehr.example", "1", 2**33, 2**33)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.requirement("PR-01")
def test_what_was_committed_survives_a_kill(database_url: str) -> None:
    assert python("-c", KILLED_AFTER_COMMIT, database_url).returncode == -signal.SIGKILL
    engine = open_database(database_url)
    assert not remember(engine, ISSUER, "1", NOW, NOW)
    engine.dispose()


# --- trouble


@pytest.fixture
def sqlite(tmp_path: Path) -> Engine:
    return open_database(f"sqlite:///{tmp_path}/store.sqlite3")


@pytest.mark.requirement("DB-05")
def test_a_locked_database_is_trouble_and_not_an_endless_wait(sqlite: Engine) -> None:
    with sqlite.connect() as other:
        other.exec_driver_sql("BEGIN IMMEDIATE")
        with pytest.raises(StoreError):
            remember(sqlite, ISSUER, "1", NOW, NOW)
    assert remember(sqlite, ISSUER, "1", NOW, NOW)


def accepts(engine: Engine, jti: str) -> bool:
    try:
        return remember(engine, ISSUER, jti, NOW, NOW)
    except StoreError:
        return False


@pytest.mark.requirement("DB-04")
def test_a_full_disk_is_trouble_and_breaks_nothing(sqlite: Engine) -> None:
    @event.listens_for(sqlite, "connect")
    def nearly_full(connection: object, record: object) -> None:
        connection.execute("PRAGMA max_page_count = 20")  # type: ignore[attr-defined]

    sqlite.dispose()
    accepted = list(takewhile(lambda number: accepts(sqlite, str(number)), count()))
    assert rows(sqlite) == len(accepted) > 0
    with sqlite.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"


@pytest.mark.requirement("DB-02")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["stopped", "crashed"])
def test_a_postgresql_that_is_gone_is_trouble_until_it_is_back(postgresql: PostgresqlServer, how: signal.Signals) -> None:
    url = postgresql.new_database()
    upgrade_database(url)
    engine = open_database(url)
    assert remember(engine, ISSUER, "1", NOW, NOW)
    postgresql.stop(how)
    try:
        for _ in range(3):
            with pytest.raises(StoreError):
                remember(engine, ISSUER, "2", NOW, NOW)
    finally:
        postgresql.start()
    deadline = monotonic() + 30
    while not (is_back := accepts(engine, "2")) and monotonic() < deadline:
        pass
    assert is_back
    assert not remember(engine, ISSUER, "1", NOW, NOW)
    engine.dispose()
