"""One line per request, without patient data: no path, no query, no header, no body.

Only values from closed sets, numbers, a hook instance that really is a UUID and the number of a trace are written, so nobody can
write into the log.
"""

import re
import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from flask import Flask, Response, g, request

from server.observing.counting import count_request
from server.observing.logs import logger
from server.observing.request_ids import begin_request, end_request, ids_of_request
from server.observing.traces import Trace, no_trace
from server.stopwatch import Stopwatch

_log = logger("requests")


def note(**fields: object) -> None:
    """Add fields to the line of the current request; of `instance` only a UUID is kept."""
    if "instance" in fields:
        fields["instance"] = uuid_or_nothing(str(fields["instance"]))
    g.log_fields = g.get("log_fields", {}) | fields


def timed(watch: Stopwatch) -> Stopwatch:
    """Have what a stopwatch measures counted when the current request is answered, well or badly."""
    g.watch = watch
    return watch


def install_request_log(app: Flask, trace: Trace = no_trace) -> None:
    """Write a line for every request that is not about operation; every line of a request bears its number.

    Args:
        app: the application.
        trace: where spans go.
    """

    @app.before_request
    def start() -> None:
        g.started = time.perf_counter()
        begin_request(request=uuid4().hex, **_trace(request.headers.get("traceparent", "")))

    @app.after_request
    def write(response: Response) -> Response:
        if request.blueprint in _OF_OPERATION:
            return response
        seconds = time.perf_counter() - g.started
        noted = g.get("log_fields", {})
        measured = (g.watch.seconds if "watch" in g else {}) | {"total": seconds}
        _count(response.status_code, measured, noted)
        fields = {
            "endpoint": request.endpoint or "none",
            "method": request.method if request.method in _METHODS else "other",
            "status": response.status_code,
            "ms": round(seconds * 1000, 1),
            **noted,
        }
        _log.info("request", **fields)
        trace(ids_of_request() | fields, measured)
        return response

    @app.teardown_request
    def end(error: BaseException | None) -> None:
        end_request()


def _count(status: int, seconds: Mapping[str, float], noted: Mapping[str, Any]) -> None:
    of_a_call = noted.get("service") if request.endpoint == "hooks.call" else None
    client = noted.get("client", "none")
    count_request(request.endpoint or "none", status, client, of_a_call, seconds)


_OF_OPERATION = ("health", "metrics")
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
_TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def _trace(traceparent: str) -> dict[str, str]:
    """The number of the caller's trace, for finding its call again and nothing else (W3C Trace Context section 3.2; LOG-05)."""
    found = _TRACEPARENT.fullmatch(traceparent)
    return {"trace": found[1]} if found else {}


def uuid_or_nothing(text: str) -> str:
    """A UUID, or words that say it is none: whatever else a client chose is not written into a log."""
    try:
        return str(UUID(text))
    except ValueError:
        return "not-a-uuid"
