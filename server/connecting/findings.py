"""What the doctor says: one finding to each thing looked at."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How a check ended, the best first."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found.

    Args:
        verdict: how it ended.
        what: what was found, without any value from a request and without a secret.
        remedy: what to do; empty where nothing is to be done.
        requirement: id of the requirement or threat that it is about; empty for none.
    """

    verdict: Verdict
    what: str
    remedy: str = ""
    requirement: str = ""

    def __str__(self) -> str:
        """As people read it: one line, and the remedy below."""
        reference = f" ({self.requirement})" if self.requirement else ""
        return f"{self.verdict:<8}{self.what}{reference}" + (f"\n        {self.remedy}" if self.remedy else "")


def ok(what: str, requirement: str = "") -> Finding:
    """A finding with which all is well."""
    return Finding(Verdict.OK, what, "", requirement)


def warning(what: str, remedy: str, requirement: str = "") -> Finding:
    """A finding that someone should know of."""
    return Finding(Verdict.WARNING, what, remedy, requirement)


def failed(what: str, remedy: str, requirement: str = "") -> Finding:
    """A finding that keeps the service, or this EHR, from working."""
    return Finding(Verdict.FAILED, what, remedy, requirement)


def has_failed(findings: Iterable[Finding]) -> bool:
    """Whether any check failed."""
    return any(finding.verdict is Verdict.FAILED for finding in findings)
