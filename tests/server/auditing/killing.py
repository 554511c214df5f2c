"""The trial of AUD-01: a serving process is killed at random moments, and every answer that somebody got has its record."""

import subprocess
import threading
import time
from contextlib import closing, suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from random import Random
from uuid import uuid4

import orjson

from server.auditing.reading import snapshot
from server.auditing.verifying import verify
from server.store.database import connect
from server.store.pseudonyms import load_pseudonyms
from tests.end_to_end.checked_connection import CheckedConnection
from tests.end_to_end.conftest import COMMAND
from tests.server.auditing.rows import entries
from tests.server.charts import ANTI_TIF1, chart, hook_call, prefetch_of

VIEW = "/cds-services/myositis-patient-view"
AT_ONCE = 4


@dataclass(slots=True)
class Outcome:
    """What a trial came to.

    Args:
        acknowledged: hook instances whose 200 was received.
        recorded: hook instances in the trail, in order.
        kills: how often the process was killed.
        faults: signs of tampering.
    """

    acknowledged: set[str] = field(default_factory=set)
    recorded: list[str] = field(default_factory=list)
    kills: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def lost(self) -> set[str]:
        """Answers without a record."""
        return self.acknowledged - set(self.recorded)


def trial(environment: dict[str, str], *, calls: int, longest: float = 1.0, seed: int = 6) -> Outcome:
    """Kill a service again and again, until so many calls were answered.

    Args:
        environment: of `myositis-cds serve`, with the URL of a database.
        calls: how many answers at least.
        longest: most seconds between the first answer of a process and its end.
        seed: of chance.
    """
    outcome, chance = Outcome(), Random(seed)
    while len(outcome.acknowledged) < calls:
        _one_life(environment, outcome, chance.uniform(0.05, longest))
    database = connect(environment["MYOSITIS_CDS_DATABASE_URL"])
    try:
        outcome.recorded = [one["instance"] for one in entries(database)]
        with snapshot(database) as connection:
            key = load_pseudonyms(database, None).key_for("audit")
            outcome.faults = [fault for one in verify(connection, key) for fault in one.faults]
    finally:
        database.dispose()
    return outcome


def _one_life(environment: dict[str, str], outcome: Outcome, seconds: float) -> None:
    """Start the service, call it from several threads, and kill it."""
    command = [COMMAND, "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment) as process:
        try:
            assert process.stdout
            port = int(process.stdout.readline().rpartition(":")[2].partition("/")[0])
            answered = threading.Event()
            threads = [threading.Thread(target=_keep_calling, args=(port, outcome, answered)) for _ in range(AT_ONCE)]
            for thread in threads:
                thread.start()
            assert answered.wait(timeout=30)
            time.sleep(seconds)
        finally:
            process.kill()
        outcome.kills += 1
        for thread in threads:
            thread.join(timeout=30)


def _keep_calling(port: int, outcome: Outcome, answered: threading.Event) -> None:
    call = hook_call(ANTI_TIF1, prefetch_of(chart(ANTI_TIF1)))
    with suppress(OSError, HTTPException), closing(CheckedConnection(port, timeout=10)) as connection:
        while True:
            instance = str(uuid4())
            body = orjson.dumps(call | {"hookInstance": instance})
            connection.request("POST", VIEW, body, {"Content-Type": "application/json"})
            if connection.unchecked_answer().status == 200:
                outcome.acknowledged.add(instance)
                answered.set()
