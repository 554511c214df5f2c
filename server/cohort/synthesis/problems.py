"""The problem list: the diagnosis, what belongs to it, and what of that is over, or was left on the list although it is."""

from server.cohort.synthesis.chance import Choice
from server.cohort.synthesis.chart import Chart
from server.cohort.synthesis.disease import INCLUSION_BODY, POINTS_LOST, Disease
from server.cohort.synthesis.lung import Lung
from server.cohort.synthesis.proportions import Proportions
from server.cohort.synthesis.visits import soon

_OF_THE_MUSCLE = frozenset({"proximal_muscle_weakness", "dysphagia"})
"""There as long as the disease is active."""
_LASTING = frozenset({"raynaud", "calcinosis"})
"""Stay when the disease is quiet."""

_TIDIED_WITHIN = 120
"""Days after a sign is gone in which somebody says so on the list, if anybody does."""


class Problems:
    """Writes problem lists.

    Args:
        proportions: how often what occurs.
    """

    def __init__(self, proportions: Proportions) -> None:
        """Figures are read."""
        self._of = proportions.of
        self._severities = Choice(proportions.table("severity"))

    def record(self, disease: Disease, lung: Lung, quiet: int | None, is_in_remission: bool, chart: Chart) -> bool:
        """Take it down.

        Args:
            disease: the myositis.
            lung: of the person.
            quiet: day since which nothing of it is active; None where something is.
            is_in_remission: the list says so.
            chart: of the person.

        Returns:
            Whether the list says when the disease began.
        """
        chance, of = chart.chance, self._of
        has_onset = chance.random() >= of("missing.onset")
        clinical = "remission" if is_in_remission else "active"
        if chance.random() < of("missing.clinical_status"):
            clinical = ""
        in_words = chance.random() < of("missing.diagnosis_only_in_words")
        began = disease.onset if has_onset else None
        chart.diagnosis(disease.recorded, disease.diagnosed, onset=began, clinical=clinical, in_words=in_words)
        for sign in disease.signs:
            severity = self._severity_of(sign, disease, chart)
            chart.diagnosis(sign, disease.diagnosed, abated=self._end_of(sign, disease, quiet, chart), severity=severity)
        if disease.overlap:
            chart.diagnosis(disease.overlap, disease.diagnosed)
        if disease.lung:
            self._record_the_lung(disease, lung, chart)
        if disease.cancer is not None:
            state = "active" if chance.random() < of("signs.cancer_still_there") else "inactive"
            chart.diagnosis("malignancy", disease.cancer, clinical=state)
        return has_onset

    def _severity_of(self, sign: str, disease: Disease, chart: Chart) -> str:
        if sign == "proximal_muscle_weakness":
            return self._as_graded(_grade(disease.weakness), chart)
        return self._as_graded(self._severities.of(chart.chance), chart) if sign == "dysphagia" else ""

    def _as_graded(self, severity: str, chart: Chart) -> str:
        """As it is graded, if it is."""
        return severity if chart.chance.random() < self._of("care.severity_graded") else ""

    def _end_of(self, sign: str, disease: Disease, quiet: int | None, chart: Chart) -> int | None:
        """The day on which a sign was taken to be over; None while it is there, and where nobody tidied the list."""
        chance, of, last_day = chart.chance, self._of, chart.person.last_day
        if sign in _LASTING or disease.form == INCLUSION_BODY:
            return None
        if quiet is not None:
            return None if chance.random() < of("signs.left_on_the_list") else soon(chart, quiet, _TIDIED_WITHIN)
        treated = disease.diagnosed + 60
        if sign in _OF_THE_MUSCLE or treated > last_day or chance.random() < of("signs.still_there"):
            return None
        return soon(chart, treated, _TIDIED_WITHIN)

    def _record_the_lung(self, disease: Disease, lung: Lung, chart: Chart) -> None:
        chance, last_day = chart.chance, chart.person.last_day
        if lung.began is None or lung.over is None:
            day = soon(chart, disease.diagnosed, 200)
            chart.diagnosis("interstitial_lung_disease", day, severity=self._as_graded(lung.severity, chart))
            return
        is_left = lung.over > last_day or chance.random() < self._of("signs.left_on_the_list")
        chart.diagnosis("ild_rapidly_progressive", min(lung.began, last_day), abated=None if is_left else lung.over)
        if not is_left:
            chart.diagnosis("interstitial_lung_disease", lung.over)


def _grade(points_lost: float) -> str:
    """How severe weakness is."""
    return next(severity for severity, (_, most) in POINTS_LOST.items() if points_lost <= most)
