"""What went wrong between two machines, for people: what, why, and what to do; never what was sent."""

import json
import re
from typing import Any

from fhir_profiles.elements import objects
from server.outbound.http import Answer, OutboundError

_WHY = {
    "timeout": "it did not answer in time",
    "no-connection": "there is no connection: see that the address is right, and that the server answers this machine",
    "untrusted": "its certificate is not trusted here; if the hospital has an authority of its own, name its file with --ca-file",
    "redirect": "it redirects elsewhere, and a token is not taken there; give the address where it really is",
    "too-long": "its answer is longer than this command reads",
    "unreadable": "its answer broke off, or cannot be unpacked",
}
_CODE = re.compile(r"[a-z-]{2,40}")
_NO_PROGRESS = re.compile(r"[^\w %.,:;/()+-]", re.ASCII)
_LONGEST_PROGRESS = 100


def why(error: OutboundError) -> str:
    """Why no answer came."""
    return _WHY[error.reason]


def status_of(answer: Answer) -> str:
    """The status of an answer, and the issue codes of the OperationOutcome in it: codes of FHIR, not its texts, which may name
    patients."""
    codes = issue_codes(answer)
    return f"HTTP {answer.status}" + (f", {', '.join(codes)}" if codes else "")


def issue_codes(answer: Answer) -> tuple[str, ...]:
    """The issue codes of an OperationOutcome (https://hl7.org/fhir/R4/valueset-issue-type.html); none of anything else."""
    content = json_of(answer)
    issues = objects(content.get("issue")) if isinstance(content, dict) else []
    codes = (issue.get("code") for issue in issues)
    return tuple(dict.fromkeys(code for code in codes if isinstance(code, str) and _CODE.fullmatch(code)))


def json_of(answer: Answer) -> Any:
    """What an answer says; None where that is no JSON."""
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        return None


def progress_in_words(text: str) -> str:
    """`X-Progress`, as far as a terminal may show it."""
    return _NO_PROGRESS.sub("", text)[:_LONGEST_PROGRESS].strip()
