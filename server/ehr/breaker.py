"""Circuit breakers: a server that is in trouble is left alone for a while, and so are those who would wait for it (OUT-14)."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

FAILURES_TO_OPEN = 5
SECONDS_OPEN = 30.0
MOST_SECONDS_OPEN = 60.0

Key = tuple[str, str]
"""Name of a registered client, and base URL of a registered server of it: so that the memory is bounded, and what one client
meets with, such as a token that has no rights, is not held against another."""


@dataclass(slots=True)
class _Circuit:
    failures: int = 0
    open_until: float | None = None
    is_tried: bool = False


class Breakers:
    """One breaker per client and server, in memory; each hook call gives one verdict.

    Closed until `FAILURES_TO_OPEN` hook calls failed in a row; then open; after that one hook call may try, and its verdict
    closes the breaker, or opens it again.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Start with every circuit closed.

        Args:
            clock: in seconds.
        """
        self._clock = clock
        self._circuits: dict[Key, _Circuit] = {}
        self._lock = Lock()

    def lets_through(self, server: Key) -> bool:
        """Whether a hook call may ask this server; ask once per call."""
        with self._lock:
            circuit = self._circuits.setdefault(server, _Circuit())
            if circuit.open_until is None:
                return True
            if self._clock() < circuit.open_until:
                return False
            circuit.open_until = self._clock() + SECONDS_OPEN  # this call tries; the others go on waiting
            circuit.is_tried = True
            return True

    def open_for(self, client: str) -> int:
        """How many servers of a client are being left alone now.

        Args:
            client: its name.
        """
        with self._lock:
            now = self._clock()
            return sum(
                one.open_until is not None and now < one.open_until for (name, _), one in self._circuits.items() if name == client
            )

    @property
    def any_is_open(self) -> bool:
        """Whether any server is being left alone now."""
        with self._lock:
            now = self._clock()
            return any(circuit.open_until is not None and now < circuit.open_until for circuit in self._circuits.values())

    def succeeded(self, server: Key) -> None:
        """The server answered a hook call, be it with refusals.

        A call that began earlier does not close what another one has just opened; only a try does.
        """
        with self._lock:
            circuit = self._circuits.setdefault(server, _Circuit())
            circuit.failures = 0
            if circuit.is_tried:
                self._circuits[server] = _Circuit()

    def failed(self, server: Key, wait: float | None = None) -> None:
        """The server did not answer a hook call, or could not.

        Args:
            server: whose.
            wait: seconds that it asked to be left alone.
        """
        with self._lock:
            circuit = self._circuits.setdefault(server, _Circuit())
            circuit.failures += 1
            if wait is not None or circuit.is_tried or circuit.failures >= FAILURES_TO_OPEN:
                seconds = SECONDS_OPEN if wait is None else min(wait, MOST_SECONDS_OPEN)
                circuit.open_until = self._clock() + seconds
                circuit.is_tried = False
