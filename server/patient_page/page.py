"""The page for one patient, from an opened chart: pure, apart from reading its templates."""

from collections.abc import Mapping

from cards.considered import considered
from cards.recommend import calendar
from server.patient_page.addresses import Addresses
from server.patient_page.advice import advice
from server.patient_page.alternatives import alternatives
from server.patient_page.calendar import calendar_view
from server.patient_page.charts import charts
from server.patient_page.disagreements import disagreements
from server.patient_page.findings import findings
from server.patient_page.frame import frame
from server.patient_page.missing_data import missing_data
from server.patient_page.opened import Opened
from server.patient_page.options import comparisons
from server.patient_page.rendering import render_template
from server.patient_page.scores import classification_score, improvement_score
from server.patient_page.silent import silent
from server.patient_page.sources import provenance
from server.patient_page.timeline import timeline
from server.patient_page.unseen import unseen
from server.patient_page.what_if import what_if


def render(opened: Opened, query: Mapping[str, str], language: str) -> str:
    """The page as HTML.

    Args:
        opened: the patient, read and evaluated.
        query: of the address: `suppose` and `and` (see `what_if`), `language`.
        language: that the page is to speak.

    Returns:
        The whole page.
    """
    supposed = what_if(opened, query)
    addresses = Addresses(opened.launch, query.get("language", ""), supposed.words)
    evaluation = opened.evaluation
    known, assessment, recommendations = evaluation.knowledge, evaluation.assessment, evaluation.recommendations
    dues, found = calendar(assessment, known), considered(assessment, known)
    return render_template(
        "patient.html",
        language,
        **frame(opened, addresses),
        record=evaluation.record,
        version=known.version,
        unseen=unseen(opened),
        advice=advice(evaluation, opened.focus),
        findings=findings(assessment),
        alternatives=alternatives(opened),
        timeline_view=timeline(evaluation, dues, opened.basis.terminology),
        charts_view=charts(evaluation, opened.basis.terminology),
        calendar_view=calendar_view(evaluation, dues, found),
        silent=silent(found, known),
        comparisons=comparisons(recommendations, known),
        disagreements=disagreements(recommendations),
        missing=missing_data(opened),
        what_if=supposed,
        classification=classification_score(assessment.classification),
        improvement=improvement_score(assessment.improvement),
        provenance=provenance(recommendations, known),
    )
