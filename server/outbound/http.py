"""HTTP, bounded in time and size, on the shortest leash that `requests` can be kept on (threats OUT-02 to OUT-08).

No redirect is followed, no cookie kept, and nothing is taken from the environment: no proxy, no netrc. Each exchange has a
connection of its own.
"""

import ssl
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import requests
import urllib3.exceptions

from server.outbound.adapter import LeashedAdapter, trusted
from server.outbound.leash import Leash

Reason = Literal["timeout", "no-connection", "untrusted", "redirect", "too-long", "unreadable"]

_PIECE = 65_536
_MOST_HEADER_BYTES = 65_536
_FIRST_REDIRECT, _LAST_REDIRECT = 300, 399
_GZIP = 16 + zlib.MAX_WBITS


class OutboundError(Exception):
    """No usable answer came.

    Args:
        reason: one word out of a closed set, fit for a log: `timeout` (not complete in time), `no-connection` (refused or
            broken off), `untrusted` (the certificate, or the file to trust it by), `redirect`, `too-long`, `unreadable` (a
            content coding, a body cut short).
    """

    def __init__(self, reason: Reason) -> None:
        """Keep the reason."""
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, whatever its status.

    Args:
        status: HTTP status.
        headers: by lower-case name.
        body: decoded bytes.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


def get(url: str, *, headers: Mapping[str, str], seconds: float, most_bytes: int, ca_file: Path | None = None) -> Answer:
    """Fetch one URL; see `exchange`."""
    return exchange("GET", url, None, headers=headers, seconds=seconds, most_bytes=most_bytes, ca_file=ca_file)


def post(
    url: str, form: Mapping[str, str], *, headers: Mapping[str, str], seconds: float, most_bytes: int, ca_file: Path | None = None
) -> Answer:
    """Send a form to one URL (`application/x-www-form-urlencoded`); see `exchange`."""
    return exchange("POST", url, form, headers=headers, seconds=seconds, most_bytes=most_bytes, ca_file=ca_file)


def exchange(
    method: Literal["GET", "POST"],
    url: str,
    form: Mapping[str, str] | bytes | None,
    *,
    headers: Mapping[str, str],
    seconds: float,
    most_bytes: int,
    ca_file: Path | None,
) -> Answer:
    """Send one request.

    Looking up a name cannot be interrupted, and each address of a name is given the time again; who must keep a deadline
    against that too waits in another thread, as `server.ehr` does.

    Args:
        method: the HTTP method.
        url: absolute; the caller has checked that it may be called.
        form: the fields of the body, if there is one.
        headers: to send; none besides are sent, except what HTTP needs.
        seconds: until the last byte, whatever the other side does.
        most_bytes: a body that is longer, as sent or decoded, is refused.
        ca_file: certificates to trust besides the system's.

    Raises:
        OutboundError: no answer in time, too long, redirected, or no connection.
    """
    if seconds <= 0:
        raise OutboundError("timeout")
    try:
        authorities = trusted(ca_file)
    except OSError as error:
        raise OutboundError("untrusted") from error
    with Leash(seconds) as leash, requests.Session() as session:
        session.trust_env = False
        session.headers.clear()
        session.headers.update({"Accept-Encoding": "gzip", "User-Agent": "myositis-cds", **headers})
        try:
            adapter = LeashedAdapter(leash, authorities)
            session.mount("http://", adapter)
            session.mount("https://", adapter)
            with session.request(
                method, url, data=form, timeout=seconds, allow_redirects=False, stream=True, auth=_unchanged
            ) as response:
                told, received = _headers(response), _received(response, most_bytes)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise OutboundError("timeout" if leash.is_cut else _reason(error)) from error
        if leash.is_cut:  # without a length, a connection that we shut looks like a body that has ended
            raise OutboundError("timeout")
    coding = told.get("content-encoding", "identity").strip().lower()
    return Answer(response.status_code, told, _decoded(received, coding, most_bytes))


def _unchanged(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keeps `requests` from making an Authorization header of a name and password in the URL."""
    return request


def _headers(response: requests.Response) -> dict[str, str]:
    if _FIRST_REDIRECT <= response.status_code <= _LAST_REDIRECT:
        raise OutboundError("redirect")
    headers = {name.lower(): value for name, value in response.headers.items()}
    if sum(len(name) + len(value) for name, value in headers.items()) > _MOST_HEADER_BYTES:
        raise OutboundError("too-long")
    return headers


def _received(response: requests.Response, most_bytes: int) -> bytes:
    """The body as it was sent."""
    pieces: list[bytes] = []
    length = 0
    while piece := response.raw.read(_PIECE, decode_content=False):
        pieces.append(piece)
        length += len(piece)
        if length > most_bytes:
            raise OutboundError("too-long")
    return b"".join(pieces)


def _decoded(received: bytes, coding: str, most_bytes: int) -> bytes:
    """The body without its content coding, unpacked no further than it may be long (OUT-06)."""
    if coding == "identity":
        return received
    if coding not in ("gzip", "x-gzip"):
        raise OutboundError("unreadable")
    unpacker = zlib.decompressobj(_GZIP)
    try:
        body = unpacker.decompress(received, most_bytes + 1)
    except zlib.error as error:
        raise OutboundError("unreadable") from error
    if len(body) > most_bytes:
        raise OutboundError("too-long")
    if not unpacker.eof or unpacker.unused_data:
        raise OutboundError("unreadable")
    return body


def _reason(error: Exception) -> Reason:
    if isinstance(error, (requests.exceptions.SSLError, urllib3.exceptions.SSLError, ssl.SSLError)):
        return "untrusted"
    if isinstance(error, (requests.Timeout, urllib3.exceptions.TimeoutError)):
        return "timeout"
    if isinstance(error, (urllib3.exceptions.ProtocolError, requests.exceptions.ChunkedEncodingError)):
        return "unreadable"
    return "no-connection"
