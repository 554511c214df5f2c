"""Cohort runs (G14 to G17): one process against a loop that only parses, two processes against one, a cluster, and a killed
worker.

Measured with `myositis-cds cohort run`; until there are results, the page says so.
"""

from pathlib import Path
from typing import Any

from benchmarks.groups import CannotMeasureError


def run(folder: Path, *, patients: int, rounds: int) -> dict[str, Any]:
    """Measure.

    Args:
        folder: for the synthetic cohort and the results of the runs.
        patients: of the cohort, 50 resources each.
        rounds: in each of which every way is gone once.

    Returns:
        What the page reads: `goals` with `G14` (CPU time of one process ÷ that of a loop of `orjson.loads(line)`), `G15`
        (patients a second of two processes ÷ of one), `G16` (Dask ÷ plain processes) and `G17` (1 if a run with a killed worker
        gave the same bytes, else 0); and `runs`, by name, each with `patients per second`, `CPU s`, `wall s` and `peak MB`.

    Raises:
        CannotMeasureError: always, as yet.
    """
    raise CannotMeasureError("cohort runs are not measured yet")
