"""Everything else in a chart: long-standing troubles, visits, and results of no interest to anybody here."""

from random import Random

from server.cohort.synthesis.chance import Choice
from server.cohort.synthesis.chart import Chart
from server.cohort.synthesis.measures import EVERYDAY, Measure
from server.cohort.synthesis.proportions import Proportions

_DAYS_BACK = 4000

_MIX = {
    "result": 60,
    "visit": 14,
    "local-drug": 8,
    "local-report": 6,
    "local-procedure": 4,
    "local-diagnosis": 5,
    "local-order": 3,
}
"""As hospitals send it: mostly results (the mix of benchmarks/bodies.py, with more visits)."""


class Everyday:
    """Fills charts.

    Args:
        proportions: how often what occurs.
    """

    def __init__(self, proportions: Proportions) -> None:
        """Figures are read."""
        of = proportions.of
        usual = {name: of(f"comorbidity.{name}") for name in ("hyperlipidemia", "hypothyroidism", "asthma")}
        self._well = {"hypertension": of("comorbidity.hypertension"), "diabetes_mellitus": of("comorbidity.diabetes"), **usual}
        self._ill = {
            "hypertension": of("comorbidity.hypertension_in_myositis"),
            "diabetes_mellitus": of("comorbidity.diabetes_in_myositis"),
            "osteoporosis": of("comorbidity.osteoporosis_on_glucocorticoid"),
            **usual,
        }
        self._mix = Choice(_MIX)
        self._pregnant = of("comorbidity.pregnancy_in_women_of_20_to_40")

    def troubles(self, chart: Chart, has_myositis: bool) -> None:
        """Comorbidity of adults."""
        person, chance = chart.person, chart.chance
        if person.age_on(person.last_day) < 18:
            return
        for concept, share in (self._ill if has_myositis else self._well).items():
            if chance.random() < share:
                chart.diagnosis(concept, _some_day(chart, chance))
        if person.is_female and 20 <= person.age_on(person.last_day) < 40 and chance.random() < self._pregnant:
            chart.diagnosis("pregnancy", person.last_day - int(chance.random() * 200))

    def fill(self, chart: Chart, size: int) -> None:
        """Make a chart as large as it should be; one that is larger stays."""
        chance = chart.chance
        if size - chart.size > 2 and chance.random() < 0.4:
            chart.no_allergy(_some_day(chart, chance))
        for _ in range(size - chart.size):
            self._add(self._mix.of(chance), chart, chance)

    def _add(self, what: str, chart: Chart, chance: Random) -> None:
        day = _some_day(chart, chance)
        if what == "result":
            measure = EVERYDAY[int(chance.random() * len(EVERYDAY))]
            chart.measurement(measure, day, _ordinary(measure, chance))
        elif what == "visit":
            chart.visit(day)
        elif what == "local-drug":
            end = day + 60 + int(chance.random() * 400)
            chart.local_drug(day, end if end < chart.person.last_day else None)
        elif what == "local-report":
            chart.local("DiagnosticReport", day, "final")
        elif what == "local-procedure":
            chart.local("Procedure", day, "completed")
        elif what == "local-diagnosis":
            chart.local_diagnosis(day)
        else:
            chart.local("ServiceRequest", day, "completed")


def _some_day(chart: Chart, chance: Random) -> int:
    """More often lately than long ago."""
    person = chart.person
    back = min(_DAYS_BACK, person.last_day - person.birth)
    return person.last_day - int(back * chance.random() ** 2)


def _ordinary(measure: Measure, chance: Random) -> float:
    """Somewhere between the limits, now and then a little outside."""
    low, high = measure.low or 0.0, measure.high or 100.0
    width = high - low
    return max(low - 0.05 * width + 1.1 * width * chance.random(), 0.0)
