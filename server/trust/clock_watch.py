"""Notices that our clock, or everybody else's, is wrong, before tokens are refused for it (threat JWT-20)."""

import math
from collections import deque
from statistics import median
from threading import Lock

from server.observing.figures import IAT_OFFSET
from server.observing.logs import logger

TOLERATED = 30
"""Seconds that the clients may seem to be ahead or behind."""

_TOKENS = 20  # of each client are remembered
_FEWEST = 5  # tokens say something about a clock
_QUIET = 3600.0  # seconds between two warnings

_log = logger("security")


class ClockWatch:
    """Compares when tokens were issued with when they arrive."""

    def __init__(self) -> None:
        """Nothing has been seen yet."""
        self._lock = Lock()
        self._ahead: dict[str, deque[float]] = {}
        self._warned_at = -math.inf

    def see(self, client: str, issued: float, now: float) -> None:
        """Take note of a token that its client has signed.

        Args:
            client: name of the client.
            issued: `iat`, seconds since 1970.
            now: by our clock, seconds since 1970.
        """
        with self._lock:
            self._ahead.setdefault(client, deque(maxlen=_TOKENS)).append(issued - now)
            if sum(map(len, self._ahead.values())) < _FEWEST:
                return
            typical = median(median(seconds) for seconds in self._ahead.values())
            IAT_OFFSET.set(typical)
            if abs(typical) <= TOLERATED or now < self._warned_at + _QUIET:
                return
            self._warned_at = now
        _log.warning("clock_differs", seconds=round(typical), clients=len(self._ahead))

    @property
    def differs(self) -> bool:
        """Whether most clients' clocks say another time than ours, as far as their last tokens tell."""
        with self._lock:
            if sum(map(len, self._ahead.values())) < _FEWEST:
                return False
            return abs(median(median(seconds) for seconds in self._ahead.values())) > TOLERATED
