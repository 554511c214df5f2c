"""Schemathesis: two thousand requests made from `/openapi.json`, right ones and wrong ones; every answer is as described."""

from collections import Counter
from threading import Event
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from server.application import create_app
from server.cds_hooks import calls
from server.cds_hooks.services import SERVICES
from tests.server.conftest import CONFIG
from tests.sizes import size

OF_EVERY_ANSWER = [not_a_server_error, status_code_conformance]
OF_A_BODY = [content_type_conformance, response_schema_conformance]

HOOKS = [f"POST /cds-services/{service}" for service in SERVICES]
RIGHT, WRONG = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
PLAN = {
    **{(hook, RIGHT): 220 for hook in HOOKS},
    **{(hook, WRONG): 150 for hook in HOOKS},
    **{(f"{hook}/feedback", RIGHT): 50 for hook in HOOKS},
    **{(f"{hook}/feedback", WRONG): 10 for hook in HOOKS},
    ("POST /assess", RIGHT): 480,
    ("POST /assess", WRONG): 230,
}
"""How many requests to each operation; hypothesis makes the same ones in every run."""


def operations() -> dict[str, Any]:
    ready = Event()
    ready.set()
    document = schemathesis.openapi.from_wsgi("/openapi.json", on_this_machine(create_app(CONFIG, ready=ready)))
    return {found.ok().label: found.ok() for found in document.get_all_operations()}


def on_this_machine(app: Flask) -> Flask:
    """Whoever calls, calls from here; schemathesis does not say from where."""
    inner = app.wsgi_app
    app.wsgi_app = lambda environ, start: inner(environ | {"REMOTE_ADDR": "127.0.0.1"}, start)  # type: ignore[method-assign]
    return app


def send(label: str, mode: GenerationMode, examples: int) -> Counter[int]:
    """Send so many requests to one operation and check each answer; how often each status came."""
    statuses = Counter[int]()

    @settings(max_examples=examples, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(operations()[label].as_strategy(generation_mode=mode))
    def run(case: Case) -> None:
        response = case.call()
        statuses[response.status_code] += 1
        case.validate_response(response, checks=OF_EVERY_ANSWER + (OF_A_BODY if response.content else []))

    run()
    return statuses


def test_two_thousand_requests_are_planned_for_every_operation_that_takes_a_body() -> None:
    assert sum(PLAN.values()) >= 2000
    assert {label for label in operations() if label.startswith("POST")} == {label for label, _ in PLAN}


@pytest.mark.slow
@pytest.mark.requirement("IN-10", "ERR-01", "H-4", "H-5")
@pytest.mark.parametrize(("label", "mode"), PLAN, ids=lambda value: getattr(value, "value", value))
def test_whatever_is_sent_is_answered_as_described(label: str, mode: GenerationMode) -> None:
    examples = size(PLAN[label, mode], part=max(8, PLAN[label, mode] // 10))
    statuses = send(label, mode, examples)
    assert statuses.total() >= examples
    assert max(statuses) < 500
    if label in HOOKS:  # else the requests would show nothing: right ones must get past the envelope, and wrong ones must not
        assert {200, 412} <= set(statuses) if mode is RIGHT else set(statuses) == {400}


@pytest.mark.slow
@pytest.mark.parametrize("label", ["GET /cds-services", "GET /health/live", "GET /health/ready", "GET /schemas/{name}"])
def test_whatever_is_asked_for_is_answered_as_described(label: str) -> None:
    assert set(send(label, RIGHT, 30)) == {200}


@pytest.mark.parametrize("answer", [KeyError("a fault"), [{"summary": ""}]], ids=["a fault", "an answer off the schema"])
def test_what_is_looked_for_would_be_found(monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    def broken(*_: Any) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(calls, "answer", broken)
    with pytest.raises(FailureGroup):
        send(HOOKS[0], RIGHT, 50)
