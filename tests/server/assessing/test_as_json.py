"""The Assess JSON: the members that others rely on, by name and order (design section 5)."""

from datetime import date
from typing import Any

import orjson
import pytest

from fhir_profiles.dates import DateInterval
from server.assessing.as_json import _date, assess_json
from server.evaluation import evaluate
from tests.server.charts import ANTI_TIF1, AS_OF, HEALTHY, Json, chart, diagnosis, measured_twice, slugs


def assessed(slug: str) -> Json:
    return assess_json(evaluate([chart(slug)], as_of=AS_OF, seed="seed"))


def shape(value: Any) -> Any:
    """The names of all members, in order; of a list the shape of its first item."""
    if isinstance(value, dict):
        return {name: shape(member) for name, member in value.items()}
    return [shape(value[0])] if isinstance(value, list) and value else None


EVIDENCE = [{"text": None, "reference": None}]


def test_the_members_are_those_of_the_design_in_its_order() -> None:
    answer = assessed(ANTI_TIF1)
    (antibody, *_) = answer["antibodies"]
    assert list(answer) == [
        "asOf", "patient", "phenotypes", "severity", "antibodies", "features", "treatment", "declined", "classification",
        "improvement", "calendar", "recommendations", "cards", "issues", "knowledgeVersion",
    ]  # fmt: skip
    assert list(answer["patient"]) == ["id", "age", "sex"]
    assert shape(answer["phenotypes"]) == [{"code": None, "certainty": None, "evidence": EVIDENCE}]
    assert shape(answer["severity"]) == {"value": None, "evidence": EVIDENCE}
    assert list(antibody) == ["code", "result", "date", "reference"]
    assert all(list(feature) == ["code", "value", "evidence"] for feature in answer["features"])
    assert list(answer["treatment"]) == ["phase", "line", "current", "failed", "notTolerated", "courses"]
    for recommendation in answer["recommendations"]:
        assert list(recommendation) == ["id", "topic", "holds", "strength", "because", "missing", "declined", "sources"]
        assert shape(recommendation["sources"]) == [{"id": None, "citation": None, "year": None, "evidence": None}]


def test_the_values_are_those_of_the_chart() -> None:
    answer = assessed(ANTI_TIF1)
    assert answer["asOf"] == "2026-11-22"
    assert answer["patient"] == {"id": ANTI_TIF1, "age": 62, "sex": "female"}
    assert answer["phenotypes"][0]["code"] == "anti-tif1-gamma-dermatomyositis"
    (antibody,) = (one for one in answer["antibodies"] if one["result"] == "positive")
    reference = f"Observation/{ANTI_TIF1}.anti-tif1-gamma"
    assert antibody == {"code": "anti-tif1-gamma", "result": "positive", "date": "2026-09-14", "reference": reference}


def test_agents_are_named_by_what_became_of_them() -> None:
    refractory = assessed("dermatomyositis-refractory-severe")["treatment"]
    assert "azathioprine" in refractory["failed"]
    assert refractory["current"] == ["glucocorticoid"]
    courses = {course["agent"]: course for course in refractory["courses"]}
    assert courses["azathioprine"]["outcome"] == "failed"
    assert courses["azathioprine"]["start"] == "2026-03-01"
    assert "methotrexate" in assessed("dermatomyositis-methotrexate-intolerance")["treatment"]["notTolerated"]


def test_what_the_patient_declined_is_listed_with_its_day_and_named_where_it_is_not_offered() -> None:
    slug = "dermatomyositis-declined-colonoscopy"
    answer = assessed(slug)
    reference = f"Procedure/{slug}.colonoscopy"
    assert answer["declined"] == [
        {"concepts": ["colonoscopy"], "title": "Colonoscopy", "date": "2026-10-14", "reference": reference}
    ]
    told = {r["id"]: r["declined"] for r in answer["recommendations"] if r["declined"]}
    text = "colonoscopy declined by the patient on 14 October 2026"
    who_asks = ("titulaer-2011-dm-colonoscopy-over-50", "meyer-2019-dm-tumour-summary")
    assert told == {name: [{"text": text, "reference": reference}] for name in who_asks}


def test_what_is_empty_is_there_and_empty() -> None:
    answer = assessed(HEALTHY)
    assert answer["declined"] == []
    assert (answer["phenotypes"], answer["recommendations"], answer["cards"], answer["issues"]) == ([], [], [], [])
    assert answer["severity"]["value"] == "unknown"
    nobody = assess_json(evaluate([], as_of=AS_OF, seed="seed"))
    assert nobody["patient"] == {"id": None, "age": None, "sex": None}


def test_the_classification_has_both_scores_in_tenths_with_what_is_unknown() -> None:
    classification = assessed("classic-dermatomyositis")["classification"]
    assert list(classification) == [
        "criteria", "statement", "column", "scores", "meetsCriteria", "needsBiopsyFeatures", "subgroups", "items",
        "otherExplanations", "notes", "caveats",
    ]  # fmt: skip
    assert classification["criteria"]["doi"] == "10.1136/annrheumdis-2017-211468"
    assert classification["statement"] == "classification, not a diagnosis; for use where no better explanation exists"
    assert classification["column"] == "without-biopsy"
    without, with_biopsy = (classification["scores"][name] for name in ("withoutBiopsy", "withBiopsy"))
    assert list(without) == ["minimumTenths", "minimumClass", "bestTenths", "bestClass", "unknown"]
    assert (without["minimumTenths"], without["minimumClass"]) == (93, "definite")
    assert without["bestTenths"] > without["minimumTenths"]
    assert "neck-flexor-weakness" in without["unknown"]
    assert set(with_biopsy["unknown"]) - set(without["unknown"]) == {
        *("endomysial-infiltration", "perimysial-infiltration", "perifascicular-atrophy", "rimmed-vacuoles")
    }
    assert classification["subgroups"] == [{"code": "dermatomyositis", "title": "dermatomyositis"}]
    assert all(list(item) == ["code", "title", "value", "evidence"] for item in classification["items"])
    assert shape(classification["items"][0]["evidence"]) == EVIDENCE


def test_without_a_question_of_myositis_or_complete_measures_classification_and_improvement_are_null() -> None:
    assert (assessed(HEALTHY)["classification"], assessed(HEALTHY)["improvement"]) == (None, None)
    assert assessed(ANTI_TIF1)["improvement"] is None


def test_the_improvement_has_its_basis_and_the_values_that_it_rests_on() -> None:
    improvement = assess_json(evaluate([measured_twice()], as_of=AS_OF, seed="seed"))["improvement"]
    assert list(improvement) == [
        "criteria", "basis", "minimumTenths", "minimumResponse", "maximumTenths", "maximumResponse", "thresholds", "measures",
        "notes",
    ]  # fmt: skip
    assert improvement["basis"] == "point table: background knowledge, unverified"
    assert (improvement["minimumTenths"], improvement["maximumTenths"]) == (775, 850)
    assert (improvement["minimumResponse"], improvement["thresholds"]) == ("major", "adult")
    assert len(improvement["measures"]) == 6
    assert [len(measure["evidence"]) for measure in improvement["measures"]] == [2] * 6


def test_an_age_that_a_partial_date_of_birth_leaves_open_is_null() -> None:
    patient = {"resourceType": "Patient", "id": "p1", "birthDate": "1970"}
    assert assess_json(evaluate([patient], as_of=AS_OF, seed="seed"))["patient"]["age"] is None


def test_a_mismatch_is_named_first_and_nothing_else_is_said() -> None:
    answer = assess_json(evaluate([chart(ANTI_TIF1), diagnosis("else")], as_of=AS_OF, seed="seed"))
    assert "another patient" in answer["issues"][0]["problem"]
    assert (answer["phenotypes"], answer["features"], answer["recommendations"], answer["cards"]) == ([], [], [], [])


@pytest.mark.parametrize("slug", slugs())
def test_every_patient_of_the_sandbox_can_be_written_as_json(slug: str) -> None:
    answer = assessed(slug)
    assert orjson.loads(orjson.dumps(answer)) == answer
    assert {feature["value"] for feature in answer["features"]} <= {"yes", "no", "unknown"}
    assert {recommendation["holds"] for recommendation in answer["recommendations"]} <= {"yes", "unknown"}


@pytest.mark.parametrize(
    ("first", "last", "written"),
    [
        ("2024-05-17", "2024-05-17", "2024-05-17"),
        ("2024-05-01", "2024-05-31", "2024-05"),
        ("2024-01-01", "2024-12-31", "2024"),
        ("2024-05-17", "2024-07-03", "2024-05-17"),
        ("2024-05-01", "2024-05-20", "2024-05-01"),
        ("2024-01-01", "2025-12-31", "2024-01-01"),
        ("9999-12-31", "9999-12-31", "9999-12-31"),
        ("9999-12-01", "9999-12-31", "9999-12"),
    ],
)
def test_a_date_is_as_precise_as_the_chart_and_a_span_is_its_first_day(first: str, last: str, written: str) -> None:
    assert _date(DateInterval(date.fromisoformat(first), date.fromisoformat(last))) == written
