"""What is found in the muscle at visits: enzymes and strength, near the level that the activity of the disease gives them."""

from server.cohort.synthesis.activity import Activity
from server.cohort.synthesis.chart import Chart
from server.cohort.synthesis.disease import AMYOPATHIC, INCLUSION_BODY, POINTS_LOST, Disease
from server.cohort.synthesis.measures import ALT, AST, CMAS, CREATINE_KINASE, FINGERS, HIP, KNEE, MMT8, SHOULDER
from server.cohort.synthesis.proportions import Proportions
from server.cohort.synthesis.visits import visit_days

_FULL_MMT8, _FULL_CMAS = 150.0, 52.0
_CMAS_FOR_MMT8 = 0.6
"""Points of CMAS lost for each of MMT8; made up."""
_UNNOTICED = 7.0
"""Points of MMT8 lost that grade by grade is still full strength."""


class Muscle:
    """Examines the muscle.

    Args:
        proportions: how often.
        visits: at most so many times.
    """

    def __init__(self, proportions: Proportions, visits: int) -> None:
        """Figures are read."""
        self._overdue = proportions.of("care.visit_overdue")
        self._visits = visits

    def examine(self, disease: Disease, activity: Activity, chart: Chart) -> None:
        """Enzymes and strength at every visit; strength is measured in one way for each person."""
        chance = chart.chance
        is_graded_by_mmt8 = chance.random() < 0.5
        for day in visit_days(chart, disease.diagnosed, self._visits, self._overdue):
            level = activity.on(day)
            enzyme = disease.creatine_kinase_at(level)
            chart.measurement(CREATINE_KINASE, day, max(enzyme * (0.8 + 0.4 * chance.random()), 25))
            chart.measurement(ALT, day, (22 + 0.03 * enzyme) * (0.8 + 0.4 * chance.random()))
            if chance.random() < 0.5:
                chart.measurement(AST, day, (20 + 0.03 * enzyme) * (0.8 + 0.4 * chance.random()))
            _grade(disease, disease.weakness * level, day, chart, is_graded_by_mmt8)


def _grade(disease: Disease, lost: float, day: int, chart: Chart, is_graded_by_mmt8: bool) -> None:
    """Strength, in the way that suits."""
    person, chance = chart.person, chart.chance
    if disease.form == AMYOPATHIC:
        chart.measurement(SHOULDER, day, 5)
    elif disease.form == INCLUSION_BODY:
        years = person.age_on(day) - person.age_on(disease.onset)
        chart.measurement(FINGERS, day, 4 if years < 4 else 3)
        chart.measurement(KNEE, day, 4 if years < 5 else 3)
    elif disease.is_juvenile and person.age_on(day) < 18:
        chart.measurement(CMAS, day, min(_FULL_CMAS - _CMAS_FOR_MMT8 * lost + chance.uniform(-1.5, 1.5), _FULL_CMAS))
    elif is_graded_by_mmt8:
        chart.measurement(MMT8, day, min(_FULL_MMT8 - lost + chance.uniform(-2.5, 2.5), _FULL_MMT8))
    else:
        grade = 5 if lost < _UNNOTICED else 4 if lost < POINTS_LOST["severe"][0] else 3
        chart.measurement(SHOULDER, day, grade)
        chart.measurement(HIP, day, grade)
