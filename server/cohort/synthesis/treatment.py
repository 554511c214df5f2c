"""What is given against it: one drug after the other, in the order that the organ asks for, or all at once."""

from dataclasses import dataclass
from random import Random

from server.cohort.synthesis.chance import Choice
from server.cohort.synthesis.days import MONTH
from server.cohort.synthesis.disease import INCLUSION_BODY, Disease
from server.cohort.synthesis.proportions import Proportions

_OF_THE_MUSCLE = (
    "methotrexate",
    "azathioprine",
    "immunoglobulin_iv",
    "cyclophosphamide",
    "mycophenolate_mofetil",
    "rituximab",
    "tacrolimus",
)
"""In this order drugs follow each other, as far as somebody has them at all."""

_OF_THE_LUNG = (
    "methotrexate",
    "azathioprine",
    "cyclophosphamide",
    "mycophenolate_mofetil",
    "tacrolimus",
    "rituximab",
    "immunoglobulin_iv",
)
"""Likewise where there is lung disease; methotrexate is begun before anybody has looked at the lung."""

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
        self._with_lung_disease = self._adult | proportions.table("treatment_with_lung_disease")
        self._besides_in_a_rapid_course = Choice(proportions.table("treatment_of_rapidly_progressive_lung_disease"))
        self._longest_cyclophosphamide = proportions.of("course.months_of_cyclophosphamide") * MONTH
        self._child = proportions.table("treatment_of_children")
        self._inclusion_body = proportions.table("treatment_of_inclusion_body_myositis")
        self._intolerance = proportions.of("care.stopped_for_intolerance")
        self._stopped_in_remission = proportions.of("course.stopped_in_remission")

    def courses(self, disease: Disease, rapid: int | None, last_day: int, chance: Random) -> list[Course]:
        """Everything that was given until a day, the glucocorticoid first.

        Args:
            disease: what it is given for.
            rapid: day on which rapidly progressive lung disease began; None where it did not.
            last_day: of the chart.
            chance: decides.
        """
        first = disease.diagnosed + int(chance.random() * 25) if rapid is None else rapid + int(chance.random() * 7)
        if first > last_day:
            return []
        if rapid is not None:
            return self._all_at_once(first, last_day, disease, chance)
        shares = self._shares(disease)
        given = self._ladder(shares, first, last_day, disease, chance)
        if chance.random() < shares["prednisone"]:
            return [*_taper(first, last_day, disease), *given]
        return given

    def _shares(self, disease: Disease) -> dict[str, float]:
        if disease.form == INCLUSION_BODY:
            return self._inclusion_body
        if disease.is_juvenile:
            return self._child
        return self._with_lung_disease if disease.lung else self._adult

    def _ladder(self, shares: dict[str, float], first: int, last_day: int, disease: Disease, chance: Random) -> list[Course]:
        """One drug after the other; the last is still taken, unless it never was of use."""
        ladder = _OF_THE_LUNG if disease.lung else _OF_THE_MUSCLE
        had = {drug for drug in ladder if chance.random() < shares.get(drug, 0)}
        if "cyclophosphamide" in had:
            had.add("mycophenolate_mofetil")  # keeps what the course has gained
        drugs = [drug for drug in ladder if drug in had]
        courses: list[Course] = []
        start = first + int(chance.random() * 40)
        while drugs and start <= last_day:
            drug = drugs.pop(0)
            if drug == "cyclophosphamide":
                courses.append(self._cyclophosphamide(start, chance))
            else:
                end = start + 90 + int(chance.expovariate(1 / 300))
                why = "intolerance" if chance.random() < self._intolerance else "ineffective"
                is_last = not drugs and disease.form != INCLUSION_BODY
                courses.append(Course(drug, start, None) if is_last else Course(drug, start, end, why))
            start = (courses[-1].end or last_day) + 1 + int(chance.random() * 30)
        return [_until(course, last_day) for course in courses]

    def _all_at_once(self, first: int, last_day: int, disease: Disease, chance: Random) -> list[Course]:
        """What is given where the lung fails rapidly: high doses of glucocorticoid, a calcineurin inhibitor and a third drug."""
        third = self._besides_in_a_rapid_course.of(chance)
        courses = [
            Course("methylprednisolone", first, first + 2),
            Course("tacrolimus", first, first + 365 + int(chance.random() * 730)),
        ]
        if third == "cyclophosphamide":
            courses.append(self._cyclophosphamide(first + 2, chance))
            courses.append(Course("mycophenolate_mofetil", (courses[-1].end or first) + 14, None))
        else:
            courses.append(Course(third, first + 2, None))
        begun = [_until(course, last_day) for course in courses if course.start <= last_day]
        return [*_taper(first + 3, last_day, disease), *begun]

    def _cyclophosphamide(self, start: int, chance: Random) -> Course:
        """A few months of it, and no more."""
        return Course("cyclophosphamide", start, start + int(self._longest_cyclophosphamide * chance.uniform(0.5, 1)))

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


def _until(course: Course, last_day: int) -> Course:
    """As it stands on a day: one that is to end later has no end and no reason yet."""
    is_over = course.end is not None and course.end <= last_day
    return course if is_over else Course(course.drug, course.start, None, dose=course.dose)


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
