"""On a Dask cluster: a real scheduler and two real workers, of which one is killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from server.cohort.engines import Dask
from server.cohort.errors import CohortError
from tests.ports import held_port
from tests.server.charts import chart, slugs
from tests.server.cohort.registries import as_bulk_data, environment, ran, results

_DASK = str(Path(sys.executable).with_name("dask"))


@contextmanager
def cluster(folder: Path, workers: int) -> Iterator[tuple[str, list["subprocess.Popen[bytes]"]]]:
    """A cluster on this machine: the address of its scheduler, and its workers."""
    at = ["--host", "127.0.0.1", "--no-dashboard"]
    with held_port() as port:
        address = f"tcp://127.0.0.1:{port}"
        started = [_started("scheduler", *at, "--port", str(port))]
        for number in range(workers):
            place = ["--local-directory", str(folder / f"worker-{number}"), "--nthreads", "1", "--no-nanny"]
            started.append(_started("worker", address, *at, *place))
        try:
            yield address, started[1:]
        finally:
            for process in reversed(started):
                process.kill()
                process.wait(10)


def _started(*arguments: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([_DASK, *arguments], env=environment(), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


@pytest.mark.slow
def test_two_workers_give_the_same_rows_as_one_process_though_one_is_killed(tmp_path: Path) -> None:
    place = as_bulk_data(tmp_path / "in", [chart(slug) for slug in slugs()])
    ran(place, tmp_path / "here", partitions=12)
    with cluster(tmp_path, 2) as (address, workers):
        engine = Dask(address)
        killed = []

        class KillsOne(Dask):
            """Kills a worker when the first task has ended."""

            def run(self, task, numbers):  # type: ignore[no-untyped-def]
                for found in engine.run(task, numbers):
                    if not killed:
                        killed.append(workers[0].pid)
                        os.kill(workers[0].pid, signal.SIGKILL)
                    yield found

        ran(place, tmp_path / "dask", KillsOne(address), partitions=12)
    assert killed
    assert results(tmp_path / "dask") == results(tmp_path / "here")


def test_no_scheduler_is_one_sentence() -> None:
    with held_port() as port, pytest.raises(CohortError, match=r"no Dask scheduler answers"):
        list(Dask(f"tcp://127.0.0.1:{port}", patience=0.5).run(abs, [1]))
