"""Sixty-four patients at the same time, from four EHRs: nobody's answer holds anything of another patient (threat SAF-05).

Every id, reference and name of a patient is a word of this patient alone, so that one search of an answer shows whose it is.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from threading import Barrier
from typing import Any
from uuid import uuid4

from soak.calls import SERVICES, Call, bodies
from soak.ehr import Ehr, ehrs
from soak.service import running

PATIENTS = 64
CLIENTS = 4
_WORD = re.compile(rb"zq[0-9]{3}x")
_SECONDS = 60
_TRIES = 5
# Sixty-four writers at once are more than SQLite serves in time on a small machine: it says so, and no more.
_OK, _BUSY = 200, 503
_RETRIES = 0.1
"""Of the calls, at most; and no call may be refused to the last."""
_FAMILY = re.compile(r'"family": "[^"]*"')


@dataclass(frozen=True, slots=True)
class Patient:
    """One patient.

    Args:
        word: that nobody else has.
        ehr: that opens the chart.
        calls: the chart as a whole, and of every hook.
    """

    word: bytes
    ehr: Ehr
    calls: tuple[Call, ...]


@dataclass(slots=True)
class Answers:
    """What one patient was answered.

    Args:
        statuses: of each call in the end.
        retries: how often a call was sent again, since the service was busy.
        foreign: answers with another patient's word.
        own: answers with the own one.
    """

    statuses: Counter[int] = field(default_factory=Counter)
    retries: int = 0
    foreign: int = 0
    own: int = 0


def run(folder: Path, calls: int, patients: int = PATIENTS) -> dict[str, Any]:
    """All patients at once, again and again.

    Args:
        folder: empty.
        calls: how many in all.
        patients: how many.
    """
    people = [*made(patients, ehrs(CLIENTS))]
    start, times = Barrier(patients), -(-calls // patients)
    registered = list({one.ehr.name: one.ehr for one in people}.values())
    with running(folder, registered, workers=1) as service, ThreadPoolExecutor(patients) as pool:
        answers = [*pool.map(partial(_asked, service.port, times, start), people)]
    statuses = sum((one.statuses for one in answers), Counter[int]())
    retries = sum(one.retries for one in answers)
    figures = {
        "calls": statuses.total(),
        "retries": retries,
        "patients": patients,
        "clients": len(registered),
        "statuses": dict(statuses),
        "answersWithAForeignWord": sum(one.foreign for one in answers),
        "answersWithTheOwnWord": sum(one.own for one in answers),
        "patientsWithoutTheirWord": sum(not one.own for one in answers),
    }
    is_nobody_mixed_up = not figures["answersWithAForeignWord"] and not figures["patientsWithoutTheirWord"]
    return {"kept": is_nobody_mixed_up and set(statuses) == {_OK} and retries <= _RETRIES * statuses.total(), **figures}


def made(number: int, callers: Sequence[Ehr]) -> Iterator[Patient]:
    """So many patients: the synthetic ones of the sandbox, in turns, each with a word of its own in place of its id and name."""
    charts = sorted(bodies().items())
    for position in range(number):
        slug, of_patient = charts[position % len(charts)]
        word = f"zq{position:03}x"
        renamed = {
            hook: _FAMILY.sub(f'"family": "{word}"', body.decode().replace(slug, word)) for hook, body in of_patient.items()
        }
        hooks = [Call(hook, f"{SERVICES}-{hook}", body.encode()) for hook, body in renamed.items()]
        parts = [part for part in json.loads(renamed["patient-view"])["prefetch"].values() if part]
        yield Patient(
            word.encode(), callers[position % len(callers)], (Call("assess", "/assess", json.dumps(parts).encode()), *hooks)
        )


def _asked(port: int, times: int, start: Barrier, one: Patient) -> Answers:
    """One patient, as often as said, each time begun together with the others."""
    answers, connection = Answers(), HTTPConnection("127.0.0.1", port, timeout=_SECONDS)
    for number in range(times):
        call = one.calls[number % len(one.calls)]
        start.wait(_SECONDS)
        status = _BUSY
        for again in range(_TRIES):
            status, words = _exchange(connection, one.ehr, call)
            answers.retries += bool(again)
            answers.foreign += bool(words - {one.word})
            answers.own += one.word in words
            if status != _BUSY:
                break
        answers.statuses[status] += 1
    connection.close()
    return answers


def _exchange(connection: HTTPConnection, ehr: Ehr, call: Call) -> tuple[int, set[bytes]]:
    """Status and words of the answer to a call; each is in a visit of its own, in which nothing was shown before."""
    body = call.body.replace(b"00000000-0000-4000-8000-000000000000", str(uuid4()).encode())
    body = body.replace(b"visit-", f"visit-{uuid4()}-".encode())
    headers = {"Authorization": f"Bearer {ehr.token(call.path)}", "Content-Type": "application/json"}
    connection.request("POST", call.path, body, headers)
    response = connection.getresponse()
    return response.status, set(_WORD.findall(response.read()))
