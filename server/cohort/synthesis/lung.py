"""The lung: how much it holds as time passes, how that is looked at, and what a rapidly progressive course leaves in a chart."""

from dataclasses import dataclass
from math import exp
from random import Random

from server.cohort.synthesis.chance import Choice
from server.cohort.synthesis.chart import Chart
from server.cohort.synthesis.disease import Disease
from server.cohort.synthesis.measures import DLCO, FERRITIN, FVC, SATURATION
from server.cohort.synthesis.proportions import Proportions
from server.cohort.synthesis.visits import APART, soon, spaced, visit_days

_VOLUMES = {"mild": (70.0, 82.0), "moderate": (57.0, 70.0), "severe": (45.0, 57.0)}
"""Vital capacity by how severe lung disease is, in % of predicted; made up, as no source grades it so."""
_HEALTHY = (85.0, 112.0)
_RECOVERS = 120.0
"""Days in which what a rapid course took away falls to a third."""
_FOLLOWED = (0, 21, 45, 80, 130, 220, 400)
"""Days after the beginning of a rapid course on which the lung is tested; later, as in other courses."""
_OVER = 300
"""Days from the worst to when a rapid course, survived, is called over."""
_NEEDS_OXYGEN = 90.0
_TESTS_APART = 60


@dataclass(frozen=True, slots=True)
class Lung:
    """A lung over time.

    Args:
        volume: vital capacity when the disease is recognised, in % of predicted.
        settled: what it goes back to after a rapid course; else the same.
        lowest: in a rapid course.
        diffusion: of the volume, as a share.
        severity: of chronic disease; empty for none, and for a rapid course.
        began, worst: days of a rapid course; none for another.
        ferritin: so much above the ordinary in a rapid course, in µg/L.
    """

    volume: float
    settled: float
    lowest: float
    diffusion: float
    severity: str = ""
    began: int | None = None
    worst: int = 0
    ferritin: float = 0.0

    @property
    def over(self) -> int | None:
        """The day on which a rapid course, if survived, is over."""
        return None if self.began is None else self.worst + _OVER

    def depth(self, day: int) -> float:
        """How far into a rapid course: 1 at its worst, 0 before and long after."""
        if self.began is None or day <= self.began:
            return 0.0
        if day < self.worst:
            return (day - self.began) / (self.worst - self.began)
        return exp((self.worst - day) / _RECOVERS)

    def volume_on(self, day: int) -> float:
        """Vital capacity, in % of predicted."""
        goes_from = self.volume if day < self.worst else self.settled
        return goes_from - (goes_from - self.lowest) * self.depth(day)


class Lungs:
    """Makes up lungs and tests them.

    Args:
        proportions: how often what occurs.
    """

    def __init__(self, proportions: Proportions) -> None:
        """Figures are read."""
        self._of = proportions.of
        self._severities = Choice(proportions.table("severity"))

    def make(self, disease: Disease, died: int | None, chance: Random) -> Lung:
        """The lung of somebody with a disease.

        Args:
            disease: the myositis.
            died: day of death; None for somebody who lives.
            chance: decides.
        """
        if disease.lung == "rapid":
            return _rapid(disease, died, chance)
        severity = self._severities.of(chance) if disease.lung else ""
        volume = chance.uniform(*(_VOLUMES[severity] if severity else _HEALTHY))
        return Lung(volume, volume, volume, chance.uniform(0.7, 0.88) if severity else 1.0, severity)

    def look(self, disease: Disease, lung: Lung, chart: Chart) -> None:
        """Lung function and CT, done and repeated, or not."""
        chance, of, last_day = chart.chance, self._of, chart.person.last_day
        tested = of("care.lung_function_tested_with_lung_disease" if disease.lung else "care.lung_function_tested")
        if chance.random() < tested:
            most = 1 + int(3 * chance.random())
            days = visit_days(chart, disease.diagnosed, most, of("care.visit_overdue"), _TESTS_APART)
            _test(lung, _with_those_of_a_rapid_course(lung, days, last_day), chart)
        if chance.random() < of("care.hrct_with_lung_disease" if disease.lung else "care.hrct_without"):
            chart.report("hrct_chest", soon(chart, disease.diagnosed, 120 if lung.began is None else 20))
        if lung.began is not None:
            _watch(lung, lung.began, chart)


def _rapid(disease: Disease, died: int | None, chance: Random) -> Lung:
    began = disease.diagnosed + int(chance.random() * 14)
    worst = began + 40 + int(chance.random() * 50)
    if died is not None and died < worst + _OVER:
        worst = max(died, began + 1)  # it did not get better
    return Lung(
        volume=chance.uniform(72, 85),
        settled=chance.uniform(66, 92),
        lowest=chance.uniform(38, 56),
        diffusion=chance.uniform(0.6, 0.8),
        began=began,
        worst=worst,
        ferritin=chance.uniform(600, 3000),
    )


def _with_those_of_a_rapid_course(lung: Lung, days: list[int], last_day: int) -> list[int]:
    if lung.began is None:
        return days
    close = [lung.began + after for after in _FOLLOWED if lung.began + after <= last_day]
    later = [day for day in days if day > lung.began + _FOLLOWED[-1]]
    return spaced([*close, *later], APART)


def _test(lung: Lung, days: list[int], chart: Chart) -> None:
    chance = chart.chance
    for day in days:
        volume = lung.volume_on(day)
        chart.report("pulmonary_function_test", day)
        chart.measurement(FVC, day, volume + chance.uniform(-2.5, 2.5))
        chart.measurement(DLCO, day, volume * lung.diffusion + chance.uniform(-3, 3))


def _watch(lung: Lung, began: int, chart: Chart) -> None:
    """Oxygen and ferritin in a rapid course."""
    chance = chart.chance
    is_given_oxygen = False
    for day in (began + after for after in _FOLLOWED):
        if day > chart.person.last_day:
            return
        depth = lung.depth(day)
        saturation = 97 - 11 * depth + chance.uniform(-1, 1)
        inflamed = max(depth, 0.5) if day < lung.worst else depth
        chart.measurement(SATURATION, day, saturation)
        chart.measurement(FERRITIN, day, (120 + lung.ferritin * inflamed) * chance.uniform(0.85, 1.15))
        if saturation < _NEEDS_OXYGEN and not is_given_oxygen:
            is_given_oxygen = True
            chart.procedure("oxygen_therapy", day)
