"""Whether the database can be written: found out by writing, once in a few seconds, and without leaving anything behind."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import Engine, event

from server.http_server import THREADS
from server.store.database import connect, open_database
from server.store.errors import StoreError
from server.store.tables import installation
from server.store.used_tokens import remember
from server.store.writing import CHECKED_SECONDS, WriteCheck, try_writing
from tests.server.store.rows import count


@pytest.mark.requirement("DB-02")
def test_trying_leaves_nothing_behind(database: Engine) -> None:
    try_writing(database)
    assert count(database, installation) == 0


@pytest.mark.requirement("DB-02", "DB-04")
def test_a_full_disk_is_noticed(tmp_path: Path) -> None:
    engine = connect(url := f"sqlite:///{tmp_path}/store.sqlite3")
    open_database(url).dispose()

    @event.listens_for(engine, "connect")
    def full(connection: object, record: object) -> None:
        connection.execute("PRAGMA max_page_count=1")  # type: ignore[attr-defined]  # so no page is added any more

    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM used_tokens").scalar() == 0, "it can be read"
    with pytest.raises(StoreError):
        try_writing(engine)


@pytest.mark.requirement("DB-02", "DB-04")
def test_a_database_that_may_only_be_read_is_noticed(tmp_path: Path) -> None:
    engine = connect(url := f"sqlite:///{tmp_path}/store.sqlite3")
    open_database(url).dispose()

    @event.listens_for(engine, "connect")
    def read_only(connection: object, record: object) -> None:
        connection.execute("PRAGMA query_only=ON")  # type: ignore[attr-defined]

    with pytest.raises(StoreError):
        try_writing(engine)


@pytest.mark.requirement("DB-02")
def test_one_attempt_counts_for_a_few_seconds_whatever_it_came_to(tmp_path: Path) -> None:
    engine, now = open_database(f"sqlite:///{tmp_path}/store.sqlite3"), [0.0]
    check = WriteCheck(engine, clock=lambda: now[0])
    assert check.can_write()
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE installation RENAME TO elsewhere")
    now[0] += CHECKED_SECONDS - 1
    assert check.can_write()
    now[0] += 1
    assert not check.can_write()
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO installation")
    now[0] += CHECKED_SECONDS - 1
    assert not check.can_write()
    now[0] += 1
    assert check.can_write()


@pytest.mark.requirement("DB-02", "DB-03")
def test_nobody_waits_while_another_thread_tries(tmp_path: Path) -> None:
    engine, now = open_database(f"sqlite:///{tmp_path}/store.sqlite3"), [0.0]
    check = WriteCheck(engine, clock=lambda: now[0])
    assert check.can_write()
    now[0] += CHECKED_SECONDS
    begun, go_on = Event(), Event()

    @event.listens_for(engine, "commit")
    def slow(connection: object) -> None:
        begun.set()
        assert go_on.wait(10)

    with ThreadPoolExecutor(1) as pool:
        trying = pool.submit(check.can_write)
        assert begun.wait(10)
        assert check.can_write(), "what was known before"
        assert not trying.done()
        go_on.set()
        assert trying.result()


@pytest.mark.requirement("DB-03")
def test_each_thread_of_the_server_has_a_connection(database: Engine) -> None:
    connections = [database.connect() for _ in range(THREADS)]
    assert database.pool.status().find("Overflow: 0") > 0
    for connection in connections:
        connection.close()
    assert remember(database, "https://ehr.example", "1", 9**10, 9**10)
