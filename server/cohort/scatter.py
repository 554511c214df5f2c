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

from server.cohort.files import whole_file, write_whole
from server.cohort.inputs import kinds_in
from server.cohort.lines import Line, lines_of
from server.cohort.owners import UNREADABLE, Owned, sort_line, sort_unreadable
from server.cohort.plan import Plan

_OFFSET = struct.Struct("<Q")
_PACKING = 1  # zlib's fastest, a tenth of the size
_BETWEEN = b"\t"


@dataclass(slots=True)
class Scattered:
    """What a task came to.

    Args:
        task: its number.
        lines: how many lines each part has, blank ones too.
        kinds: how many resources are used, by type; entries of Bundles are counted with whom they are about.
        passed_over: how many are of types that nothing here reads.
        bad: how many lines, or things in them, are not used; each stands in a file of its own.
        damaged: types of which something was lost that may be anybody's.
        data: a sum over all lines, whatever their order, that tells one input from another.
    """

    task: int
    lines: list[int] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    passed_over: Counter[str] = field(default_factory=Counter)
    bad: int = 0
    damaged: list[str] = field(default_factory=list)
    data: int = 0


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
    with whole_file(bad_lines_file(plan, task)) as bad_lines:
        for number, part in enumerate(plan.tasks[task]):
            last = 0
            for line in lines_of(part):
                last = line.number
                if problem := _sort(plan, number, line, found, pieces):
                    bad_lines.write(orjson.dumps([number, line.number, problem], option=orjson.OPT_APPEND_NEWLINE))
            found.lines.append(last)
    write_whole(pieces_file(plan, task), b"".join(_packed(pieces, plan.partitions)))
    write_whole(summary_file(plan, task), orjson.dumps(found))
    return found.kinds.total()


def _sort(plan: Plan, part: int, line: Line, found: Scattered, pieces: dict[int, list[bytes]]) -> str | None:
    """Put a line with those of its patients; why something in it is not used, if that is so."""
    if not line.raw and not line.problem:
        return None
    sorted_line = sort_line(line.value) if line.problem is None else sort_unreadable(line.raw, line.problem)
    found.data = (found.data + crc32(line.raw) * 2**32 + len(line.raw)) % 2**64
    found.bad += sorted_line.problem is not None
    if line.is_damage:
        found.damaged = sorted({*found.damaged, *kinds_in(Path(plan.tasks[found.task][part].file))})
    found.passed_over.update(sorted_line.passed_over)
    for owned in sorted_line.owned:
        found.kinds[owned.kind] += not owned.is_unreadable
        partition = plan.partitions if owned.patient is None else plan.partition_of(owned.patient)
        pieces[partition].append(_said(owned, line.raw))
    return sorted_line.problem


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


def bad_lines_file(plan: Plan, task: int) -> Path:
    """Where it leaves what of its lines is not used: on each line a part of the task, a line of the part from 1, and why."""
    return plan.scattered / f"{task:06}.bad.ndjson"


def bad_lines(plan: Plan, task: int) -> Iterator[tuple[int, int, str]]:
    """What a task left there, one after the other."""
    with bad_lines_file(plan, task).open("rb") as stream:
        for line in stream:
            part, number, problem = orjson.loads(line)
            yield part, number, problem


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
