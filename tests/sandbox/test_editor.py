"""The patient editor: every change writes FHIR that the service understands, and can be taken back."""

from datetime import date, timedelta
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from sandbox.changes import changes_for, read_changes
from sandbox.chart_store import ChartStore
from sandbox.codes import read_codes
from sandbox.editor import Editor
from sandbox.errors import DeskError
from sandbox.fhir_parts import HL7
from server.assessing.as_json import assess_json
from server.assessing.chart_input import evaluate_chart
from tests.sandbox.desks import AS_OF, PREGNANT, TIF1_GAMMA

Json = dict[str, Any]

GROUPS = {"Antibodies", "Results", "Diagnoses", "Severity", "Pregnancy", "Drugs", "Procedures"}


class Here:
    """One store, its editor, and what the service makes of a chart."""

    def __init__(self) -> None:
        self.store = ChartStore(lambda: AS_OF)
        self.editor = Editor(self.store, lambda: AS_OF)

    def resources(self, patient_id: str) -> list[Json]:
        chart = self.store.chart(patient_id)
        assert chart
        return [{name: value for name, value in one.items() if name != "meta"} for one in chart.resources]

    def assessed(self, patient_id: str) -> Json:
        chart = self.store.chart(patient_id)
        assert chart
        return assess_json(evaluate_chart(list(chart.resources), as_of=AS_OF, patient_id=patient_id))

    def key(self, patient_id: str, title: str) -> str:
        """The key of the one change with this title."""
        (change,) = [one for one in self.editor.changes(patient_id) if one.title == title]
        return change.key


@pytest.fixture
def here() -> Here:
    """Charts as the stories tell them."""
    return Here()


def phenotypes(assessed: Json) -> set[str]:
    """Codes of the phenotypes."""
    return {one["code"] for one in assessed["phenotypes"]}


def feature(assessed: Json, code: str) -> str:
    """What is known of a feature."""
    (found,) = [one["value"] for one in assessed["features"] if one["code"] == code]
    return str(found)


def test_an_antibody_that_is_added_is_found(here: Here) -> None:
    here.editor.make(TIF1_GAMMA, "anti_mda5-positive")
    assert "anti-mda5-dermatomyositis" in phenotypes(here.assessed(TIF1_GAMMA))


def test_a_drug_that_is_stopped_has_failed_or_was_not_tolerated(here: Here) -> None:
    here.editor.make(TIF1_GAMMA, here.key(TIF1_GAMMA, "prednisone 20 mg oral tablet: stopped, ineffective"))
    treatment = here.assessed(TIF1_GAMMA)["treatment"]
    assert "glucocorticoid" in str(treatment["failed"])
    here.editor.undo(TIF1_GAMMA)
    here.editor.make(TIF1_GAMMA, here.key(TIF1_GAMMA, "prednisone 20 mg oral tablet: stopped, not tolerated"))
    assert "glucocorticoid" in str(here.assessed(TIF1_GAMMA)["treatment"]["notTolerated"])


def test_a_drug_that_is_started_is_current_with_its_dose(here: Here) -> None:
    made = here.editor.make(TIF1_GAMMA, "start-methotrexate_2_5", "15 mg weekly")
    assert made.title == "methotrexate 2.5 mg oral tablet: started: 15 mg weekly"
    assert "methotrexate" in str(here.assessed(TIF1_GAMMA)["treatment"]["current"])


def test_a_diagnosis_that_is_refuted_or_resolved_is_none_any_more(here: Here) -> None:
    for what in ("refuted", "resolved"):
        here.editor.make(TIF1_GAMMA, here.key(TIF1_GAMMA, f"Dermatomyositis: {what}"))
        recorded = [one["code"] for one in here.assessed(TIF1_GAMMA)["phenotypes"] if one["certainty"] == "recorded"]
        assert recorded == []
        here.editor.undo(TIF1_GAMMA)


def test_a_problem_that_is_added_is_there_and_can_be_added_once(here: Here) -> None:
    here.editor.make(TIF1_GAMMA, "add-interstitial_lung_disease")
    assert feature(here.assessed(TIF1_GAMMA), "interstitial-lung-disease") == "yes"
    with pytest.raises(DeskError, match="changed already"):
        here.editor.make(TIF1_GAMMA, "add-interstitial_lung_disease")


def test_pregnancy_begins_and_ends(here: Here) -> None:
    assert feature(here.assessed(PREGNANT), "pregnancy") == "yes"
    here.editor.make(PREGNANT, "not-pregnant")
    assert feature(here.assessed(PREGNANT), "pregnancy") == "no"
    here.editor.make(PREGNANT, "pregnant")
    assert feature(here.assessed(PREGNANT), "pregnancy") == "yes"


def test_weakness_that_is_graded_severe_makes_the_disease_severe(here: Here) -> None:
    here.editor.make(TIF1_GAMMA, "weakness-severe")
    assert here.assessed(TIF1_GAMMA)["severity"]["value"] == "severe"
    here.editor.make(TIF1_GAMMA, "weakness-moderate")
    assert here.assessed(TIF1_GAMMA)["severity"]["value"] == "non-severe"
    here.editor.make("healthy", "weakness-mild")
    assert "Proximal muscle weakness" in str(here.resources("healthy"))


def test_a_procedure_that_is_done_or_declined_is_not_suggested_any_more(here: Here) -> None:
    for what in ("done", "declined"):
        assert "colonoscopy" in str([card["suggestions"] for card in here.assessed(TIF1_GAMMA)["cards"] if "suggestions" in card])
        here.editor.make(TIF1_GAMMA, f"colonoscopy-{what}")
        suggested = [one["label"] for card in here.assessed(TIF1_GAMMA)["cards"] for one in card.get("suggestions", ())]
        assert "Order colonoscopy" not in suggested
        here.editor.undo(TIF1_GAMMA)


def test_a_value_is_written_with_its_unit(here: Here) -> None:
    made = here.editor.make(TIF1_GAMMA, "fvc_percent", " 55.5 ")
    assert made.title == "Forced vital capacity, percent predicted: 55.5 %"
    (((_, written), _),) = made.writes
    (found,) = [one for one in here.resources(TIF1_GAMMA) if one["id"] == written]
    assert found["valueQuantity"] == {"value": 55.5, "unit": "%", "system": "http://unitsofmeasure.org", "code": "%"}


@pytest.mark.parametrize("typed", ["", "many", "-5", "1e9", "5 %", "\N{ARABIC-INDIC DIGIT FIVE}", "1" * 9])
def test_what_is_no_number_is_not_written(here: Here, typed: str) -> None:
    with pytest.raises(DeskError, match="Write a number"):
        here.editor.make(TIF1_GAMMA, "creatine_kinase", typed)
    assert here.editor.made(TIF1_GAMMA) == ()


@pytest.mark.parametrize("typed", ["x" * 201, "two\nlines"])
def test_a_dose_is_a_short_line(here: Here, typed: str) -> None:
    with pytest.raises(DeskError, match="in one line"):
        here.editor.make(TIF1_GAMMA, "start-rituximab_500", typed)


def test_a_chart_after_changes_that_were_taken_back_is_as_it_was(here: Here) -> None:
    before = here.resources(PREGNANT)
    typed = {change.key: "5" if change.asks else "" for change in here.editor.changes(PREGNANT)}
    for key in typed:
        if key in {change.key for change in here.editor.changes(PREGNANT)}:
            here.editor.make(PREGNANT, key, typed[key])
    assert len(here.editor.made(PREGNANT)) > 40
    while here.editor.made(PREGNANT):
        here.editor.undo(PREGNANT)
    assert sorted(map(str, here.resources(PREGNANT))) == sorted(map(str, before))
    with pytest.raises(DeskError, match="Nothing was changed"):
        here.editor.undo(PREGNANT)


def test_a_reset_forgets_changes_and_orders_of_one_chart(here: Here) -> None:
    before = here.resources(PREGNANT)
    here.editor.make(PREGNANT, "anti_mda5-positive")
    here.editor.make(TIF1_GAMMA, "anti_mda5-positive")
    here.editor.reset(PREGNANT)
    assert here.resources(PREGNANT) == before
    assert here.editor.made(PREGNANT) == ()
    assert len(here.editor.made(TIF1_GAMMA)) == 1


def test_whoever_is_not_here_and_whatever_cannot_be_changed_is_said(here: Here) -> None:
    for ask in (here.editor.changes, here.editor.undo, here.editor.reset):
        with pytest.raises(DeskError, match="no such patient"):
            ask("nobody")
    with pytest.raises(DeskError, match="cannot be changed"):
        here.editor.make(TIF1_GAMMA, "height")


@pytest.mark.parametrize("slug", [PREGNANT, "healthy", "dermatomyositis-methotrexate-intolerance"])
def test_every_change_that_is_offered_writes_fhir(slug: str) -> None:
    chart = ChartStore(lambda: AS_OF).chart(slug)
    assert chart
    offered = changes_for(chart)
    assert {change.group for change in offered} == GROUPS
    assert len({change.key for change in offered}) == len({change.title for change in offered}) == len(offered)
    for change in offered:
        for resource in change.write(chart, date(2026, 11, 22), "5"):
            get_fhir_model_class(resource["resourceType"]).model_validate(resource)


def test_every_key_of_the_table_of_changes_is_in_the_code_table() -> None:
    assert {key for keys in read_changes().values() for key in keys} <= read_codes().keys()


CODED_ONLY: tuple[Json, ...] = (
    {
        "resourceType": "Condition",
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "77386006"}]},
        "clinicalStatus": {"coding": [{"system": f"{HL7}/condition-clinical", "code": "active"}]},
    },
    {"resourceType": "Condition", "clinicalStatus": {"coding": [{"system": f"{HL7}/condition-clinical", "code": "active"}]}},
    {"resourceType": "Condition", "clinicalStatus": {"text": "active"}, "code": {"coding": []}},
    {
        "resourceType": "MedicationRequest",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"coding": [{"code": "6851", "display": "Methotrexate"}]},
        "dosageInstruction": [{"timing": {"repeat": {"boundsDuration": {"value": 6, "code": "wk"}}}}],
    },
    {
        "resourceType": "MedicationRequest",
        "status": "active",
        "intent": "order",
        "medicationReference": {"reference": "#drug"},
        "contained": [{"resourceType": "Medication", "id": "drug", "code": {"text": "azathioprine"}}],
    },
    {
        "resourceType": "MedicationRequest",
        "status": "active",
        "intent": "order",
        "medicationReference": {"reference": "Medication/1", "display": "rituximab"},
    },
    {"resourceType": "MedicationRequest", "status": "active", "intent": "order", "medicationReference": {}},
)
"""Sound FHIR with less in it than the stories have."""


def test_what_others_wrote_without_a_text_can_be_changed_like_the_rest(here: Here) -> None:
    written = [here.store.create(one | {"subject": {"reference": f"Patient/{TIF1_GAMMA}"}})["id"] for one in CODED_ONLY]
    titles = [change.title for change in here.editor.changes(TIF1_GAMMA)]
    for title in ("77386006: resolved", "Without a name: resolved", "Methotrexate: stopped, ineffective"):
        assert title in titles
    assert {f"{drug}: stopped, ineffective" for drug in ("azathioprine", "rituximab", "Without a name")} <= {*titles}
    assert "Pregnancy: on the problem list" not in titles
    about = (
        "weakness-severe",
        "not-pregnant",
        *(f"stop-{one}-ineffective" for one in written),
        *(f"resolve-{one}" for one in written),
    )
    for key in [change.key for change in here.editor.changes(TIF1_GAMMA) if change.key in about]:
        if key != f"resolve-{written[0]}":  # the pregnancy, which ends by itself
            here.editor.make(TIF1_GAMMA, key)
    assert len(here.editor.made(TIF1_GAMMA)) == 7
    chart = here.store.chart(TIF1_GAMMA)
    assert chart
    (pregnancy,) = [one for one in chart.of("Condition") if one["id"] == written[0]]
    assert pregnancy["clinicalStatus"]["coding"][0]["code"] == "resolved"
    for resource in chart.resources:
        if resource["id"] in written:
            get_fhir_model_class(resource["resourceType"]).model_validate(resource)


def test_what_is_taken_back_the_day_after_is_as_old_as_it_was() -> None:
    days = [AS_OF]
    store = ChartStore(lambda: days[0])
    editor, untouched = Editor(store, lambda: days[0]), ChartStore(lambda: days[0])
    editor.make(TIF1_GAMMA, "weakness-severe")
    editor.make(TIF1_GAMMA, "weakness-moderate")
    days[0] = AS_OF + timedelta(days=1)
    editor.undo(TIF1_GAMMA)
    editor.undo(TIF1_GAMMA)

    def without_meta(of: ChartStore) -> list[str]:
        chart = of.chart(TIF1_GAMMA)
        assert chart
        return sorted(str({name: value for name, value in one.items() if name != "meta"}) for one in chart.resources)

    assert without_meta(store) == without_meta(untouched)


def test_what_somebody_else_wrote_since_is_not_overwritten(here: Here) -> None:
    here.editor.make(TIF1_GAMMA, "weakness-severe")
    chart = here.store.chart(TIF1_GAMMA)
    assert chart
    written = {key[1] for key, _ in here.editor.made(TIF1_GAMMA)[0].writes}
    (weakness,) = [one for one in chart.of("Condition") if one["id"] in written]
    here.store.update(weakness | {"note": [{"text": "seen by the neurologist"}]})
    before = here.resources(TIF1_GAMMA)
    with pytest.raises(DeskError, match="somebody has changed it since"):
        here.editor.undo(TIF1_GAMMA)
    assert here.resources(TIF1_GAMMA) == before
    assert len(here.editor.made(TIF1_GAMMA)) == 1
