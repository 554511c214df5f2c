"""Cohort runs (G14 to G17): one process against a loop that only parses, two processes against one, a cluster, and a run that is
killed at half way.

Each run is a process of its own, `myositis-cds cohort run`; all read the same made-up cohort and must leave the same bytes.
"""

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Any

import orjson

from benchmarks.processes import memory_of
from soak.processes import tree_of

AS_OF = "2026-11-01"
_COMMAND = Path(sys.executable).with_name("myositis-cds")
_DASK = Path(sys.executable).with_name("dask")
_SEED = 7
_LOOK_SECONDS = 0.1
_CLUSTER_SECONDS = 60
_RESULTS = (".parquet", ".csv", ".json", ".html")


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run took.

    Args:
        wall: seconds.
        cpu: seconds of all its processes; None where they are not its own.
        peak: mebibytes of all its processes at once (PSS); None where they are not its own.
    """

    wall: float
    cpu: float | None
    peak: float | None

    def as_json(self, patients: int) -> dict[str, Any]:
        """For the results."""
        return {
            "patients": patients,
            "patients per second": round(patients / self.wall, 1),
            "CPU s": None if self.cpu is None else round(self.cpu, 1),
            "wall s": round(self.wall, 1),
            "peak MB": None if self.peak is None else round(self.peak, 1),
        }


def run(folder: Path, *, patients: int, rounds: int = 1) -> dict[str, Any]:
    """Measure.

    Args:
        folder: for the made-up cohort and the results of the runs.
        patients: of the cohort, about 50 resources each.
        rounds: how often the parsing alone is timed; each run is so long that once is enough.

    Returns:
        `goals` with `G14` (CPU time of one process ÷ that of a loop of `orjson.loads(line)`), `G15` (patients a second of two
        processes ÷ of one), `G16` (Dask ÷ plain processes) and `G17` (1 if a run that was killed gave the same bytes, else 0);
        `runs`, by name.
    """
    whole = made_up(folder, patients)
    parsing = min(_parsing_seconds(whole) for _ in range(max(1, rounds)))
    runs = {
        "one process": ran(whole, folder / "one", "--workers", "1"),
        "two processes": ran(whole, folder / "two", "--workers", "2"),
        "killed at half way": _killed_at_half_way(whole, folder / "killed"),
    }
    with _cluster(folder, workers=2) as scheduler:
        runs["two Dask workers"] = ran(whole, folder / "dask", "--engine", "dask", "--scheduler", scheduler)
    same = {name: _results(folder / name) == _results(folder / "one") for name in ("two", "killed", "dask")}
    alone, two = runs["one process"], runs["two processes"]
    return {
        "goals": {
            "G14": round(alone.cpu / parsing, 2),
            "G15": round(alone.wall / two.wall, 2),
            "G16": round(two.wall / runs["two Dask workers"].wall, 2),
            "G17": int(all(same.values())),
        },
        "patients": patients,
        "parsing CPU s": round(parsing, 2),
        "runs": {name: one.as_json(patients) for name, one in runs.items()},
        "same bytes as one process": same,
    }


def made_up(folder: Path, patients: int) -> Path:
    """A made-up cohort.

    Args:
        folder: for it.
        patients: how many, about 50 resources each.
    """
    out = folder / f"cohort-{patients}"
    arguments = ("--patients", str(patients), "--seed", str(_SEED), "--as-of", AS_OF, "--out", str(out))
    subprocess.run([_COMMAND, "cohort", "synthesise", *arguments], check=True, stderr=subprocess.DEVNULL)
    return out


def _parsing_seconds(place: Path) -> float:
    """CPU time of the floor: every line, parsed and forgotten."""
    begun = time.process_time()
    for file in sorted(place.glob("*.ndjson")):
        with file.open("rb") as lines:
            for line in lines:
                orjson.loads(line)
    return time.process_time() - begun


def _arguments(place: Path, out: Path, *more: str) -> list[str]:
    return [str(_COMMAND), "cohort", "run", str(place), "--out", str(out), "--as-of", AS_OF, *more]


def ran(place: Path, out: Path, *more: str) -> Ran:
    """One whole run.

    Args:
        place: of the cohort.
        out: for the results.
        more: arguments of the command.
    """
    shutil.rmtree(out, ignore_errors=True)
    return _watched(_arguments(place, out, *more), "--engine" not in more)


def _watched(
    arguments: Sequence[str], are_its_own: bool, killed: "Callable[[subprocess.Popen[bytes]], None] | None" = None
) -> Ran:
    """Run a process, and look at the memory of all that it starts; `killed` is to kill it."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    peak, over = [0.0], Event()
    watch = Thread(target=_watch, args=(process.pid, peak, over))
    watch.start()
    if killed is not None:
        killed(process)
    status = process.wait()
    wall, after = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    over.set()
    watch.join()
    if status != (0 if killed is None else -signal.SIGKILL):
        raise RuntimeError(f"a cohort run ended with status {status}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Ran(wall, cpu if are_its_own else None, peak[0] if are_its_own else None)


def _watch(process: int, peak: list[float], over: Event) -> None:
    while not over.wait(_LOOK_SECONDS):
        peak[0] = max(peak[0], sum(map(_proportional_mebibytes, tree_of(process))))


def _proportional_mebibytes(process: int) -> float:
    """Nought where it has ended meanwhile."""
    with suppress(OSError):
        return memory_of(process).proportional
    return 0.0


def _killed_at_half_way(place: Path, out: Path) -> Ran:
    """Kill it and all its workers when half of the patients are evaluated, start it again, and add up what both took."""
    shutil.rmtree(out, ignore_errors=True)
    arguments = _arguments(place, out, "--workers", "2")
    first = _watched(arguments, are_its_own=True, killed=lambda process: _kill_at_half_way(process, out / "work"))
    second = _watched(arguments, are_its_own=True)
    return Ran(first.wall + second.wall, (first.cpu or 0.0) + (second.cpu or 0.0), max(first.peak or 0.0, second.peak or 0.0))


def _kill_at_half_way(process: "subprocess.Popen[bytes]", work: Path) -> None:
    while process.poll() is None and not _is_half_way(work):
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)


def _is_half_way(work: Path) -> bool:
    surveyed, evaluated = (len(list((work / name).glob("[0-9]*"))) for name in ("surveyed", "evaluated"))
    return (work / "kinds.json").exists() and evaluated >= surveyed / 2


@contextmanager
def _cluster(folder: Path, workers: int) -> Iterator[str]:
    """A Dask scheduler and workers of this machine."""
    note = folder / "scheduler.json"
    note.unlink(missing_ok=True)
    at = ("--host", "127.0.0.1", "--no-dashboard")
    started = [_started("scheduler", *at, "--port", "0", "--scheduler-file", str(note))]
    try:
        until = time.monotonic() + _CLUSTER_SECONDS
        while not note.exists() and time.monotonic() < until:
            time.sleep(0.05)
        address = str(orjson.loads(note.read_bytes())["address"])
        for number in range(workers):
            place = ("--nthreads", "1", "--no-nanny", "--local-directory", str(folder / f"worker-{number}"))
            started.append(_started("worker", address, *at, *place))
        yield address
    finally:
        for process in reversed(started):
            process.kill()
            process.wait()


def _started(*arguments: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([str(_DASK), *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _results(out: Path) -> dict[str, bytes]:
    found = {path.name: path.read_bytes() for path in sorted(out.iterdir()) if path.suffix in _RESULTS}
    if "run.json" not in found:
        raise RuntimeError(f"the run of {out.name} did not come to its end")
    return found
