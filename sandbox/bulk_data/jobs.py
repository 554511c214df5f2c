"""The exports that were begun: in memory, each with its files, until it is deleted or an hour has passed."""

import json
import secrets
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import formatdate
from threading import Lock

from sandbox.bulk_data.kick_off import Asked
from sandbox.bundles import Json

LIVES_SECONDS = 3600
"""So long the files can be fetched."""

_KEPT = 20
"""Older ones are forgotten."""


@dataclass(frozen=True, slots=True)
class File:
    """One NDJSON file.

    Args:
        name: the end of its URL.
        resource_type: of every line.
        count: of lines.
        content: what is in it.
    """

    name: str
    resource_type: str
    count: int
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Job:
    """One export.

    Args:
        id: the end of its status URL.
        owner: client id of the one who may ask about it; empty where no client is known.
        asked: the kick-off request.
        types: resource types that a token has to cover.
        instant: `transactionTime`.
        begun: seconds since 1970.
        output, deleted, error: the files.
        requests: how often the status, and each file, was asked for.
    """

    id: str
    owner: str
    asked: Asked
    types: tuple[str, ...]
    instant: str
    begun: float
    output: tuple[File, ...]
    deleted: tuple[File, ...] = ()
    error: tuple[File, ...] = ()
    requests: Counter[str] = field(default_factory=Counter, compare=False, repr=False)

    @property
    def expires(self) -> str:
        """When the files go, as an HTTP date."""
        return formatdate(self.begun + LIVES_SECONDS, usegmt=True)

    def file(self, name: str) -> File | None:
        """One of the files."""
        return next((one for one in (*self.output, *self.deleted, *self.error) if one.name == name), None)


class Jobs:
    """See the module. Threads may share it.

    Args:
        now: the clock, seconds since 1970.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        """Know none."""
        self.now = now
        self._lock = Lock()
        self._jobs: deque[Job] = deque(maxlen=_KEPT)

    def add(self, job: Job) -> None:
        """Keep an export."""
        with self._lock:
            self._jobs.append(job)

    def find(self, job_id: str, owner: str) -> Job | None:
        """An export of this client, whether its time is over or not."""
        with self._lock:
            return next((job for job in self._jobs if (job.id, job.owner) == (job_id, owner)), None)

    def is_over(self, job: Job) -> bool:
        """Whether its files are no longer kept."""
        return self.now() >= job.begun + LIVES_SECONDS

    def remove(self, job: Job) -> None:
        """Forget an export and its files."""
        with self._lock:
            self._jobs = deque((one for one in self._jobs if one.id != job.id), _KEPT)

    def note_request(self, job: Job, what: str) -> int:
        """Count a request; the how manieth of its kind it is."""
        with self._lock:
            job.requests[what] += 1
            return job.requests[what]


def new_id() -> str:
    """An id that nobody guesses."""
    return secrets.token_urlsafe(16)


def files_of(resources: Mapping[str, Sequence[Json]], per_file: int, prefix: str = "") -> tuple[File, ...]:
    """Files of at most so many lines, each with resources of one type only.

    Args:
        resources: by type.
        per_file: most lines of a file.
        prefix: of the names.
    """
    return tuple(file for kind, found in resources.items() for file in _split(kind, found, per_file, prefix))


def _split(kind: str, resources: Sequence[Json], per_file: int, prefix: str) -> Iterator[File]:
    for number, start in enumerate(range(0, len(resources), per_file), start=1):
        lines = [json.dumps(resource, separators=(",", ":")) for resource in resources[start : start + per_file]]
        yield File(f"{prefix}{kind}.{number}.ndjson", kind, len(lines), "".join(f"{line}\n" for line in lines).encode())
