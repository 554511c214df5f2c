"""A program: processes that write records at the same time.

    python -m tests.server.auditing.processes append URL              4 processes, each with 8 threads, to the same two chains
    python -m tests.server.auditing.processes spill URL JOURNAL SAID  pairs that add to a journal and bring it home, all of them
                                                                      killed at some moment; SAID gets the ids of what was kept

They are forked from a process that has opened nothing; to start interpreters would take longer than what is to be seen.
"""

import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib import import_module
from itertools import count
from multiprocessing import get_context
from pathlib import Path
from random import Random
from threading import Thread

import orjson

from server.auditing.appending import append
from server.auditing.bringing_home import bring_home
from server.auditing.journal import Journal
from server.store.database import connect
from server.store.errors import StoreError
from server.store.transactions import transaction
from tests.server.auditing.rows import KEY, line

PROCESSES, THREADS, EACH = 4, 8, 6
CLIENTS = ("hospital", "other")
ROUNDS, SECONDS = 5, 60

_fork = get_context("fork")


def append_all(url: str) -> int:
    """All of them at once; how many processes failed."""

    def work() -> None:
        database = connect(url, hurried=False)

        def one(number: int) -> None:
            for _ in range(EACH):
                while True:
                    with suppress(StoreError), transaction(database) as connection:  # SQLite lets nobody wait for long
                        append(connection, KEY, [line(CLIENTS[number % 2])])
                        break

        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(one, range(THREADS)))

    started = [_fork.Process(target=work) for _ in range(PROCESSES)]
    for process in started:
        process.start()
    for process in started:
        process.join(SECONDS)
    return sum(bool(process.exitcode) for process in started)


def spill_and_be_killed(url: str, path: str, said: str) -> int:
    """Some rounds, each with two processes that are killed at work."""
    chance = Random(6)
    for _ in range(ROUNDS):
        before = os.stat(said).st_size
        pair = [_fork.Process(target=_spill, args=(url, path, said)) for _ in range(2)]
        for process in pair:
            process.start()
        deadline = time.monotonic() + SECONDS
        while os.stat(said).st_size == before and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(chance.uniform(0.05, 0.4))
        for process in pair:
            process.kill()
            process.join(SECONDS)
    return 0


def _spill(url: str, path: str, said: str) -> None:
    journal, database = Journal(Path(path)), connect(url)
    out = os.open(said, os.O_WRONLY | os.O_APPEND)

    def carry() -> None:
        while True:
            if journal.is_waiting():
                with suppress(StoreError):  # the other process has the database
                    bring_home(journal, database, KEY)

    Thread(target=carry, daemon=True).start()
    for number in count():
        one = line(at=number)
        journal.append(one.text)
        os.write(out, f"{orjson.loads(one.text)['id']}\n".encode())


JOBS: dict[str, Callable[..., int]] = {"append": append_all, "spill": spill_and_be_killed}

if __name__ == "__main__":
    import_module("server.store.hurried")  # once, instead of once in each process
    sys.exit(JOBS[sys.argv[1]](*sys.argv[2:]))
