"""Where a cohort is: folders of FHIR Bulk Data NDJSON, plain or compressed, and of Bundles; cut into tasks of equal size."""

import bz2
import gzip
import lzma
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from fhir_profiles.reader import RESOURCE_TYPES
from server.cohort.errors import CohortError

TASK_BYTES = 32 * 2**20
"""About so much of the input is read by one task: it bounds the memory of whoever reads it."""

COMPRESSED: Mapping[str, Callable[[Path], Any]] = {".bz2": bz2.open, ".gz": gzip.open, ".xz": lzma.open}
_TIMES_SMALLER = 12  # what gzip makes of NDJSON, roughly
_BY_LINE, _WHOLE = (".ndjson", ".jsonl"), (".json",)
_NOTE = "export.json"  # what `cohort fetch` keeps beside the files; a Bundle may be called so, too
_UNREADABLE = {".zip", ".zst", ".7z", ".tar", ".tgz", ".parquet"}


@dataclass(frozen=True, slots=True)
class Part:
    """Some lines of a file, or a file that is one JSON value.

    Args:
        file: path.
        start, end: the lines that begin at these bytes or between them; of a compressed file, and of one JSON value, all of it.
    """

    file: str
    start: int
    end: int

    @property
    def is_one_value(self) -> bool:
        """A Bundle that may be spread over many lines, instead of one resource to a line."""
        return _ending(Path(self.file)) in _WHOLE

    @property
    def is_compressed(self) -> bool:
        """Read from its beginning to its end: nobody can begin in the middle."""
        return Path(self.file).suffix in COMPRESSED

    def open(self) -> BinaryIO:
        """The file, unpacked while it is read."""
        path = Path(self.file)
        stream: BinaryIO = COMPRESSED[path.suffix](path) if self.is_compressed else path.open("rb")
        return stream


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything that a run reads.

    Args:
        tasks: parts that are read together.
        bytes: of all files, about as many as there are once they are unpacked.
        passed_over: files that look like data and cannot be read here.
    """

    tasks: tuple[tuple[Part, ...], ...]
    bytes: int
    passed_over: tuple[str, ...]


def find_inputs(place: Path, task_bytes: int = TASK_BYTES) -> Inputs:
    """Find the files.

    Args:
        place: a folder, with all that is under it, or a file.
        task_bytes: about so much for a task.

    Raises:
        CohortError: there is nothing to read.
    """
    files = [place] if place.is_file() else sorted(path for path in place.rglob("*") if _is_data(path, place))
    read = [path for path in files if _ending(path) in (*_BY_LINE, *_WHOLE)]
    if not read:
        raise CohortError(f"{place}: no NDJSON (.ndjson, .jsonl) and no Bundle (.json) in it, plain or as .gz, .bz2 or .xz.")
    parts = [part for path in read for part in _parts(path, task_bytes)]
    tasks = tuple(_packed(parts, task_bytes))
    seen = set(read)
    return Inputs(tasks, sum(map(_weight, parts)), tuple(str(path) for path in files if path not in seen))


def kinds_not_whole(place: Path, inputs: Inputs, told: Collection[str]) -> frozenset[str]:
    """The types of which something is there that is not read, so that nobody can be said to have none of it.

    Args:
        place: what is read.
        inputs: what was found in it.
        told: the types of which is said that the input may not hold all.

    Raises:
        CohortError: it is an export that was not fetched to its end, or one of what was changed since a moment, or the EHR
            reported errors with it and nobody says what is missing; or this cannot be told.
    """
    for path in sorted(path for path in place.rglob(_NOTE) if _is_looked_at(path, place)):
        try:
            note = _note_of_an_export(path)
        except orjson.JSONDecodeError:
            raise CohortError(
                f"{path}: is not JSON, so that it cannot be told whether an export was fetched to its end. "
                "Fetch it again, or give --partial."
            ) from None
        if note:
            _refuse_part_of_an_export(path, note, told)
    return frozenset[str]().union(*(kinds_in(Path(name)) for name in inputs.passed_over)) - {"Patient"}


def _note_of_an_export(path: Path) -> dict[str, Any] | None:
    """What `cohort fetch` noted about what it fetched; None if it is something else."""
    kept = orjson.loads(path.read_bytes())
    return kept if isinstance(kept, dict) and isinstance(kept.get("wish"), dict) else None


def _refuse_part_of_an_export(path: Path, note: Mapping[str, Any], told: Collection[str]) -> None:
    if not note.get("is_finished"):
        raise CohortError(f"{path.parent}: the export was not fetched to its end. Fetch the rest, or give --partial.")
    if note["wish"].get("since"):
        raise CohortError(f"{path.parent}: holds only what was changed since a moment. Fetch everything, or give --partial.")
    if not told and any((path.parent / "_errors").glob("*")):
        raise CohortError(
            f"{path.parent / '_errors'}: the EHR reports what it could not export. Read it, and give --incomplete or --partial."
        )


def kinds_in(path: Path) -> frozenset[str]:
    """The resource types that a file of Bulk Data may hold: the one that its name begins with, else any."""
    named = path.name.partition(".")[0]
    return frozenset((named,)) if named in RESOURCE_TYPES else RESOURCE_TYPES


def _is_looked_at(path: Path, place: Path) -> bool:
    """Whether it is a file, and neither hidden nor what an EHR said of its errors."""
    return path.is_file() and not any(step.startswith((".", "_")) for step in path.relative_to(place).parts)


def _is_data(path: Path, place: Path) -> bool:
    looks_so = _is_looked_at(path, place) and _ending(path) in {*_BY_LINE, *_WHOLE, *_UNREADABLE}
    with suppress(orjson.JSONDecodeError):  # then it may hold anything, which is said of its lines
        return looks_so and not (path.name == _NOTE and _note_of_an_export(path))
    return looks_so


def _ending(path: Path) -> str:
    """`.ndjson` of `Patient.ndjson.gz`."""
    return Path(path.stem).suffix if path.suffix in COMPRESSED else path.suffix


def _parts(path: Path, task_bytes: int) -> Iterator[Part]:
    size = path.stat().st_size
    if path.suffix in COMPRESSED or _ending(path) in _WHOLE:
        yield Part(str(path), 0, size)
    else:
        for start in range(0, size, task_bytes) or (0,):
            yield Part(str(path), start, min(start + task_bytes, size))


def _weight(part: Part) -> int:
    return (part.end - part.start) * (_TIMES_SMALLER if part.is_compressed else 1)


def _packed(parts: Iterable[Part], task_bytes: int) -> Iterator[tuple[Part, ...]]:
    """Neighbours together, until there is enough for a task."""
    task: list[Part] = []
    weight = 0
    for part in parts:
        weight += _weight(part)
        if task and weight > task_bytes:
            yield tuple(task)
            task, weight = [], _weight(part)
        task.append(part)
    if task:
        yield tuple(task)
