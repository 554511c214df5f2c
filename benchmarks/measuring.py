"""Two things measured in turns, in CPU time: the machine may be busy with other things, and its pace changes."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import TypeVar

T = TypeVar("T")

Case = Callable[[int], float]
"""Does something so many times, and says how many seconds of CPU time one of them took; what it prepares does not count."""

FLOOR = "floor"

_SECONDS = 0.003
"""So long at least is what is timed at once: the clock, and the other things that a machine does, weigh less."""

_MOST_TIMES = 200


@dataclass(frozen=True, slots=True)
class Timed:
    """What came of timing a case.

    Args:
        milliseconds: CPU time of one, the median of the rounds.
        ratio: to the floor, which is timed before it and after it; the median of the rounds.
    """

    milliseconds: float
    ratio: float

    def as_json(self) -> dict[str, float]:
        """For a file of results."""
        return {"ms": round(self.milliseconds, 4), "ratio": round(self.ratio, 3)}


def timed(work: Callable[[T], object], things: Iterable[T]) -> float:
    """Seconds of CPU time for one thing.

    Args:
        work: what is timed.
        things: on which it is done, made before.
    """
    ready = list(things)
    start = time.process_time()
    for one in ready:
        work(one)
    return (time.process_time() - start) / len(ready)


def side_by_side(floor: Case, cases: Mapping[str, Case], rounds: int) -> dict[str, Timed]:
    """Time cases in turns, each between two timings of the floor.

    Args:
        floor: what they are compared with.
        cases: by name.
        rounds: how often.

    Returns:
        By name; the floor itself under `FLOOR`.
    """
    floor_times, times = _times(floor), {name: _times(case) for name, case in cases.items()}
    floors: list[float] = []
    spent: dict[str, list[float]] = {name: [] for name in cases}
    ratios: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(rounds):
        before = floor(floor_times)
        for name, case in cases.items():
            seconds, after = case(times[name]), floor(floor_times)
            spent[name].append(seconds)
            ratios[name].append(2 * seconds / (before + after))
            floors.append(after)
            before = after
    found = {name: Timed(1000 * median(spent[name]), median(ratios[name])) for name in cases}
    return {FLOOR: Timed(1000 * median(floors), 1.0), **found}


def _times(case: Case) -> int:
    """How often a case is to be done at once; the first time, which fills caches, does not count."""
    case(1)
    return max(1, min(_MOST_TIMES, int(_SECONDS / max(case(1), 1e-6))))
