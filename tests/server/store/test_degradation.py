"""The database fails in each way of `docs/degradation.md`, and each caller is answered as its table says."""

import signal
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest
from werkzeug.test import TestResponse

from server.application import create_app
from server.config import AUDIT_MODES
from server.runtime import Runtime, open_runtime
from server.store.database import open_database, upgrade_database
from tests.fault_proxy import BlackHole, Fault, Latency, fault_proxy
from tests.postgresql import PostgresqlServer
from tests.server.answers import diagnostics
from tests.server.charts import ANTI_TIF1, chart, hook_call, prefetch_of
from tests.server.conftest import CONFIG
from tests.server.trust.ehrs import PATIENT_VIEW, PUBLIC_URL, Ehr, bearer

VIEW = "/cds-services/myositis-patient-view"
CALL = hook_call(ANTI_TIF1, prefetch_of(chart(ANTI_TIF1)))
ACCEPTED = {"feedback": [{"card": "9f1a5a4c-8f2e-4a57-9d1c-0d8a3f0c7b11", "outcome": "accepted"}]}
ACCEPTED["feedback"][0]["outcomeTimestamp"] = "2026-07-01T00:00:00Z"

Failing = AbstractContextManager[Callable[[], None]]
"""Brings the function that spoils the database; at the end, it is well again."""

CARDS = (200, "cards")
REMEMBERED = (503, "MYO-1252")
TABLE = {
    "closed": {"remembered": REMEMBERED, "open": (503, "MYO-1905"), "feedback": (503, "MYO-1905"), "ready": (503, "MYO-1901")},
    "spill": {"remembered": REMEMBERED, "open": CARDS, "feedback": (503, "MYO-1902"), "ready": (200, "degraded")},
    "open": {"remembered": REMEMBERED, "open": CARDS, "feedback": (503, "MYO-1902"), "ready": (200, "degraded")},
}
"""What is answered while the database fails, by `MYOSITIS_CDS_AUDIT`."""


class Service:
    """One service whose tokens are remembered, and one beside it for an EHR without replay check, over one database."""

    def __init__(self, url: str, audit: str, folder: Path) -> None:
        spill_file = folder / f"journal-{audit}" if audit == "spill" else None
        config = replace(CONFIG, database_url=url, public_url=PUBLIC_URL, audit=audit, audit_spill_file=spill_file)
        self.remembered = Ehr("remembered", "https://remembered.example/jwks.json")
        self.forgotten = Ehr("forgotten", "https://forgotten.example/jwks.json")
        self.runtimes = [self._open(config, self.remembered), self._open(config, self.forgotten, replay_check=False)]
        ready = Event()
        ready.set()
        self.applications = [create_app(runtime.config, runtime=runtime, ready=ready) for runtime in self.runtimes]

    def _open(self, config: object, ehr: Ehr, **settings: bool) -> Runtime:
        return open_runtime(config, clients=[ehr.client(jwks=ehr.jwks(), **settings)])  # type: ignore[arg-type]

    def call(self, who: str) -> TestResponse:
        http = self.applications[who != "remembered"].test_client()
        ehr = self.remembered if who == "remembered" else self.forgotten
        if who == "ready":
            return http.get("/health/ready")
        if who == "live":
            return http.get("/health/live")
        if who == "feedback":
            token = ehr.token([PATIENT_VIEW, f"{PATIENT_VIEW}/feedback"])
            return http.post(f"{VIEW}/feedback", json=ACCEPTED, headers=bearer(token))
        return http.post(VIEW, json=CALL, headers=bearer(ehr.token()))

    def close(self) -> None:
        for runtime in self.runtimes:
            if runtime.trail.carrier:
                runtime.trail.carrier.stop()
            runtime.database.dispose()


def told(answer: TestResponse) -> tuple[int, str]:
    """The status, and what else the table says."""
    body = answer.get_json(force=True)
    if answer.status_code == 503:
        number = diagnostics(body).partition(":")[0]
        assert answer.headers.get("Retry-After") == (None if number == "MYO-1901" else "30")
        return 503, number
    return answer.status_code, body["status"] if "status" in body else "cards" if body.get("cards") else "nothing"


@contextmanager
def stopped(postgresql: PostgresqlServer, folder: Path) -> Iterator[tuple[str, Callable[[], None]]]:
    url = postgresql.new_database()
    try:
        yield url, lambda: postgresql.stop(signal.SIGQUIT)
    finally:
        if postgresql.process is None:
            postgresql.start()


def spoilt(fault: Fault) -> Callable[..., AbstractContextManager[tuple[str, Callable[[], None]]]]:
    @contextmanager
    def over_a_network(postgresql: PostgresqlServer, folder: Path) -> Iterator[tuple[str, Callable[[], None]]]:
        name = postgresql.new_database().partition("@/")[2].partition("?")[0]
        with fault_proxy(f"{postgresql.folder}/.s.PGSQL.5432") as proxy:

            def spoil() -> None:
                proxy.fault = fault

            yield f"postgresql+psycopg://postgres@127.0.0.1:{proxy.port}/{name}", spoil
            proxy.fault = Fault()

    return over_a_network


@contextmanager
def locked(postgresql: PostgresqlServer, folder: Path) -> Iterator[tuple[str, Callable[[], None]]]:
    url = f"sqlite:///{folder}/store.sqlite3"
    other = open_database(url)
    with other.connect() as connection:
        yield url, lambda: connection.exec_driver_sql("DELETE FROM installation WHERE name = ''") and None


@contextmanager
def full(postgresql: PostgresqlServer, folder: Path) -> Iterator[tuple[str, Callable[[], None]]]:
    disk = folder / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], capture_output=True, check=False).returncode:
        pytest.skip("only who may mount a disk can fill one")

    def fill() -> None:
        with (disk / "ballast").open("wb", buffering=0) as ballast:
            try:
                while ballast.write(b"x" * 4096):
                    pass
            except OSError:
                return

    try:
        yield f"sqlite:///{disk}/store.sqlite3", fill
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


WAYS = {"stopped": stopped, "silent": spoilt(BlackHole()), "slow": spoilt(Latency(5.0)), "locked": locked, "full": full}


@pytest.mark.requirement("DB-02", "DB-04", "DB-05", "AUD-02", "JWT-14")
@pytest.mark.parametrize("way", WAYS)
def test_whatever_the_database_does_each_caller_is_answered_as_the_table_says(
    way: str, postgresql: PostgresqlServer, tmp_path: Path
) -> None:
    with WAYS[way](postgresql, tmp_path) as (url, spoil):
        if url.startswith("postgresql"):
            upgrade_database(url)
        services = {audit: Service(url, audit, tmp_path) for audit in AUDIT_MODES}
        asked = [(audit, who) for audit in AUDIT_MODES for who in TABLE[audit]]
        spoil()
        with ThreadPoolExecutor(len(asked)) as pool:
            answers = list(pool.map(lambda one: services[one[0]].call(one[1]), asked))
        live = [service.call("live") for service in services.values()]
        for service in services.values():
            service.close()
    assert {one: told(answer) for one, answer in zip(asked, answers, strict=True)} == {
        (audit, who): TABLE[audit][who] for audit, who in asked
    }
    assert {told(answer) for answer in live} == {(200, "live")}
