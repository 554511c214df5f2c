"""What an OperationOutcome among prefetched data says: nothing amiss, something missing, something withheld, or an error.

Conformance R-13 and R-14, threat OUT-10. Severity alone does not tell: a warning may be "no results", and it may be "there is
more that you are not shown". So the issue types of FHIR R4 are looked at (https://hl7.org/fhir/R4/valueset-issue-type.html), and
the numbers that Epic puts into `details`, under its own root of object identifiers. Only what is known to take nothing away is
taken for that; of anything else it is assumed that something is missing (SAF-08).
"""

from enum import IntEnum
from typing import Any

from fhir_profiles.elements import Json, objects

_EPIC = "urn:oid:1.2.840.114350."
_EPIC_NO_RESULTS = "4101"
_EPIC_WITHHELD = {"4130", "4131", "4134"}
_NOTHING_AMISS = {"informational", "not-found", "processing"}
_WITHHELD = {"expired", "forbidden", "login", "security", "suppressed"}


class Report(IntEnum):
    """What is reported, the worst last."""

    NOTHING_AMISS = 0  # "no results", or a remark
    PART_IS_MISSING = 1
    ERROR = 2
    WITHHELD = 3


def read_outcome(outcome: Json) -> Report:
    """The worst that an OperationOutcome reports; without an issue it is none, and an error."""
    return max((_read_issue(issue) for issue in objects(outcome.get("issue"))), default=Report.ERROR)


def _read_issue(issue: Json) -> Report:
    code = issue.get("code")
    numbers = _epic_numbers(issue)
    if (isinstance(code, str) and code in _WITHHELD) or numbers & _EPIC_WITHHELD:
        return Report.WITHHELD
    if issue.get("severity") not in ("warning", "information"):
        return Report.ERROR
    if isinstance(code, str) and code in _NOTHING_AMISS and numbers <= {_EPIC_NO_RESULTS}:
        return Report.NOTHING_AMISS
    return Report.PART_IS_MISSING


def _epic_numbers(issue: Json) -> set[Any]:
    details: Any = issue.get("details")
    codings = objects(details.get("coding")) if isinstance(details, dict) else []
    return {
        code
        for coding in codings
        if isinstance(code := coding.get("code"), str) and str(coding.get("system", "")).startswith(_EPIC)
    }


def is_not_supported(answer: Any) -> bool:
    """Whether an answer is an OperationOutcome that says: there is no such resource type here."""
    if not isinstance(answer, dict) or answer.get("resourceType") != "OperationOutcome":
        return False
    return any(issue.get("code") == "not-supported" for issue in objects(answer.get("issue")))
