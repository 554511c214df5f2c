"""How a myositis stands in a chart: what was recorded, measured, given, looked for, and left undone."""

from dataclasses import dataclass

from server.cohort.synthesis.chance import Choice
from server.cohort.synthesis.chart import Chart
from server.cohort.synthesis.disease import AMYOPATHIC, INCLUSION_BODY, Disease
from server.cohort.synthesis.measures import ALT, AST, CMAS, CREATINE_KINASE, DLCO, FINGERS, FVC, HIP, KNEE, MMT8, SHOULDER
from server.cohort.synthesis.proportions import Proportions
from server.cohort.synthesis.screening import Screening
from server.cohort.synthesis.treatment import Activity, Course, Treatments, activity_under

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

_GRADED = ("dysphagia", "proximal_muscle_weakness")
_NORMAL_CK = 110.0
_FULL_MMT8, _FULL_CMAS = 150, 52


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
        self._visits = visits
        self._treatments = Treatments(proportions)
        self._screening = Screening(proportions)
        self._severities = Choice(proportions.table("severity"))

    def tell(self, disease: Disease, chart: Chart) -> Told:
        """Take everything down."""
        courses = self._treatments.courses(disease, chart.person.last_day, chart.chance)
        activity = activity_under(disease, courses)
        has_onset = self._record(disease, chart)
        antibody = self._test_antibodies(disease, chart)
        self._examine(disease, activity, chart)
        self._look_at_the_lung(disease, chart)
        self._screening.screen(disease, chart)
        self._give(disease, courses, chart)
        sure = chart.person.is_birth_known and (has_onset or not disease.is_juvenile)
        return Told(antibody, sure and (antibody == "positive" or not disease.rests_on_antibody))

    def _record(self, disease: Disease, chart: Chart) -> bool:
        """The problem list."""
        chance, of = chart.chance, self._of
        has_onset = chance.random() >= of("missing.onset")
        clinical = "remission" if disease.is_in_remission else "active"
        if chance.random() < of("missing.clinical_status"):
            clinical = ""
        in_words = chance.random() < of("missing.diagnosis_only_in_words")
        began = disease.onset if has_onset else None
        chart.diagnosis(disease.recorded, disease.diagnosed, onset=began, clinical=clinical, in_words=in_words)
        for sign in disease.signs:
            state = "active" if chance.random() < of("signs.still_there") else "resolved"
            chart.diagnosis(sign, disease.diagnosed, clinical=state, severity=self._severity(chart) if sign in _GRADED else "")
        if disease.overlap:
            chart.diagnosis(disease.overlap, disease.diagnosed)
        if disease.lung:
            concept = "ild_rapidly_progressive" if disease.lung == "rapid" else "interstitial_lung_disease"
            day = min(disease.diagnosed + int(chance.random() * 200), chart.person.last_day)
            chart.diagnosis(concept, day, severity="" if disease.lung == "rapid" else self._severity(chart))
        if disease.cancer is not None:
            state = "active" if chance.random() < of("signs.cancer_still_there") else "inactive"
            chart.diagnosis("malignancy", disease.cancer, clinical=state)
        return has_onset

    def _severity(self, chart: Chart) -> str:
        """As it is graded, if it is."""
        return self._severities.of(chart.chance) if chart.chance.random() < self._of("care.severity_graded") else ""

    def _test_antibodies(self, disease: Disease, chart: Chart) -> str:
        """The panel, once, near the diagnosis; what is negative is said, too."""
        chance = chart.chance
        if chance.random() >= self._of("care.antibodies_tested"):
            return ""
        day = min(disease.diagnosed + int(chance.random() * 60), chart.person.last_day)
        own = disease.antibody.replace("-", "_") if disease.antibody else ""
        answer = "borderline" if chance.random() < self._of("care.borderline_antibody") else "positive"
        for test in PANEL if own in PANEL or not own else (*PANEL, own):
            there = test == own or (test == "anti_ro52" and disease.has_ro52)
            chart.answer(test, day, (answer if test == own else "positive") if there else "negative")
        return answer if own and "Observation" not in chart.person.site.never else ""

    def _examine(self, disease: Disease, activity: Activity, chart: Chart) -> None:
        """Enzymes and strength at every visit."""
        chance = chart.chance
        for day in self._days(disease, chart, self._visits):
            level = activity.on(day)
            enzyme = _NORMAL_CK + (disease.creatine_kinase - _NORMAL_CK) * level
            chart.measurement(CREATINE_KINASE, day, max(enzyme * (0.8 + 0.4 * chance.random()), 25))
            chart.measurement(ALT, day, (22 + 0.03 * enzyme) * (0.7 + 0.6 * chance.random()))
            if chance.random() < 0.5:
                chart.measurement(AST, day, (20 + 0.03 * enzyme) * (0.7 + 0.6 * chance.random()))
            self._grade(disease, level, day, chart)

    def _days(self, disease: Disease, chart: Chart, most: int) -> list[int]:
        """Days of visits from the diagnosis on, rarer as years pass; the last one lately, or too long ago."""
        chance, last_day = chart.chance, chart.person.last_day
        is_overdue = chance.random() < self._of("care.visit_overdue")
        back = 200 + 500 * chance.random() if is_overdue else 90 * chance.random()
        span = max(last_day - int(back) - disease.diagnosed, 0)
        spread = (span * ((step + 0.5 * chance.random()) / most) ** 1.6 for step in range(1, most))
        return sorted({disease.diagnosed, *(disease.diagnosed + int(days) for days in spread), disease.diagnosed + span})

    def _grade(self, disease: Disease, level: float, day: int, chart: Chart) -> None:
        """Strength, in the way that suits."""
        chance = chart.chance
        if disease.form == AMYOPATHIC:
            chart.measurement(SHOULDER, day, 5)
        elif disease.form == INCLUSION_BODY:
            years = chart.person.age_on(day) - chart.person.age_on(disease.onset)
            chart.measurement(FINGERS, day, 4 if years < 4 else 3)
            chart.measurement(KNEE, day, 4 if years < 5 else 3)
        elif disease.is_juvenile and chart.person.age_on(day) < 18:
            chart.measurement(CMAS, day, _FULL_CMAS - int(25 * level * chance.random()))
        elif chance.random() < 0.5:
            chart.measurement(MMT8, day, _FULL_MMT8 - int(50 * level * chance.random()))
        else:
            grade = 5 if level < 0.15 else 4 if level < 0.7 or chance.random() < 0.7 else 3
            chart.measurement(SHOULDER, day, grade)
            chart.measurement(HIP, day, grade)

    def _look_at_the_lung(self, disease: Disease, chart: Chart) -> None:
        """Lung function and CT, done and repeated, or not."""
        chance, of = chart.chance, self._of
        tested = of("care.lung_function_tested_with_lung_disease" if disease.lung else "care.lung_function_tested")
        if chance.random() < tested:
            self._test_lung_function(disease, chart)
        if chance.random() < of("care.hrct_with_lung_disease" if disease.lung else "care.hrct_without"):
            chart.report("hrct_chest", min(disease.diagnosed + int(chance.random() * 120), chart.person.last_day))

    def _test_lung_function(self, disease: Disease, chart: Chart) -> None:
        chance = chart.chance
        volume, diffusion = (chance.uniform(50, 82), chance.uniform(35, 70)) if disease.lung else (chance.uniform(85, 112),) * 2
        for day in self._days(disease, chart, 1 + int(3 * chance.random())):
            chart.report("pulmonary_function_test", day)
            chart.measurement(FVC, day, volume + chance.uniform(-3, 3))
            chart.measurement(DLCO, day, diffusion + chance.uniform(-4, 4))

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
        self._give_besides(disease, chart)

    def _give_besides(self, disease: Disease, chart: Chart) -> None:
        """What depends on the form, and what was not wanted."""
        chance, of, last_day = chart.chance, self._of, chart.person.last_day
        if disease.antibody == "anti-hmgcr" and chance.random() < of("signs.statin_before_anti_hmgcr_myopathy"):
            chart.drug("atorvastatin", disease.onset - 700, disease.diagnosed, why="intolerance")
        has_rash = disease.form.endswith("dermatomyositis") and disease.diagnosed + 60 < last_day
        if has_rash and chance.random() < of("treatment.hydroxychloroquine_in_dermatomyositis"):
            chart.drug("hydroxychloroquine", disease.diagnosed + 60, None)
        if disease.form != INCLUSION_BODY and chance.random() < of("care.drug_refused"):
            chart.refused_drug("rituximab", last_day)
