"""The lines of a part of the input, each with its number in the part; what cannot be read is said, and costs no other line."""

import lzma
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from server.cohort.inputs import Part
from server.errors import RequestRefusedError
from server.json_input import parse_json

LONGEST = 64 * 2**20
"""No line may be longer, and no file that is one JSON value: each is held in memory whole."""

_AT_A_TIME = 2**20  # bytes of a line that is passed over
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_DAMAGED = "the file cannot be unpacked any further: it was cut, or is damaged; fetch it again"


@dataclass(frozen=True, slots=True)
class Line:
    """One line.

    Args:
        number: in its part, from 1.
        value: what it says, or None where it cannot be read.
        raw: its bytes; none of a blank line.
        problem: why it cannot be read.
        is_damage: what is lost may be anybody's: the rest of a file, or a line too long to look into.
    """

    number: int
    value: Any
    raw: bytes
    problem: str | None = None
    is_damage: bool = False


def lines_of(part: Part) -> Iterator[Line]:
    """Every line that begins in the part, the blank ones too."""
    number = 0
    with part.open() as stream:
        try:
            for number, raw in enumerate(_raw_lines(part, stream), start=1):
                yield _read(number, raw)
        except (EOFError, OSError, zlib.error, lzma.LZMAError) as error:
            if isinstance(error, OSError) and error.errno is not None:  # the disk, and not what is in the file
                raise
            yield Line(number + 1, None, b"", _DAMAGED, is_damage=True)


def _raw_lines(part: Part, stream: BinaryIO) -> Iterator[bytes]:
    if part.is_one_value:
        yield stream.read(LONGEST + 1)
        return
    at, end = part.start, None if part.is_compressed else part.end
    if at:
        stream.seek(at - 1)  # so that a line which begins exactly here is not taken for the rest of the one before
        at = _behind_line(stream, at - 1, end)
    while end is None or at < end:
        raw = stream.readline(LONGEST + 1)
        if not raw:
            return
        at += len(raw)
        yield raw
        if len(raw) > LONGEST and not raw.endswith(b"\n"):
            at = _behind_line(stream, at, end)


def _behind_line(stream: BinaryIO, at: int, end: int | None) -> int:
    """Where the line ends that the stream is in, or some place behind the end of the part; nothing of it is held."""
    while end is None or at < end:
        piece = stream.readline(_AT_A_TIME)
        at += len(piece)
        if not piece or piece.endswith(b"\n"):
            break
    return at


def _read(number: int, raw: bytes) -> Line:
    if len(raw) > LONGEST:
        return Line(number, None, b"", f"longer than {LONGEST // 2**20} MiB; not read", is_damage=True)
    text = raw.removeprefix(_BYTE_ORDER_MARK).strip()
    try:
        return Line(number, parse_json(text) if text else None, text)
    except RequestRefusedError as error:
        return Line(number, None, text, error.text)
