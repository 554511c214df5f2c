"""What a run is to do, settled once and kept beside its work, so that a run that was killed goes on where it was."""

import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from zlib import crc32

import orjson

from server.basis import Basis, load_basis
from server.build_information import software_version
from server.cohort.errors import CohortError
from server.cohort.files import write_whole
from server.cohort.inputs import Inputs, Part

PARTITION_BYTES = 24 * 2**20
"""About so much of the input is about the patients of one partition: it bounds the memory of whoever evaluates them."""

_MOST_PARTITIONS = 65_536
_KEPT = "plan.json"


@dataclass(frozen=True, slots=True)
class Plan:
    """A run.

    Args:
        out: folder of the results; the work in progress is in `work` under it.
        tasks: the input, by parts that are read together.
        partitions: into so many groups patients are sorted, by a hash of their ids.
        as_of: day of the evaluation, in UTC.
        site, terminology: folders of the site's knowledge, or None (docs/site-folder.md).
        digest: SHA-256 of the knowledge, in hexadecimal.
        incomplete: resource types of which the input may not hold everything.
        software: its version; another one may say something else.
    """

    out: str
    tasks: tuple[tuple[Part, ...], ...]
    partitions: int
    as_of: date
    site: str | None
    terminology: str | None
    digest: str
    incomplete: tuple[str, ...] = ()
    software: str = field(default_factory=software_version)

    @property
    def work(self) -> Path:
        """The work in progress."""
        return Path(self.out) / "work"

    @property
    def address(self) -> "PlanAddress":
        """Where whoever does a task finds the plan."""
        return PlanAddress(str(self.work), sha256((self.work / _KEPT).read_bytes()).hexdigest())

    @property
    def scattered(self) -> Path:
        """What the first step leaves: the input sorted by partition, in pieces."""
        return self.work / "scattered"

    @property
    def runs(self) -> Path:
        """How many files each task of the first step left."""
        return self.work / "runs.json"

    @property
    def collated(self) -> Path:
        """The same pieces in fewer files."""
        return self.work / "collated"

    @property
    def surveyed(self) -> Path:
        """What is between the steps: which kinds of resource each site sends, by partition."""
        return self.work / "surveyed"

    @property
    def kinds(self) -> Path:
        """The same, put together."""
        return self.work / "kinds.json"

    @property
    def evaluated(self) -> Path:
        """What the second step leaves: rows by partition."""
        return self.work / "evaluated"

    @property
    def shared(self) -> Path:
        """An SQLite file of what patients share."""
        return self.work / "shared.sqlite3"

    def partition_of(self, patient: str) -> int:
        """Where a patient belongs: the same on every machine."""
        return crc32(patient.encode("utf-8", "surrogatepass")) % self.partitions

    def basis(self) -> Basis:
        """What evaluations rest on.

        Raises:
            CohortError: it has changed since the run began, or is another one on this machine.
        """
        folders = tuple(Path(folder) if folder else None for folder in (self.site, self.terminology))
        basis = load_basis(*folders)
        if basis.knowledge.digest != self.digest:
            load_basis.cache_clear()  # a worker of a cluster may have read the folder before it was edited
            basis = load_basis(*folders)
        if basis.knowledge.digest != self.digest:
            raise CohortError(
                f"The knowledge here is {basis.knowledge.version}, not the one that the run began with. Install the same release "
                "and site folder on every machine, or begin again in an empty folder."
            )
        return basis


@dataclass(frozen=True, slots=True)
class PlanAddress:
    """Where a plan is kept, and which one it is: short, since it goes with every task.

    Args:
        work: folder of the work in progress.
        digest: SHA-256 of the file, in hexadecimal.
    """

    work: str
    digest: str


@lru_cache(maxsize=4)
def plan_at(address: PlanAddress) -> Plan:
    """The plan that is kept there.

    Raises:
        CohortError: it is not there, or is another one.
    """
    path = Path(address.work) / _KEPT
    try:
        text = path.read_bytes()
    except OSError as error:
        raise CohortError(
            f"{path}: cannot be read here ({error.strerror}); every worker needs the folders of the run."
        ) from error
    if sha256(text).hexdigest() != address.digest:
        raise CohortError(f"{path}: is the plan of another run; every worker needs the same folders of the run.")
    kept = orjson.loads(text)
    if kept["software"] != software_version():
        raise CohortError(
            f"This is myositis-cds {software_version()}, and the run began with {kept['software']}: install the same release on "
            "every machine, or begin again in an empty folder."
        )
    tasks = tuple(tuple(Part(part["file"], part["start"], part["end"]) for part in task) for task in kept.pop("tasks"))
    day, incomplete = date.fromisoformat(kept.pop("as_of")), tuple(kept.pop("incomplete"))
    return Plan(tasks=tasks, as_of=day, incomplete=incomplete, **kept)


def make_plan(
    inputs: Inputs,
    out: Path,
    *,
    as_of: date,
    site: Path | None,
    terminology: Path | None,
    basis: Basis,
    incomplete: tuple[str, ...],
) -> Plan:
    """Settle a run; for arguments see `Plan`."""
    partitions = min(_MOST_PARTITIONS, max(1, -(-inputs.bytes // PARTITION_BYTES)))
    return Plan(
        out=str(out),
        tasks=inputs.tasks,
        partitions=partitions,
        as_of=as_of,
        site=str(site) if site else None,
        terminology=str(terminology) if terminology else None,
        digest=basis.knowledge.digest,
        incomplete=incomplete,
    )


def day_of_unfinished(out: Path) -> date | None:
    """For which day the unfinished run in a folder evaluates, if there is one: it goes on with it the day after, too."""
    kept = out / "work" / _KEPT
    return date.fromisoformat(orjson.loads(kept.read_bytes())["as_of"]) if kept.exists() else None


def begin(plan: Plan) -> bool:
    """Keep the plan, or see that it is the one whose work is there.

    Returns:
        Whether there is work to go on with.

    Raises:
        CohortError: the folder holds the work of another run.
    """
    plan.work.mkdir(parents=True, exist_ok=True)
    kept = plan.work / _KEPT
    said = _as_json(plan)
    if not kept.exists():
        for remains in plan.work.iterdir():  # of a run whose work was being removed
            shutil.rmtree(remains) if remains.is_dir() else remains.unlink()
        for folder in (plan.scattered, plan.collated, plan.surveyed, plan.evaluated):
            folder.mkdir(parents=True, exist_ok=True)
        write_whole(kept, said)
        return False
    differs = _differences(orjson.loads(kept.read_bytes()), orjson.loads(said))
    if differs:
        raise CohortError(
            f"{plan.out}: holds the unfinished work of another run ({', '.join(differs)} differ). "
            "Give the same arguments to go on with it, choose another folder, or remove `work` in it."
        )
    return True


def _as_json(plan: Plan) -> bytes:
    stamped = [[_stamp(part) for part in task] for task in plan.tasks]
    return orjson.dumps({**asdict(plan), "tasks": stamped}, option=orjson.OPT_SORT_KEYS)


def _stamp(part: Part) -> dict[str, Any]:
    """The part, and when its file was last written: an input that changed is another one."""
    return {**asdict(part), "written": Path(part.file).stat().st_mtime_ns}


def _differences(kept: Mapping[str, Any], said: Mapping[str, Any]) -> list[str]:
    words = {"tasks": "input", "as_of": "--as-of", "digest": "knowledge", "incomplete": "--incomplete"}
    return [words.get(name, name) for name in sorted(said) if kept.get(name) != said[name]]
