"""Figures of several processes behind one port: each keeps its own in a file, and whichever is asked adds them up.

Knows nothing of the figures themselves: `prometheus_client` decides at its import how it counts, so whoever starts processes
calls `start_metrics` before.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

_IN_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
FOLDER = "PROMETHEUS_MULTIPROC_DIR"


@contextmanager
def figures_folder() -> Iterator[None]:
    """A folder for the figures as long as the service runs: in memory, since a full disk would end the process."""
    with TemporaryDirectory(prefix="myositis-cds-figures-", dir=_IN_MEMORY if _IN_MEMORY.is_dir() else None) as folder:
        start_metrics(Path(folder))
        yield


def start_metrics(folder: Path) -> None:
    """Count in files of this folder, from now on, in this process and those that it starts; call it before `create_app`.

    Args:
        folder: for this use only, emptied here.

    Raises:
        RuntimeError: this process counts by itself already.
    """
    if "prometheus_client" in sys.modules and os.environ.get(FOLDER) != str(folder):
        raise RuntimeError("the figures of this process were begun before those of several")
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob("*.db"):
        left.unlink()
    os.environ[FOLDER] = str(folder)


def forget_process(pid: int) -> None:
    """Take what a process that has ended was (memory, threads, queue) out of the figures; what it did stays counted.

    Args:
        pid: of a worker, after it has ended.
    """
    if FOLDER not in os.environ:
        return
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(pid, os.environ[FOLDER])  # type: ignore[no-untyped-call]
