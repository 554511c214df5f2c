"""How a process that answers uses Python's interpreter and its memory: settled once, after the warm-up.

Its threads wait beside each other for the network and the disk, and compute one at a time (decision 26).
"""

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock, Semaphore
from time import monotonic

from server.config import THREADS
from server.stopwatch import Stopwatch

SWITCH_SECONDS = 0.0005
"""So long a thread computes while another one waits for the interpreter; Python's default is ten times as much."""

PATIENCE_SECONDS = 1.0
"""So long an evaluation waits for its turn; then it goes on without one, slower, since a turn is worth nothing but time."""

WRITERS_PATIENCE_SECONDS = 0.1
"""And so long a writer, for whom all other writers wait."""

LARGE_BODY_BYTES = 512 * 1024
"""The HTTP server keeps longer bodies on the disk until they are read; parsed, they take five to ten times as much memory."""

LARGE_BODYS_PATIENCE_SECONDS = 3.0
"""So long a call with a large body waits for others; then it goes on, for more memory. Behind one that waited for longer, calls
would come too late to be answered (`serving.waited`)."""

MOST_LARGE_BODIES = 2
"""At the same time in one process: the second is read while the first one's thread waits for something else."""

MOST_WAIT_WITH_LARGE_BODIES = THREADS // 2
"""So many threads wait for that at most: the others are there for small bodies, however many large ones come at once."""

_EVALUATION, _COMPUTING, _LARGE_BODIES = Lock(), Lock(), Semaphore(MOST_LARGE_BODIES)
_PLACES_TO_WAIT = Semaphore(MOST_WAIT_WITH_LARGE_BODIES)

_BLOCK_OF_ITS_OWN_BYTES, _FREE_AT_THE_TOP_BYTES = 256 * 1024, 1024 * 1024
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # of malloc.h


@contextmanager
def turn_to_evaluate() -> Iterator[None]:
    """Let one thread of the process evaluate: two gain nothing by doing so at once. A writer comes before the next one."""
    until = monotonic() + PATIENCE_SECONDS
    with _patiently(_EVALUATION, until), _patiently(_COMPUTING, until):
        yield


@contextmanager
def turn_with_a_large_body(length: int | None, watch: Stopwatch) -> Iterator[None]:
    """Let `MOST_LARGE_BODIES` threads of the process have one in memory, from reading it to its answer; small ones wait for none.

    Whoever has waited for too long, or finds `MOST_WAIT_WITH_LARGE_BODIES` waiting, goes on without a turn.

    Args:
        length: of the body, in bytes; None where there is none.
        watch: times the wait of a large one, as `large_body`.
    """
    if (length or 0) <= LARGE_BODY_BYTES:
        yield
        return
    with watch.time("large_body"):
        is_ours = _has_come_with_a_large_body()
    with _released(_LARGE_BODIES, is_ours):
        yield


def _has_come_with_a_large_body() -> bool:
    """Whether it is this thread's turn, at once or after a wait."""
    if _LARGE_BODIES.acquire(blocking=False):
        return True
    if not _PLACES_TO_WAIT.acquire(blocking=False):
        return False
    try:
        return _LARGE_BODIES.acquire(timeout=LARGE_BODYS_PATIENCE_SECONDS)
    finally:
        _PLACES_TO_WAIT.release()


@contextmanager
def turn_to_write() -> Iterator[None]:
    """Let one thread of the process write to an SQLite file while none evaluates.

    A writer gives the interpreter up at each statement. Among threads that compute it gets it back late, and until then nobody
    else writes, in this process or another one.
    """
    with _patiently(_COMPUTING, monotonic() + WRITERS_PATIENCE_SECONDS):
        yield


@contextmanager
def _patiently(lock: Lock, until: float) -> Iterator[None]:
    with _released(lock, lock.acquire(timeout=max(0.0, until - monotonic()))):
        yield


@contextmanager
def _released(lock: "Lock | Semaphore", is_ours: bool) -> Iterator[None]:
    try:
        yield
    finally:
        if is_ours:
            lock.release()


def settle() -> None:
    """Make the process ready to answer for weeks. Call it after the warm-up."""
    quieten_garbage_collector()
    sys.setswitchinterval(SWITCH_SECONDS)
    _give_memory_back()


def quieten_garbage_collector() -> None:
    """Take everything that lives as long as the process out of garbage collection: without it, parsing one chart now and then
    stops for tens of milliseconds (reference: performance, trap 1). Call after the warm-up.

    What is garbage by then stays, less than a megabyte of memory: to look for it would take a twentieth of the start.
    """
    gc.freeze()
    gc.collect()  # of nothing: a whole collection waits until a quarter as much is new as the last one found
    gc.set_threshold(100_000, 20, 10)
    gc.enable()


def sweep() -> None:
    """Collect the garbage of the last requests; call it every few seconds.

    Libraries leave a little of each in circles (werkzeug's matcher of URLs, a request and its environment), and by itself the
    quietened collector comes after thousands of requests. Of all generations: what belongs to a request that is under way just
    now would be passed on to an older one, at which nobody looks again for hours. There are few objects, so that it takes 2 ms.
    """
    gc.collect()


def _give_memory_back() -> None:
    """What a call has freed goes back to the system, as far as glibc can be told so; another C library has no such function.

    glibc gives each thread a heap of its own, though they never need two at once; and after a large block was freed it puts the
    next ones as large into the heap, where a small one behind them keeps their place for ever. To set a limit ends that.
    """
    with suppress(AttributeError, OSError):
        library = ctypes.CDLL(None)
        library.mallopt(_M_ARENA_MAX, 1)
        library.mallopt(_M_MMAP_THRESHOLD, _BLOCK_OF_ITS_OWN_BYTES)
        library.mallopt(_M_TRIM_THRESHOLD, _FREE_AT_THE_TOP_BYTES)
