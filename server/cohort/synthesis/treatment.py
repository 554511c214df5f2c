"""What is given against it, one drug after the other."""

from dataclasses import dataclass
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
        """One drug after the other; the last is still taken, unless it never was of use."""
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
        return courses

    def left_off(self, courses: list[Course], quiet: int, last_day: int, chance: Random) -> list[Course]:
        """The courses of somebody in remission, in whom the last drug may have been left off.

        Args:
            courses: in order.
            quiet: day since which the disease has been quiet.
            last_day: of the chart.
            chance: decides.
        """
        if not courses or courses[-1].drug == "prednisone" or chance.random() >= self._stopped_in_remission:
            return courses
        return [*courses[:-1], _left_off(courses[-1], quiet, last_day, chance)]


def _left_off(course: Course, quiet: int, last_day: int, chance: Random) -> Course:
    """A drug that has done its work; too early, it is still taken."""
    end = last_day - 30 - int(chance.random() * 300)
    return Course(course.drug, course.start, end) if end > max(course.start + 180, quiet + 90) else course


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
