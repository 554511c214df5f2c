"""No test can look at an answer that breaks the contract without failing."""

import re
from pathlib import Path
from typing import Any

import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient

from server.application import create_app
from server.cds_hooks import calls, discovery
from tests.end_to_end.checked_connection import Answer, CheckedConnection
from tests.server.answers import CheckedClient
from tests.server.charts import dermatomyositis, hook_call
from tests.server.conftest import CONFIG

TESTS = Path(__file__).parents[2]


def test_every_test_client_of_the_application_checks() -> None:
    assert isinstance(create_app(CONFIG).test_client(), CheckedClient)


@pytest.mark.requirement("CARD-05", "G-2")
@pytest.mark.parametrize("card", [{}, {"summary": "x"}, None])
def test_an_answer_with_a_broken_card_fails_the_test(client: FlaskClient, monkeypatch: pytest.MonkeyPatch, card: Any) -> None:
    monkeypatch.setattr(calls, "in_dialect", lambda cards, client: [card])
    with pytest.raises(AssertionError, match="response: "):
        client.post("/cds-services/myositis-patient-view", json=hook_call("p1", dermatomyositis()))


def test_a_discovery_that_lacks_something_fails_the_test(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "CDS_HOOKS_VERSION", "two")
    with pytest.raises(AssertionError, match="discovery: "):
        client.get("/cds-services")


def test_a_fault_of_ours_fails_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    app = create_app(CONFIG)
    monkeypatch.setattr(calls, "answer", _fault)
    with pytest.raises(AssertionError, match="500"):
        app.test_client().post("/cds-services/myositis-patient-view", json=hook_call("p1", dermatomyositis()))


def test_over_a_network_too_nobody_speaks_to_the_service_on_a_connection_that_does_not_check() -> None:
    """Those that may are about the sandbox, which is another application, wait until something listens, or only take the time."""
    importing = re.compile(r"^(from http\.client import .*\bHTTPConnection\b|import http\.client)", re.MULTILINE)
    opened = {path.relative_to(TESTS).as_posix() for path in TESTS.rglob("*.py") if importing.search(path.read_text("utf-8"))}
    others = {
        "sandbox/test_fhir_api.py",
        "browser/conftest.py",
        "end_to_end/test_demo.py",
        "server/cohort/fetching/test_as_processes.py",
    }
    timing = {
        "trials/slow_clients.py",
        "end_to_end/serving.py",
        "server/serving/test_channels.py",
        "server/serving/test_waited.py",
    }
    assert opened - others - timing == {"end_to_end/checked_connection.py"}


@pytest.mark.requirement("CARD-05")
@pytest.mark.parametrize(
    ("path", "body"),
    [("/cds-services", {"services": [{}]}), ("/cds-services/x", {"cards": [{}]}), ("/cds-services/x/feedback", {"issue": []})],
)
def test_a_broken_answer_over_a_network_fails_the_test(path: str, body: Any) -> None:
    connection = CheckedConnection(1)
    connection._asked = ("POST", path)
    headers = {"Cache-Control": "no-store", "Content-Type": f"application/{'fhir+' if 'issue' in body else ''}json"}
    with pytest.raises(AssertionError, match=r"discovery: |response: |operation-outcome: "):
        connection.check(Answer(200, headers, orjson.dumps(body)))


def test_other_applications_are_left_alone() -> None:
    app = Flask("another")
    app.get("/cds-services")(lambda: "anything")
    assert app.test_client().get("/cds-services").text == "anything"


def _fault(*_: Any) -> Any:
    raise KeyError("a fault")
