"""What can go wrong with a FHIR server, to be switched on by resource type: for tests, and to see how a service copes.

A file of faults is a JSON object, read again at every request: `{"Observation": {"kind": "slow", "seconds": 3}}`. `*` stands for
every type.
"""

import gzip
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from flask import Response, request

from sandbox.bundles import Json
from sandbox.fhir_answers import FHIR_JSON, fhir, outcome

ELSEWHERE = "http://127.0.0.2:9"
"""Where no link of ours leads: another origin."""

NO_LINK = "//[x"
"""What no parser of URLs takes for one."""

_HUGE = 9 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    Args:
        kind: a key of `FAULTS`.
        seconds: for those that take time.
        value: for those that say something: the `Retry-After` of `busy`, the number of `epic`, the page size of `paginated`.
    """

    kind: str
    seconds: float = 5.0
    value: str = "1"


def read_faults(path: Path | None) -> Mapping[str, Fault]:
    """The faults that are switched on, by resource type.

    Args:
        path: the file; None, or one that is not there, for no faults.
    """
    if path is None or not path.exists():
        return {}
    return {name: Fault(**given) for name, given in json.loads(path.read_text("utf-8")).items()}


def spoil(response: Response, fault: Fault) -> Response:
    """An answer with a fault.

    Args:
        response: the sound answer.
        fault: what to do to it.
    """
    return FAULTS[fault.kind](response, fault)


def _slow(response: Response, fault: Fault) -> Response:
    time.sleep(fault.seconds)
    return response


def _drip(response: Response, fault: Fault) -> Response:
    """White space, a byte at a time, before the JSON: a socket timeout alone never ends it."""

    def bytes_at_leisure() -> Iterator[bytes]:
        for _ in range(int(fault.seconds / 0.05)):
            yield b" "
            time.sleep(0.05)
        yield response.get_data()

    return Response(bytes_at_leisure(), content_type=FHIR_JSON)


def _with_next(response: Response, link: str) -> Response:
    content = response.get_json()
    return fhir(content | {"link": [{"relation": "next", "url": link}]})


def _endless(response: Response, fault: Fault) -> Response:
    """Every page has another one after it, each under a new address."""
    number = int(request.args.get("_page", "0")) + 1
    return _with_next(response, f"{request.base_url}?patient={request.args.get('patient', '')}&_page={number}")


def _cut_short(response: Response, fault: Fault) -> Response:
    body = response.get_data()
    return Response(body[: len(body) // 2], content_type=FHIR_JSON)


def _anothers(response: Response, fault: Fault) -> Response:
    """The same data, of somebody else."""
    text = response.get_data(as_text=True)
    patient = request.args.get("patient") or request.path.rpartition("/")[2]
    anothers = text.replace(f'"{patient}"', '"somebody-else"').replace(f"Patient/{patient}", "Patient/somebody-else")
    return Response(anothers, content_type=FHIR_JSON)


def _bomb(response: Response, fault: Fault) -> Response:
    return Response(_zipped(), content_type=FHIR_JSON, headers={"Content-Encoding": "gzip"})


@cache
def _zipped() -> bytes:
    return gzip.compress(bytes(64 * 1024 * 1024))


def _empty(response: Response, fault: Fault) -> Response:
    return fhir({"resourceType": "Bundle", "type": "searchset", "total": 0})


def _withheld(response: Response, fault: Fault) -> Response:
    """Nothing, and a warning beside it that says why: the way in which Epic answers."""
    numbered = {"coding": [{"system": "urn:oid:1.2.840.114350.1.13.0.1.7.2.657369", "code": fault.value}]}
    issue: Json = {"severity": "warning", "code": "processing", "details": numbered}
    entry = {"resource": {"resourceType": "OperationOutcome", "issue": [issue]}, "search": {"mode": "outcome"}}
    return fhir({"resourceType": "Bundle", "type": "searchset", "total": 0, "entry": [entry]})


def _redirect(response: Response, fault: Fault) -> Response:
    return Response(status=307, headers={"Location": f"{ELSEWHERE}{urlsplit(request.url).path}"})


def _refusal(status: int, code: str, text: str) -> Callable[[Response, Fault], Response]:
    return lambda response, fault: outcome(status, "error", code, text)


def _busy(response: Response, fault: Fault) -> Response:
    answer = outcome(429, "error", "throttled", "Too many requests.")
    answer.headers["Retry-After"] = fault.value
    return answer


FAULTS: Mapping[str, Callable[[Response, Fault], Response]] = {
    "fail": _refusal(500, "exception", "The server has failed."),
    "denied": _refusal(403, "forbidden", "The token does not cover this."),
    "expired": _refusal(401, "login", "The token has expired."),
    "gone": _refusal(410, "deleted", "It was deleted."),
    "not-offered": _refusal(404, "not-supported", "There is no such resource type here."),
    "busy": _busy,
    "slow": _slow,
    "drip": _drip,
    "loop": lambda response, fault: _with_next(response, request.url),
    "endless": _endless,
    "elsewhere": lambda response, fault: _with_next(response, f"{ELSEWHERE}{request.full_path}"),
    "no-link": lambda response, fault: _with_next(response, NO_LINK),
    "redirect": _redirect,
    "html": lambda response, fault: Response("<!doctype html><title>Please log in</title>", content_type="text/html"),
    "no-fhir": lambda response, fault: fhir({"message": "hello"}),
    "truncated": _cut_short,
    "another-patient": _anothers,
    "huge": lambda response, fault: Response(b" " * _HUGE + response.get_data(), content_type=FHIR_JSON),
    "bomb": _bomb,
    "empty": _empty,
    "epic": _withheld,
}
"""What each kind of fault makes of a sound answer. `paginated` is none: it is a page size, see `fhir_api`."""
