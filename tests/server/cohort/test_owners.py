"""Whose a line is."""

import json
from typing import Any

import pytest

from server.cohort.owners import UNREADABLE, sort_line, sort_unreadable
from tests.server.charts import chart, resources

Json = dict[str, Any]


def observation(reference: Any, **more: Any) -> Json:
    return {"resourceType": "Observation", "id": "o", "subject": {"reference": reference}, **more}


@pytest.mark.parametrize(
    "reference",
    ["Patient/7", "https://ehr.example/fhir/Patient/7", "Patient/7/_history/2", "urn:uuid:7"],
)
def test_a_resource_is_of_the_patient_that_its_subject_names(reference: str) -> None:
    assert [one.patient for one in sort_line(observation(reference)).owned] == ["7"]


def test_a_patient_is_of_itself() -> None:
    assert [one.patient for one in sort_line({"resourceType": "Patient", "id": "7"}).owned] == ["7"]


@pytest.mark.parametrize("reference", [None, "", "Group/7", "Device/1", 7, "#p"])
def test_a_resource_that_names_no_patient_is_not_used_and_that_is_said(reference: Any) -> None:
    found = sort_line(observation(reference))
    assert found.owned == ()
    assert found.problem == "Observation names no patient by a reference that can be told"


@pytest.mark.parametrize("value", [None, 7, "text", {}, {"resourceType": 7}, {"resourceType": ""}])
def test_what_is_no_resource_is_a_problem(value: Any) -> None:
    assert sort_line(value).problem


def test_a_type_that_nobody_reads_is_counted_and_not_kept() -> None:
    found = sort_line({"resourceType": "Claim", "patient": {"reference": "Patient/7"}})
    assert (found.owned, dict(found.passed_over), found.problem) == ((), {"Claim": 1}, None)


def test_drugs_and_organisations_are_of_nobody() -> None:
    assert [(one.patient, one.kind) for one in sort_line({"resourceType": "Medication", "id": "m"}).owned] == [
        (None, "Medication")
    ]


def test_a_bundle_of_one_patient_stays_whole() -> None:
    bundle = chart("healthy")
    (owned,) = sort_line(bundle).owned
    (patient,) = (one for one in resources(bundle) if one["resourceType"] == "Patient")
    assert (owned.patient, owned.kind, owned.resource) == (patient["id"], "Bundle", bundle)


def test_of_a_bundle_of_several_patients_each_gets_what_is_about_no_other() -> None:
    everything = [
        *chart("healthy")["entry"],
        {"resource": chart("classic-dermatomyositis")},
        {"resource": {"resourceType": "Medication", "id": "m"}},
    ]
    found = sort_line({"resourceType": "Bundle", "type": "collection", "entry": everything})
    assert len(found.owned) == 2
    for owned in found.owned:
        assert owned.resource is not None
        text = json.dumps(owned.resource)
        assert f"Patient/{owned.patient}" in text
        assert '"Medication"' in text
        others = {one.patient for one in found.owned} - {owned.patient}
        assert not any(f'Patient/{other}"' in text for other in others)


def test_patients_of_a_transaction_are_told_apart_by_their_full_urls() -> None:
    entries = [{"fullUrl": f"urn:uuid:{name}", "resource": {"resourceType": "Patient"}} for name in ("a", "b")] + [
        {"resource": observation(f"urn:uuid:{name}", id=name)} for name in ("a", "b")
    ]
    found = sort_line({"resourceType": "Bundle", "type": "transaction", "entry": entries})
    assert [(one.patient, len((one.resource or {})["entry"])) for one in found.owned] == [("a", 2), ("b", 2)]


def test_a_line_cut_in_the_middle_still_shows_of_whom_something_is_lost() -> None:
    raw = json.dumps(observation("https://ehr.example/fhir/Patient/7")).encode()[:-2]
    (lost,) = sort_unreadable(raw, "cut").owned
    assert (lost.patient, lost.resource, lost.is_unreadable) == ("7", {UNREADABLE: "Observation"}, True)


@pytest.mark.parametrize(
    "raw", [b'{"resourceType":"Observation","id":"', b'{"subject":{"reference":"Patient/7"', b"", b"\xff" * 50]
)
def test_a_line_that_does_not_show_whose_or_what_it_is_takes_nothing_from_anybody(raw: bytes) -> None:
    found = sort_unreadable(raw, "cut")
    assert (found.owned, found.problem) == ((), "cut")
