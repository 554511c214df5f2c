"""How a worker ends without losing a request (threat PR-02).

Told to end, it says that it is not ready, so that balancers turn away, and each answer says that its connection ends with it.
After a while it takes no new connections, closes those on which nothing happens, and waits for the requests under way.
"""

import math
import time
from collections.abc import Callable
from threading import Event

from server.http_server import Server

FINISH_SECONDS = 30.0
"""Requests under way have so long, slow bodies included; no request is allowed longer (`channels.REQUEST_SECONDS`)."""


class Ending:
    """The ending of one server; each method may be called in a signal handler, and a later one can only make the end sooner."""

    def __init__(self, server: Server, ready: Event, drain_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Nothing ends yet.

        Args:
            server: whose turns are taken one by one.
            ready: cleared when balancers should turn away.
            drain_seconds: how long they have for it, and how long connections that are kept have to be told.
            clock: seconds that never go back.
        """
        self._server, self._ready, self._drain_seconds, self._clock = server, ready, drain_seconds, clock
        self._accepts_until = self._keeps_until = self._ends_at = math.inf

    def drain(self) -> None:
        """The whole service ends."""
        self._ready.clear()
        self._begin(self._drain_seconds, self._drain_seconds)

    def make_place(self) -> None:
        """Another worker takes new connections on the same port already, and the service stays ready."""
        self._begin(0, self._drain_seconds)

    def finish(self) -> None:
        """End after the requests under way."""
        self._begin(0, 0)

    @property
    def has_begun(self) -> bool:
        """Whether it ends."""
        return self._server.is_ending

    def is_over(self) -> bool:
        """Take the steps that are due; whether the process may end now."""
        now = self._clock()
        if self._server.accepting and now >= self._accepts_until:
            self._server.stop_accepting()
        if now >= self._keeps_until:
            self._server.end_idle_connections()
        return not self._server.accepting and (not self._server.channels or now >= self._ends_at)

    def _begin(self, accept: float, keep: float) -> None:
        now = self._clock()
        self._accepts_until = min(self._accepts_until, now + accept)
        self._keeps_until = min(self._keeps_until, now + keep)
        self._ends_at = min(self._ends_at, now + keep + FINISH_SECONDS)
        self._server.is_ending = True
        self._server.pull_trigger()
