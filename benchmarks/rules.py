"""What twice as many rules cost, and how long the knowledge takes to load."""

import json
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.applications import calling, log_to_nowhere, open_service
from benchmarks.calls import TYPICAL, patient_view
from benchmarks.doubling import Copies, doubled
from benchmarks.measuring import side_by_side
from benchmarks.processes import ROOT
from server.basis import load_basis
from server.interpreter import settle
from server.warm_up import warm_up


def run(folder: Path, *, rounds: int, loads: int) -> dict[str, Any]:
    """Measure.

    Args:
        folder: for knowledge and databases.
        rounds: of the calls.
        loads: how often the knowledge is loaded.
    """
    twice = doubled(folder / "twice", Copies.HOLD)
    idle = doubled(folder / "idle", Copies.HOLD_FOR_NOBODY)
    sent = patient_view(TYPICAL)
    with log_to_nowhere():
        for knowledge in (None, twice, idle):
            warm_up(load_basis(knowledge))
        base, with_idle, with_twice = open_service(folder), open_service(folder, idle), open_service(folder, twice)
        settle()
        cases = {"copies that hold for nobody": calling(with_idle, sent), "copies that hold": calling(with_twice, sent)}
        found = side_by_side(calling(base, sent), cases, rounds)
    return {
        "rounds": rounds,
        "rules": {"packaged": _number(None), "doubled": _number(twice)},
        "calls": {name: one.as_json() for name, one in found.items()},
        "loading": {"packaged": _loading(None, loads), "doubled": _loading(twice, loads)},
        "goals": {
            "G7": round(found["copies that hold"].ratio - 1, 3),
            "G7 without further advice": round(found["copies that hold for nobody"].ratio - 1, 3),
        },
    }


def _number(knowledge: Path | None) -> int:
    known = load_basis(knowledge).knowledge
    return len(known.rules) + len(known.safety)


def _loading(knowledge: Path | None, loads: int) -> dict[str, float]:
    """Median milliseconds of each step of loading, in fresh processes: within one, much is kept."""
    command = [sys.executable, "-m", "benchmarks.loading", *([str(knowledge)] if knowledge else [])]
    runs = [
        json.loads(subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout) for _ in range(loads)
    ]
    return {step: round(median(one[step] for one in runs), 1) for step in runs[0]}
