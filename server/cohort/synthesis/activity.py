"""How active the disease is while it is treated, and since when it has been quiet."""

from dataclasses import dataclass
from math import exp, log

from server.cohort.synthesis.disease import INCLUSION_BODY, Disease
from server.cohort.synthesis.treatment import Course

_SETTLES = 110.0
"""Days in which the distance to where activity goes falls to a third."""


@dataclass(frozen=True, slots=True)
class Activity:
    """How active the disease is: 1 at diagnosis, 0 for not at all.

    Args:
        turns: days from which on activity goes towards a level, in order.
        creeps: it never falls, as in inclusion body myositis.
    """

    turns: tuple[tuple[int, float], ...]
    creeps: bool = False

    def on(self, day: int) -> float:
        """On a day."""
        if self.creeps or not self.turns:
            return 1.0
        level = 1.0
        for (start, towards), following in zip(self.turns, (*self.turns[1:], (day + 1, 0.0)), strict=True):
            if start >= day:
                break
            level = towards + (level - towards) * exp((start - min(day, following[0])) / _SETTLES)
        return level

    def below_since(self, level: float) -> int | None:
        """The day since which it has been no higher, under the last treatment; None where it will not come so far.

        Args:
            level: above 0.
        """
        if self.creeps or not self.turns:
            return None
        start, towards = self.turns[-1]
        before = self.on(start)
        if towards >= level:
            return None
        return start + max(0, int(_SETTLES * log((before - towards) / (level - towards))) + 1)


def activity_under(disease: Disease, courses: list[Course]) -> Activity:
    """How active a disease is under what was given."""
    if disease.form == INCLUSION_BODY:
        return Activity((), creeps=True)
    turns: list[tuple[int, float]] = []
    for course in courses:
        if course.drug == "prednisone" and turns:
            continue
        turns.append((course.start, 0.5 if course.why else 0.0 if disease.is_controlled else 0.4))
    return Activity(tuple(sorted(turns)))
