"""What can go wrong with an export, to be switched on beside the faults of the FHIR API: under the name `$export`.

`{"$export": {"kind": "slow", "seconds": 3}}`; what each kind means stands in `EXPORT_FAULTS`.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from hashlib import sha256
from types import MappingProxyType
from urllib.parse import urlsplit

from flask import Response, request

from sandbox.bulk_data.jobs import File, Job, Jobs
from sandbox.bulk_data.problems import problem
from sandbox.bundles import Json
from sandbox.faults import ELSEWHERE, Fault
from sandbox.fhir_answers import RefusalError

SWITCH = "$export"
NOTHING_WRONG = Fault("none", seconds=0.0)

EXPORT_FAULTS: Mapping[str, str] = MappingProxyType(
    {
        "slow": "the job takes `seconds`",
        "busy": "the first `value` questions for the status are refused (429), with a Retry-After of one second",
        "failed": "the job fails (500)",
        "gone": "the job is over (410)",
        "errors": "an OperationOutcome says that something could not be exported, and another warns",
        "cut": "each file breaks off half way, the first `value` times",
        "cut-whole": "the same, and nobody can go on in the middle: there is neither a Range nor an ETag",
        "stalled": "half a file, then nothing for `seconds`, then the rest",
        "expired": "a token is good for `value` files",
        "wrong-count": "the manifest counts one resource too many in each file",
        "elsewhere": "the first file is on another origin",
        "html": "each file is a page for people",
    }
)
"""The kinds."""


def refuse_status(fault: Fault, times: int) -> None:
    """Refuse to tell the status, where that is switched on.

    Args:
        fault: what is switched on.
        times: how often it was asked for, with this one.

    Raises:
        RefusalError: as switched on.
    """
    if fault.kind == "busy" and times <= int(fault.value):
        raise RefusalError(429, "throttled", "The status was asked for too often.", Retry_After="1")
    if fault.kind == "failed":
        raise RefusalError(500, "processing", "The export has failed.")
    if fault.kind == "gone":
        raise RefusalError(410, "deleted", "The export is over.")


def refuse_file(fault: Fault, job: Job, jobs: Jobs) -> None:
    """Refuse a token that has served for enough files, where that is switched on.

    Raises:
        RefusalError: as an expired token is refused.
    """
    if fault.kind != "expired":
        return
    used = sha256(request.headers.get("Authorization", "").encode()).hexdigest()
    if jobs.note_request(job, used) > int(fault.value):
        challenge = 'Bearer realm="Sandbox EHR", error="invalid_token"'
        raise RefusalError(401, "login", "The access token has expired.", WWW_Authenticate=challenge)


def error_resources(fault: Fault) -> list[Json]:
    """What the files of `error` say."""
    if fault.kind != "errors":
        return []
    return [
        problem("error", "exception", "One Observation could not be exported."),
        problem("warning", "processing", "The export took longer than it should."),
    ]


def spoil_manifest(manifest: Json, fault: Fault) -> Json:
    """A manifest with a fault."""
    output = [dict(entry) for entry in manifest["output"]]
    if fault.kind == "wrong-count":
        output = [entry | {"count": entry["count"] + 1} for entry in output]
    if fault.kind == "elsewhere" and output:
        output[0]["url"] = f"{ELSEWHERE}{urlsplit(output[0]['url']).path}"
    return manifest | {"output": output}


def spoil_content(file: File, fault: Fault) -> File:
    """A file with something else in it, where that is switched on."""
    page = b"<!doctype html><title>Please log in</title>"
    return replace(file, content=page) if fault.kind == "html" else file


def has_ranges(fault: Fault) -> bool:
    """Whether a file can be asked for in parts."""
    return fault.kind != "cut-whole"


def spoil_answer(response: Response, fault: Fault, times: int) -> Response:
    """The answer with a file, or with a part of it, on its way.

    Args:
        response: the sound answer.
        fault: what to do to it.
        times: how often this file was asked for, with this one.
    """
    is_cut = fault.kind in ("cut", "cut-whole") and times <= int(fault.value)
    if not is_cut and fault.kind != "stalled":
        return response
    body = response.get_data()
    headers = {**response.headers, "Content-Length": str(len(body))}  # of the whole: that is how a reader knows
    return Response(_in_two(body, None if is_cut else fault.seconds), response.status_code, headers)


def _in_two(body: bytes, seconds: float | None) -> Iterator[bytes]:
    """The first half, then the other one after a while; None for never."""
    yield body[: len(body) // 2]
    if seconds is not None:
        time.sleep(seconds)
        yield body[len(body) // 2 :]
