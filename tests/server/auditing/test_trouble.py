"""When the database takes no record: nothing is answered, or the record waits in a journal, or the log says so (AUD-02)."""

import signal
import time
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine

from server.auditing.journal import Journal
from server.config import Config, ConfigurationError
from server.observing.figures import exposition
from server.runtime import open_runtime
from server.store.tables import cards_shown
from tests.postgresql import PostgresqlServer
from tests.server.answers import diagnostics
from tests.server.auditing.conftest import Start
from tests.server.auditing.rows import entries, faults
from tests.server.charts import ANTI_TIF1, chart, hook_call, prefetch_of
from tests.server.observing.scraped import Scraped, since
from tests.server.store.rows import count

VIEW = "/cds-services/myositis-patient-view"
ON_POSTGRESQL = pytest.mark.parametrize("empty_database_url", ["postgresql"], indirect=True)
PREFETCH = prefetch_of(chart(ANTI_TIF1))


def call() -> dict[str, object]:
    return hook_call(ANTI_TIF1, PREFETCH) | {"hookInstance": str(uuid4())}


def break_audit(database: Engine) -> None:
    with database.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE audit_events RENAME TO lost")


def wait_until_home(path: Path) -> None:
    deadline = time.monotonic() + 20
    while Journal(path).is_waiting():
        assert time.monotonic() < deadline, "the journal is not brought home"
        time.sleep(0.02)


@pytest.mark.requirement("AUD-02")
def test_closed_answers_nothing_that_is_not_recorded(start: Start, database: Engine) -> None:
    _, http = start(database)
    break_audit(database)
    for path, body in ((VIEW, call()), ("/assess", chart(ANTI_TIF1)), (f"{VIEW}/feedback", {"feedback": []}), (VIEW, {})):
        refused = http.post(path, json=body)
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "30")
        assert diagnostics(refused.get_json(force=True)).startswith("MYO-1905")
    assert count(database, cards_shown) == 0


@pytest.mark.requirement("AUD-02")
def test_closed_answers_nothing_either_when_somebody_took_the_next_place_in_the_chain(start: Start, database: Engine) -> None:
    _, http = start(database)
    assert http.post(VIEW, json=call()).status_code == 200
    with database.begin() as connection:
        connection.exec_driver_sql("UPDATE audit_chains SET sequence = 0")
    assert http.post(VIEW, json=call()).status_code == 503


@pytest.mark.requirement("AUD-02")
def test_open_answers_all_the_same(start: Start, memory: Engine) -> None:
    _, http = start(memory, "open")
    break_audit(memory)
    before = Scraped(exposition().decode())
    assert http.post(VIEW, json=call()).get_json()["cards"]
    assert since(before, Scraped(exposition().decode()), "audit_trouble_total", action="open") == 1


@pytest.mark.requirement("AUD-02", "DB-02")
@ON_POSTGRESQL
def test_spill_loses_nothing_while_the_database_is_stopped_and_brings_it_home_in_order(
    start: Start, database: Engine, postgresql: PostgresqlServer, tmp_path: Path
) -> None:
    runtime, http = start(database, "spill")
    path = tmp_path / "journal"
    sent = [call() for _ in range(9)]
    for one in sent[:3]:
        assert http.post(VIEW, json=one).status_code == 200
    postgresql.stop(signal.SIGQUIT)
    try:
        for one in sent[3:6]:
            assert http.post(VIEW, json=one).get_json()["cards"]
        assert path.stat().st_mode & 0o777 == 0o600
        assert len(path.read_bytes().splitlines()) == 3
    finally:
        postgresql.start()
    assert http.post(VIEW, json=sent[6]).status_code == 200
    wait_until_home(path)
    for one in sent[7:]:
        assert http.post(VIEW, json=one).status_code == 200
    assert [one["instance"] for one in entries(database)] == [one["hookInstance"] for one in sent]
    assert faults(database, runtime.pseudonyms.key_for("audit")) == []


@pytest.mark.requirement("AUD-02")
def test_a_journal_that_an_earlier_process_left_is_brought_home_at_the_start(start: Start, tmp_path: Path) -> None:
    url, path = f"sqlite:///{tmp_path}/store.sqlite3", tmp_path / "journal"
    settings = Config(database_url=url, audit="spill", audit_spill_file=path)
    runtime = open_runtime(settings)
    _, http = start(runtime.database, "spill", pseudonyms=runtime.pseudonyms)
    break_audit(runtime.database)
    assert http.post(VIEW, json=call()).status_code == 200
    with runtime.database.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE lost RENAME TO audit_events")
    open_runtime(settings)
    wait_until_home(path)
    assert len(entries(runtime.database)) == 1


@pytest.mark.requirement("AUD-02")
def test_spill_is_bounded_and_then_closed(start: Start, memory: Engine, tmp_path: Path) -> None:
    runtime, http = start(memory, "spill")
    break_audit(memory)
    assert runtime.trail.journal
    runtime.trail.journal._most_bytes = 3_000
    statuses = [http.post(VIEW, json=call()).status_code for _ in range(8)]
    assert statuses == sorted(statuses)
    assert set(statuses) == {200, 503}
    assert 1_000 < (tmp_path / "journal").stat().st_size <= 3_000


@pytest.mark.requirement("AUD-02")
def test_a_journal_that_cannot_be_written_is_said_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="AUDIT_SPILL_FILE"):
        open_runtime(Config(audit="spill", audit_spill_file=tmp_path / "nowhere" / "journal"))
