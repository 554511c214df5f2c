"""People without myositis: well, ill with something else, or with what may be mistaken for it. None of them has a phenotype."""

from server.cohort.synthesis.chart import Chart
from server.cohort.synthesis.measures import ALT, AST, CREATINE_KINASE
from server.cohort.synthesis.proportions import Proportions

_DIAGNOSED = {
    "statin-myalgia": "statin_muscle_toxicity",
    "muscular-dystrophy": "muscular_dystrophy",
    "infective-myositis": "infective_myositis",
    "raised-creatine-kinase": "elevated_creatine_kinase",
    "rheumatoid-arthritis": "rheumatoid_arthritis",
    "systemic-lupus-erythematosus": "systemic_lupus_erythematosus",
    "systemic-sclerosis": "systemic_sclerosis",
    "interstitial-lung-disease": "interstitial_lung_disease",
}
_RAISES_ENZYMES = {
    "statin-myalgia": 600.0,
    "muscular-dystrophy": 3000.0,
    "infective-myositis": 1500.0,
    "raised-creatine-kinase": 400.0,
}
_ON_METHOTREXATE = ("rheumatoid-arthritis", "systemic-lupus-erythematosus")


class Others:
    """Tells what else people have.

    Args:
        proportions: how often what occurs.
    """

    def __init__(self, proportions: Proportions) -> None:
        """Figures are read."""
        self._cancer = proportions.of("cancer.others")

    def tell(self, kind: str, chart: Chart) -> None:
        """Take it down.

        Args:
            kind: of the table `others`.
            chart: of the person.
        """
        chance, last_day = chart.chance, chart.person.last_day
        day = max(last_day - 100 - int(chance.random() * 2500), chart.person.birth)
        if kind in _DIAGNOSED:
            chart.diagnosis(_DIAGNOSED[kind], day, clinical="resolved" if kind == "infective-myositis" else "active")
        if kind in _RAISES_ENZYMES:
            enzyme = _RAISES_ENZYMES[kind] * (0.7 + 0.6 * chance.random())
            chart.measurement(CREATINE_KINASE, day, enzyme)
            chart.measurement(ALT, day, 25 + 0.03 * enzyme)
            chart.measurement(AST, day, 22 + 0.03 * enzyme)
        if kind == "statin-myalgia":
            chart.drug("atorvastatin", max(day - 300, chart.person.birth), day, why="intolerance")
        if kind in _ON_METHOTREXATE:
            chart.drug("methotrexate", day, None)
        if kind == "refuted-dermatomyositis":
            chart.diagnosis("dermatomyositis", day, verification="refuted")
        if kind == "suspected-dermatomyositis":
            chart.diagnosis("dermatomyositis", last_day, verification="provisional")
        if kind == "family-history":
            chart.sick_mother("dermatomyositis")
        if chance.random() < self._cancer and chart.person.age_on(day) > 40:
            chart.diagnosis("malignancy", day)
