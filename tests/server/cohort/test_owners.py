"""Whose a line is."""

import gc
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from server.cohort import bundles
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
        others = {one.patient for one in found.owned} - {owned.patient}
        assert not any(f'Patient/{other}"' in text for other in others)


def of_several(patients: int, *more: Json) -> Json:
    """A Bundle of so many patients, each with an order of one of as many drugs."""
    entries: list[Json] = [{"resource": one} for one in more]
    for number in range(patients):
        drug = {"resourceType": "Medication", "id": f"m{number}"}
        order = observation(f"Patient/p{number}", id=f"o{number}", medicationReference={"reference": f"urn:uuid:{number}"})
        entries += [{"resource": {"resourceType": "Patient", "id": f"p{number}"}}, {"resource": order}]
        entries.append({"fullUrl": f"urn:uuid:{number}", "resource": drug})
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def ids_of(patient: str, bundle: Json) -> list[str]:
    (owned,) = (one for one in sort_line(bundle).owned if one.patient == patient)
    return [one["id"] for one in resources(owned.resource or {})]


def test_of_what_is_of_nobody_each_patient_gets_what_the_own_resources_name() -> None:
    maker = {"resourceType": "Organization", "id": "maker"}
    stranger = {"resourceType": "Organization", "id": "stranger"}
    bundle = of_several(2, maker, stranger)
    bundle["entry"][4]["resource"]["manufacturer"] = {"reference": "https://ehr.example/fhir/Organization/maker/_history/1"}
    assert ids_of("p0", bundle) == ["maker", "p0", "o0", "m0"]
    assert ids_of("p1", bundle) == ["p1", "o1", "m1"]


def test_what_may_be_anybodys_stays_with_everybody() -> None:
    unclear = {"resourceType": "Procedure", "id": "unclear", "subject": {"display": "one of them"}}
    failed = {"resourceType": "OperationOutcome", "id": "failed", "issue": [{"severity": "error", "code": "exception"}]}
    for patient in ("p0", "p1"):
        assert ids_of(patient, of_several(2, unclear, failed))[:2] == ["unclear", "failed"]


def test_what_anybodys_names_stays_with_everybody_and_is_looked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[Json] = []

    def noting(entry: Json) -> Iterator[str]:
        looked.append(entry["resource"])
        return references(entry)

    references = bundles._references
    monkeypatch.setattr(bundles, "_references", noting)
    unclear = {"resourceType": "Procedure", "id": "unclear", "performer": [{"actor": {"reference": "Organization/maker"}}]}
    bundle = of_several(5, unclear, {"resourceType": "Organization", "id": "maker"})
    for owned in sort_line(bundle).owned:
        assert [one["id"] for one in resources(owned.resource or {})][:2] == ["unclear", "maker"]
    assert [one["id"] for one in looked].count("unclear") == 1


def test_two_versions_of_a_drug_stay_together() -> None:
    bundle = of_several(2)
    bundle["entry"].append({"resource": {"resourceType": "Medication", "id": "m0", "status": "inactive"}})
    bundle["entry"][1]["resource"]["medicationReference"] = {"reference": "Medication/m0"}
    assert ids_of("p0", bundle) == ["p0", "o0", "m0", "m0"]


def test_ten_times_the_patients_in_a_bundle_take_about_ten_times_as_long() -> None:
    """And not a hundred times, as when each patient looks at every entry."""

    def seconds(patients: int) -> float:
        bundle = of_several(patients)
        begun = time.process_time()
        assert len(sort_line(bundle).owned) == patients
        return time.process_time() - begun

    gc.disable()  # its own time grows with everything that other tests left
    try:
        few, many = (min(seconds(patients) for _ in range(3)) for patients in (300, 3_000))
    finally:
        gc.enable()
    assert many < 35 * few


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
