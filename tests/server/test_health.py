"""What whatever watches over the service is told."""

import re
from threading import Event

from flask.testing import FlaskClient

from cards.knowledge import knowledge
from server.application import create_app
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
