"""Collecting: whatever the wrapping, each resource once, in its newest version."""

from typing import Any

import pytest

from fhir_profiles.resources import collect, type_and_id
from tests.fhir_profiles.charts import Json, bundle, condition, observation, patient


def references(*parts: Any) -> list[str]:
    return sorted(element.reference for element in collect(parts))


@pytest.mark.parametrize(
    "parts",
    [
        [patient(), condition()],
        [[patient(), condition()]],
        [[[patient()]], None, condition()],
        [bundle(patient(), condition())],
        [bundle(patient()), bundle(condition(), type="searchset", total=1)],
        [{"resourceType": "Bundle", "entry": [{"resource": patient()}, {"resource": condition()}]}],
        [{"resourceType": "Bundle", "entry": {"resource": patient()}}, condition()],
        [bundle(bundle(patient(), type="searchset"), bundle(condition()), type="batch-response")],
        [patient(), {"resourceType": "Bundle", "type": "searchset", "total": 0}, bundle(condition())],
        [(patient(), condition())],
    ],
    ids=["resources", "list", "lists", "bundle", "bundles", "untyped", "entry-object", "batch", "empty", "tuple"],
)
def test_any_wrapping_gives_the_same_resources(parts: list[Any]) -> None:
    assert references(*parts) == ["Condition/dm", "Patient/1"]


@pytest.mark.parametrize("value", [{}, 5, "x", True, {"resourceType": 7}, {"resourceType": ""}, {"id": "1"}])
def test_what_is_no_resource_is_reported_and_costs_no_other(value: Any) -> None:
    collection = collect([patient(), value])
    assert [element.reference for element in collection] == ["Patient/1"]
    assert len(collection.issues) == 1


@pytest.mark.parametrize("entry", [5, "x", [], {"resource": 5}, {"resource": []}, {"resource": {"id": "1"}}])
def test_an_entry_that_is_none_is_reported_and_costs_no_other(entry: Any) -> None:
    collection = collect([{"resourceType": "Bundle", "entry": [entry, {"resource": patient()}]}])
    assert [element.reference for element in collection] == ["Patient/1"]
    assert len(collection.issues) == 1


def test_an_entry_without_a_resource_is_no_problem() -> None:
    collection = collect([{"resourceType": "Bundle", "entry": [None, {}, {"request": {"method": "GET", "url": "Patient"}}]}])
    assert list(collection) == []
    assert collection.issues == []


@pytest.mark.parametrize("value", [patient(), "[]", b"{}"])
def test_a_single_value_where_several_are_meant_is_a_mistake_of_the_caller(value: Any) -> None:
    with pytest.raises(TypeError, match="put it into a list"):
        collect(value)


def test_depth_is_no_danger() -> None:
    nested: Any = patient()
    for _ in range(50_000):
        nested = [nested]
    wrapped = condition()
    for _ in range(50_000):
        wrapped = bundle(wrapped)
    assert references(nested, wrapped) == ["Condition/dm", "Patient/1"]


# --- versions ------------------------------------------------------------------------------------------------------


def version(number: str | None, updated: str | None, status: str) -> Json:
    meta = {name: value for name, value in (("versionId", number), ("lastUpdated", updated)) if value}
    return observation(meta=meta, status=status)


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        (version("1", "2025-01-01T10:00:00Z", "final"), version("2", "2025-01-02T10:00:00Z", "amended")),
        (version("9", "2025-01-01T10:00:00Z", "final"), version("10", "2025-01-01T10:00:00Z", "amended")),
        (version("9", None, "final"), version("10", None, "amended")),
        (version(None, None, "final"), version("1", "2025-01-01T10:00:00Z", "amended")),
        (version("7", "2025-01-01T23:30:00-05:00", "final"), version("1", "2025-01-02T05:00:00Z", "amended")),
        (version("1", "not a time", "final"), version("1", "2025-01-01T10:00:00Z", "amended")),
    ],
)
def test_of_two_versions_the_newer_stays_wherever_it_stood(older: Json, newer: Json) -> None:
    for parts in ([older, newer], [newer, older], [older, newer, older]):
        collection = collect(parts)
        assert [element.content["status"] for element in collection] == ["amended"]
        assert collection.issues == []


def test_the_same_resource_sent_twice_is_one() -> None:
    collection = collect([bundle(observation()), bundle(observation())])
    assert len(list(collection)) == 1
    assert collection.issues == []


def test_versions_of_which_none_is_known_to_be_newer_are_not_used() -> None:
    collection = collect([observation(status="final"), observation(status="entered-in-error")])
    assert list(collection) == []
    assert collection.contradicting == {"Observation"}
    assert [issue.reference for issue in collection.issues] == ["Observation/ck"]


def test_versions_are_compared_without_recursion() -> None:
    one: Any = {}
    other: Any = {}
    for _ in range(50_000):
        one, other = {"extension": [one]}, {"extension": [other]}
    assert len(list(collect([observation(extension=[one]), observation(extension=[other])]))) == 1


def test_what_a_history_deletes_is_not_used() -> None:
    gone = {"request": {"method": "DELETE", "url": "Condition/dm"}}
    history = {"resourceType": "Bundle", "type": "history", "entry": [gone, {"resource": condition()}, {"resource": patient()}]}
    collection = collect([history])
    assert [element.reference for element in collection] == ["Patient/1"]
    assert [issue.reference for issue in collection.issues] == ["Condition/dm"]


# --- references ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reference",
    [
        "Patient/1",
        "Patient/1/_history/3",
        "https://ehr.example/fhir/Patient/1",
        "https://ehr.example/fhir/Patient/1/_history/3",
        "urn:uuid:0b0c6c8e-1d5c-4d2f-9f68-3f1f6c0a6a11",
    ],
)
def test_a_reference_finds_its_resource_in_every_spelling(reference: str) -> None:
    entry = {"fullUrl": "urn:uuid:0b0c6c8e-1d5c-4d2f-9f68-3f1f6c0a6a11", "resource": patient()}
    found = collect([{"resourceType": "Bundle", "entry": [entry]}]).find(reference)
    assert found is not None
    assert found.reference == "Patient/1"


def test_a_full_url_names_a_resource_without_an_id() -> None:
    entry = {"fullUrl": "urn:uuid:7", "resource": {"resourceType": "Medication", "code": {"text": "methotrexate"}}}
    found = collect([{"resourceType": "Bundle", "type": "transaction", "entry": [entry]}]).find("urn:uuid:7")
    assert found is not None
    assert found.type == "Medication"


def test_one_full_url_for_two_resources_names_neither() -> None:
    entries = [{"fullUrl": "urn:uuid:7", "resource": observation(id=name)} for name in ("a", "b")]
    for order in (entries, entries[::-1]):
        assert collect([{"resourceType": "Bundle", "entry": order}]).find("urn:uuid:7") is None


def test_a_hash_names_what_the_resource_itself_contains() -> None:
    outer = observation(contained=[{"resourceType": "Specimen", "id": "s"}])
    collection = collect([outer])
    (element,) = collection
    found = collection.find("#s", element)
    assert found is not None
    assert (found.type, found.reference) == ("Specimen", "Observation/ck")
    assert collection.find("#s") is None
    assert collection.find("#t", element) is None


@pytest.mark.parametrize(
    ("reference", "named"),
    [
        ("Patient/1", ("Patient", "1")),
        ("https://ehr.example/r4/Patient/a.b-1/_history/22", ("Patient", "a.b-1")),
        ("Patient/1/", ("Patient", "1")),
        ("Patient?identifier=7", None),
        ("#p", None),
        ("Patient/1#x", ("Patient", "1")),
        ("https://ehr.example/r4//Patient//1?a=b#x", ("Patient", "1")),
        ("Patient?x=Patient/1", None),
        ("Patient", None),
        ("/1", None),
        ("", None),
        ("urn:uuid:7", None),
        ("Patient/" + "1" * 5000, None),
    ],
)
def test_only_a_literal_reference_names_a_type_and_an_id(reference: str, named: tuple[str, str] | None) -> None:
    assert type_and_id(reference) == named


# --- incomplete Bundles --------------------------------------------------------------------------------------------


def test_a_bundle_with_a_next_page_was_cut() -> None:
    """Conformance R-15: what is on the other pages is not known."""
    cut = bundle(observation(), type="searchset", link=[{"relation": "self", "url": "x"}, {"relation": "next", "url": "y"}])
    assert collect([cut, bundle(patient())]).cut == {"Observation"}


def outcome(severity: str) -> Json:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": "processing"}]}


@pytest.mark.parametrize("severity", ["error", "fatal"])
def test_an_error_among_the_entries_makes_the_bundle_incomplete(severity: str) -> None:
    """Conformance R-13."""
    collection = collect([bundle(observation(), outcome(severity), type="searchset"), patient()])
    assert collection.cut == {"Observation"}
    assert [issue.reference for issue in collection.issues] == ["OperationOutcome"]


@pytest.mark.parametrize("severity", ["warning", "information"])
def test_a_warning_such_as_no_results_means_no_data_and_no_error(severity: str) -> None:
    """Conformance R-14: so does Epic report an empty search."""
    collection = collect([bundle(outcome(severity), type="searchset", total=0), outcome(severity)])
    assert (list(collection), collection.cut, collection.issues) == ([], set(), [])


def test_an_error_in_place_of_data_is_reported() -> None:
    assert [issue.reference for issue in collect([outcome("error")]).issues] == ["OperationOutcome"]
