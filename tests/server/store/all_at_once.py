"""A program: eight processes open one database at the same moment and then present the same tokens, each at the same moment.

`python -m tests.server.store.all_at_once URL NUMBER` presents so many tokens and prints those that were accepted, once for each
time. The processes are forked before anything is opened, from a process that does nothing else; to start eight interpreters would
take longer than the race.
"""

import sys
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier

from server.store.database import open_database
from server.store.used_tokens import remember

PROCESSES = 8
SECONDS = 60


def race(url: str, tokens: range, start: Barrier, accepted: "SimpleQueue[str]") -> None:
    """What each process does."""
    start.wait()
    engine = open_database(url)
    for token in map(str, tokens):
        start.wait()
        if remember(engine, "https://ehr.example", token, 2**33):
            accepted.put(token)


def main(url: str, tokens: range) -> int:
    """Run the race; 0 if every process came through."""
    for module in ("server.store.hurried", "server.store.migrating"):
        import_module(module)  # once, instead of once in each process
    fork = get_context("fork")
    start, accepted = fork.Barrier(PROCESSES, timeout=SECONDS), fork.SimpleQueue()
    processes = [fork.Process(target=race, args=(url, tokens, start, accepted)) for _ in range(PROCESSES)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(SECONDS)
    while not accepted.empty():
        sys.stdout.write(f"{accepted.get()}\n")
    return int(any(process.exitcode for process in processes))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], range(int(sys.argv[2]))))
