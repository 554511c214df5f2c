"""A chart given whole: is it FHIR, whose is it, and for which day?"""

from datetime import date
from typing import Any

import pytest

from server.assessing.chart_input import evaluate_chart, parse_day
from server.errors import NotFhirError, ParameterError, WhichPatientError
from server.evaluation import Evaluation
from tests.server.charts import ANTI_TIF1, AS_OF, HEALTHY, Json, chart, resources


def evaluated(value: Any, patient_id: str | None = None, **more: Any) -> Evaluation:
    return evaluate_chart(value, as_of=AS_OF, patient_id=patient_id, **more)


def both() -> Json:
    return {"resourceType": "Bundle", "type": "collection", "entry": chart(ANTI_TIF1)["entry"] + chart(HEALTHY)["entry"]}


@pytest.mark.parametrize("value", [None, 7, "text", [], {}, [7, {}], {"resourceType": 7}, {"a": {"resourceType": "Patient"}}])
def test_json_without_a_resource_is_not_fhir(value: Any) -> None:
    with pytest.raises(NotFhirError, match="resourceType"):
        evaluated(value)


def test_a_bundle_a_list_and_loose_resources_mean_the_same() -> None:
    bundle = chart(ANTI_TIF1)
    cards = evaluated(bundle).cards
    assert cards
    assert evaluated([bundle]).cards == evaluated(resources(bundle)).cards == cards


def test_of_several_patients_one_must_be_named() -> None:
    with pytest.raises(WhichPatientError, match="2 patients"):
        evaluated(both())
    assert evaluated(both(), HEALTHY).cards == ()
    assert evaluated(both(), ANTI_TIF1).cards == evaluated(chart(ANTI_TIF1)).cards


def test_a_patient_who_is_not_among_several_cannot_be_meant() -> None:
    with pytest.raises(WhichPatientError, match="none has the id") as refusal:
        evaluated(both(), "Mustermann")
    assert "Mustermann" not in refusal.value.text


def test_another_patient_than_the_only_one_is_a_mismatch() -> None:
    evaluation = evaluated(chart(ANTI_TIF1), "somebody-else")
    assert evaluation.is_mismatched
    assert evaluation.cards == ()


def test_the_same_chart_on_the_same_day_gives_the_same_answer() -> None:
    assert evaluated(chart(ANTI_TIF1)).cards == evaluated(chart(ANTI_TIF1)).cards


def test_strict_adds_what_the_full_models_find() -> None:
    bundle = chart(ANTI_TIF1)
    bundle["entry"][0]["resource"]["unheardOf"] = 1
    assert evaluated(bundle).issues == ()
    (issue,) = evaluated(bundle, strict=True).issues
    assert issue.reference == f"Patient/{ANTI_TIF1}.unheardOf"


def test_a_day_is_read() -> None:
    assert parse_day("2024-02-29", "asOf") == date(2024, 2, 29)


@pytest.mark.parametrize("text", ["", "2024", "2024-02-30", "20240229", "29.02.2024", "2024-02-29T00:00:00Z", "today"])
def test_anything_else_is_no_day(text: str) -> None:
    with pytest.raises(ParameterError, match="asOf must be a day written YYYY-MM-DD"):
        parse_day(text, "asOf")
