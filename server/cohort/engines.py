"""Who does the tasks of a run: processes of this machine, or a Dask cluster. A task whose doer is killed is done again."""

import os
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from importlib import import_module
from logging import CRITICAL, getLogger
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import TYPE_CHECKING, Protocol

from server.cohort.errors import CohortError, MachineTroubleError
from server.interpreter import quieten_garbage_collector

if TYPE_CHECKING:
    from distributed import Client
    from distributed import Future as DaskFuture

Task = Callable[[int], int]
"""Takes a number, leaves its result in files, and says how many it found. Must be importable by name."""

_MOST_KILLS = 3
_KILLED = (
    "Task {number} ended the process that did it {times} times, perhaps for want of memory. Start again with fewer --workers; "
    "what is done stays done."
)
_NO_SCHEDULER_ANY_MORE = (
    "The Dask scheduler {scheduler} does not answer any more. See that it runs, and start again in the same way; what is done "
    "stays done."
)
_NO_WORKERS = (
    "The Dask cluster has had no worker for {seconds:.0f} s. See why they ended or do not begin (their logs; memory; the same "
    "release and folders), and start again in the same way; what is done stays done."
)
_OTHER_SOFTWARE = (
    "The Dask cluster cannot read the tasks: {module} is not installed there. Install this release of myositis-cds[cohort,dask] "
    "for the scheduler and the workers."
)
_LOST_CONNECTIONS = ("distributed.batched", "distributed.client", "distributed.comm.tcp", "distributed.core")
"""Loggers of Dask by which a client says that a connection is lost."""

_LOOK_SECONDS = 5.0
_PAUSE_SECONDS = 0.05


class Engine(Protocol):
    """Does tasks."""

    def run(self, task: Task, numbers: Sequence[int]) -> Iterator[int]:
        """Do a task for each number.

        Args:
            task: what to do.
            numbers: for what.

        Yields:
            What each said, as they end.

        Raises:
            CohortError: one cannot be done.
        """

    def end(self) -> None:
        """Let go of those who did them; more may be asked for later."""


class Here:
    """In this process, one after the other."""

    def run(self, task: Task, numbers: Sequence[int]) -> Iterator[int]:
        """See `Engine`."""
        yield from map(task, numbers)

    def end(self) -> None:
        """See `Engine`."""


class Processes:
    """In processes of this machine.

    Not a `multiprocessing.Pool`, which waits for ever for a worker that was killed. An executor notices, and is then of no
    further use: the tasks that it had are given to a new one. Which of them it was that killed its worker nobody knows, so that
    each of these counts as suspect.

    Args:
        workers: how many.
    """

    def __init__(self, workers: int) -> None:
        """Nothing is started yet."""
        self._workers = workers
        self._pool: ProcessPoolExecutor | None = None

    def end(self) -> None:
        """See `Engine`."""
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None

    def run(self, task: Task, numbers: Sequence[int]) -> Iterator[int]:
        """See `Engine`."""
        waiting, kills, is_whole = deque(numbers), Counter[int](), False
        try:
            while waiting:
                yield from self._run_until_one_is_killed(task, waiting, kills)
                for number, times in kills.items():
                    if times >= _MOST_KILLS and number in waiting:
                        raise MachineTroubleError(_KILLED.format(number=number, times=times))
            is_whole = True
        finally:
            if not is_whole:
                self.end()

    def _run_until_one_is_killed(self, task: Task, waiting: "deque[int]", kills: Counter[int]) -> Iterator[int]:
        suspects = [number for number in waiting if kills[number]][:1]
        # A suspect is tried alone, so that the guilty one is found.
        left = deque(suspects) if suspects else waiting
        most = 1 if suspects else self._workers
        running: dict[Future[int], int] = {}
        with self._some(most) as pool:
            while left or running:
                try:
                    while left and len(running) < most:
                        future = pool.submit(task, left[0])
                        running[future] = left.popleft()
                    done = wait(running, return_when=FIRST_COMPLETED).done
                    said = [(one, one.result()) for one in done]
                except BrokenProcessPool:
                    self.end()
                    kills.update(running.values())
                    waiting.extendleft(sorted({*running.values()} - {*waiting}, reverse=True))
                    return
                for one, found in said:
                    number = running.pop(one)
                    if suspects:
                        waiting.remove(number)
                    yield found

    @contextmanager
    def _some(self, most: int) -> Iterator[ProcessPoolExecutor]:
        """So many processes; those of the usual number stay for the next step, since each takes a second to begin."""
        if most < self._workers:
            with _processes(most) as pool:
                yield pool
            return
        self._pool = self._pool or _processes(most)
        yield self._pool


def _processes(number: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(number, get_context("spawn"), _begin_work)


def _begin_work() -> None:
    """Of a process that does tasks: it ends with the one that gives them, however that one ends."""
    quieten_garbage_collector()
    Thread(target=_end_with_parent, name="parent", daemon=True).start()


def _end_with_parent() -> None:
    if parent := parent_process():
        parent.join()
        os._exit(1)


class Dask:
    """On a Dask cluster that is there.

    The workers need this package, the same site folder, and the folders of input and output at the same place.

    Args:
        scheduler: its address, such as `tcp://127.0.0.1:8786`.
        patience: seconds to wait for it to answer.
        without_workers: seconds to wait for a worker while there is none.
    """

    def __init__(self, scheduler: str, patience: float = 30, without_workers: float = 600) -> None:
        """Nothing is connected yet."""
        self._scheduler, self._patience, self._without_workers = scheduler, patience, without_workers

    def run(self, task: Task, numbers: Sequence[int]) -> Iterator[int]:
        """See `Engine`."""
        _import_dask()
        with _quiet_about_lost_connections(), closing(self._connect()) as client:
            from distributed.comm.core import CommClosedError

            try:
                yield from _run_on(client, task, numbers, self._without_workers)
            except (CancelledError, CommClosedError) as error:
                raise MachineTroubleError(_NO_SCHEDULER_ANY_MORE.format(scheduler=self._scheduler)) from error

    def end(self) -> None:
        """See `Engine`."""

    def _connect(self) -> "Client":
        from distributed import Client

        try:
            return Client(self._scheduler, timeout=self._patience)  # type: ignore[no-untyped-call]
        except (OSError, ValueError) as error:
            raise CohortError(f"--scheduler {self._scheduler}: no Dask scheduler answers ({type(error).__name__}).") from error


def _import_dask() -> None:
    """Import Dask, which then sets the levels of its loggers."""
    try:
        import_module("distributed")
    except ImportError as error:
        raise CohortError("Dask is not installed here: install myositis-cds[dask].") from error


@contextmanager
def _quiet_about_lost_connections() -> Iterator[None]:
    """Of a connection that is lost Dask logs tracebacks; what that means for the run is said in a sentence."""
    before = {name: getLogger(name).level for name in _LOST_CONNECTIONS}
    for name in _LOST_CONNECTIONS:
        getLogger(name).setLevel(CRITICAL)
    try:
        yield
    finally:
        for name, level in before.items():
            getLogger(name).setLevel(level)


def _run_on(client: "Client", task: Task, numbers: Sequence[int], without_workers: float) -> Iterator[int]:
    from distributed.scheduler import KilledWorker

    # Impure, since what a task is good for are its files: the scheduler must not answer from memory.
    futures = {client.submit(task, number, pure=False, retries=0): number for number in numbers}
    for done in _ended(client, futures, without_workers):
        try:
            yield int(done.result())
        except KilledWorker as error:
            raise MachineTroubleError(_KILLED.format(number=futures[done], times=_MOST_KILLS)) from error
        except RuntimeError as error:
            if isinstance(error.__cause__, ImportError):  # of the scheduler, which reads a task before any worker does
                raise MachineTroubleError(_OTHER_SOFTWARE.format(module=error.__cause__.name)) from error
            raise
        done.release()  # type: ignore[no-untyped-call]


def _ended(client: "Client", futures: Iterable["DaskFuture[int]"], without_workers: float) -> Iterator["DaskFuture[int]"]:
    """The tasks as they end. Dask itself waits for ever for a worker, where the last one is gone."""
    from distributed import as_completed

    waiting = as_completed(futures)  # type: ignore[no-untyped-call]
    seen = looked = time.monotonic()
    while waiting.count():  # type: ignore[no-untyped-call]
        batch = waiting.next_batch(block=False)  # type: ignore[no-untyped-call]
        yield from batch
        now = time.monotonic()
        if batch:
            seen = now
        elif now - looked >= min(_LOOK_SECONDS, without_workers):
            looked = now
            if client.nthreads():  # type: ignore[no-untyped-call]
                seen = now
            elif now - seen >= without_workers:
                raise MachineTroubleError(_NO_WORKERS.format(seconds=without_workers))
        else:
            time.sleep(_PAUSE_SECONDS)


def engine_for(name: str, scheduler: str | None, workers: int | None) -> Engine:
    """The engine that was asked for.

    Args:
        name: `local` or `dask`.
        scheduler: address of the Dask scheduler.
        workers: processes of this machine; None for one to each processor.

    Raises:
        CohortError: what was asked for does not go together.
    """
    if name == "dask":
        if scheduler is None:
            raise CohortError("--engine dask needs the address of a cluster: --scheduler tcp://HOST:8786.")
        if workers is not None:
            raise CohortError("--workers is for this machine; a Dask cluster has the workers that it has.")
        return Dask(scheduler)
    if scheduler is not None:
        raise CohortError("--scheduler is for --engine dask.")
    number = workers or len(os.sched_getaffinity(0))
    return Here() if number == 1 else Processes(number)
