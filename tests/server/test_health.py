"""What whatever watches over the service is told."""

import os
import re
import resource
import shutil
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest
from flask.testing import FlaskClient

from cards.knowledge import knowledge
from server.application import create_app
from server.condition import HINDRANCES, LACKS
from server.ehr.breaker import FAILURES_TO_OPEN
from server.observing.figures import exposition
from server.observing.machine import look
from server.runtime import Runtime, open_runtime
from server.store.database import open_database
from server.trust.clients import Client
from server.trust.keys import COOL_DOWN, ClientKeys
from tests.server.answers import check_answer, diagnostics
from tests.server.conftest import CONFIG
from tests.server.observing.scraped import Scraped
from tests.server.trust.conftest import Web
from tests.server.trust.ehrs import Ehr

LOCK = {"sqlite": "DELETE FROM installation", "postgresql": "LOCK TABLE installation IN SHARE MODE"}
"""What lets others read and not write, until its transaction ends."""


def test_the_process_lives(client: FlaskClient) -> None:
    assert client.get("/health/live").get_json() == {"status": "live"}


def test_it_is_ready_only_once_it_has_warmed_up() -> None:
    ready = Event()
    client = create_app(CONFIG, ready=ready).test_client()
    starting = client.get("/health/ready")
    assert starting.status_code == 503
    assert diagnostics(starting.get_json()).startswith("MYO-1901")
    ready.set()
    assert client.get("/health/ready").status_code == 200


def test_readiness_tells_which_software_and_which_knowledge() -> None:
    ready = Event()
    ready.set()
    answer = create_app(CONFIG, ready=ready).test_client().get("/health/ready").get_json()
    assert re.fullmatch(r"\d+\.\d+\.\d+", answer["version"])
    assert answer["knowledgeVersion"] == knowledge().version
    assert answer["knowledgeHash"] == knowledge().digest
    assert answer["knowledgeVersion"].endswith(answer["knowledgeHash"][:12])
    assert set(answer) - {"commit"} == {"status", "version", "knowledgeVersion", "knowledgeHash"}


def ready_client(runtime: Runtime) -> FlaskClient:
    """A client of a service that has warmed up, and has not looked at its database yet."""
    ready = Event()
    ready.set()
    return create_app(runtime.config, runtime=runtime, ready=ready).test_client()


@pytest.mark.requirement("DB-02")
def test_without_its_database_it_is_not_ready(tmp_path: Path) -> None:
    config = replace(CONFIG, database_url=f"sqlite:///{tmp_path / 'state' / 'store.sqlite3'}")
    runtime = open_runtime(config)
    assert ready_client(runtime).get("/health/ready").status_code == 200
    runtime.database.dispose()
    shutil.rmtree(tmp_path / "state")
    broken = ready_client(runtime).get("/health/ready")
    assert broken.status_code == 503
    assert "database" in diagnostics(broken.get_json())


@pytest.mark.requirement("DB-02", "DB-04", "DB-05")
def test_with_a_database_that_can_only_be_read_it_is_not_ready(database_url: str) -> None:
    config = replace(CONFIG, database_url=database_url)
    runtime = open_runtime(config)
    assert ready_client(runtime).get("/health/ready").status_code == 200
    other = open_database(database_url)
    with other.begin() as connection:
        connection.exec_driver_sql(LOCK[other.dialect.name])
        locked = ready_client(runtime)
        broken = locked.get("/health/ready")
        assert broken.status_code == 503
        assert "database cannot be written" in diagnostics(broken.get_json())
        assert locked.get("/health/live").status_code == 200
    assert ready_client(runtime).get("/health/ready").status_code == 200
    other.dispose()
    runtime.database.dispose()


SIGNED_IN = {"issuer": "https://ehr.example", "jwks": {"keys": []}, "fhir_servers": ()}
WITH_REPLAY_CHECK, WITHOUT = Client("north", **SIGNED_IN), Client("south", replay_check=False, **SIGNED_IN)


@pytest.mark.requirement("DB-02", "AUD-02")
@pytest.mark.parametrize(
    ("audit", "clients", "room", "status"),
    [
        ("closed", (), True, 503),
        ("closed", (WITHOUT,), True, 503),
        ("open", (), True, 200),
        ("open", (WITHOUT,), True, 200),
        ("open", (WITHOUT, WITH_REPLAY_CHECK), True, 503),
        ("spill", (), True, 200),
        ("spill", (WITHOUT,), True, 200),
        ("spill", (WITH_REPLAY_CHECK,), True, 503),
        ("spill", (WITHOUT,), False, 503),
    ],
)
def test_without_its_database_it_is_degraded_and_not_unready_where_all_calls_are_answered(
    tmp_path: Path, audit: str, clients: tuple[Client, ...], room: bool, status: int
) -> None:
    config = replace(CONFIG, database_url=f"sqlite:///{tmp_path / 'state' / 'store.sqlite3'}", public_url="https://cds.example")
    if audit == "spill":
        config = replace(config, audit_spill_file=tmp_path / "journal", audit="spill")
    runtime = open_runtime(replace(config, audit=audit), clients=clients)
    if runtime.trail.journal and not room:
        runtime.trail.journal._most_bytes = 1000
    client = ready_client(runtime)
    runtime.database.dispose()
    shutil.rmtree(tmp_path / "state")
    answer = client.get("/health/ready")
    assert answer.status_code == status
    if status == 200:
        assert answer.get_json()["reasons"][0] == "database"


def test_clients_that_are_shown_nothing_are_counted_where_everybody_looks() -> None:
    shadow = replace(WITHOUT, mode="shadow")
    runtime = open_runtime(replace(CONFIG, public_url="https://cds.example"), clients=[shadow, WITH_REPLAY_CHECK])
    client = ready_client(runtime)
    answer = client.get("/health/ready")
    assert answer.get_json()["clientsInShadow"] == 1
    check_answer(answer.status_code, answer.headers, answer.get_data())
    look(client.application, runtime)
    assert Scraped(exposition().decode())("clients_in_shadow") == 1


@pytest.mark.requirement("JWT-06")
def test_a_client_whose_keys_cannot_be_fetched_degrades_the_service_and_does_not_stop_it() -> None:
    nobody_there = Client("north", issuer="https://north.example", jwks_url="http://127.0.0.1:9/jwks.json")
    runtime = open_runtime(replace(CONFIG, public_url="https://cds.example"), clients=[nobody_there])
    answer = ready_client(runtime).get("/health/ready")
    assert answer.status_code == 200
    told = answer.get_json()
    assert (told["status"], told["reasons"], told["clientsWithoutKeys"]) == ("degraded", ["clients-without-keys"], 1)


@pytest.mark.requirement("JWT-06")
def test_whoever_asks_whether_it_is_ready_has_keys_that_are_missing_fetched() -> None:
    """So that a key server that was down at the start, with no call since, is noticed to be up again."""
    ehr, web, clock = Ehr("north", "https://north.example/jwks.json"), Web(), [1000.0]
    keys = ClientKeys(ehr.client(), fetch=web.get, clock=lambda: clock[0], in_background=lambda work: work())
    runtime = open_runtime(replace(CONFIG, public_url="https://cds.example"), clients=[ehr.client()])
    client = ready_client(replace(runtime, gate=replace(runtime.gate, keys={"north": keys})))
    assert client.get("/health/ready").get_json()["status"] == "degraded"
    web.publish(ehr.jwks_url, ehr.jwks())
    assert client.get("/health/ready").get_json()["status"] == "degraded", "asked for no more often than is decent"
    clock[0] += COOL_DOWN
    assert client.get("/health/ready").get_json()["status"] == "ready"
    clock[0] += 24 * 3600
    assert client.get("/health/ready").get_json()["status"] == "ready"


@pytest.mark.requirement("JWT-20", "OUT-14")
def test_a_clock_that_differs_and_an_ehr_that_is_left_alone_are_named() -> None:
    runtime = open_runtime(CONFIG)
    client = ready_client(runtime)
    assert client.get("/health/ready").get_json()["status"] == "ready"
    for _ in range(5):
        runtime.gate.clock_watch.see("north", 1000.0, 1045.0)
    assert client.get("/health/ready").get_json()["reasons"] == ["clock-differs"]
    for _ in range(FAILURES_TO_OPEN):
        runtime.callback.breakers.failed(("north", "https://north.example/fhir"))
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.get_json()["reasons"]) == (200, ["clock-differs", "ehr-left-alone"])
    told = Scraped(exposition().decode())
    held = {reason: told("degraded", reason=reason) for reason in (*HINDRANCES, *LACKS)}
    assert {reason for reason, value in held.items() if value} == {"clock-differs", "ehr-left-alone"}
    assert told.values("degraded", "reason") == set(held)
    check_answer(answer.status_code, answer.headers, answer.get_data())


@pytest.mark.requirement("PR-04")
def test_with_nine_handles_of_ten_used_it_is_not_ready() -> None:
    client = ready_client(open_runtime(CONFIG))
    assert client.get("/health/ready").status_code == 200
    _, hard = limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = len(os.listdir("/proc/self/fd"))
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (used * 10 // 9, hard))
        full = client.get("/health/ready")
        assert client.get("/health/live").status_code == 200
        resource.setrlimit(resource.RLIMIT_NOFILE, (used * 2, hard))
        assert client.get("/health/ready").status_code == 200
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert full.status_code == 503
    assert "file handles" in diagnostics(full.get_json())


def test_what_is_said_of_every_hindrance_and_lack_is_documented() -> None:
    page = Path("docs/degradation.md").read_text(encoding="utf-8")
    assert [word for word in (*HINDRANCES, *LACKS) if f"`{word}`" not in page] == []
