"""`myositis-cds profile`: where the time of one evaluation goes, for whoever finds it slow."""

import cProfile
import os
import pstats
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

import click
import orjson

from server.assessing.chart_input import evaluate_chart, parse_day
from server.basis import Basis, basis_from
from server.config import ConfigurationError, today_utc
from server.errors import RequestRefusedError
from server.evaluation import PHASES, Evaluation
from server.interpreter import quieten_garbage_collector
from server.json_input import parse_json

PARSING = "parse"
"""What comes before the phases of an evaluation."""

_ROOT = Path(__file__).parents[1]
_MOST_FUNCTIONS = 15


@dataclass(frozen=True, slots=True)
class Function:
    """What one function took.

    Args:
        name: of the function.
        place: file, as seen from the folder of the rooms, and line; of a library only the name of the file; empty for one that is
            not written in Python.
        calls: in one evaluation.
        milliseconds: in it and not in what it called, in one evaluation, with the profiler running.
    """

    name: str
    place: str
    calls: float
    milliseconds: float


@dataclass(frozen=True, slots=True)
class Profile:
    """Where the time went.

    Args:
        size: of the input, in bytes.
        times: how often it was evaluated.
        phases: median milliseconds of each, in their order.
        functions: those with most time of their own, the longest first.
    """

    size: int
    times: int
    phases: Mapping[str, float]
    functions: tuple[Function, ...]

    @property
    def milliseconds(self) -> float:
        """All phases together."""
        return sum(self.phases.values())

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "bytes": self.size,
            "times": self.times,
            "milliseconds": {phase: round(spent, 3) for phase, spent in self.phases.items()}
            | {"total": round(self.milliseconds, 3)},
            "functions": [
                {"name": one.name, "place": one.place, "calls": one.calls, "milliseconds": round(one.milliseconds, 3)}
                for one in self.functions
            ],
        }


def profiled(content: bytes, *, as_of: date, patient_id: str | None, times: int, basis: Basis) -> Profile:
    """Evaluate a chart again and again, first with a clock, then with Python's profiler, which makes small functions seem slower.

    Args:
        content: JSON of the chart.
        as_of: the day of the evaluation.
        patient_id: FHIR id of the patient; may be None unless there are several.
        times: how often, each way.
        basis: terminology and knowledge.

    Raises:
        RequestRefusedError: as for `evaluate_chart`, or it is not JSON.
    """

    def once() -> dict[str, float]:
        start = time.perf_counter()
        chart = parse_json(content)
        parsed = time.perf_counter() - start
        evaluation: Evaluation = evaluate_chart(chart, as_of=as_of, patient_id=patient_id, basis=basis)
        return {PARSING: parsed, **evaluation.seconds}

    once()  # the first one fills caches, as the warm-up of the service does
    runs = [once() for _ in range(times)]
    phases = {phase: 1000 * median(run[phase] for run in runs) for phase in (PARSING, *PHASES)}
    return Profile(len(content), times, phases, _longest(once, times))


def _longest(work: Callable[[], object], times: int) -> tuple[Function, ...]:
    profiler = cProfile.Profile()
    profiler.enable()
    for _ in range(times):
        work()
    profiler.disable()
    found = sorted(_functions(pstats.Stats(profiler), times), key=lambda one: -one.milliseconds)
    return tuple(found[:_MOST_FUNCTIONS])


def _functions(stats: pstats.Stats, times: int) -> Iterator[Function]:
    entries: Mapping[tuple[str, int, str], tuple[int, int, float, float, Any]] = stats.stats  # type: ignore[attr-defined]
    for (file, line, name), (_, calls, own, _, _) in entries.items():
        yield Function(name, _place(file, line), round(calls / times, 1), 1000 * own / times)


def _place(file: str, line: int) -> str:
    if not line:
        return ""
    path = Path(file)
    return f"{path.relative_to(_ROOT) if path.is_relative_to(_ROOT) else path.name}:{line}"


def as_text(profile: Profile) -> str:
    """For people: a table of the phases, and one of the functions."""
    lines = [f"{profile.size / 1000:.0f} kB, evaluated {profile.times} times; median milliseconds", ""]
    for phase, spent in profile.phases.items():
        lines.append(f"  {phase:<10} {spent:>9.3f}  {spent / profile.milliseconds:>4.0%}")
    lines += [f"  {'total':<10} {profile.milliseconds:>9.3f}", ""]
    lines += ["Functions with most time of their own, in milliseconds of one evaluation under the profiler:", ""]
    lines += [f"  {one.milliseconds:>9.3f}  {one.calls:>9g} calls  {one.name}  {one.place}".rstrip() for one in profile.functions]
    return "\n".join(lines)


@click.command()
@click.argument("bundle", metavar="BUNDLE.json", type=click.Path(path_type=Path))
@click.option("--patient", metavar="ID", help="Which patient, where the file holds several.")
@click.option("--as-of", metavar="YYYY-MM-DD", help="Evaluate for this day instead of today (UTC).")
@click.option("--times", metavar="N", type=click.IntRange(1, 10_000), default=25, show_default=True, help="How often.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def profile(bundle: Path, patient: str | None, as_of: str | None, times: int, as_json: bool) -> None:
    """Show where the time goes when the patient in BUNDLE.json is evaluated: by phase, and by function.

    The phases are those of the header Server-Timing and of the figure myositis_cds_phase_seconds. Names of functions and places
    in the source are printed, nothing of the patient.
    """
    basis = basis_from(os.environ)
    quieten_garbage_collector()  # as in the service
    try:
        found = profiled(
            _read(bundle),
            as_of=today_utc() if as_of is None else parse_day(as_of, "--as-of"),
            patient_id=patient,
            times=times,
            basis=basis,
        )
    except RequestRefusedError as error:
        raise ConfigurationError(f"{bundle}: {error.text}") from None
    click.echo(orjson.dumps(found.as_json(), option=orjson.OPT_INDENT_2).decode() if as_json else as_text(found))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}.") from None
