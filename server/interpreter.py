"""How a process that answers uses Python's interpreter and its memory: settled once, after the warm-up.

Its threads compute in turns, and wait beside each other for the database, the network and the disk. What holds them all up is a
thread that has the database and waits for its turn to compute (decision 26).
"""

import ctypes
import gc
import sys
from contextlib import suppress

SWITCH_SECONDS = 0.0005
"""So long a thread computes while another one waits for its turn; Python's default is ten times as much. A transaction needs
several turns, one after each answer of the database, and meanwhile no other writes."""

_M_ARENA_MAX = -8  # of malloc.h


def settle() -> None:
    """Make the process ready to answer for weeks. Call it after the warm-up, and before there are threads."""
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


def _keep_to_one_heap() -> None:
    """glibc gives each thread a heap, of which none is given back as long as anything in it is used; they never need two at once.
    Another C library has no such function, and no such heaps."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)
