"""The trial of AUD-01: workers are killed at random moments, and every answer that somebody got has its record."""

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from random import Random
from uuid import uuid4

import orjson

from server.auditing.reading import snapshot
from server.auditing.verifying import verify
from server.store.database import connect
from server.store.pseudonyms import load_pseudonyms
from soak.processes import ends_of_workers, kill_workers
from tests.end_to_end.checked_connection import CheckedConnection
from tests.end_to_end.conftest import COMMAND, end, wait_for_line
from tests.server.auditing.rows import entries
from tests.server.charts import ANTI_TIF1, chart, hook_call, prefetch_of

VIEW = "/cds-services/myositis-patient-view"
AT_ONCE = 4
PATIENCE = 60.0


@dataclass(slots=True)
class Outcome:
    """What a trial came to.

    Args:
        acknowledged: hook instances whose 200 was received.
        recorded: hook instances in the trail, in order.
        killed: how many workers were killed.
        ends: of workers, as the supervisor logged them.
        faults: signs of tampering.
    """

    acknowledged: set[str] = field(default_factory=set)
    recorded: list[str] = field(default_factory=list)
    killed: int = 0
    ends: list[int] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def lost(self) -> set[str]:
        """Answers without a record."""
        return self.acknowledged - set(self.recorded)


def trial(environment: dict[str, str], log: Path, *, kills: int, longest: float, seed: int = 6) -> Outcome:
    """Kill the worker of a service again and again, under load.

    Args:
        environment: of `myositis-cds serve`, with the URL of a database; one worker.
        log: where the service writes its log.
        kills: how often.
        longest: most seconds between the first answer of a worker and its end.
        seed: of chance.
    """
    outcome, chance = Outcome(), Random(seed)
    command = [COMMAND, "serve", "--port", "0"]
    with (
        log.open("w") as stderr,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True, env=environment) as process,
    ):
        try:
            port = int(wait_for_line(process, "myositis-cds serves").rpartition(":")[2].partition("/")[0])
            with _calling(port, outcome) as answered:
                while outcome.killed < kills:  # an answer of a worker that was just killed may still arrive: then nobody is there
                    answered.clear()
                    assert answered.wait(PATIENCE)
                    time.sleep(chance.uniform(0.0, longest))
                    outcome.killed += len(kill_workers(process.pid))
                answered.clear()
                assert answered.wait(PATIENCE)
        finally:
            end(process)
    outcome.ends = ends_of_workers(log)
    _read_the_trail(environment["MYOSITIS_CDS_DATABASE_URL"], outcome)
    return outcome


@contextmanager
def _calling(port: int, outcome: Outcome) -> Iterator[threading.Event]:
    """Call from several threads; gives what is set at each answer."""
    answered, stop = threading.Event(), threading.Event()
    threads = [threading.Thread(target=_call, args=(port, outcome, answered, stop)) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    try:
        yield answered
    finally:
        stop.set()
        for thread in threads:
            thread.join(PATIENCE)


def _call(port: int, outcome: Outcome, answered: threading.Event, stop: threading.Event) -> None:
    """One call after the other, on a new connection whenever the old one is lost."""
    call = hook_call(ANTI_TIF1, prefetch_of(chart(ANTI_TIF1)))
    while not stop.is_set():
        with suppress(OSError, HTTPException), closing(CheckedConnection(port, timeout=10)) as connection:
            while not stop.is_set():
                instance = str(uuid4())
                body = orjson.dumps(call | {"hookInstance": instance})
                connection.request("POST", VIEW, body, {"Content-Type": "application/json"})
                if connection.unchecked_answer().status == 200:
                    outcome.acknowledged.add(instance)
                    answered.set()


def _read_the_trail(url: str, outcome: Outcome) -> None:
    database = connect(url)
    try:
        outcome.recorded = [one["instance"] for one in entries(database)]
        with snapshot(database) as connection:
            key = load_pseudonyms(database, None).key_for("audit")
            outcome.faults = [fault for one in verify(connection, key) for fault in one.faults]
    finally:
        database.dispose()
