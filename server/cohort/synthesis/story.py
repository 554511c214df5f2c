"""How a myositis stands in a chart: what was recorded, measured, given, looked for, and left undone."""

from dataclasses import dataclass

from server.cohort.synthesis.activity import Activity, activity_under
from server.cohort.synthesis.chart import Chart
from server.cohort.synthesis.disease import INCLUSION_BODY, Disease
from server.cohort.synthesis.lung import Lungs
from server.cohort.synthesis.muscle import Muscle
from server.cohort.synthesis.problems import Problems
from server.cohort.synthesis.proportions import Proportions
from server.cohort.synthesis.screening import Screening
from server.cohort.synthesis.treatment import Course, Treatments
from server.cohort.synthesis.visits import soon

PANEL = (
    "anti_jo1",
    "anti_pl7",
    "anti_pl12",
    "anti_ej",
    "anti_oj",
    "anti_mi2",
    "anti_tif1_gamma",
    "anti_nxp2",
    "anti_mda5",
    "anti_sae",
    "anti_srp",
    "anti_hmgcr",
    "anti_pm_scl",
    "anti_ku",
    "anti_ro52",
)
"""What a laboratory tests together; others are asked for by name."""

_QUIET_FOR = 90
"""Days that a disease has been quiet before anybody says remission; it takes eight months of treatment to become so."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a chart shows of the disease.

    Args:
        antibody: `positive`, `borderline`, or empty where there is none or nobody looked.
        is_recognisable: a reader should find the phenotype.
    """

    antibody: str
    is_recognisable: bool


class Stories:
    """Tells diseases.

    Args:
        proportions: how often what occurs.
        visits: at most so many times the muscle is looked at.
    """

    def __init__(self, proportions: Proportions, visits: int) -> None:
        """Figures are read."""
        self._of = proportions.of
        self._treatments = Treatments(proportions)
        self._problems = Problems(proportions)
        self._muscle = Muscle(proportions, visits)
        self._lungs = Lungs(proportions)
        self._screening = Screening(proportions)

    def tell(self, disease: Disease, chart: Chart) -> Told:
        """Take everything down."""
        last_day = chart.person.last_day
        lung = self._lungs.make(disease, last_day if chart.person.is_deceased else None, chart.chance)
        courses = self._treatments.courses(disease, lung.began, last_day, chart.chance)
        activity = activity_under(disease, courses)
        quiet = _quiet_since(disease, activity, last_day)
        is_in_remission = disease.may_remit and quiet is not None and quiet + _QUIET_FOR <= last_day
        if is_in_remission:
            courses = self._treatments.left_off(courses, quiet or last_day, last_day, chart.chance)
        has_onset = self._problems.record(disease, lung, quiet, is_in_remission, chart)
        antibody = self._test_antibodies(disease, chart)
        self._muscle.examine(disease, activity, chart)
        self._lungs.look(disease, lung, chart)
        self._screening.screen(disease, chart)
        self._give(disease, courses, chart)
        sure = chart.person.is_birth_known and (has_onset or not disease.is_juvenile)
        return Told(antibody, sure and (antibody == "positive" or not disease.rests_on_antibody))

    def _test_antibodies(self, disease: Disease, chart: Chart) -> str:
        """The panel, once, near the diagnosis; what is negative is said, too."""
        chance = chart.chance
        if chance.random() >= self._of("care.antibodies_tested"):
            return ""
        day = soon(chart, disease.diagnosed, 60)
        own = disease.antibody.replace("-", "_") if disease.antibody else ""
        answer = "borderline" if chance.random() < self._of("care.borderline_antibody") else "positive"
        for test in PANEL if own in PANEL or not own else (*PANEL, own):
            there = test == own or (test == "anti_ro52" and disease.has_ro52)
            chart.answer(test, day, (answer if test == own else "positive") if there else "negative")
        return answer if own and "Observation" not in chart.person.site.never else ""

    def _give(self, disease: Disease, courses: list[Course], chart: Chart) -> None:
        """Drugs, and what goes with them."""
        chance, of, last_day = chart.chance, self._of, chart.person.last_day
        for course in courses:
            chart.drug(course.drug, course.start, course.end, why=course.why, dose=course.dose)
        first = {course.drug: course for course in reversed(courses)}
        if methotrexate := first.get("methotrexate"):
            chart.drug("folic_acid", methotrexate.start, methotrexate.end)
        if prednisone := first.get("prednisone"):
            chart.drug("colecalciferol", prednisone.start, None)
            if chance.random() < of("care.pneumocystis_prophylaxis"):
                end = prednisone.start + 120
                chart.drug("trimethoprim_sulfamethoxazole", prednisone.start, end if end <= last_day else None)
        self._give_besides(disease, "rituximab" in first, chart)

    def _give_besides(self, disease: Disease, has_had_rituximab: bool, chart: Chart) -> None:
        """What depends on the form, and what was not wanted."""
        chance, of, last_day = chart.chance, self._of, chart.person.last_day
        if disease.antibody == "anti-hmgcr" and chance.random() < of("signs.statin_before_anti_hmgcr_myopathy"):
            chart.drug("atorvastatin", disease.onset - 700, disease.diagnosed, why="intolerance")
        has_rash = disease.form.endswith("dermatomyositis") and disease.diagnosed + 60 < last_day
        if has_rash and chance.random() < of("treatment.hydroxychloroquine_in_dermatomyositis"):
            chart.drug("hydroxychloroquine", disease.diagnosed + 60, None)
        is_offered = disease.form != INCLUSION_BODY and not has_had_rituximab
        if is_offered and chance.random() < of("care.drug_refused"):
            chart.refused_drug("rituximab", last_day)


def _quiet_since(disease: Disease, activity: Activity, last_day: int) -> int | None:
    """The day since which nothing has been active; None where something is."""
    quiet = activity.below_since(disease.quiet_level)
    return quiet if quiet is not None and quiet <= last_day else None
