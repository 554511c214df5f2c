"""Lines by partition, in files that are written from beginning to end and hold little in memory, however large they are.

A file is a row of frames in the order of their partitions, each with its number, its length and packed lines. Several such
files become one without unpacking anything; what is then looked into ends with a table of where each partition begins.
"""

import os
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from heapq import merge
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO

Frame = tuple[int, Callable[[], bytes]]
"""A partition, and what gives packed lines of it: once, and before the next frame is asked for."""

_HEAD = struct.Struct("<II")
_OFFSET = struct.Struct("<Q")
_PACKING = 1  # zlib's fastest, a tenth of the size


def packed(lines: Mapping[int, bytes | bytearray]) -> Iterator[Frame]:
    """Pack lines, in the order of their partitions.

    Args:
        lines: by partition; each line ends with a line feed.
    """
    for partition in sorted(lines):
        yield partition, partial(zlib.compress, lines[partition], _PACKING)


def write_frames(frames: Iterable[Frame], stream: BinaryIO) -> None:
    """Write frames one after the other."""
    for frame in frames:
        _write(frame, stream)


def _write(frame: Frame, stream: BinaryIO) -> int:
    """How many bytes it takes."""
    partition, content_of = frame
    content = content_of()
    stream.write(_HEAD.pack(partition, len(content)))
    stream.write(content)
    return _HEAD.size + len(content)


def merged(files: Iterable[Path]) -> Iterator[Frame]:
    """The frames of several files, in the order of their partitions, and within one in the order of the files.

    Args:
        files: no more of them than a process may have open.
    """
    return merge(*map(_frames, files), key=itemgetter(0))


def write_with_table(frames: Iterable[Frame], partitions: int, stream: BinaryIO) -> int:
    """Write frames, and behind them where each partition begins.

    Args:
        frames: in the order of their partitions.
        partitions: how many there may be, whether the frames have them or not.
        stream: at its beginning.

    Returns:
        How many frames.
    """
    lengths, number, at = [0] * partitions, 0, 0
    for frame in frames:
        lengths[frame[0]] += _write(frame, stream)
        number += 1
    for length in (*lengths, 0):
        stream.write(_OFFSET.pack(at))
        at += length
    return number


def lines_in(file: Path, partition: int, partitions: int) -> Iterator[bytes]:
    """The lines of a partition, in the order in which they were written; unpacked one frame at a time.

    Args:
        file: that ends with a table.
        partition: its number.
        partitions: as when the file was written.
    """
    with file.open("rb") as stream:
        stream.seek(_OFFSET.size * (partition - partitions - 1), os.SEEK_END)
        begin, end = (_OFFSET.unpack(stream.read(_OFFSET.size))[0] for _ in range(2))
        stream.seek(begin)
        while begin < end:
            _, length = _HEAD.unpack(stream.read(_HEAD.size))
            yield from zlib.decompress(stream.read(length)).splitlines()
            begin += _HEAD.size + length


def _frames(file: Path) -> Iterator[Frame]:
    with file.open("rb") as stream:
        while head := stream.read(_HEAD.size):
            partition, length = _HEAD.unpack(head)
            yield partition, partial(stream.read, length)
