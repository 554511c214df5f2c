"""What the FHIR API answers with: resources, and OperationOutcomes for what it cannot do."""

import json
from collections.abc import Mapping
from typing import Any

from flask import Response

from sandbox.bundles import Json

FHIR_JSON = "application/fhir+json"
DEEPEST = 64
"""So many levels of objects and lists are read; whatever walks through a resource takes a step to a level."""


class RefusalError(Exception):
    """A request that is answered with an OperationOutcome."""

    def __init__(self, status: int, code: str, text: str, **headers: str) -> None:
        """The arguments of `outcome`, and headers; `_` in their names stands for `-`."""
        super().__init__(text)
        self.response = outcome(status, "error", code, text)
        self.response.headers.update({name.replace("_", "-"): value for name, value in headers.items()})


def read_json(body: bytes) -> Any:
    """What a body says.

    Raises:
        RefusalError: it is no JSON, or nested deeper than any resource of a chart.
    """
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        raise RefusalError(400, "structure", "The body is not JSON, or is nested too deeply.") from None
    level = [content]
    for _ in range(DEEPEST):
        level = [
            part for one in level if isinstance(one, dict | list) for part in (one.values() if isinstance(one, dict) else one)
        ]
    if level:
        raise RefusalError(400, "structure", f"The body is nested more than {DEEPEST} levels deep.")
    return content


def fhir(content: Json, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A resource."""
    return Response(json.dumps(content), status, headers, content_type=FHIR_JSON)


def outcome(status: int, severity: str, code: str, text: str, **more: Any) -> Response:
    """An OperationOutcome with one issue."""
    issue = {"severity": severity, "code": code, "diagnostics": text, **more}
    return fhir({"resourceType": "OperationOutcome", "issue": [issue]}, status)
