"""Slow clients beside a usual one (IN-07): how long a usual call takes, without and with them."""

import socket
import statistics
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event, Lock, Thread

from soak.load import is_over
from tests.end_to_end.checked_connection import CheckedConnection
from tests.end_to_end.serving import CALL, JSON, VIEW, open_slow

LINE = f"POST {VIEW} HTTP/1.1\r\nHost: localhost\r\n".encode()
HEAD = LINE + b"Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n"
MISSING = 10
"""How many of a kind may be missing while a call is timed."""
ROUNDS = 3
_HEAD_LIVES, _BODY_LIVES = 7.0, 24.0  # seconds; the service ends them after 10 and 30, which shall not happen during a call


@dataclass(frozen=True, slots=True)
class SlowClients:
    """What the trial came to.

    Args:
        usual: median seconds of a call with nobody else there.
        beside: the same beside the slow clients.
        heads, bodies: how many slow ones of either kind were there at least during each of those calls.
    """

    usual: float
    beside: float
    heads: int
    bodies: int

    @property
    def times(self) -> float:
        """How much longer a call takes beside them."""
        return self.beside / self.usual


def slow_clients(port: int, heads: int = 200, bodies: int = 200, calls: int = 20, twice: float = 2.0) -> SlowClients:
    """Hold `heads` connections with unfinished headers and `bodies` with unfinished bodies, each with a further byte a second.

    What else the machine does can make either time longer: a round that shows too much is done again, twice at most, and the
    usual time is the shorter one of before and after.

    Args:
        port: of a service that is open.
        heads: slow headers.
        bodies: slow bodies.
        calls: how many usual calls are timed before, beside and after.
        twice: how much longer a call may take beside them.
    """
    rounds: list[SlowClients] = []
    while len(rounds) < ROUNDS and not (rounds and rounds[-1].times <= twice):
        rounds.append(_round(port, heads, bodies, calls))
    return min(rounds, key=lambda one: one.times)


def _round(port: int, heads: int, bodies: int, calls: int) -> SlowClients:
    before = statistics.median(_call(port) for _ in range(calls))
    beside, there = [], []
    with crowd(port, heads, bodies) as slow:
        for _ in range(calls):
            slow.fill()
            beside.append(_call(port))
            there.append(slow.there())
    after = statistics.median(_call(port) for _ in range(calls))
    least_heads, least_bodies = (min(counts) for counts in zip(*there, strict=True))
    return SlowClients(min(before, after), statistics.median(beside), least_heads, least_bodies)


@dataclass(slots=True)
class _Slow:
    """One slow client."""

    port: int
    beginning: bytes
    lives: float
    connection: socket.socket = field(init=False)
    opened: float = field(init=False)

    def __post_init__(self) -> None:
        self._open()

    def _open(self) -> None:
        self.connection, self.opened = open_slow(self.port, self.beginning), time.monotonic()

    @property
    def is_there(self) -> bool:
        return not is_over(self.connection)

    def again(self) -> None:
        """Come back, if the service has ended it or is about to."""
        if not self.is_there or time.monotonic() > self.opened + self.lives:
            self.connection.close()
            self._open()

    def drip(self) -> None:
        """One byte more; the service may have ended it."""
        with suppress(OSError):
            self.connection.send(b"x")


@dataclass(slots=True)
class Crowd:
    """Slow clients of both kinds."""

    heads: list[_Slow]
    bodies: list[_Slow]
    lock: Lock = field(default_factory=Lock)

    def fill(self) -> None:
        """Let all come back that were ended."""
        with self.lock:
            for one in (*self.heads, *self.bodies):
                one.again()

    def there(self) -> tuple[int, int]:
        """How many of either kind the service has not ended."""
        with self.lock:
            return sum(one.is_there for one in self.heads), sum(one.is_there for one in self.bodies)

    def drip(self, stop: Event) -> None:
        """A byte of everybody every second."""
        everybody = (*self.heads, *self.bodies)
        while True:
            for one in everybody:
                if stop.wait(1 / len(everybody)):
                    return
                with self.lock:
                    one.drip()


@contextmanager
def crowd(port: int, heads: int, bodies: int) -> Iterator[Crowd]:
    """Be slow until the end of the context.

    Args:
        port: of the service.
        heads: how many send headers slowly.
        bodies: how many send a body slowly.
    """
    slow = Crowd([_Slow(port, LINE, _HEAD_LIVES) for _ in range(heads)], [_Slow(port, HEAD, _BODY_LIVES) for _ in range(bodies)])
    stop = Event()
    dripping = Thread(target=slow.drip, args=(stop,))
    dripping.start()
    try:
        yield slow
    finally:
        stop.set()
        dripping.join()
        for one in (*slow.heads, *slow.bodies):
            one.connection.close()


def _call(port: int) -> float:
    """Seconds of a usual call, on a connection of its own."""
    with closing(CheckedConnection(port, timeout=60)) as connection:
        begun = time.perf_counter()
        connection.request("POST", VIEW, CALL, JSON)
        answer = connection.unchecked_answer()
        seconds = time.perf_counter() - begun
    if answer.status != 200:
        raise AssertionError(f"a usual call was answered {answer.status}")
    return seconds
