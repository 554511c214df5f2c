"""Threads and processes that write into an SQLite file one after the other, and none of them is refused for want of a turn."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, Lock

import pytest
from sqlalchemy import Engine, create_engine

from server.observing.figures import exposition
from server.store import turns
from server.store.errors import StoreError
from server.store.turns import turn
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
def test_processes_that_write_all_the_time_take_turns_and_a_killed_one_holds_nobody_up(tmp_path: Path) -> None:
    file = tmp_path / "state.sqlite3"
    held = subprocess.Popen([sys.executable, "-c", HOLDER, str(file)], stdout=subprocess.PIPE, text=True)
    assert held.stdout
    assert held.stdout.readline() == "has its turn\n"
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(takes_its_turn, create_engine(f"sqlite:///{file}"))
        assert not waiting.done()
        held.kill()
        assert waiting.result(5)
    held.wait()
    held.stdout.close()


@pytest.mark.requirement("DB-05")
def test_whoever_waits_too_long_for_another_process_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "BUSY_SECONDS", 0.05)
    one, other = (create_engine(f"sqlite:///{tmp_path / 'state.sqlite3'}") for _ in range(2))  # as far apart as two processes
    with turn(one), turn(one), pytest.raises(StoreError), turn(other):
        pass
    assert takes_its_turn(other)


def test_where_no_file_can_be_made_beside_the_database_writers_of_a_process_queue_all_the_same(tmp_path: Path) -> None:
    assert takes_its_turn(create_engine(f"sqlite:///{tmp_path / 'no folder' / 'state.sqlite3'}"))


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
