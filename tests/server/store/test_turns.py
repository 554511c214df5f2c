"""Threads and processes that write into an SQLite file one after the other, and none of them is refused for want of a turn."""

import fcntl
import logging
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from threading import Event, Lock
from time import sleep

import pytest
from sqlalchemy import Engine, create_engine

from server import interpreter
from server.interpreter import turn_to_compute
from server.observing.figures import exposition
from server.store import turns
from server.store.errors import StoreError
from server.store.turns import turn
from tests.server.logged import lines
from tests.server.observing.scraped import Scraped, since


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return create_engine(f"sqlite:///{tmp_path / 'state.sqlite3'}")


@pytest.mark.requirement("DB-05")
def test_of_many_threads_one_is_at_it_at_a_time_and_each_has_its_turn(engine: Engine) -> None:
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
def test_whoever_waits_too_long_for_another_process_is_told_so_also_while_it_asks_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "BUSY_SECONDS", 0.05)
    one, other = (create_engine(f"sqlite:///{tmp_path / 'state.sqlite3'}") for _ in range(2))  # as far apart as two processes
    with turn(one):
        assert takes_its_turn(one)  # and leaves the inner turn, not the outer one
        with pytest.raises(StoreError):
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
    monkeypatch.setattr(turns, "BUSY_SECONDS", 0.1)
    monkeypatch.setattr(interpreter, "PATIENCE_SECONDS", 0.3)
    with ThreadPoolExecutor(3) as pool, turn_to_compute():
        writers = [pool.submit(takes_its_turn, engine) for _ in range(3)]
        assert all(writer.result(5) for writer in writers)


@pytest.mark.requirement("DB-05")
def test_whoever_finds_the_file_taken_lets_others_evaluate_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreter, "PATIENCE_SECONDS", 60)
    one, other = (create_engine(f"sqlite:///{tmp_path / 'state.sqlite3'}") for _ in range(2))
    ended = Event()

    def write() -> None:
        with turn(one):
            ended.wait(5)

    monkeypatch.setattr(turns, "turn_to_compute", nullcontext)  # of the one that has the file: another process has its own
    with ThreadPoolExecutor(2) as pool:
        writing = pool.submit(write)
        while not is_locked(tmp_path / "state.sqlite3-turn"):
            sleep(0.001)
        monkeypatch.setattr(turns, "turn_to_compute", turn_to_compute)
        waiting = pool.submit(takes_its_turn, other)
        for _ in range(20):
            with turn_to_compute():
                assert not waiting.done()
        ended.set()
        writing.result(5)
        assert waiting.result(5)


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
