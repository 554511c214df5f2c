"""What was looked for besides the muscle: tumours, bones, infections; done, missing, overdue, ordered or declined."""

from server.cohort.synthesis.chart import Chart
from server.cohort.synthesis.disease import INCLUSION_BODY, Disease
from server.cohort.synthesis.proportions import Proportions
from server.cohort.synthesis.visits import soon

_CONTINUED_AFTER = 540
"""Days after which tests are repeated, if they are."""


class Screening:
    """Looks for things.

    Args:
        proportions: how often.
    """

    def __init__(self, proportions: Proportions) -> None:
        """Figures are read."""
        self._of = proportions.of

    def screen(self, disease: Disease, chart: Chart) -> None:
        """Take down what was done."""
        if not disease.is_juvenile and disease.form != INCLUSION_BODY:
            self._for_tumours(disease, chart)
        self._around_treatment(disease, chart)

    def _for_tumours(self, disease: Disease, chart: Chart) -> None:
        chance, of, person = chart.chance, self._of, chart.person
        if chance.random() >= of("care.tumour_screened"):
            if chance.random() < of("care.ordered_and_open"):
                chart.order("ct_chest_abdomen_pelvis", max(person.last_day - int(chance.random() * 90), disease.diagnosed))
            return
        day = soon(chart, disease.diagnosed, 90)
        self._tests(chart, day)
        again = day + _CONTINUED_AFTER
        if again <= person.last_day and chance.random() < of("care.tumour_test_repeated"):
            self._tests(chart, again)

    def _tests(self, chart: Chart, day: int) -> None:
        chance, each, person = chart.chance, self._of("care.each_tumour_test"), chart.person
        age = person.age_on(day)
        if chance.random() < each:
            chart.report("ct_chest_abdomen_pelvis", day)
        if person.is_female:
            if chance.random() < each:
                chart.report("mammography", day)
            if chance.random() < each:
                chart.report("pelvic_ultrasound", day)
        if age > 50:
            if chance.random() < self._of("care.colonoscopy_refused"):
                chart.refusal("colonoscopy", day)
            elif chance.random() < each:
                chart.procedure("colonoscopy", day)

    def _around_treatment(self, disease: Disease, chart: Chart) -> None:
        chance, of, last_day = chart.chance, self._of, chart.person.last_day
        day = soon(chart, disease.diagnosed, 30)
        if chance.random() < of("care.muscle_biopsy"):
            chart.procedure("muscle_biopsy", day)
        if chance.random() < of("care.hepatitis_b_tested"):
            chart.answer("hbsag", day, "negative")
            chart.answer("anti_hbc_total", day, "negative")
        if chance.random() < of("care.bone_density"):
            chart.report("dxa", soon(chart, day, 300))
        if chance.random() < of("care.physiotherapy"):
            chart.order("physiotherapy", max(last_day - int(chance.random() * 300), disease.diagnosed))
        if chance.random() < of("care.vaccinated"):
            chart.vaccination("vaccination_influenza", max(last_day - int(chance.random() * 360), disease.diagnosed))
