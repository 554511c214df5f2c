"""Ten times the patients: what a cohort run of two processes takes then, in time and in memory."""

from pathlib import Path
from typing import Any

from benchmarks.batch import made_up, ran


def run(folder: Path, *, patients: int) -> dict[str, Any]:
    """Measure.

    Args:
        folder: for the made-up cohorts and the results of the runs.
        patients: of the larger cohort.

    Returns:
        `goals` with `N10` and `N10m`: time and memory of the larger one ÷ those of a tenth of it; `runs`, by name.
    """
    tenth = max(1, patients // 10)
    few = ran(made_up(folder, tenth), folder / "few", "--workers", "2")
    many = ran(made_up(folder, patients), folder / "many", "--workers", "2")
    return {
        "goals": {"N10": round(many.wall / few.wall, 2), "N10m": round(many.peak / few.peak, 2)},
        "runs": {"a tenth": few.as_json(tenth), "all": many.as_json(patients)},
    }
