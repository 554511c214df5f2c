"""Tasks are done, whoever is killed meanwhile."""

import os
import signal
import time
from functools import partial
from pathlib import Path

import pytest

from server.cohort.engines import Dask, Here, Processes, engine_for
from server.cohort.errors import CohortError


def double(number: int) -> int:
    return 2 * number


def double_but_killed_at_first(folder: Path, number: int) -> int:
    """The first who tries the third task is killed, as the system kills who takes too much memory."""
    mark = folder / "killed"
    if number == 3 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return 2 * number


def killed_at_three(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.01)
    return number


@pytest.mark.parametrize("engine", [Here(), Processes(2)], ids=["here", "processes"])
def test_every_task_is_done_once(engine: Here | Processes) -> None:
    assert sorted(engine.run(double, range(7))) == [0, 2, 4, 6, 8, 10, 12]
    engine.end()


def own_process(number: int) -> int:
    time.sleep(0.05)
    return os.getpid()


def test_the_same_processes_do_every_step_until_the_run_ends() -> None:
    """Each takes a second to begin."""
    engine = Processes(2)
    first, second = (set(engine.run(own_process, range(8))) for _ in range(2))
    assert first | second == first
    engine.end()
    assert not set(engine.run(own_process, range(8))) & first
    engine.end()


def test_a_killed_worker_costs_no_task(tmp_path: Path) -> None:
    engine = Processes(2)
    found = list(engine.run(partial(double_but_killed_at_first, tmp_path), range(6)))
    engine.end()
    assert (tmp_path / "killed").exists()
    assert sorted(found) == [0, 2, 4, 6, 8, 10]


def test_a_task_that_kills_whoever_does_it_is_named_and_the_innocent_are_done() -> None:
    with pytest.raises(CohortError, match="Task 3 ended the process that did it 3 times"):
        list(Processes(2).run(killed_at_three, range(6)))


@pytest.mark.parametrize(
    ("name", "scheduler", "workers", "says"),
    [
        ("dask", None, None, "--scheduler tcp://HOST:8786"),
        ("dask", "tcp://127.0.0.1:1", 2, "a Dask cluster has the workers that it has"),
        ("local", "tcp://127.0.0.1:1", None, "--scheduler is for --engine dask"),
    ],
)
def test_options_that_do_not_go_together_are_refused(name: str, scheduler: str | None, workers: int | None, says: str) -> None:
    with pytest.raises(CohortError, match=says):
        engine_for(name, scheduler, workers)


def test_one_worker_needs_no_further_process() -> None:
    assert isinstance(engine_for("local", None, 1), Here)
    assert isinstance(engine_for("local", None, 2), Processes)
    assert isinstance(engine_for("dask", "tcp://127.0.0.1:1", None), Dask)
