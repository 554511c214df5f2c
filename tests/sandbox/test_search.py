"""The small search that answers prefetch templates: reads, searches, and honest refusals."""

from contextlib import suppress
from datetime import date
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.charts import Chart, load_charts
from sandbox.search import UnsupportedQueryError, answer, matching, search
from sandbox.search_values import DATE_PREFIXES

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
    ("query", "element"),
    [
        ("Condition?_sort=-recorded-date", "recordedDate"),
        ("MedicationRequest?_sort=-authoredon", "authoredOn"),
        ("Procedure?_sort=-date", "performedDateTime"),
    ],
)
def test_each_type_is_sorted_by_its_own_date(query: str, element: str) -> None:
    dates = [resource[element] for resource in found(query, load_charts()["dermatomyositis-third-line"])]
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


# --- what each parameter means


def resource(**elements: Any) -> dict[str, Any]:
    return {"resourceType": "Observation", "id": "one", "subject": {"reference": "Patient/x"}} | elements


def is_found(query: str, **elements: Any) -> bool:
    asked = [tuple(part.split("=", 1)) for part in query.split("&")]
    return bool(matching("Observation", [(name, value) for name, value in asked], [resource(**elements)]))


LOINC = "http://loinc.org"
CODE = {"coding": [{"system": LOINC, "code": "2157-6"}, {"code": "CK"}]}


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("2157-6", True),
        (f"{LOINC}|2157-6", True),
        (f"{LOINC}|", True),
        ("CK", True),
        ("|CK", True),
        ("|2157-6", False),
        (f"{LOINC}|CK", False),
        ("http://snomed.info/sct|2157-6", False),
        ("2157", False),
        ("2157,CK", True),
        ("1,2", False),
    ],
)
def test_a_token_is_a_code_with_or_without_its_system(wanted: str, expected: bool) -> None:
    assert is_found(f"code={wanted}", code=CODE) is expected


def test_a_status_is_found_by_its_code() -> None:
    assert is_found("status=final,amended", status="amended")
    assert not is_found("status=final", status="entered-in-error")


def test_what_has_no_such_element_is_not_found() -> None:
    assert not is_found("code=2157-6")
    assert not is_found("date=ge1900")
    assert not is_found("status=final")


def test_a_parameter_that_is_given_twice_has_to_hold_twice() -> None:
    assert is_found("date=ge2026-01&date=lt2027", effectiveDateTime="2026-05-01")
    assert not is_found("date=ge2026-01&date=lt2026-03", effectiveDateTime="2026-05-01")


@pytest.mark.parametrize(
    ("wanted", "found", "expected"),
    [
        # the table of https://hl7.org/fhir/R4/search.html#prefix, by precision
        ("2026-05-01", "2026-05-01", True),
        ("2026-05", "2026-05-01", True),
        ("2026-05-01", "2026-05", False),
        ("2026-05-01", "2026-05-01T23:59:00Z", True),
        ("2026-05-01", "2026-05-02T00:30:00+01:00", True),
        ("ne2026-05-01", "2026-05-02", True),
        ("gt2026-05", "2026-05-31", False),
        ("gt2026-05-30", "2026-05-31", True),
        ("gt2026-05-30", "2026-05", True),
        ("ge2026-05", "2026-05-01", True),
        ("ge2026-05-02", "2026-05-01", False),
        ("lt2026-05", "2026-04-30", True),
        ("lt2026-05-01", "2026-05-01", False),
        ("le2026-05-01", "2026-05-01", True),
        ("le2026", "2026-12-31", True),
        ("sa2026-05", "2026-06-01", True),
        ("sa2026-05", "2026", False),
        ("eb2026-05", "2026-04-30", True),
        ("eb2026-05", "2026-05-01", False),
        ("ge2026-05-01T12:00:00Z", "2026-05-01T12:00:00Z", True),
        ("lt2026-05-01T12:00Z", "2026-05-01T11:59:59Z", True),
        ("9999", "9999-12-31", True),
    ],
)
def test_a_date_is_compared_as_precisely_as_it_is_given(wanted: str, found: str, expected: bool) -> None:
    assert is_found(f"date={wanted}", effectiveDateTime=found) is expected


def test_a_period_may_be_open() -> None:
    assert is_found("date=ge2030", effectivePeriod={"start": "2026-01-01"})
    assert is_found("date=lt1990", effectivePeriod={"end": "2026-01-01"})
    assert not is_found("date=eb2026", effectivePeriod={"start": "2026-01-01", "end": "2026-02-01"})


DAYS = st.dates(min_value=date(1900, 1, 1), max_value=date(2100, 1, 1)).map(date.isoformat)
TEXTS = st.builds(lambda day, length: day[:length], DAYS, st.sampled_from([4, 7, 10]))


@given(TEXTS, TEXTS)
def test_the_prefixes_agree_with_each_other(wanted: str, found: str) -> None:
    holds = {prefix: is_found(f"date={prefix}{wanted}", effectiveDateTime=found) for prefix in DATE_PREFIXES}
    assert holds["ne"] is not holds["eq"]
    assert holds["ge"] is (holds["gt"] or holds["eq"])
    assert holds["le"] is (holds["lt"] or holds["eq"])
    assert not (holds["sa"] and holds["eb"])
    assert not holds["sa"] or holds["gt"]
    assert not holds["eb"] or holds["lt"]
    assert is_found(f"date={wanted}", effectiveDateTime=found) is holds["eq"]


@given(st.text(max_size=12))
def test_any_other_date_is_refused_and_nothing_breaks(wanted: str) -> None:
    with suppress(UnsupportedQueryError):
        matching("Observation", [("date", wanted)], [resource(effectiveDateTime="2026-05-01")])


# --- pages

ORDERS = st.sampled_from(["", "date", "-date", "_id", "-date,_id", "_lastUpdated,-_id"])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 8), st.integers(0, 12), ORDERS)
def test_pages_give_every_match_once_and_in_order(count: int, size: int, order: str) -> None:
    everything = [
        resource(id=f"o{number}", effectiveDateTime=f"2026-01-{number % 3 + 1:02}", meta={"lastUpdated": "2026-01-01"})
        for number in range(size)
    ]
    asked = [("patient", "x"), ("_sort", order)] if order else [("patient", "x")]
    whole = search("Observation", asked, everything)
    bundle = search("Observation", [*asked, ("_count", str(count))], everything)
    met: list[str] = []
    for _ in range(size + 1):
        assert bundle["total"] == size
        assert len(bundle.get("entry", [])) <= count
        met += [entry["resource"]["id"] for entry in bundle.get("entry", [])]
        if "link" not in bundle:
            break
        query = bundle["link"][0]["url"].partition("?")[2]
        bundle = search("Observation", parse_qsl(query), everything)
    assert met == ([entry["resource"]["id"] for entry in whole.get("entry", [])] if count else [])


def test_the_first_name_of_a_sort_counts_first() -> None:
    given_in = [resource(id=name, effectiveDateTime=day) for name, day in (("b", "2026-01"), ("a", "2026-01"), ("c", "2025"))]
    found = search("Observation", [("_id", "a,b,c"), ("_sort", "-date,_id")], given_in)
    assert [entry["resource"]["id"] for entry in found["entry"]] == ["a", "b", "c"]


def test_what_is_included_is_asked_for_by_name() -> None:
    (order,) = load_charts()["anti-tif1-gamma-dermatomyositis"].of("MedicationRequest")[:1]
    query = f"MedicationRequest?_id={order['id']}&_include=MedicationRequest:medication"
    assert found(query, load_charts()[ID]) == [order]
    with pytest.raises(UnsupportedQueryError):
        answer("Observation?patient=x&_include=MedicationRequest:medication", load_charts()[ID])
