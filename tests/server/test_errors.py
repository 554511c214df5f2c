"""The catalogue of refusals, and what becomes of a fault of our own."""

import logging

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.exceptions import ImATeapot

from server import errors
from server.error_answers import install_error_handlers, outcome_of_status
from server.errors import NotReadyError, RequestRefusedError
from tests.for_each import for_each
from tests.server.answers import check_answer, check_outcome, diagnostics
from tests.server.logged import text

REFUSALS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, RequestRefusedError)]
REFUSALS.remove(RequestRefusedError)

# https://hl7.org/fhir/R4/valueset-issue-type.html
ISSUE_TYPES = {
    "invalid", "structure", "required", "value", "invariant", "security", "login", "unknown", "expired", "forbidden",
    "suppressed", "processing", "not-supported", "duplicate", "multiple-matches", "not-found", "deleted", "too-long",
    "code-invalid", "extension", "too-costly", "business-rule", "conflict", "transient", "lock-error", "no-store", "exception",
    "timeout", "incomplete", "throttled", "informational",
}  # fmt: skip


@pytest.fixture
def failing() -> FlaskClient:
    app = Flask(__name__)
    install_error_handlers(app)

    @app.get("/fault")
    def fault() -> str:
        raise KeyError("Erika Mustermann, born 1964-03-14")

    @app.get("/teapot")
    def teapot() -> str:
        raise ImATeapot("Erika Mustermann")

    @app.get("/starting")
    def starting() -> str:
        raise NotReadyError("The service is starting.")

    return app.test_client()


def test_every_refusal_has_a_number_of_its_own() -> None:
    numbers = [kind.number for kind in REFUSALS]
    assert len(set(numbers)) == len(numbers) > 10


@for_each("kind", REFUSALS, ids=lambda kind: kind.__name__)
def test_every_refusal_has_a_status_and_an_issue_type_of_fhir(kind: type[RequestRefusedError]) -> None:
    assert 400 <= kind.status < 600
    assert kind.code in ISSUE_TYPES


@pytest.mark.requirement("ERR-01", "LOG-02")
def test_a_fault_of_ours_is_answered_without_a_trace_and_logged_without_its_text(
    failing: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        response = failing.get("/fault")
    assert response.status_code == 500
    check_outcome(response.get_json())
    assert response.get_json()["issue"][0]["severity"] == "fatal"
    assert "Mustermann" not in response.text + caplog.text
    (record,) = caplog.records
    assert "error=KeyError" in text(caplog)
    assert "test_errors.fault:" in text(caplog)
    assert record.exc_info is None


@pytest.mark.requirement("H-5", "ERR-01")
def test_a_refusal_of_the_web_framework_is_an_operation_outcome_too(failing: FlaskClient) -> None:
    response = failing.get("/teapot")
    assert (response.status_code, response.content_type) == (418, "application/fhir+json")
    check_outcome(response.get_json())
    assert "Mustermann" not in response.text


def test_a_refusal_says_its_number_and_its_text(failing: FlaskClient) -> None:
    response = failing.get("/starting")
    assert response.status_code == 503
    assert diagnostics(response.get_json()) == "MYO-1901: The service is starting."


@pytest.mark.parametrize("status", [400, 404, 405, 413, 415, 418, 431, 500, 501])
def test_whatever_the_status_there_is_one_issue(status: int) -> None:
    check_answer(status, {"Cache-Control": "no-store", "Content-Type": "application/fhir+json"}, outcome_of_status(status))
