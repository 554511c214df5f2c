"""The small search that answers prefetch templates: reads, searches, and honest refusals."""

from typing import Any

import pytest

from sandbox.charts import Chart, load_charts
from sandbox.search import UnsupportedQueryError, answer

ID = "anti-tif1-gamma-dermatomyositis"


def found(query: str, chart: Chart) -> list[dict[str, Any]]:
    bundle = answer(query, chart)
    assert bundle is not None
    return [entry["resource"] for entry in bundle.get("entry", [])]


def test_a_read_gives_the_resource(tif1_gamma_chart: Chart) -> None:
    patient = answer(f"Patient/{ID}", tif1_gamma_chart)
    assert patient is not None
    assert patient["birthDate"] == "1964-03-14"


def test_a_read_of_somebody_else_gives_nothing(tif1_gamma_chart: Chart) -> None:
    assert answer("Patient/healthy", tif1_gamma_chart) is None


@pytest.mark.parametrize("parameter", ["patient", "subject"])
@pytest.mark.parametrize("value", [ID, f"Patient/{ID}"])
def test_a_search_gives_a_searchset_of_this_patient(tif1_gamma_chart: Chart, parameter: str, value: str) -> None:
    bundle = answer(f"Condition?{parameter}={value}", tif1_gamma_chart)
    assert bundle is not None
    assert (bundle["type"], bundle["total"]) == ("searchset", len(tif1_gamma_chart.of("Condition")))
    assert {entry["search"]["mode"] for entry in bundle["entry"]} == {"match"}


def test_a_search_for_another_patient_finds_nothing(tif1_gamma_chart: Chart) -> None:
    assert found("Condition?patient=healthy", tif1_gamma_chart) == []


def test_an_empty_search_gives_an_empty_searchset_and_not_null(tif1_gamma_chart: Chart) -> None:
    bundle = answer(f"Immunization?patient={ID}", tif1_gamma_chart)
    assert bundle == {"resourceType": "Bundle", "type": "searchset", "total": 0}


@pytest.mark.parametrize("category", ["exam", "http://terminology.hl7.org/CodeSystem/observation-category|exam"])
def test_category_picks_what_is_filed_there(tif1_gamma_chart: Chart, category: str) -> None:
    results = found(f"Observation?patient={ID}&category={category}", tif1_gamma_chart)
    assert {result["code"]["text"] for result in results} == {"MRC grade shoulder abduction", "MRC grade hip flexion"}


def test_several_categories_are_alternatives(tif1_gamma_chart: Chart) -> None:
    results = found(f"Observation?patient={ID}&category=exam,vital-signs", tif1_gamma_chart)
    assert len(results) == 3


def test_the_newest_comes_first_where_asked_for(tif1_gamma_chart: Chart) -> None:
    dates = [r["effectiveDateTime"] for r in found(f"Observation?patient={ID}&_sort=-date", tif1_gamma_chart)]
    assert dates == sorted(dates, reverse=True)


def test_a_page_says_that_there_is_more(tif1_gamma_chart: Chart) -> None:
    bundle = answer(f"Observation?patient={ID}&_count=2", tif1_gamma_chart)
    assert bundle is not None
    assert len(bundle["entry"]) == 2
    assert bundle["total"] > 2
    assert [link["relation"] for link in bundle["link"]] == ["next"]


def test_a_page_that_holds_everything_has_no_next(tif1_gamma_chart: Chart) -> None:
    bundle = answer(f"Observation?patient={ID}&_count=200", tif1_gamma_chart)
    assert bundle is not None
    assert "link" not in bundle


@pytest.mark.parametrize(
    ("query", "date"),
    [
        ("Condition?_sort=-recorded-date", "recordedDate"),
        ("MedicationRequest?_sort=-authoredon", "authoredOn"),
        ("Procedure?_sort=-date", "performedDateTime"),
    ],
)
def test_each_type_is_sorted_by_its_own_date(query: str, date: str) -> None:
    dates = [resource[date] for resource in found(query, load_charts()["dermatomyositis-third-line"])]
    assert len(set(dates)) > 1
    assert dates == sorted(dates, reverse=True)


def test_what_patients_report_is_sorted_by_its_start() -> None:
    chart = load_charts()["classic-dermatomyositis"]
    assert len(found("MedicationStatement?_sort=-effective", chart)) == 1


@pytest.mark.parametrize(
    "query", ["value-quantity=4", "code:not=4", "date=soon", "_sort=-authoredon", "_sort=code", "_count=many", "_include=*"]
)
def test_what_is_not_supported_is_refused_and_never_ignored(tif1_gamma_chart: Chart, query: str) -> None:
    with pytest.raises(UnsupportedQueryError):
        answer(f"Observation?patient={ID}&{query}", tif1_gamma_chart)


def test_the_next_page_is_where_the_link_says(tif1_gamma_chart: Chart) -> None:
    first = answer(f"Observation?patient={ID}&_count=2", tif1_gamma_chart, "http://ehr.example/fhir")
    assert first is not None
    url = first["link"][0]["url"]
    assert url.startswith("http://ehr.example/fhir/Observation?")
    second = found(url.removeprefix("http://ehr.example/fhir/"), tif1_gamma_chart)
    everything = found(f"Observation?patient={ID}", tif1_gamma_chart)
    assert second == everything[2:4]


def test_an_id_picks_one(tif1_gamma_chart: Chart) -> None:
    wanted = found(f"Condition?patient={ID}", tif1_gamma_chart)[1]
    assert found(f"Condition?_id={wanted['id']},other", tif1_gamma_chart) == [wanted]
