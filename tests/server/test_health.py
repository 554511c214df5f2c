"""What whatever watches over the service is told."""

import re
import shutil
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest
from flask.testing import FlaskClient

from cards.knowledge import knowledge
from server.application import create_app
from server.runtime import open_runtime
from server.trust.clients import Client
from tests.server.answers import diagnostics
from tests.server.conftest import CONFIG


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
    assert set(answer) - {"commit"} == {"status", "version", "knowledgeVersion"}


@pytest.mark.requirement("DB-02")
def test_without_its_database_it_is_not_ready(tmp_path: Path) -> None:
    config = replace(CONFIG, database_url=f"sqlite:///{tmp_path / 'state' / 'store.sqlite3'}")
    runtime, ready = open_runtime(config), Event()
    ready.set()
    client = create_app(config, runtime=runtime, ready=ready).test_client()
    assert client.get("/health/ready").status_code == 200
    runtime.database.dispose()
    shutil.rmtree(tmp_path / "state")
    broken = client.get("/health/ready")
    assert broken.status_code == 503
    assert "database" in diagnostics(broken.get_json())


@pytest.mark.requirement("JWT-06")
def test_a_client_whose_keys_cannot_be_fetched_degrades_the_service_and_does_not_stop_it() -> None:
    nobody_there = Client("north", issuer="https://north.example", jwks_url="http://127.0.0.1:9/jwks.json")
    config, ready = replace(CONFIG, public_url="https://cds.example"), Event()
    ready.set()
    runtime = open_runtime(config, clients=[nobody_there])
    answer = create_app(config, runtime=runtime, ready=ready).test_client().get("/health/ready")
    assert answer.status_code == 200
    assert (answer.get_json()["status"], answer.get_json()["clientsWithoutKeys"]) == ("degraded", 1)
