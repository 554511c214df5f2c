"""Between reading and evaluating: put together what the tasks left, so that whoever wants a partition looks into few files.

Without it each of some thousand partitions would open what each of some thousand tasks left.
"""

from collections.abc import Iterator
from pathlib import Path

import orjson

from server.cohort.files import whole_file, write_whole
from server.cohort.pieces import lines_in, merged, write_with_table
from server.cohort.plan import Plan
from server.cohort.scatter import run_file, summaries, taken_apart

AT_ONCE = 256
"""So many files are put together, and open, at once: a process may commonly have 1,024."""


def gather_runs(plan: Plan) -> None:
    """Note how many files each task left."""
    write_whole(plan.runs, orjson.dumps([summary["runs"] for summary in summaries(plan)]))


def groups(plan: Plan) -> int:
    """How many files there are to be."""
    return -(-sum(_runs(plan)) // AT_ONCE)


def collate(plan: Plan, group: int) -> int:
    """Put the files of a group together.

    Args:
        plan: the run, of which every task is done.
        group: its number.

    Returns:
        How many pieces it has.
    """
    files = list(_files(plan))[group * AT_ONCE : (group + 1) * AT_ONCE]
    with whole_file(collated_file(plan, group)) as stream:
        return write_with_table(merged(files), plan.partitions + 1, stream)


def remove_runs(plan: Plan) -> None:
    """Remove what is put together now."""
    for file in _files(plan):
        file.unlink(missing_ok=True)


def collated_file(plan: Plan, group: int) -> Path:
    """Where the files of a group are put together."""
    return plan.collated / f"{group:06}.pieces"


def lines_of_partition(plan: Plan, partition: int) -> Iterator[tuple[str | None, str, bytes]]:
    """The lines of a partition, each with the id of its patient and its resource type, in the order of the input.

    Args:
        plan: the run.
        partition: its number; that of all partitions together for what patients share.
    """
    for group in range(groups(plan)):
        yield from map(taken_apart, lines_in(collated_file(plan, group), partition, plan.partitions + 1))


def _runs(plan: Plan) -> list[int]:
    runs: list[int] = orjson.loads(plan.runs.read_bytes())
    return runs


def _files(plan: Plan) -> Iterator[Path]:
    return (run_file(plan, task, run) for task, runs in enumerate(_runs(plan)) for run in range(runs))
