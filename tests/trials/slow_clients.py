"""Slow clients beside a usual one (IN-07): how long a usual call takes, without and with them."""

import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from threading import Event, Thread

from tests.end_to_end.serving import CALL, JSON, VIEW, open_slow

LINE = f"POST {VIEW} HTTP/1.1\r\nHost: localhost\r\n".encode()
HEAD = LINE + b"Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n"


@dataclass(frozen=True, slots=True)
class SlowClients:
    """What the trial came to.

    Args:
        usual: median seconds of a call with nobody else there.
        beside: the same beside the slow clients.
        clients: how many those were.
    """

    usual: float
    beside: float
    clients: int


def slow_clients(port: int, heads: int = 200, bodies: int = 200, calls: int = 20) -> SlowClients:
    """Hold `heads` connections with unfinished headers and `bodies` with unfinished bodies, each with a further byte a second.

    Args:
        port: of a service that is open.
        heads: slow headers.
        bodies: slow bodies.
        calls: how many usual calls are timed, before and beside.
    """
    usual = _median(port, calls)
    with _dripping(port, heads, bodies):
        return SlowClients(usual, _median(port, calls), heads + bodies)


@contextmanager
def _dripping(port: int, heads: int, bodies: int) -> Iterator[None]:
    stop = Event()
    with ExitStack() as opened:
        slow = [opened.enter_context(open_slow(port, LINE)) for _ in range(heads)]
        slow += [opened.enter_context(open_slow(port, HEAD)) for _ in range(bodies)]

        def drip() -> None:
            while not stop.wait(1 / len(slow)):
                slow.append(slow.pop(0))
                slow[-1].send(b"x")

        dripping = Thread(target=drip)
        dripping.start()
        try:
            yield
        finally:
            stop.set()
            dripping.join()


def _median(port: int, calls: int) -> float:
    with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        return statistics.median(_seconds(connection) for _ in range(calls))


def _seconds(connection: HTTPConnection) -> float:
    begun = time.perf_counter()
    connection.request("POST", VIEW, CALL, JSON)
    answer = connection.getresponse()
    answer.read()
    if answer.status != 200:
        raise AssertionError(f"a usual call was answered {answer.status}")
    return time.perf_counter() - begun
