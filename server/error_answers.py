"""Errors as HTTP answers: a FHIR OperationOutcome with one issue; never HTML, a stack trace or a value from the request."""

from collections.abc import Mapping, Sequence

import orjson
from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from server.errors import RequestRefusedError
from server.observing.logs import logger

FHIR_JSON = "application/fhir+json"

_log = logger("errors")

# What the web framework or the HTTP server refuses by itself: number, issue type and text by status.
_BY_STATUS: Mapping[int, tuple[str, str, str]] = {
    400: ("MYO-1400", "structure", "The HTTP request cannot be read."),
    404: ("MYO-1404", "not-found", "There is nothing at this path. The services are listed at /cds-services."),
    405: ("MYO-1405", "not-supported", "This method is not possible here; the Allow header names those that are."),
    408: ("MYO-1408", "timeout", "The request did not come in whole in time. Send it again."),
    413: ("MYO-1413", "too-long", "The request body is too long."),
    415: ("MYO-1415", "not-supported", "Send JSON, with Content-Type application/json."),
    431: ("MYO-1431", "too-long", "The request headers are too long."),
    500: ("MYO-1500", "exception", "The service failed to answer this request. This is a fault of the service."),
}
_ANY_OTHER = ("MYO-1499", "processing", "The request cannot be answered.")


def operation_outcome(number: str, code: str, text: str, *, severity: str = "error") -> bytes:
    """A FHIR R4 OperationOutcome with one issue, as JSON."""
    return outcome_of_issues([issue(number, code, text, severity=severity)])


def outcome_of_issues(issues: Sequence[Mapping[str, str]]) -> bytes:
    """A FHIR R4 OperationOutcome, as JSON."""
    return orjson.dumps({"resourceType": "OperationOutcome", "issue": issues})


def issue(number: str, code: str, text: str, *, severity: str) -> Mapping[str, str]:
    """One issue of an OperationOutcome."""
    return {"severity": severity, "code": code, "diagnostics": f"{number}: {text}"}


def outcome_of_status(status: int) -> bytes:
    """The OperationOutcome for a refusal that was not ours."""
    return operation_outcome(*_BY_STATUS.get(status, _ANY_OTHER), severity="fatal" if status == 500 else "error")


def number_of_status(status: int) -> str:
    """The number of a refusal that was not ours."""
    return _BY_STATUS.get(status, _ANY_OTHER)[0]


def install_error_handlers(app: Flask) -> None:
    """Answer every error of the application with an OperationOutcome."""
    app.register_error_handler(RequestRefusedError, _refuse)
    app.register_error_handler(HTTPException, _translate)
    app.register_error_handler(Exception, _fail)


def _respond(status: int, body: bytes) -> Response:
    return Response(body, status=status, content_type=FHIR_JSON)


def _refuse(error: RequestRefusedError) -> Response:
    response = _respond(error.status, operation_outcome(error.number, error.code, error.text))
    response.headers.extend(error.answer_headers())
    return response


def _translate(error: HTTPException) -> Response:
    status = error.code or 500
    response = _respond(status, outcome_of_status(status))
    for name, value in error.get_headers():
        if name == "Allow":
            response.headers[name] = value
    return response


def _fail(error: Exception) -> Response:
    """A fault of ours. What it says may hold patient data, so the log gets its kind and place only."""
    _log.error("failed", exc_info=error)
    return _respond(500, outcome_of_status(500))
