"""Made-up chance: the same for the same seed and the same patient, on every machine."""

from bisect import bisect_right
from collections.abc import Callable, Mapping
from itertools import accumulate
from math import exp, log
from random import Random
from typing import Generic, TypeVar

Thing = TypeVar("Thing")

_PATIENTS = 2**40
"""More than there will ever be, so that no two seeds give a patient the same chance."""


def chance_of(seed: int, number: int) -> Random:
    """The chance of one patient.

    Args:
        seed: of the cohort, not below 0.
        number: of the patient; chance depends on nothing else, so that the first patients of a cohort are those of a longer one.
    """
    return Random(seed * _PATIENTS + number)  # noqa: S311 - made-up patients need no cryptographic chance


class Choice(Generic[Thing]):
    """One of several things, by weight.

    Args:
        weights: of each.
    """

    __slots__ = ("_sums", "_things")

    def __init__(self, weights: Mapping[Thing, float]) -> None:
        """Weights of nothing are left out."""
        kept = {thing: weight for thing, weight in weights.items() if weight > 0}
        self._things = tuple(kept)
        self._sums = tuple(accumulate(kept.values()))

    def of(self, chance: Random) -> Thing:
        """Choose."""
        return self._things[bisect_right(self._sums, chance.random() * self._sums[-1], hi=len(self._things) - 1)]


def spread(chance: Random, middle: float, width: float) -> float:
    """A number above 0 whose logarithm is normally distributed.

    Args:
        chance: decides.
        middle: median.
        width: standard deviation of the logarithm.
    """
    return exp(chance.gauss(log(middle), width))


def within(draw: Callable[[], float], low: float, high: float) -> float:
    """A number between limits, drawn again until it is there, so that none piles up on a limit.

    Args:
        draw: makes a number; one between the limits must be likely enough.
        low, high: limits.
    """
    while not low <= (number := draw()) <= high:
        pass
    return number
