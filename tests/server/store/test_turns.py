"""Threads and processes that write into an SQLite file one after the other, and none of them is refused for want of a turn."""

import fcntl
import logging
import os
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from threading import Event, Lock
from time import monotonic, sleep

import pytest
from sqlalchemy import Connection, Engine, create_engine, event, text

from server import interpreter
from server.interpreter import turn_to_evaluate
from server.observing.figures import exposition
from server.store import turns
from server.store.errors import StoreError
from server.store.sqlite import made_ready, turn_file
from server.store.transactions import transaction
from server.store.turns import turn
from tests.server.logged import lines
from tests.server.observing.scraped import Scraped, since


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return create_engine(f"sqlite:///{tmp_path / 'state.sqlite3'}")


@pytest.mark.requirement("DB-05")
@pytest.mark.parametrize("folder", [".", "no folder"], ids=["a file beside it", "no file beside it"])
def test_of_many_threads_one_is_at_it_at_a_time_and_each_has_its_turn(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also of those whose patience for their turn to compute is over."""
    monkeypatch.setattr(turns, "turn_to_write", nullcontext)
    engine = create_engine(f"sqlite:///{tmp_path / folder / 'state.sqlite3'}")
    together, most, done, guard = 0, 0, 0, Lock()

    def write() -> None:
        nonlocal together, most, done
        with turn(engine):
            with guard:
                together += 1
                most = max(most, together)
            Event().wait(0.002)
            with guard:
                together -= 1
                done += 1

    with ThreadPoolExecutor(16) as pool:
        for one in [pool.submit(write) for _ in range(64)]:
            one.result()
    assert (most, done) == (1, 64)


@pytest.mark.requirement("DB-05")
def test_whoever_waits_too_long_is_told_so_and_another_file_is_another_queue(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "BUSY_SECONDS", 0.05)
    before = Scraped(exposition().decode())
    other = create_engine("sqlite://")

    def write(into: Engine) -> None:
        with turn(into):
            pass

    with ThreadPoolExecutor(1) as pool, turn(engine):
        with pytest.raises(StoreError):
            pool.submit(write, engine).result()
        pool.submit(write, other).result()
    write(engine)
    assert since(before, Scraped(exposition().decode()), "database_trouble_total") == 1


@pytest.mark.requirement("DB-05")
def test_a_process_that_has_its_turn_keeps_the_others_waiting_until_it_is_killed(tmp_path: Path) -> None:
    file = tmp_path / "state.sqlite3"
    held = subprocess.Popen([sys.executable, "-c", HOLDER, str(file)], stdout=subprocess.PIPE, text=True)
    assert held.stdout
    with ThreadPoolExecutor(1) as pool, held.stdout:
        try:
            assert held.stdout.readline() == "has its turn\n"
            waiting = pool.submit(takes_its_turn, create_engine(f"sqlite:///{file}"))
            with pytest.raises(TimeoutError):
                waiting.result(0.2)
        finally:
            held.kill()
            held.wait()
        assert waiting.result(5)


@pytest.mark.requirement("DB-05")
def test_whoever_waits_too_long_for_another_process_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "BUSY_SECONDS", 0.05)
    one, other = (create_engine(f"sqlite:///{tmp_path / 'state.sqlite3'}") for _ in range(2))  # as far apart as two processes
    with turn(one), pytest.raises(StoreError):
        takes_its_turn(other)
    assert takes_its_turn(other)


@pytest.mark.requirement("DB-05")
def test_where_no_file_can_be_made_beside_the_database_threads_take_turns_all_the_same(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'no folder' / 'state.sqlite3'}")
    with caplog.at_level(logging.WARNING), ThreadPoolExecutor(1) as pool, turn(engine), pytest.raises(TimeoutError):
        pool.submit(takes_its_turn, engine).result(0.1)
    assert takes_its_turn(engine)
    assert "event=no_turns_among_processes error=ENOENT" in "\n".join(lines(caplog.records, "store"))


@pytest.mark.requirement("DB-05")
def test_whoever_evaluates_for_long_makes_no_writer_late(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of eight writers waits for those before it, and none for the evaluation for longer than its patience."""
    monkeypatch.setattr(turns, "BUSY_SECONDS", 1.0)
    monkeypatch.setattr(interpreter, "WRITERS_PATIENCE_SECONDS", 0.02)

    def write() -> None:
        with turn(engine):
            sleep(0.01)

    with ThreadPoolExecutor(8) as pool, turn_to_evaluate():
        for writer in [pool.submit(write) for _ in range(8)]:
            writer.result(5)


@pytest.mark.requirement("DB-05")
def test_whoever_finds_the_file_taken_lets_others_evaluate_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreter, "PATIENCE_SECONDS", 60)
    one, other = (create_engine(f"sqlite:///{tmp_path / 'state.sqlite3'}") for _ in range(2))
    looked, ended = Event(), Event()
    evaluations = 0

    def looking(seconds: float) -> None:
        looked.set()
        sleep(seconds)

    def write() -> None:
        with turn(one) as let_others_compute:
            let_others_compute()  # another process has a turn of its own
            ended.wait(5)

    with ThreadPoolExecutor(2) as pool:
        writing = pool.submit(write)
        while not is_locked(turn_file(tmp_path / "state.sqlite3")):
            assert not writing.done()
            sleep(0.001)
        monkeypatch.setattr(turns, "sleep", looking)
        waiting = pool.submit(takes_its_turn, other)
        assert looked.wait(5)
        until = monotonic() + 0.1
        while monotonic() < until:
            with turn_to_evaluate():
                assert not waiting.done()
                evaluations += 1
        ended.set()
        writing.result(5)
        assert waiting.result(5)
    assert evaluations > 20


@pytest.mark.requirement("DB-05")
def test_while_the_disk_is_flushed_others_evaluate(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreter, "PATIENCE_SECONDS", 60)
    flushes, ended = Event(), Event()

    def flush(connection: Connection) -> None:
        flushes.set()
        assert ended.wait(5)

    event.listen(engine, "commit", flush)

    def write() -> None:
        with transaction(engine) as connection:
            connection.execute(text("CREATE TABLE anything (a INTEGER)"))

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        assert flushes.wait(5)
        with turn_to_evaluate():
            ended.set()
        writing.result(5)


@pytest.mark.requirement("DB-05")
def test_a_tool_that_knows_no_turns_is_waited_for_as_long_as_is_said(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside an evaluation that does not end, too: its patience, then SQLite's."""
    monkeypatch.setattr(interpreter, "WRITERS_PATIENCE_SECONDS", 0.02)
    assert engine.url.database
    impatient = create_engine(engine.url, connect_args={"timeout": 0.2, "isolation_level": "IMMEDIATE"})
    tool = sqlite3.connect(engine.url.database, isolation_level=None)
    tool.execute("BEGIN IMMEDIATE")
    try:
        with ThreadPoolExecutor(1) as pool, turn_to_evaluate():
            began = monotonic()
            with pytest.raises(StoreError):
                pool.submit(writes, impatient).result(5)
            assert 0.2 <= monotonic() - began < 1
    finally:
        tool.close()


@pytest.mark.requirement("DB-05")
def test_a_lock_that_cannot_be_given_back_stops_nobody(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    close = os.close

    def fail(descriptor: int) -> None:
        close(descriptor)
        raise OSError(5, "the disk is sick")

    with pytest.raises(OSError, match="sick"), turn(engine):
        monkeypatch.setattr(os, "close", fail)
    monkeypatch.undo()
    assert takes_its_turn(engine)


def test_the_file_beside_the_database_is_for_its_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where root makes it: an administrator who comes before the service."""
    file, given = tmp_path / "state.sqlite3", []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "fchown", lambda descriptor, *owner: given.append(owner))
    with made_ready(file):
        owner = file.stat()
    assert given == [(owner.st_uid, owner.st_gid)]
    assert turn_file(file).stat().st_mode & 0o777 == 0o600


def test_no_link_is_followed_to_make_the_file_beside_the_database(tmp_path: Path) -> None:
    file, elsewhere = tmp_path / "state.sqlite3", tmp_path / "elsewhere"
    turn_file(file).symlink_to(elsewhere)
    with made_ready(file):
        pass
    assert not elsewhere.exists()


def is_locked(file: Path) -> bool:
    if not file.exists():
        return False
    with file.open() as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


HOLDER = """
import sys
from threading import Event
from sqlalchemy import create_engine
from server.store.turns import turn
with turn(create_engine(f"sqlite:///{sys.argv[1]}")):
    print("has its turn", flush=True)
    Event().wait(60)
"""


def takes_its_turn(engine: Engine) -> bool:
    with turn(engine):
        return True


def writes(engine: Engine) -> None:
    with transaction(engine) as connection:
        connection.execute(text("CREATE TABLE anything (a INTEGER)"))
