"""A load that does not wait for the service: requests begin when they are due, and their time counts from then on.

A connection is kept, and opened again where the service has closed it since the last answer, as clients do.

A load that sends the next request when the last one was answered would go slower whenever the service does, and not see it. Each
is due at some moment of its share of the time, not on a beat: two loads on a beat meet always, or never.
"""

import select
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from queue import Empty, SimpleQueue
from random import Random
from threading import Event

from soak.calls import Call
from soak.ehr import Ehr

NO_ANSWER = 0
"""The status of a request that got no answer."""

_THREADS = 32
_SECONDS_TO_ANSWER = 30


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of one request.

    Args:
        number: of the call, from 0, in the order in which they were due.
        kind: of the call.
        status: of HTTP; `NO_ANSWER` if there was none.
        seconds: from when it was due to the last byte of the answer.
        at: when it was due, in seconds from the start of the load.
        body: of the answer.
    """

    number: int
    kind: str
    status: int
    seconds: float
    at: float
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Load:
    """So many requests in a second, until told to stop.

    Args:
        port: of the service.
        ehrs: who calls, in turns.
        calls: what is sent.
        rate: requests a second.
        keep_bodies: of the answers.
        seed: of the moments.
    """

    port: int
    ehrs: Sequence[Ehr]
    calls: Iterator[Call]
    rate: float
    keep_bodies: bool = False
    seed: int = 0
    stopped: Event = field(default_factory=Event)

    def run(self, seconds: float, meanwhile: Callable[[], None] | None = None) -> list[Answered]:
        """Send, and wait for all answers.

        Args:
            seconds: how long requests begin.
            meanwhile: done beside it; when it is over, no more requests begin.
        """
        due: SimpleQueue[tuple[int, float, Ehr, Call] | None] = SimpleQueue()
        answers: SimpleQueue[Answered] = SimpleQueue()
        start, chance = time.monotonic(), Random(self.seed)
        with ThreadPoolExecutor(_THREADS + 1) as pool:
            senders = [pool.submit(self._send_all, due, answers, start) for _ in range(_THREADS)]
            beside = pool.submit(meanwhile) if meanwhile else None
            for number in range(int(seconds * self.rate)):
                if self.stopped.is_set() or (beside and beside.done()):
                    break
                moment = start + (number + chance.random()) / self.rate
                time.sleep(max(0.0, moment - time.monotonic()))
                due.put((number, moment, self.ehrs[number % len(self.ehrs)], next(self.calls)))
            for _ in senders:
                due.put(None)
            for one in [*senders, *([beside] if beside else [])]:
                one.result()
        return list(_drained(answers))

    def _send_all(
        self, due: "SimpleQueue[tuple[int, float, Ehr, Call] | None]", answers: "SimpleQueue[Answered]", start: float
    ) -> None:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=_SECONDS_TO_ANSWER)
        while (one := due.get()) is not None:
            number, moment, ehr, call = one
            status, body = _exchange(connection, ehr, call)
            seconds = time.monotonic() - moment
            answers.put(Answered(number, call.kind, status, seconds, moment - start, body if self.keep_bodies else b""))
        connection.close()


def _exchange(connection: HTTPConnection, ehr: Ehr, call: Call) -> tuple[int, bytes]:
    headers = {"Authorization": f"Bearer {ehr.token(call.path)}", "Content-Type": "application/json"}
    try:
        if connection.sock and is_over(connection.sock):
            connection.close()
        connection.request("POST", call.path, call.body, headers)
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, HTTPException):
        connection.close()
        return NO_ANSWER, b""


def is_over(connection: socket.socket) -> bool:
    """Whether the other side has closed a connection on which nothing is awaited, or said something unasked."""
    poll = select.poll()  # which knows of more than 1024 files
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))


def _drained(answers: "SimpleQueue[Answered]") -> Iterator[Answered]:
    while True:
        try:
            yield answers.get_nowait()
        except Empty:
            return


def statuses(answers: Sequence[Answered]) -> dict[int, int]:
    """How often each status came."""
    return dict(sorted(Counter(one.status for one in answers).items()))


def percentile(answers: Sequence[Answered], share: float) -> float:
    """Milliseconds within which this share of the requests was answered."""
    times = sorted(one.seconds for one in answers)
    return 1000 * times[min(len(times) - 1, int(share * len(times)))]
