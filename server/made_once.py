"""Values that are made when they are first asked for, and then once, however many threads ask at the same time."""

from collections.abc import Callable, Hashable
from functools import cache, wraps
from threading import Lock
from typing import TypeVar

Of = TypeVar("Of", bound=Hashable)
Made = TypeVar("Made")


def made_once(make: Callable[[Of], Made]) -> Callable[[Of], Made]:
    """Keep what a function makes: `functools.cache` would let each thread make it that asks before the first one is done.

    Args:
        make: of what, and how. What it raises is raised, and the next one who asks tries again.
    """
    kept, lock = cache(make), Lock()

    @wraps(make)
    def ask(of: Of) -> Made:
        with lock:
            return kept(of)

    return ask
