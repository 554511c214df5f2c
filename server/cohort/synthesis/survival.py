"""When somebody dies: of age, of cancer, or of lungs that fail rapidly. The earliest counts."""

from math import exp, log, log1p
from random import Random

from server.cohort.synthesis.chance import spread, within
from server.cohort.synthesis.days import YEAR
from server.cohort.synthesis.disease import Disease
from server.cohort.synthesis.proportions import Proportions

_WEEKS_TO_DEATH = (3.0, 26.0)
"""Between the diagnosis and a death of rapidly progressive lung disease."""


class Survival:
    """Makes up days of death.

    Args:
        proportions: how often who dies.
    """

    def __init__(self, proportions: Proportions) -> None:
        """Figures are read."""
        self._of = of = proportions.of
        self._yearly_at_65 = of("mortality.yearly_at_65")
        self._growth = log(2) / of("mortality.years_to_double")

    def of_age(self, birth: int, since: int, has_myositis: bool, chance: Random) -> int:
        """The day of a death by age, under a risk that doubles every few years (Gompertz).

        Args:
            birth: day.
            since: day on which somebody is known to live.
            has_myositis: which raises the risk at every age.
            chance: decides.
        """
        times = self._of("mortality.times_with_myositis") if has_myositis else 1.0
        yearly = times * self._yearly_at_65 * exp(self._growth * ((since - birth) / YEAR - 65))
        years = log1p(chance.expovariate(1) * self._growth / yearly) / self._growth
        return since + 1 + int(years * YEAR)

    def of_disease(self, disease: Disease, chance: Random) -> int | None:
        """The day of a death by cancer or by the lung; None where it is not deadly."""
        days = []
        if disease.lung == "rapid" and chance.random() < self._of("mortality.of_rapidly_progressive_lung_disease"):
            weeks = within(lambda: spread(chance, self._of("mortality.weeks_to_death_of_the_lung"), 0.7), *_WEEKS_TO_DEATH)
            days.append(disease.diagnosed + int(7 * weeks))
        if disease.cancer is not None and chance.random() < self._of("mortality.of_cancer"):
            years = spread(chance, self._of("mortality.years_to_death_of_cancer"), 0.8)
            days.append(max(disease.cancer, disease.diagnosed) + 1 + int(years * YEAR))
        return min(days, default=None)
