"""Half an hour at 50 requests a second: times, and memory that does not grow ("Must show" 6; threat PR-03)."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import linear_regression
from threading import Event, Thread
from typing import Any

from soak.calls import mixed
from soak.ehr import ehrs
from soak.load import Load, percentile, statuses
from soak.service import Service, running

CLIENTS = 4
_LOOKS = 360  # at the memory
_BETWEEN_LOOKS = 0.1  # seconds at least; a look costs the machine milliseconds for each process
_WARM = (
    0.4  # of the time: for 11 minutes used tokens only become more (5 of their life, 1 of skew, 5 of grace); then they also go
)


def run(folder: Path, *, seconds: float = 1800, rate: float = 50, workers: int = 2, per_hour: float = 5) -> dict[str, Any]:
    """Send mixed calls, and look at the memory meanwhile.

    Args:
        folder: for the service.
        seconds: how long.
        rate: requests a second.
        workers: processes that answer.
        per_hour: MiB that each process may grow by in an hour.

    Returns:
        Figures; `kept` says whether every answer was 2xx, and the memory grew by no more, after warming up.
    """
    callers = ehrs(CLIENTS)
    with running(folder, callers, workers=workers) as service:
        Load(service.port, callers, mixed(0), rate).run(min(10, seconds))
        watch = MemoryWatch(service, max(seconds / _LOOKS, _BETWEEN_LOOKS))
        answers = Load(service.port, callers, mixed(1), rate).run(seconds)
        memory = watch.end()
    settled = memory[int(len(memory) * _WARM) :]
    growth = slope([(one.moment, one.allocated) for one in settled])
    is_good = all(200 <= one.status < 300 for one in answers)
    return {
        "requests": len(answers),
        "seconds": seconds,
        "statuses": statuses(answers),
        "p50 ms": round(percentile(answers, 0.5), 1),
        "p95 ms": round(percentile(answers, 0.95), 1),
        "p99 ms": round(percentile(answers, 0.99), 1),
        "slowest ms": round(percentile(answers, 1.0), 1),
        "memory at start MiB": round(memory[0].own, 1),
        "memory at end MiB": round(memory[-1].own, 1),
        "allocated at start MiB": round(memory[0].allocated, 1),
        "allocated when settled MiB": round(settled[0].allocated, 1),
        "allocated at end MiB": round(memory[-1].allocated, 1),
        "growth MiB/h": round(growth, 1),
        "kept": is_good and growth / workers < per_hour,
    }


@dataclass(frozen=True, slots=True)
class Look:
    """At the memory of a service.

    Args:
        moment: seconds.
        own: mebibytes (`Service.mebibytes`).
        allocated: mebibytes (`Service.allocated_mebibytes`).
    """

    moment: float
    own: float
    allocated: float


class MemoryWatch:
    """Looks at the memory of a service every few seconds, in a thread."""

    def __init__(self, service: Service, every: float) -> None:
        """Begin.

        Args:
            service: whose memory.
            every: seconds.
        """
        self._seen: list[Look] = []
        self._over = Event()
        self._thread = Thread(target=self._watch, args=(service, every))
        self._thread.start()

    def end(self) -> list[Look]:
        """Stop, and say what was seen."""
        self._over.set()
        self._thread.join()
        return self._seen

    def _watch(self, service: Service, every: float) -> None:
        start = time.monotonic()
        while True:
            is_over = self._over.wait(every) if self._seen else False
            self._seen.append(Look(time.monotonic() - start, service.mebibytes, service.allocated_mebibytes))
            if is_over:
                return


def slope(memory: Sequence[tuple[float, float]]) -> float:
    """Mebibytes an hour, by least squares.

    Args:
        memory: moments in seconds, and mebibytes.
    """
    moments, amounts = zip(*memory, strict=True)
    return 3600 * linear_regression(moments, amounts).slope
