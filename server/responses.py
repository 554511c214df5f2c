"""JSON answers."""

from collections.abc import Mapping
from typing import Any

import orjson
from flask import Response

from server.stopwatch import server_timing


def json_response(content: Any, *, seconds: Mapping[str, float] | None = None) -> Response:
    """An answer in JSON.

    Args:
        content: what to write.
        seconds: time spent, by phase, for the `Server-Timing` header.
    """
    response = Response(orjson.dumps(content), content_type="application/json")
    if seconds:
        response.headers["Server-Timing"] = server_timing(seconds)
    return response
