"""HTTP with services: JSON out, JSON in, and every way to fail becomes a sentence."""

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests
from urllib3.exceptions import HTTPError

from sandbox.errors import ServiceError
from sandbox.fhir_parts import Json

TIMEOUT_SECONDS = (3, 15)
"""To connect, and to answer: a service that calls back to a slow FHIR server needs some seconds."""

DEEPEST = 100
"""Levels of JSON that are read; FHIR resources have about ten."""

_METRIC = re.compile(r'(?:[^",]|"[^"]*")+')
_DURATION = re.compile(r';\s*dur\s*=\s*"?(\d+(?:\.\d+)?)"?\s*(?:;|$)')
"""Of the `Server-Timing` header: one metric, and the duration in it (https://www.w3.org/TR/server-timing/)."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer over HTTP.

    Args:
        body: parsed JSON.
        milliseconds: from the request to the end of the answer.
        server_timing: milliseconds by phase, as the service says.
    """

    body: Any
    milliseconds: float
    server_timing: Mapping[str, float]


def get_json(url: str, token: str) -> Reply:
    """Fetch JSON; arguments and errors are those of `post_json`."""
    return _exchange("GET", url, token, None)


def post_json(url: str, token: str, body: Json) -> Reply:
    """Send JSON, and read the JSON that comes back.

    Args:
        url: absolute.
        token: for `Authorization: Bearer`.
        body: what is sent.

    Raises:
        ServiceError: no answer, another status than 200, or no JSON.
    """
    return _exchange("POST", url, token, body)


def send_json(url: str, token: str, body: Json) -> None:
    """Send JSON where any success will do, with or without an answer (feedback, conformance F-10).

    Raises:
        ServiceError: no answer, or a status that is not of success.
    """
    _request("POST", url, token, body)


def _exchange(method: str, url: str, token: str, body: Json | None) -> Reply:
    started = time.perf_counter()
    response = _request(method, url, token, body)
    milliseconds = (time.perf_counter() - started) * 1000
    try:
        answered = _read_json(response.content)
    except (ValueError, RecursionError) as error:
        raise ServiceError(f"The service answered {response.status_code} without JSON that can be read ({url}).") from error
    if response.status_code != requests.codes.ok:
        raise ServiceError(f"The service answered {response.status_code} instead of 200 ({url}).")
    return Reply(answered, milliseconds, read_server_timing(response.headers.get("Server-Timing", "")))


def _request(method: str, url: str, token: str, body: Json | None) -> requests.Response:
    headers = {"Accept": "application/json", "Authorization": f"Bearer {token}"}
    with requests.Session() as session:
        session.trust_env = False  # a proxy of the machine must not see the calls, nor be needed for loopback
        try:
            response = session.request(method, url, json=body, headers=headers, timeout=TIMEOUT_SECONDS, allow_redirects=False)
        except requests.Timeout as error:
            raise ServiceError(f"The service did not answer in time ({url}).", may_pass=True) from error
        except (requests.RequestException, HTTPError, UnicodeError) as error:  # not all of urllib3's are made requests' own
            raise ServiceError(f"The service cannot be reached at {url}. Is it running?", may_pass=True) from error
    status = response.status_code
    if requests.codes.ok <= status < requests.codes.multiple_choices:
        return response
    may_pass = status >= requests.codes.server_error or status == requests.codes.too_many_requests
    raise ServiceError(f"The service refused the call ({status}). {_words_of(response)}".strip(), may_pass=may_pass)


def _read_json(content: bytes) -> Any:
    """JSON, if it is not nested deeper than any page could show.

    Raises:
        ValueError, RecursionError: it is none.
    """
    value = json.loads(content, parse_constant=_refuse_constant)
    level = [value]
    for _ in range(DEEPEST):
        level = [
            inner for one in level if isinstance(one, dict | list) for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return value
    raise ValueError("nested too deeply")


def _refuse_constant(name: str) -> None:
    """NaN and the infinities, which are no JSON (RFC 8259, section 6)."""
    raise ValueError(f"{name} is no JSON")


def read_server_timing(header: str) -> dict[str, float]:
    """Milliseconds by phase; what has no duration is left out."""
    metrics = [(metric.partition(";")[0].strip(), _DURATION.search(metric)) for metric in _METRIC.findall(header)]
    return {name: float(duration[1]) for name, duration in metrics if name and duration}


def _words_of(response: requests.Response) -> str:
    """What an OperationOutcome says, empty for anything else (conformance H-5)."""
    try:
        outcome = _read_json(response.content)
    except (ValueError, RecursionError):
        return ""
    if not has_objects(outcome, "issue"):
        return ""
    said = [issue.get("diagnostics") or _text(issue.get("details")) for issue in outcome["issue"]]
    return " ".join(text for text in said if isinstance(text, str) and text)


def _text(details: Any) -> Any:
    return details.get("text") if isinstance(details, dict) else None


def has_objects(value: Any, member: str) -> bool:
    """Whether JSON is an object whose member is a list of objects."""
    if not isinstance(value, dict) or not isinstance(value.get(member), list):
        return False
    return all(isinstance(item, dict) for item in value[member])
