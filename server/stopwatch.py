"""How long the parts of one request took, for the `Server-Timing` header."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager


class Stopwatch:
    """Times parts that come one after the other."""

    def __init__(self, timer: Callable[[], float] = time.perf_counter) -> None:
        """Start with nothing measured.

        Args:
            timer: a clock in seconds.
        """
        self._timer = timer
        self._seconds: dict[str, float] = {}

    @property
    def seconds(self) -> Mapping[str, float]:
        """Time spent, by part, in the order in which they came first."""
        return self._seconds

    @contextmanager
    def time(self, part: str) -> Iterator[None]:
        """Count the time within towards a part, also when it ends in an error."""
        start = self._timer()
        try:
            yield
        finally:
            self.add({part: self._timer() - start})

    def add(self, seconds: Mapping[str, float]) -> None:
        """Count what was measured elsewhere.

        Args:
            seconds: by part.
        """
        for part, time_spent in seconds.items():
            self._seconds[part] = self._seconds.get(part, 0.0) + time_spent


def server_timing(seconds: Mapping[str, float]) -> str:
    """The value of a `Server-Timing` header, in milliseconds (https://www.w3.org/TR/server-timing/).

    Args:
        seconds: by part; the names are ours, so they are tokens of HTTP.
    """
    return ", ".join(f"{part};dur={time_spent * 1000:.2f}" for part, time_spent in seconds.items())
