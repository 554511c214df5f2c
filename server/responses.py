"""JSON answers."""

from typing import Any

import orjson
from flask import Response


def json_response(content: Any) -> Response:
    """An answer in JSON.

    Args:
        content: what to write.
    """
    return Response(orjson.dumps(content), content_type="application/json")
