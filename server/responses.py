"""JSON answers."""

from collections.abc import Mapping
from typing import Any

import orjson
from flask import Response


def json_response(content: Any, *, seconds: Mapping[str, float] | None = None) -> Response:
    """An answer in JSON.

    Args:
        content: what to write.
        seconds: time spent, by phase, for the `Server-Timing` header (https://www.w3.org/TR/server-timing/).
    """
    response = Response(orjson.dumps(content), content_type="application/json")
    if seconds:
        response.headers["Server-Timing"] = ", ".join(f"{phase};dur={time * 1000:.2f}" for phase, time in seconds.items())
    return response
