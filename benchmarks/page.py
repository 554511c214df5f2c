"""`docs/performance.md`, made from the results that are kept: whoever changes a figure has measured it."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.goals import GOALS, Goal, Results, written
from benchmarks.sections import cohort, fetching, http, item, loading, memory, paragraph, peers, phases, start, table, times_ten

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results"
PAGE = ROOT / "docs" / "performance.md"

_SECTIONS: Sequence[tuple[str, str, Callable[[Mapping[str, Any]], str]]] = (
    ("in_process", "Where the time goes", phases),
    ("over_http", "Over HTTP", http),
    ("over_http", "Sent or fetched", fetching),
    ("rules", "Knowledge", loading),
    ("start", "Start", start),
    ("memory", "Memory", memory),
    ("peers", "Beside a peer", peers),
    ("batch", "Cohorts", cohort),
    ("times_ten", "Ten times the patients", times_ten),
)

_HEAD = paragraph(
    """Made by `make bench` from what it measured (`benchmarks/results/`); do not edit. Most goals are ratios of two things that
    were measured in turns on the same machine in the same minutes, and the median of at least seven such ratios: absolute
    figures change with the machine and with its other work, ratios hold. Those of cohorts compare whole runs of minutes,
    one of each; a few, of a start, of memory and of one answer, are seconds and megabytes. In-process figures are CPU time.
    The baselines are in the repository: `orjson.loads` of the same body, and a bare Flask echo (`benchmarks/echo.py`),
    which parses the body and answers 60 bytes, under the same server class (waitress), with the same threads and the same
    garbage-collector policy."""
)

_CLOSER = """\
## Looking closer

Each answer to a hook call has its phases in the header `Server-Timing`, and `/metrics` has them as `myositis_cds_phase_seconds`.
For one chart on one's own machine, by phase and by function:

```sh
myositis-cds profile sandbox/patients/dermatomyositis-six-years.json --as-of 2026-11-22 --times 100
```

`make bench GROUPS="in_process start"` measures these groups again; `.venv/bin/python -m benchmarks NAME --quick` takes seconds
and keeps nothing.
"""


def results() -> Results:
    """What is kept, by group."""
    return {file.stem: json.loads(file.read_text("utf-8")) for file in sorted(RESULTS.glob("*.json"))}


def page(kept: Results) -> str:
    """The page.

    Args:
        kept: results by group.
    """
    parts = ["# Performance\n", _HEAD, _machine(kept), "## Goals\n", _goals(kept), _not_met(kept)]
    parts += [f"## {title}\n\n{section(kept[group])}" for group, title, section in _SECTIONS if group in kept]
    return "\n".join([*parts, _CLOSER])


def _machine(kept: Results) -> str:
    machines = [one["machine"] for one in kept.values() if "machine" in one]
    if not machines:
        return ""
    loads = sorted(one["load at start"] for one in machines)
    said = f"When a group began, the load of the machine was {loads[0]:g} to {loads[-1]:g}, the group before it included."
    return "\n".join(paragraph(f"Measured on {words}. {said}") for words in sorted({_facts(one) for one in machines}))


def _facts(machine: Mapping[str, Any]) -> str:
    libraries = ", ".join(f"{name} {number}" for name, number in machine["libraries"].items())
    where = f"{machine['processors']}, {machine['memory GiB']} GiB"
    return f"{machine['day']}, {where}; Python {machine['python']}; {libraries}"


def _goals(kept: Results) -> str:
    return table(("Goal", "What", "Baseline", "Promise", "Measured", "Met"), [_row(goal, kept) for goal in GOALS])


def _row(goal: Goal, kept: Results) -> tuple[str, ...]:
    found = goal.measured(kept)
    figure = "not measured" if found is None else written(found, goal.unit)
    said = {None: "–", True: "yes", False: "**no**"}[goal.is_met(kept)]
    return goal.id, goal.what, goal.baseline, goal.promise, figure, said


def _not_met(kept: Results) -> str:
    missed = [goal for goal in GOALS if goal.is_met(kept) is False]
    if not missed:
        return ""
    return "\n".join(
        ["### Not met, and why\n", *(item(f"**{goal.id}**: {goal.why}{_profile(goal, kept)}") for goal in missed), ""]
    )


def _profile(goal: Goal, kept: Results) -> str:
    """Where the time goes, in words: the phases of the body that explains a goal, the longest first."""
    size = kept.get("in_process", {}).get("sizes", {}).get(goal.profile or "")
    if not size:
        return ""
    spent, floor = size["phases ms"], size["cases"]["orjson.loads"]["ms"]
    whole = sum(spent.values())
    said = ", ".join(f"{phase} {ms:.1f}" for phase, ms in sorted(spent.items(), key=_time, reverse=True) if ms >= whole / 50)
    return f" Of {whole:.1f} ms, where `orjson.loads` takes {floor:.2f}: {said}."


def _time(phase: tuple[str, float]) -> float:
    return phase[1]
