"""HTTP for exports: short answers through `server.outbound.http`, and files as a stream, on the same leash.

No redirect is followed, no cookie kept, nothing is taken from the environment, and each exchange has a connection of its own. A
file has a time limit as a whole, and one for silence; how long it may be is for the reader to say.
"""

import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import requests
import urllib3.exceptions

from server.outbound.adapter import LeashedAdapter, trusted
from server.outbound.http import Answer, OutboundError, Reason, get, post
from server.outbound.leash import Leash

SECONDS = 60.0
"""For a short answer, to its last byte."""

FILE_SECONDS = 3600.0
"""For one connection that brings a file; one that takes longer is gone on with in another."""

SILENT_SECONDS = 60.0
"""So long a file may bring nothing."""

MOST_BYTES = 32 * 1024 * 1024
"""Of a short answer: a manifest has some hundred bytes for each file."""

_PIECE = 262_144
_GZIP = 16 + zlib.MAX_WBITS
_REDIRECTS = range(300, 400)


@dataclass(frozen=True, slots=True)
class Incoming:
    """An answer that is being read.

    Args:
        status: HTTP status.
        headers: by lower-case name.
        pieces: the body as it is sent; reading raises `OutboundError` where it breaks off.
    """

    status: int
    headers: Mapping[str, str]
    pieces: Iterator[bytes]

    def decoded(self) -> Iterator[bytes]:
        """The body without its content coding, a piece at a time.

        Raises:
            OutboundError: it breaks off, or cannot be unpacked.
        """
        coding = self.headers.get("content-encoding", "identity").strip().lower()
        if coding == "identity":
            return self.pieces
        if coding not in ("gzip", "x-gzip"):
            raise OutboundError("unreadable")
        return _unpacked(self.pieces)


@dataclass(frozen=True, slots=True)
class Wire:
    """How servers are reached.

    Args:
        ca_file: certificates to trust besides the system's.
        silent_seconds: so long a file may bring nothing.
    """

    ca_file: Path | None = None
    silent_seconds: float = SILENT_SECONDS

    def get(self, url: str, headers: Mapping[str, str]) -> Answer:
        """A short answer.

        Raises:
            OutboundError: there is none.
        """
        return get(url, headers=headers, seconds=SECONDS, most_bytes=MOST_BYTES, ca_file=self.ca_file)

    def post(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
        """A short answer to a form.

        Raises:
            OutboundError: there is none.
        """
        return post(url, form, headers=headers, seconds=SECONDS, most_bytes=MOST_BYTES, ca_file=self.ca_file)

    def delete(self, url: str, headers: Mapping[str, str]) -> Answer:
        """Status and headers of an answer to DELETE; nobody reads its body.

        Raises:
            OutboundError: there is none.
        """
        with self._opened("DELETE", url, headers, SECONDS, SECONDS) as incoming:
            return Answer(incoming.status, incoming.headers, b"")

    @contextmanager
    def stream(self, url: str, headers: Mapping[str, str]) -> Iterator[Incoming]:
        """A file, while it comes.

        Raises:
            OutboundError: there is no answer; and while its pieces are read, where it breaks off.
        """
        with self._opened("GET", url, headers, FILE_SECONDS, self.silent_seconds) as incoming:
            yield incoming

    @contextmanager
    def _opened(
        self, method: Literal["GET", "DELETE"], url: str, headers: Mapping[str, str], seconds: float, silent: float
    ) -> Iterator[Incoming]:
        try:
            authorities = trusted(self.ca_file)
        except OSError as error:
            raise OutboundError("untrusted") from error
        with Leash(seconds) as leash, requests.Session() as session:
            session.trust_env = False
            session.headers.clear()
            session.headers.update({"User-Agent": "myositis-cds", **headers})
            adapter = LeashedAdapter(leash, authorities)
            session.mount("http://", adapter)
            session.mount("https://", adapter)
            try:
                response = session.request(method, url, timeout=silent, allow_redirects=False, stream=True, auth=_unchanged)
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
                raise OutboundError("timeout" if leash.is_cut else _reason(error)) from error
            with response:
                if response.status_code in _REDIRECTS:
                    raise OutboundError("redirect")
                told = {name.lower(): value for name, value in response.headers.items()}
                yield Incoming(response.status_code, told, _pieces(response, leash))


def _pieces(response: requests.Response, leash: Leash) -> Iterator[bytes]:
    """The body as it arrives: a piece is handed on as soon as it is there, so that little is lost if we are killed."""
    while True:
        try:
            piece: bytes = response.raw.read1(_PIECE, decode_content=False)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise OutboundError("timeout" if leash.is_cut else _reason(error)) from error
        if not piece:
            break
        yield piece
    if leash.is_cut:  # without a length, a connection that we shut looks like a body that has ended
        raise OutboundError("timeout")


def _unpacked(pieces: Iterable[bytes]) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(_GZIP)
    for packed in pieces:
        while packed:
            try:
                yield unpacker.decompress(packed, _PIECE)
            except zlib.error as error:
                raise OutboundError("unreadable") from error
            packed = unpacker.unconsumed_tail
    yield unpacker.flush()
    if not unpacker.eof or unpacker.unused_data:
        raise OutboundError("unreadable")


def _unchanged(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keeps `requests` from making an Authorization header of a name and password in the URL."""
    return request


def _reason(error: Exception) -> Reason:
    if isinstance(error, (requests.exceptions.SSLError, urllib3.exceptions.SSLError)):
        return "untrusted"
    if isinstance(error, (requests.Timeout, urllib3.exceptions.TimeoutError)):
        return "timeout"
    if isinstance(error, urllib3.exceptions.ProtocolError):
        return "unreadable"
    return "no-connection"
