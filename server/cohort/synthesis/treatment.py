"""What is given against it, one drug after the other, and how active the disease is meanwhile."""

from dataclasses import dataclass
from math import exp
from random import Random

from server.cohort.synthesis.disease import INCLUSION_BODY, Disease
from server.cohort.synthesis.proportions import Proportions

LADDER = (
    "methotrexate",
    "azathioprine",
    "mycophenolate_mofetil",
    "tacrolimus",
    "immunoglobulin_iv",
    "rituximab",
    "cyclophosphamide",
)
"""In this order drugs follow each other, as far as somebody has them at all."""

_TAPER = ((60.0, 42), (40.0, 60), (20.0, 120), (10.0, 240))
"""Milligrams of prednisone a day, and for how many days; then 5 mg, or none."""

_CHILDS_SHARE = 0.5
"""Of those doses a child has."""

_SETTLES = 110.0
"""Days in which the distance to where activity goes falls to a third."""


@dataclass(frozen=True, slots=True)
class Course:
    """A drug from a day to a day.

    Args:
        drug: concept.
        start, end: ordinals; no end while it is taken.
        why: it ended: `ineffective`, `intolerance`, or empty for neither.
        dose: milligrams each time, if the chart says it.
    """

    drug: str
    start: int
    end: int | None
    why: str = ""
    dose: float | None = None


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


class Treatments:
    """Makes up treatment.

    Args:
        proportions: how often what is given.
    """

    def __init__(self, proportions: Proportions) -> None:
        """Tables are read."""
        self._adult = proportions.table("treatment")
        self._child = proportions.table("treatment_of_children")
        self._inclusion_body = proportions.table("treatment_of_inclusion_body_myositis")
        self._intolerance = proportions.of("care.stopped_for_intolerance")
        self._stopped_in_remission = proportions.of("course.stopped_in_remission")

    def courses(self, disease: Disease, last_day: int, chance: Random) -> list[Course]:
        """Everything that was given until a day, the glucocorticoid first."""
        shares = self._shares(disease)
        first = disease.diagnosed + int(chance.random() * 25)
        if first > last_day:
            return []
        given = self._ladder(shares, first, last_day, disease, chance)
        if chance.random() < shares["prednisone"]:
            return [*_taper(first, last_day, disease), *given]
        return given

    def _shares(self, disease: Disease) -> dict[str, float]:
        if disease.form == INCLUSION_BODY:
            return self._inclusion_body
        return self._child if disease.is_juvenile else self._adult

    def _ladder(self, shares: dict[str, float], first: int, last_day: int, disease: Disease, chance: Random) -> list[Course]:
        """One drug after the other; the last is still taken, unless it was left off in remission or never was of use."""
        drugs = [drug for drug in LADDER if chance.random() < shares.get(drug, 0)]
        courses: list[Course] = []
        start = first + int(chance.random() * 40)
        while drugs and start <= last_day:
            drug = drugs.pop(0)
            end = start + 90 + int(chance.expovariate(1 / 300))
            why = "intolerance" if chance.random() < self._intolerance else "ineffective"
            is_last = not drugs and disease.form != INCLUSION_BODY
            courses.append(Course(drug, start, None) if is_last or end > last_day else Course(drug, start, end, why))
            start = end + int(chance.random() * 30)
        if courses and disease.is_in_remission and chance.random() < self._stopped_in_remission:
            courses.append(_left_off(courses.pop(), last_day, chance))
        return courses


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


def _left_off(course: Course, last_day: int, chance: Random) -> Course:
    """A drug that has done its work; too early, it is still taken."""
    end = last_day - 30 - int(chance.random() * 300)
    return Course(course.drug, course.start, end) if end > course.start + 180 else course


def _taper(first: int, last_day: int, disease: Disease) -> list[Course]:
    courses: list[Course] = []
    start, share = first, _CHILDS_SHARE if disease.is_juvenile else 1.0
    for dose, days in _TAPER:
        if start > last_day:
            return courses
        end = start + days
        courses.append(Course("prednisone", start, end if end <= last_day else None, dose=dose * share))
        start = end + 1
    if start <= last_day and not disease.is_controlled:
        courses.append(Course("prednisone", start, None, dose=5.0 * share))
    return courses
