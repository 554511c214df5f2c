"""No test can look at an answer that breaks the contract without failing."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from server.application import create_app
from server.cds_hooks import calls, discovery
from tests.server.answers import CheckedClient
from tests.server.charts import dermatomyositis, hook_call
from tests.server.conftest import CONFIG


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


def test_other_applications_are_left_alone() -> None:
    app = Flask("another")
    app.get("/cds-services")(lambda: "anything")
    assert app.test_client().get("/cds-services").text == "anything"


def _fault(*_: Any) -> Any:
    raise KeyError("a fault")
