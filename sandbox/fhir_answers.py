"""What the FHIR API answers with: resources, and OperationOutcomes for what it cannot do."""

import json
from collections.abc import Mapping
from typing import Any

from flask import Response

from sandbox.bundles import Json

FHIR_JSON = "application/fhir+json"


class RefusalError(Exception):
    """A request that is answered with an OperationOutcome."""

    def __init__(self, status: int, code: str, text: str, **headers: str) -> None:
        """The arguments of `outcome`, and headers; `_` in their names stands for `-`."""
        super().__init__(text)
        self.response = outcome(status, "error", code, text)
        self.response.headers.update({name.replace("_", "-"): value for name, value in headers.items()})


def fhir(content: Json, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A resource."""
    return Response(json.dumps(content), status, headers, content_type=FHIR_JSON)


def outcome(status: int, severity: str, code: str, text: str, **more: Any) -> Response:
    """An OperationOutcome with one issue."""
    issue = {"severity": severity, "code": code, "diagnostics": text, **more}
    return fhir({"resourceType": "OperationOutcome", "issue": [issue]}, status)
