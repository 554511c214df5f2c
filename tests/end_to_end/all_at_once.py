"""A program: eight processes send the same tokens to several services, each token at the same moment.

`python -m tests.end_to_end.all_at_once PORT…` reads a path, a body and then the tokens from its input, one to a line; it prints
a line for each answer: number of the token, status. The processes are forked from one that does nothing else.
"""

import sys
from multiprocessing import get_context
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier

from tests.end_to_end.checked_connection import Answer, CheckedConnection

PROCESSES = 8
SECONDS = 60


def race(port: int, path: str, body: str, tokens: list[str], start: Barrier, answers: "SimpleQueue[str]") -> None:
    """What each process does; the answers are checked when the race is over, and a wrong one ends the process with an error."""
    connection = CheckedConnection(port, timeout=SECONDS)
    read: list[Answer] = []
    for number, token in enumerate(tokens):
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        start.wait()
        connection.request("POST", path, body, headers)
        read.append(connection.unchecked_answer())
        answers.put(f"{number} {read[-1].status}")
    connection.close()
    for answer in read:
        connection.check(answer)


def main(ports: list[int]) -> int:
    """Run the race; 0 if every process came through."""
    path, body, *tokens = sys.stdin.read().splitlines()
    fork = get_context("fork")
    start, answers = fork.Barrier(PROCESSES, timeout=SECONDS), fork.SimpleQueue()
    processes = [
        fork.Process(target=race, args=(ports[number % len(ports)], path, body, tokens, start, answers))
        for number in range(PROCESSES)
    ]
    for process in processes:
        process.start()
    for _ in range(PROCESSES * len(tokens)):
        sys.stdout.write(f"{answers.get()}\n")
    for process in processes:
        process.join(SECONDS)
    return int(any(process.exitcode for process in processes))


if __name__ == "__main__":
    sys.exit(main([int(port) for port in sys.argv[1:]]))
