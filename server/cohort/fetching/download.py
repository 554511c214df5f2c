"""One file of an export, fetched whole: into a `.part`, which gets its name once it is complete.

What broke off is gone on with in the middle (RFC 9110, section 14) where a strong ETag names the content, so that no two versions
are joined; otherwise the file begins again.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from server.cohort.fetching.connection import Connection
from server.cohort.fetching.errors import FetchError
from server.cohort.fetching.export_job import Waiting
from server.cohort.fetching.manifest import ListedFile
from server.cohort.fetching.resume import PART, TAG
from server.cohort.fetching.saying import why
from server.cohort.fetching.wire import Incoming
from server.cohort.files import write_whole
from server.outbound.http import Answer, OutboundError

MOST_BYTES = 64 * 2**30
"""A longer file is none that an EHR would make; what is packed into a few bytes must not fill the disk."""

PROGRESS_BYTES = 2**20
"""With so much more each time, a file may break off as often as it likes."""

_MOST_TRIES = 5
_MOST_WRONG = 2
"""So often a file may come whole and not be what the manifest says."""
_OK, _PART = 200, 206
_BUSY = (429, 500, 502, 503, 504)
_NO_PART = 416
_PIECE = 2**20
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC
_OWNER_ONLY = 0o600


class LinkOverError(FetchError):
    """The address of a file is no longer good; the manifest may have another one by now."""


class _BrokenOffError(Exception):
    """It did not come whole this time.

    Args:
        reason: why, in words.
        answer: that may say when to come back.
    """

    def __init__(self, reason: str, answer: Answer | None = None) -> None:
        super().__init__(reason)
        self.reason, self.answer = reason, answer


@dataclass(frozen=True, slots=True)
class _Part:
    """What of a file is there.

    Args:
        listed: the file.
        path: where its beginning is.
        tag: where the ETag of that is.
    """

    listed: ListedFile
    path: Path
    tag: Path

    @property
    def size(self) -> int:
        """How many bytes."""
        return self.path.stat().st_size if self.path.exists() else 0

    @property
    def validator(self) -> str:
        """The strong ETag of what is there; empty for none."""
        return self.tag.read_text("ascii") if self.tag.exists() else ""

    def begin_again(self, validator: str) -> None:
        """Take away what is there, before anything says that it is of this version."""
        self.path.unlink(missing_ok=True)
        self.tag.unlink(missing_ok=True)
        if validator:
            write_whole(self.tag, validator.encode("ascii"))


@dataclass(frozen=True, slots=True)
class Download:
    """Fetches files.

    Args:
        connection: to the EHR.
        folder: where they go.
        needs_token: whether a token goes with each request.
        waiting: how long to wait between two tries.
    """

    connection: Connection
    folder: Path
    needs_token: bool
    waiting: Waiting

    def fetch(self, listed: ListedFile) -> int:
        """Fetch a file; one that is there as a whole is only counted.

        Returns:
            How many lines it has.

        Raises:
            LinkOverError: its address is no longer good.
            FetchError: it does not come whole, or is not what it should be.
        """
        path = self.folder / listed.name
        part = _Part(listed, path.with_name(path.name + PART), path.with_name(path.name + TAG))
        try:
            if not path.exists():
                path.parent.mkdir(mode=0o700, exist_ok=True)
                self._fetch_part(part)
                os.replace(part.path, path)
            part.tag.unlink(missing_ok=True)
            return count_lines(path)
        except OSError as error:
            text = f"{path}: cannot be written ({error.strerror}). What is complete stays; give the same command again."
            raise FetchError(text) from error

    def _fetch_part(self, part: _Part) -> None:
        """Try until the part is the whole file, as often as that leads anywhere."""
        deadline, tries, wrong = self.waiting.clock() + self.waiting.seconds, 0, 0
        while True:
            before, answer = part.size, None
            try:
                self._go_on(part)
            except _BrokenOffError as error:
                reason, answer = error.reason, error.answer
                tries = 0 if part.size >= before + PROGRESS_BYTES else tries + 1
            else:
                if (problem := problem_of(part.path, part.listed.count)) is None:
                    return
                part.begin_again("")
                reason, wrong = problem, wrong + 1
            if tries >= _MOST_TRIES or wrong >= _MOST_WRONG:
                times = max(tries, wrong)
                raise FetchError(f"{part.listed.name}: {reason}, {times} times. Give the same command later to go on.")
            self.waiting.pause(answer, tries, deadline)

    def _go_on(self, part: _Part) -> None:
        """Ask for what is missing, and write it as it comes.

        Raises:
            _BrokenOffError: it did not come whole.
        """
        validator = part.validator
        have = part.size if validator else 0
        headers = {"Accept": "application/fhir+ndjson", "Accept-Encoding": "identity" if have else "gzip"}
        if have:
            headers |= {"Range": f"bytes={have}-", "If-Range": validator}
        try:
            with self.connection.stream(part.listed.url, headers, needs_token=self.needs_token) as incoming:
                start = _start_of(incoming, part, have)
                if not start:
                    part.begin_again(_validator(incoming))
                _write(incoming.decoded(), part.path, start)
        except OutboundError as error:
            if error.reason in ("untrusted", "redirect"):
                raise FetchError(f"{part.listed.name}: {why(error)}.") from error
            raise _BrokenOffError(why(error)) from error


def _start_of(incoming: Incoming, part: _Part, have: int) -> int:
    """Where in the file the body begins.

    Raises:
        _BrokenOffError: there is none, and there may be one next time.
        LinkOverError: there is none.
    """
    status = incoming.status
    if status == _PART and have and incoming.headers.get("content-range", "").startswith(f"bytes {have}-"):
        return have
    if status == _OK:
        return 0
    if status in (_PART, _NO_PART):
        part.begin_again("")
        raise _BrokenOffError("the EHR has no such part of it")
    if status in _BUSY:
        raise _BrokenOffError(f"HTTP {status}", Answer(status, incoming.headers, b""))
    raise LinkOverError(f"{part.listed.name}: the EHR does not give it (HTTP {status}).")


def problem_of(path: Path, count: int | None) -> str | None:
    """What is wrong with a file of NDJSON as a whole; None for nothing.

    Args:
        path: the file.
        count: lines that it should have; None where nobody says.
    """
    lines = count_lines(path)
    if count is not None and lines != count:
        return f"it has {lines} lines, and the manifest says {count}"
    first, last = _ends(path)
    if lines and (first, last) != (b"{", b"}"):
        return "it is not NDJSON, or broke off in the middle of a line"
    return None


def count_lines(path: Path) -> int:
    """How many lines of a file are not blank."""
    count, is_begun = 0, False
    with path.open("rb") as stream:
        while piece := stream.read(_PIECE):
            *ended, rest = piece.split(b"\n")
            for line in ended:
                count += is_begun or bool(line.strip())
                is_begun = False
            is_begun = is_begun or bool(rest.strip())
    return count + is_begun


def _ends(path: Path) -> tuple[bytes, bytes]:
    """First and last byte that is no white space, as far as they are near the ends."""
    with path.open("rb") as stream:
        first = stream.read(_PIECE).lstrip()[:1]
        stream.seek(max(0, path.stat().st_size - _PIECE))
        return first, stream.read().rstrip()[-1:]


def _write(pieces: Iterator[bytes], part: Path, start: int) -> None:
    """Write from a byte on; whatever was behind it goes."""
    with open(os.open(part, _FLAGS, _OWNER_ONLY), "wb", buffering=0) as stream:
        stream.truncate(start)
        stream.seek(start)
        for piece in pieces:
            _write_all(stream, piece)
            if stream.tell() > MOST_BYTES:
                raise FetchError(f"{part.name}: longer than {MOST_BYTES // 2**30} GiB; given up.")
        os.fsync(stream.fileno())


def _write_all(stream: FileIO, piece: bytes) -> None:
    rest = memoryview(piece)
    while rest:
        rest = rest[stream.write(rest) :]


def _validator(incoming: Incoming) -> str:
    """A strong ETag; empty for none."""
    tag = incoming.headers.get("etag", "")
    is_strong = tag.startswith('"') and tag.endswith('"') and len(tag) > 2 and tag.isascii() and tag.isprintable()
    return tag if is_strong else ""
