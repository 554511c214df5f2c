"""EHRs that keep sending hook calls and feedback, each with a token of its own, and write down what became of them."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from threading import Event, Thread
from uuid import uuid4

import orjson

from tests.end_to_end.checked_connection import CheckedConnection
from tests.server.charts import ANTI_TIF1, chart, hook_call, prefetch_of
from tests.server.trust.ehrs import PATIENT_VIEW, PUBLIC_URL
from tests.trials.trusting_service import TrustingService

PATH = PATIENT_VIEW.removeprefix(PUBLIC_URL)
CALL = orjson.dumps(hook_call(ANTI_TIF1, prefetch_of(chart(ANTI_TIF1))))
BROKEN = 0
"""The status of a request whose connection ended without an answer."""


@dataclass(frozen=True, slots=True)
class Answered:
    """One request.

    Args:
        began, ended: by `time.monotonic`.
        status: of the answer, or `BROKEN`.
        retry_after: whether it says when to come back.
        card: that feedback was about; none for a hook call.
    """

    began: float
    ended: float
    status: int
    retry_after: bool
    card: str | None

    @property
    def seconds(self) -> float:
        """How long the answer took."""
        return self.ended - self.began


@dataclass
class Load:
    """What was answered so far.

    Args:
        service: who answers.
        pause: seconds between two hook calls of a sender, in which the machine is free for others.
    """

    service: TrustingService
    pause: float = 0.0
    answered: list[Answered] = field(default_factory=list)
    stop: Event = field(default_factory=Event)

    def between(self, begin: float, end: float) -> list[Answered]:
        """Requests that began and ended within a time."""
        return [one for one in self.answered if begin <= one.began and one.ended <= end]

    def send_until_told(self) -> None:
        """Send, one after the other."""
        while not self.stop.is_set():
            for card in (None, str(uuid4())):
                self.answered.append(self._send(card))
            self.stop.wait(self.pause)

    def _send(self, card: str | None) -> Answered:
        began = time.monotonic()
        headers = {"Authorization": f"Bearer {self.service.ehr.token()}", "Content-Type": "application/json"}
        path, body = (PATH, CALL) if card is None else (f"{PATH}/feedback", _feedback(card))
        try:
            with closing(CheckedConnection(self.service.port, timeout=60)) as connection:
                connection.request("POST", path, body, headers)
                answer = connection.answer()
        except (OSError, HTTPException):
            return Answered(began, time.monotonic(), BROKEN, False, card)
        return Answered(began, time.monotonic(), answer.status, "Retry-After" in answer.headers, card)


@contextmanager
def load(service: TrustingService, senders: int, pause: float = 0.0) -> Iterator[Load]:
    """Send until the end of the context.

    Args:
        service: whom.
        senders: how many at the same time.
        pause: seconds between two hook calls of one of them.
    """
    sending = Load(service, pause)
    threads = [Thread(target=sending.send_until_told) for _ in range(senders)]
    with ExitStack() as at_the_end:
        for thread in threads:
            thread.start()
            at_the_end.callback(thread.join)
        at_the_end.callback(sending.stop.set)
        yield sending


def _feedback(card: str) -> bytes:
    item = {"card": card, "outcome": "accepted", "acceptedSuggestions": [], "outcomeTimestamp": "2026-11-22T10:00:00Z"}
    return orjson.dumps({"feedback": [item]})
