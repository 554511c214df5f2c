"""A load that waits for each answer: so many connections, each of which sends the next request when the last one was answered.

One thread, raw sockets and messages made before, so that it takes little of the machine from the server. It runs in a process of
its own (`Loader`).
"""

import selectors
import socket
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from multiprocessing import get_context

from benchmarks.calls import Sent

_SECONDS_TO_ANSWER = 60
_AT_ONCE = 256 * 1024  # bytes
_END_OF_HEAD = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be sent.

    Args:
        port: on this machine.
        sent: the body, each time with another hook instance.
        connections: at the same time.
        seconds: how long requests begin; None for no end but the number.
        requests: most of them; None for no end but the time.
        tokens: one for each request, where tokens are asked for; when there is none left, the load ends.
    """

    port: int
    sent: Sent
    connections: int
    seconds: float | None = None
    requests: int | None = None
    tokens: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answers:
    """What became of it.

    Args:
        took: seconds from the first request to the last answer.
        waits: seconds from the first byte of each request to the last one of its answer.
        statuses: how often each came.
        timings: `Server-Timing` of each answer, if it had one.
    """

    took: float
    waits: tuple[float, ...]
    statuses: Counter[int]
    timings: tuple[str, ...]

    @property
    def per_second(self) -> float:
        """Requests answered in a second."""
        return len(self.waits) / self.took

    def percentile(self, share: float) -> float:
        """Milliseconds within which this share was answered."""
        waits = sorted(self.waits)
        return 1000 * waits[min(len(waits) - 1, int(share * len(waits)))]


class Loader:
    """A process that loads servers."""

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        """Keep it.

        Args:
            pool: of one process.
        """
        self._pool = pool
        self._sent = 1

    def load(self, order: Order) -> Answers:
        """Send, and wait for all answers; no hook instance comes twice.

        Raises:
            RuntimeError: something else than 200 was answered.
        """
        answers = self._pool.submit(send, order, self._sent).result()
        self._sent += len(answers.waits)
        if set(answers.statuses) != {200}:
            raise RuntimeError(f"answered was {dict(answers.statuses)}")
        return answers


@contextmanager
def loader() -> Iterator[Loader]:
    """A process for loads, as long as it is needed."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        yield Loader(pool)


def send(order: Order, first: int) -> Answers:
    """Send what is ordered.

    Args:
        order: what, and how much.
        first: number of the first hook instance.

    Raises:
        TimeoutError: an answer does not come.
        ConnectionError: a connection was closed instead.
    """
    done = _Done()
    start = time.monotonic()
    until = start + order.seconds if order.seconds else float("inf")
    messages = _messages(order, first, until)
    with selectors.DefaultSelector() as selector:
        for _ in range(order.connections):
            _Connection(order.port, selector, done).begin(next(messages, None))
        while selector.get_map():
            ready = selector.select(_SECONDS_TO_ANSWER)
            if not ready:
                raise TimeoutError("no answer")
            for key, _ in ready:
                connection: _Connection = key.data
                if connection.go_on():
                    connection.begin(next(messages, None))
    return Answers(time.monotonic() - start, tuple(done.waits), done.statuses, tuple(done.timings))


def _messages(order: Order, first: int, until: float) -> Iterator[bytes]:
    """Requests, as long as there are any to be sent."""
    tokens = iter(order.tokens)
    numbers = range(first, first + order.requests) if order.requests else count(first)
    for number in numbers:
        token = next(tokens, "")
        if time.monotonic() > until or (order.tokens and not token):
            return
        yield _message(order.sent, number, token)


def _message(sent: Sent, number: int, token: str) -> bytes:
    body = sent.fresh(number)
    head = f"POST {sent.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return (head + (f"Authorization: Bearer {token}\r\n" if token else "") + "\r\n").encode() + body


@dataclass(slots=True)
class _Done:
    waits: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    timings: list[str] = field(default_factory=list)


class _Connection:
    """One connection, on which one request at a time is under way."""

    def __init__(self, port: int, selector: selectors.BaseSelector, done: _Done) -> None:
        self._selector, self._done = selector, done
        self._socket = socket.create_connection(("127.0.0.1", port), _SECONDS_TO_ANSWER)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.setblocking(False)
        selector.register(self._socket, selectors.EVENT_WRITE, self)
        self._left = memoryview(b"")
        self._answer = bytearray()
        self._began = 0.0

    def begin(self, message: bytes | None) -> None:
        """Begin the next request; where there is none, end."""
        if message is None:
            self._selector.unregister(self._socket)
            self._socket.close()
            return
        self._left = memoryview(message)
        self._answer.clear()
        self._selector.modify(self._socket, selectors.EVENT_WRITE, self)
        self._began = time.monotonic()

    def go_on(self) -> bool:
        """Send or receive what can be; whether the request is answered now."""
        if self._left:
            self._left = self._left[self._socket.send(self._left) :]
            if not self._left:
                self._selector.modify(self._socket, selectors.EVENT_READ, self)
            return False
        piece = self._socket.recv(_AT_ONCE)
        if not piece:
            raise ConnectionError("closed before it was answered")
        self._answer += piece
        head, end, body = self._answer.partition(_END_OF_HEAD)
        fields = _fields(head) if end else {}
        if not end or len(body) < int(fields["content-length"]):
            return False
        self._done.waits.append(time.monotonic() - self._began)
        self._done.statuses[int(head.split(b" ", 2)[1])] += 1
        if "server-timing" in fields:
            self._done.timings.append(fields["server-timing"])
        return True


def _fields(head: bytes) -> dict[str, str]:
    lines = head.decode("latin-1").split("\r\n")[1:]
    return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
