"""How a process that answers uses Python's interpreter and its memory: settled once, after the warm-up.

Its threads wait beside each other for the network and the disk, and compute one at a time (decision 26).
"""

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock
from time import monotonic

SWITCH_SECONDS = 0.0005
"""So long a thread computes while another one waits for the interpreter; Python's default is ten times as much."""

PATIENCE_SECONDS = 1.0
"""So long an evaluation waits for its turn; then it goes on without one, slower, since a turn is worth nothing but time."""

WRITERS_PATIENCE_SECONDS = 0.1
"""And so long a writer, for whom all other writers wait."""

_EVALUATION, _COMPUTING = Lock(), Lock()

_M_ARENA_MAX = -8  # of malloc.h


@contextmanager
def turn_to_evaluate() -> Iterator[None]:
    """Let one thread of the process evaluate: two gain nothing by doing so at once. A writer comes before the next one."""
    until = monotonic() + PATIENCE_SECONDS
    with _patiently(_EVALUATION, until), _patiently(_COMPUTING, until):
        yield


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
    is_ours = lock.acquire(timeout=max(0.0, until - monotonic()))
    try:
        yield
    finally:
        if is_ours:
            lock.release()


def settle() -> None:
    """Make the process ready to answer for weeks. Call it after the warm-up."""
    quieten_garbage_collector()
    sys.setswitchinterval(SWITCH_SECONDS)
    _keep_to_one_heap()


def quieten_garbage_collector() -> None:
    """Take everything that lives as long as the process out of garbage collection: without it, parsing one chart now and then
    stops for tens of milliseconds (reference: performance, trap 1). Call after the warm-up."""
    gc.collect()
    gc.freeze()
    gc.collect()  # of nothing: a whole collection waits until a quarter as much is new as the last one found
    gc.set_threshold(100_000, 20, 10)


def sweep() -> None:
    """Collect the garbage of the last requests; call it every few seconds.

    Libraries leave a little of each in circles (werkzeug's matcher of URLs, a request and its environment), and by itself the
    quietened collector comes after thousands of requests. Of all generations: what belongs to a request that is under way just
    now would be passed on to an older one, at which nobody looks again for hours. There are few objects, so that it takes 2 ms.
    """
    gc.collect()


def _keep_to_one_heap() -> None:
    """glibc gives each thread a heap, of which none is given back as long as anything in it is used; they never need two at once.
    Another C library has no such function, and no such heaps."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)
