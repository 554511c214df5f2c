"""One line per request, in key=value form and without patient data: no path, no query, no header, no body.

Only values from closed sets, numbers, and a hook instance that really is a UUID are written, so nobody can write into the log.
"""

import logging
import time
from uuid import UUID

from flask import Flask, Response, g, request

_log = logging.getLogger("myositis_cds.requests")


def note(**fields: object) -> None:
    """Add fields to the line of the current request; of `instance` only a UUID is kept."""
    if "instance" in fields:
        fields["instance"] = uuid_or_nothing(str(fields["instance"]))
    g.log_fields = g.get("log_fields", {}) | fields


def install_request_log(app: Flask) -> None:
    """Write a line for every request that is not a health check."""

    @app.before_request
    def start() -> None:
        g.started = time.perf_counter()

    @app.after_request
    def write(response: Response) -> Response:
        if request.blueprint == "health":
            return response
        fields = {
            "endpoint": request.endpoint or "none",
            "method": request.method if request.method in _METHODS else "other",
            "status": response.status_code,
            "ms": f"{(time.perf_counter() - g.started) * 1000:.1f}",
            **g.get("log_fields", {}),
        }
        _log.info("event=request %s", " ".join(f"{name}={value}" for name, value in fields.items()))
        return response


_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))


def uuid_or_nothing(text: str) -> str:
    """A UUID, or words that say it is none: whatever else a client chose is not written into a log."""
    try:
        return str(UUID(text))
    except ValueError:
        return "not-a-uuid"
