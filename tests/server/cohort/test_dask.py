"""On a Dask cluster: a real scheduler and two real workers, of which one is killed."""

import importlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from logging import CRITICAL, getLogger
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from server.cohort.commands import cohort
from server.cohort.engines import Dask
from server.cohort.errors import CohortError, MachineTroubleError
from tests.ports import held_port
from tests.server.charts import chart, slugs
from tests.server.cohort.registries import as_bulk_data, environment, ran, results

_DASK = str(Path(sys.executable).with_name("dask"))


@contextmanager
def cluster(folder: Path, workers: int) -> Iterator[tuple[str, list["subprocess.Popen[bytes]"]]]:
    """A cluster on this machine: the address of its scheduler, and its workers, with the scheduler behind them."""
    at = ["--host", "127.0.0.1", "--no-dashboard"]
    with held_port() as port:
        address = f"tcp://127.0.0.1:{port}"
        started = [_started("scheduler", *at, "--port", str(port))]
        for number in range(workers):
            place = ["--local-directory", str(folder / f"worker-{number}"), "--nthreads", "1", "--no-nanny"]
            started.append(_started("worker", address, *at, *place))
        try:
            yield address, [*started[1:], started[0]]
        finally:
            for process in reversed(started):
                process.kill()
                process.wait(10)


def _started(*arguments: str) -> "subprocess.Popen[bytes]":
    ours = environment(PYTHONPATH=str(Path(__file__).parents[3]))  # for tasks that are only in these tests
    return subprocess.Popen([_DASK, *arguments], env=ours, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


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


def test_only_what_dask_says_of_connections_is_not_logged_and_only_during_the_run() -> None:
    names = ("distributed.client", "distributed.core", "distributed.worker", "distributed")
    importlib.import_module("distributed")
    before = [getLogger(name).getEffectiveLevel() for name in names]
    meanwhile = []

    class Noting(Dask):
        """Notes the levels of loggers, and finds no scheduler."""

        def _connect(self) -> Any:
            meanwhile.append([getLogger(name).getEffectiveLevel() for name in names])
            raise CohortError("nobody answers")

    with pytest.raises(CohortError, match="nobody answers"):
        list(Noting("tcp://127.0.0.1:1").run(abs, [1]))
    assert meanwhile == [[CRITICAL, CRITICAL, *before[2:]]]
    assert CRITICAL not in before
    assert [getLogger(name).getEffectiveLevel() for name in names] == before


def none_found(seconds: float) -> int:
    """A task that takes so long."""
    time.sleep(seconds)
    return 0


@pytest.mark.slow
def test_a_scheduler_that_ends_in_the_middle_is_one_sentence(tmp_path: Path) -> None:
    with cluster(tmp_path, 1) as (address, (_, scheduler)):
        found = Dask(address).run(none_found, [0, 60, 60])
        assert next(found) == 0
        scheduler.kill()
        with pytest.raises(MachineTroubleError, match=f"The Dask scheduler {address} does not answer any more. See that it runs"):
            next(found)


@pytest.mark.slow
def test_a_cluster_without_any_worker_left_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    with cluster(tmp_path, 1) as (address, (worker, _)):
        found = Dask(address, without_workers=2).run(none_found, [0, 60, 60])
        assert next(found) == 0
        worker.kill()
        with pytest.raises(MachineTroubleError, match=r"has had no worker for 2 s\. See why they ended"):
            next(found)


@pytest.mark.slow
def test_a_cluster_without_this_software_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "only_here.py").write_text("def task(number):\n    return number\n", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    task = importlib.import_module("only_here").task
    with cluster(tmp_path, 1) as (address, _), pytest.raises(MachineTroubleError, match="only_here is not installed there"):
        list(Dask(address).run(task, [1]))


def test_trouble_of_the_machine_has_another_exit_code_than_what_cannot_be_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_left(*_: object, **__: object) -> None:
        raise MachineTroubleError("no worker")

    monkeypatch.setattr("server.cohort.run.run", none_left)
    place = as_bulk_data(tmp_path / "in", [chart("healthy")])
    done = CliRunner().invoke(cohort, ["run", str(place), "--out", str(tmp_path / "out")])
    assert (done.exit_code, done.output) == (1, "myositis-cds: no worker\n")
