"""What one hook call may spend on calling back: time, bytes and resources, shared by its queries."""

import time
from collections.abc import Callable
from threading import Lock

from server.intake import MOST_RESOURCES

MEBIBYTE = 1024 * 1024
MOST_BYTES_OF_ANSWER = 8 * MEBIBYTE
MOST_BYTES_OF_CALL = 24 * MEBIBYTE


class Budget:
    """The budget of one hook call; its queries draw on it from several threads (threats OUT-05 to OUT-08, OUT-14)."""

    def __init__(
        self, seconds: float, *, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        """Start the clock.

        Args:
            seconds: for everything together.
            clock: in seconds.
            sleep: waits for so many seconds.
        """
        self._clock = clock
        self._sleep = sleep
        self._deadline = clock() + seconds
        self._bytes = MOST_BYTES_OF_CALL
        self._resources = MOST_RESOURCES
        self._lock = Lock()

    @property
    def seconds(self) -> float:
        """What is left of the time; zero or less when it is over."""
        return self._deadline - self._clock()

    @property
    def bytes(self) -> int:
        """How long the next answer may be."""
        with self._lock:
            return max(0, min(self._bytes, MOST_BYTES_OF_ANSWER))

    def covers(self, bytes_read: int, resources: int) -> bool:
        """Spend, and tell whether that was still within the budget."""
        with self._lock:
            self._bytes -= bytes_read
            self._resources -= resources
            return self._bytes >= 0 and self._resources >= 0

    def wait(self, seconds: float) -> bool:
        """Wait, if time is left after it; otherwise return at once (OUT-08)."""
        if seconds >= self.seconds:
            return False
        self._sleep(seconds)
        return True
