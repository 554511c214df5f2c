"""Workers are killed under load ("Must show" 4; threats PR-01, AUD-01): nothing is lost that somebody was told is kept."""

import json
import os
import re
import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import select

from server.auditing.reading import snapshot
from server.auditing.verifying import verify
from server.config import THREADS
from server.store.database import connect
from server.store.pseudonyms import load_pseudonyms
from server.store.tables import audit_events, feedback
from soak.calls import Call, mixed
from soak.ehr import ehrs
from soak.load import NO_ANSWER, Answered, Load, statuses
from soak.processes import ends_of_workers
from soak.service import Service, running

CLIENTS = 4
_LONGEST_LIFE = 2.0
_SECONDS_TO_COME_BACK = 60
_INSTANCE = re.compile(rb'"hookInstance": "([^"]+)"')


def run(folder: Path, *, kills: int = 100, rate: float = 20, workers: int = 2, share: float = 0.1) -> dict[str, Any]:
    """Kill one worker after the other, each at a random moment, while all kinds of calls are sent.

    Args:
        folder: for the service.
        kills: how many.
        rate: requests a second.
        workers: processes that answer.
        share: of all requests, at most, that may get no answer; of few requests on a busy machine more are under way.
    """
    callers, sent = ehrs(CLIENTS), Sent(mixed(2))
    with running(folder, callers, workers=workers) as service:
        chance = Random(3)

        def kill() -> None:
            for number in range(kills):
                time.sleep(chance.uniform(0.05, _LONGEST_LIFE))
                _kill_one(service, workers, number, chance)
            _wait(service, workers, kills)

        answers = Load(service.port, callers, sent, rate).run(kills * _SECONDS_TO_COME_BACK, kill)
        kept, faults = _what_is_kept(service.database)
        ends = ends_of_workers(service.log)
    told = {sent.named[one.number] for one in answers if one.status == 200 and one.number in sent.named}
    without = sum(one.status == NO_ANSWER for one in answers)
    return {
        "kills": kills,
        "workers that ended so": ends.count(-signal.SIGKILL),
        "requests": len(answers),
        "statuses": statuses(answers),
        "without an answer": without,
        "acknowledged": len(told),
        "of them lost": len(told - kept),
        "faults of the audit chains": len(faults),
        "kept": bool(told)
        and not told - kept
        and not faults
        and ends == [-signal.SIGKILL] * kills
        and is_bounded(answers, kills, share),
    }


class Sent:
    """Calls, and by what each is found again: the hook instance of a call, the card of feedback."""

    def __init__(self, calls: Iterator[Call]) -> None:
        """Nothing was sent yet."""
        self._calls = calls
        self.named: dict[int, str] = {}
        self._number = -1

    def __iter__(self) -> Iterator[Call]:
        """All of them."""
        return self

    def __next__(self) -> Call:
        """The next one."""
        call = next(self._calls)
        self._number += 1
        if call.kind == "feedback":
            self.named[self._number] = json.loads(call.body)["feedback"][0]["card"]
        elif found := _INSTANCE.search(call.body):
            self.named[self._number] = found[1].decode()
        return call


def _kill_one(service: Service, workers: int, before: int, chance: Random) -> None:
    _wait(service, workers, before)
    os.kill(chance.choice(service.workers), signal.SIGKILL)


def _wait(service: Service, workers: int, kills: int) -> None:
    """Until so many ends are logged and all workers are there again, so that somebody is left."""
    deadline = time.monotonic() + _SECONDS_TO_COME_BACK
    while len(service.workers) < workers or len(ends_of_workers(service.log)) < kills:
        if time.monotonic() > deadline:
            raise TimeoutError("a killed worker was not replaced")
        time.sleep(0.02)


def _what_is_kept(url: str) -> tuple[set[str], list[str]]:
    """Hook instances in the audit trail and cards in the feedback; and signs that a chain is not whole."""
    database = connect(url, hurried=False)
    try:
        with snapshot(database) as connection:
            instances = {json.loads(entry).get("instance") for entry in connection.scalars(select(audit_events.c.entry))}
            cards = set(connection.scalars(select(feedback.c.card)))
            faults = [
                fault for one in verify(connection, load_pseudonyms(database, None).key_for("audit")) for fault in one.faults
            ]
    finally:
        database.dispose()
    return instances | cards, faults


def is_bounded(answers: Sequence[Answered], kills: int, share: float) -> bool:
    """Whether so few requests got no answer as kills explain, and all others were answered as ever.

    A kill may cost what the worker was at work on, which is one request for each of its threads; and all kills together no more
    than a share of all requests.

    Args:
        answers: to all requests.
        kills: how many there were.
        share: how large.
    """
    without = sum(one.status == NO_ANSWER for one in answers)
    are_others_answered = {one.status for one in answers} == {200} | ({NO_ANSWER} if without else set())
    return are_others_answered and without <= min(THREADS * kills, share * len(answers))
