"""First step: read a part of the input, line by line, and leave its lines sorted by partition of their patients.

What it leaves is one file for each task: a table of offsets, then for each partition its lines, packed; last those that patients
share. Whoever evaluates a partition reads its piece out of each.
"""

import struct
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zlib import crc32

import orjson

from server.cohort.files import write_whole
from server.cohort.inputs import kinds_in
from server.cohort.lines import Line, lines_of
from server.cohort.owners import UNREADABLE, Owned, sort_line, sort_unreadable
from server.cohort.plan import Plan

MOST_BAD_LINES = 10_000
"""Of each task so many are kept word for word; all are counted."""

_OFFSET = struct.Struct("<Q")
_PACKING = 1  # zlib's fastest, a tenth of the size
_BETWEEN = b"\t"


@dataclass(slots=True)
class BadLine:
    """A line, or something in one, that is not used.

    Args:
        part: which part of the task.
        line: its number in the part, from 1.
        problem: why.
    """

    part: int
    line: int
    problem: str


@dataclass(slots=True)
class Scattered:
    """What a task came to.

    Args:
        task: its number.
        lines: how many lines each part has, blank ones too.
        kinds: how many resources are used, by type; entries of Bundles are counted with whom they are about.
        passed_over: how many are of types that nothing here reads.
        bad_lines: the first of them.
        bad: how many there are.
        damaged: types of which something was lost that may be anybody's.
        data: a sum over all lines, whatever their order, that tells one input from another.
    """

    task: int
    lines: list[int] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    passed_over: Counter[str] = field(default_factory=Counter)
    bad_lines: list[BadLine] = field(default_factory=list)
    bad: int = 0
    damaged: list[str] = field(default_factory=list)
    data: int = 0

    def note(self, part: int, line: Line, problem: str) -> None:
        """Count a bad line."""
        self.bad += 1
        if len(self.bad_lines) < MOST_BAD_LINES:
            self.bad_lines.append(BadLine(part, line.number, problem))


def scatter(plan: Plan, task: int) -> int:
    """Read the parts of a task.

    Args:
        plan: the run.
        task: its number.

    Returns:
        How many resources it found.
    """
    found = Scattered(task)
    pieces: dict[int, list[bytes]] = defaultdict(list)
    for number, part in enumerate(plan.tasks[task]):
        last = 0
        for line in lines_of(part):
            last = line.number
            _sort(plan, number, line, found, pieces)
        found.lines.append(last)
    write_whole(pieces_file(plan, task), b"".join(_packed(pieces, plan.partitions)))
    write_whole(summary_file(plan, task), orjson.dumps(found))
    return found.kinds.total()


def _sort(plan: Plan, part: int, line: Line, found: Scattered, pieces: dict[int, list[bytes]]) -> None:
    if not line.raw and not line.problem:
        return
    sorted_line = sort_line(line.value) if line.problem is None else sort_unreadable(line.raw, line.problem)
    found.data = (found.data + crc32(line.raw) * 2**32 + len(line.raw)) % 2**64
    if sorted_line.problem:
        found.note(part, line, sorted_line.problem)
    if line.is_damage:
        found.damaged = sorted({*found.damaged, *kinds_in(Path(plan.tasks[found.task][part].file))})
    found.passed_over.update(sorted_line.passed_over)
    for owned in sorted_line.owned:
        found.kinds[owned.kind] += not owned.is_unreadable
        partition = plan.partitions if owned.patient is None else plan.partition_of(owned.patient)
        pieces[partition].append(_said(owned, line.raw))


def _said(owned: Owned, raw: bytes) -> bytes:
    """Whose it is and what, and the resource, on one line."""
    if owned.resource is not None:
        raw = orjson.dumps(owned.resource)
    head = orjson.dumps([owned.patient, UNREADABLE if owned.is_unreadable else owned.kind])
    return b"".join((head, _BETWEEN, raw.replace(b"\r", b" ").replace(b"\n", b" "), b"\n"))


def _packed(pieces: dict[int, list[bytes]], partitions: int) -> Iterator[bytes]:
    packed = {number: zlib.compress(b"".join(lines), _PACKING) for number, lines in pieces.items()}
    at = _OFFSET.size * (partitions + 2)
    for number in range(partitions + 2):
        yield _OFFSET.pack(at)
        at += len(packed.get(number, b""))
    for number in sorted(packed):
        yield packed[number]


def pieces_file(plan: Plan, task: int) -> Path:
    """Where a task leaves the lines."""
    return plan.scattered / f"{task:06}.pieces"


def summary_file(plan: Plan, task: int) -> Path:
    """Where it leaves what it came to; it is written last."""
    return plan.scattered / f"{task:06}.json"


def summaries(plan: Plan) -> Iterator[dict[str, Any]]:
    """What every task came to, in order."""
    for task in range(len(plan.tasks)):
        yield orjson.loads(summary_file(plan, task).read_bytes())


def pieces(plan: Plan, partition: int) -> Iterator[tuple[str | None, str, bytes]]:
    """The lines of a partition, each with the id of its patient and its resource type, in the order of the input.

    Args:
        plan: the run.
        partition: its number; that of all partitions together for what patients share.
    """
    for task in range(len(plan.tasks)):
        with pieces_file(plan, task).open("rb") as stream:
            stream.seek(_OFFSET.size * partition)
            begin, end = (_OFFSET.unpack(stream.read(_OFFSET.size))[0] for _ in range(2))
            stream.seek(begin)
            packed = stream.read(end - begin)
        for line in zlib.decompress(packed).splitlines() if packed else ():
            head, _, raw = line.partition(_BETWEEN)
            patient, kind = orjson.loads(head)
            yield patient, kind, raw
