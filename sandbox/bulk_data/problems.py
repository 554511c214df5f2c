"""What an export says about itself, in files beside the data: OperationOutcomes."""

from sandbox.bundles import Json


def problem(severity: str, code: str, text: str) -> Json:
    """An OperationOutcome with one issue (https://hl7.org/fhir/R4/operationoutcome.html)."""
    return {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": code, "diagnostics": text}]}
