"""Bulkheads: one client's slow EHR may not hold the threads that the others need (threat OUT-14)."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from server.config import THREADS

PLACES = THREADS // 4
"""Hook calls of one client that may wait for its EHR at the same time; further ones are answered without asking it."""


class Bulkheads:
    """One bulkhead per client, in memory."""

    def __init__(self) -> None:
        """Start with every place free."""
        self._taken: Counter[str] = Counter()
        self._lock = Lock()

    @contextmanager
    def place(self, client: str) -> Iterator[bool]:
        """Take a place for as long as the context lasts; False if none is free, which takes none.

        Args:
            client: name of a registered client.
        """
        is_free = self._take(client)
        try:
            yield is_free
        finally:
            if is_free:
                self._give_back(client)

    def _take(self, client: str) -> bool:
        with self._lock:
            if self._taken[client] >= PLACES:
                return False
            self._taken[client] += 1
            return True

    def _give_back(self, client: str) -> None:
        with self._lock:
            self._taken[client] -= 1
