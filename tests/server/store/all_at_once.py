"""A program: eight processes do the same at the same moment, again and again.

    python -m tests.server.store.all_at_once open FOLDER      open new SQLite files in the folder
    python -m tests.server.store.all_at_once use URL          present the same tokens; prints those that were accepted
    python -m tests.server.store.all_at_once pseudonyms URL   load the key of pseudonyms; prints the pseudonym of a patient

The processes are forked before anything is opened, from a process that does nothing else; to start eight interpreters would take
longer than what is to be seen.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier

from server.store.database import open_database
from server.store.pseudonyms import load_pseudonyms
from server.store.used_tokens import remember

PROCESSES = 8
FILES = 10
TOKENS = 60
SECONDS = 60

Job = Callable[[str, Barrier], Iterator[str]]


def open_files(folder: str, start: Barrier) -> Iterator[str]:
    """The number of each file that was opened."""
    for number in range(FILES):
        start.wait()
        open_database(f"sqlite:///{folder}/{number}/store.sqlite3").dispose()
        yield str(number)


def use_tokens(url: str, start: Barrier) -> Iterator[str]:
    """The tokens that were accepted."""
    engine = open_database(url)
    for token in map(str, range(TOKENS)):
        start.wait()
        if remember(engine, "https://ehr.example", token, 2**33, 2**33):
            yield token


def make_pseudonym(url: str, start: Barrier) -> Iterator[str]:
    """A pseudonym, with the key that this process believes in."""
    engine = open_database(url)
    start.wait()
    yield load_pseudonyms(engine, None).of("ehr", "1")


JOBS: dict[str, Job] = {"open": open_files, "use": use_tokens, "pseudonyms": make_pseudonym}


def main(job: str, argument: str) -> int:
    """Do a job in all processes; 0 if every process came through."""
    for module in ("server.store.hurried", "alembic.command"):
        import_module(module)  # once, instead of once in each process
    fork = get_context("fork")
    start, said = fork.Barrier(PROCESSES, timeout=SECONDS), fork.SimpleQueue()

    def run() -> None:
        with ExitStack() as on_trouble:
            on_trouble.callback(start.abort)
            for line in JOBS[job](argument, start):
                said.put(line)
            on_trouble.pop_all()

    processes = [fork.Process(target=run) for _ in range(PROCESSES)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(SECONDS)
    while not said.empty():
        sys.stdout.write(f"{said.get()}\n")
    return int(any(process.exitcode for process in processes))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
