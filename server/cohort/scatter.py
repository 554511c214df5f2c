"""First step: read a part of the input, line by line, and leave its lines sorted by partition of their patients.

What is read is held until there is enough of it, and then left in a file; so that it does not matter how large a part is that
nobody can divide, such as a compressed file.
"""

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
from server.cohort.pieces import packed, write_frames
from server.cohort.plan import Plan

RUN_BYTES = 48 * 2**20
"""So much is held before it is left in a file: all of a task of usual size."""

_BETWEEN = b"\t"


@dataclass(slots=True)
class Scattered:
    """What a task came to.

    Args:
        task: its number.
        lines: how many lines each part has, blank ones too.
        kinds: how many resources are used, by type; entries of Bundles are counted with whom they are about.
        passed_over: how many are of types that nothing here reads.
        runs: how many files it left.
        bad: how many lines, or things in them, are not used; each stands in a file of its own.
        damaged: types of which something was lost that may be anybody's.
        data: a sum over all lines, whatever their order, that tells one input from another.
    """

    task: int
    lines: list[int] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    passed_over: Counter[str] = field(default_factory=Counter)
    runs: int = 0
    bad: int = 0
    damaged: list[str] = field(default_factory=list)
    data: int = 0


@dataclass(slots=True)
class _Runs:
    """Takes lines, and leaves them in files of so many each.

    Args:
        plan: the run.
        task: its number.
    """

    plan: Plan
    task: int
    written: int = 0
    _held: dict[int, bytearray] = field(default_factory=lambda: defaultdict(bytearray))
    _bytes: int = 0

    def add(self, partition: int, line: bytes) -> None:
        self._held[partition] += line
        self._bytes += len(line)
        if self._bytes >= RUN_BYTES:
            self.leave()

    def leave(self) -> None:
        """Write what is held."""
        if self._held:
            with whole_file(run_file(self.plan, self.task, self.written)) as stream:
                write_frames(packed(self._held), stream)
            self.written += 1
            self._held.clear()
            self._bytes = 0


def scatter(plan: Plan, task: int) -> int:
    """Read the parts of a task.

    Args:
        plan: the run.
        task: its number.

    Returns:
        How many resources it found.
    """
    found, runs = Scattered(task), _Runs(plan, task)
    with whole_file(bad_lines_file(plan, task)) as bad_lines:
        for number, part in enumerate(plan.tasks[task]):
            last = 0
            for line in lines_of(part):
                last = line.number
                if problem := _sort(plan, number, line, found, runs):
                    bad_lines.write(orjson.dumps([number, line.number, problem], option=orjson.OPT_APPEND_NEWLINE))
            found.lines.append(last)
    runs.leave()
    found.runs = runs.written
    write_whole(summary_file(plan, task), orjson.dumps(found))
    return found.kinds.total()


def _sort(plan: Plan, part: int, line: Line, found: Scattered, runs: _Runs) -> str | None:
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
        runs.add(partition, _said(owned, line.raw))
    return sorted_line.problem


def _said(owned: Owned, raw: bytes) -> bytes:
    """Whose it is and what, and the resource, on one line."""
    if owned.resource is not None:
        raw = orjson.dumps(owned.resource)
    head = orjson.dumps([owned.patient, UNREADABLE if owned.is_unreadable else owned.kind])
    return b"".join((head, _BETWEEN, raw.replace(b"\r", b" ").replace(b"\n", b" "), b"\n"))


def taken_apart(line: bytes) -> tuple[str | None, str, bytes]:
    """Whose a line is that a task left, its resource type, and the resource."""
    head, _, raw = line.partition(_BETWEEN)
    patient, kind = orjson.loads(head)
    return patient, kind, raw


def run_file(plan: Plan, task: int, run: int) -> Path:
    """Where a task leaves lines, in so many files as it takes."""
    return plan.scattered / f"{task:06}.{run:06}.pieces"


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
