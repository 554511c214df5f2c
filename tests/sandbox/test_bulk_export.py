"""Bulk Data exports of the sandbox: what they hold is what a search finds, and they keep to the steps of the specification."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from operator import itemgetter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from fhir.resources.R4B.group import Group
from fhir.resources.R4B.operationoutcome import OperationOutcome
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from sandbox.application import create_sandbox
from sandbox.bulk_data.endpoints import bulk_data_blueprint
from sandbox.bulk_data.gathering import OF_PATIENTS
from sandbox.chart_store import ChartStore
from sandbox.charts import load_charts
from sandbox.faults import Fault, read_faults
from sandbox.fhir_api import fhir_blueprint
from sandbox.fhir_server import create_fhir_server
from tests.sandbox.conftest import AS_OF
from tests.sandbox.desks import KEYS

ID = "anti-tif1-gamma-dermatomyositis"
NDJSON = "application/fhir+ndjson"
DEFINITIONS = "http://hl7.org/fhir/uv/bulkdata/OperationDefinition"
ASYNC = {"Prefer": "respond-async", "Accept": "application/fhir+json"}
Json = dict[str, Any]


@dataclass
class Ehr:
    """An open FHIR API with exports, and its clock."""

    store: ChartStore
    web: FlaskClient
    faults: dict[str, Fault]
    seconds: float = field(default_factory=lambda: datetime.now(UTC).timestamp())

    def begin(self, path: str = "Patient/$export", **query: str) -> str:
        """Begin an export; the path of its status."""
        response = self.web.get(f"/fhir/{path}", query_string=query, headers=ASYNC)
        assert response.status_code == 202, response.get_data()
        return urlsplit(response.headers["Content-Location"]).path

    def manifest(self, path: str = "Patient/$export", **query: str) -> Json:
        """The manifest of an export that is begun now."""
        response = self.web.get(self.begin(path, **query))
        assert (response.status_code, response.mimetype) == (200, "application/json")
        manifest: Json = response.get_json()
        return manifest

    def lines(self, files: list[Json]) -> list[Json]:
        """All resources in files; each file is what it says it is."""
        found: list[Json] = []
        for file in files:
            response = self.web.get(urlsplit(file["url"]).path)
            assert (response.status_code, response.content_type) == (200, NDJSON)
            lines = [json.loads(line) for line in response.get_data().splitlines()]
            assert {line["resourceType"] for line in lines} == {file["type"]}
            assert len(lines) == file["count"]
            found += lines
        return found

    def by_search(self, kind: str, patient: str) -> list[Json]:
        """What a search finds of one patient."""
        query = {"_id" if kind == "Patient" else "patient": patient}
        found = json.loads(self.web.get(f"/fhir/{kind}", query_string=query).get_data())
        return [entry["resource"] for entry in found.get("entry", [])]


@pytest.fixture
def ehr() -> Ehr:
    """With few resources to a file."""
    app, faults = Flask("sandbox"), dict[str, Fault]()
    made = Ehr(ChartStore(lambda: AS_OF), app.test_client(), faults)
    app.register_blueprint(fhir_blueprint(made.store))
    app.register_blueprint(bulk_data_blueprint(made.store, faults=lambda: faults, per_file=50, now=lambda: made.seconds))
    return made


def refused(response: TestResponse, status: int) -> str:
    """What an OperationOutcome says."""
    assert response.status_code == status, response.get_data()
    assert response.content_type == "application/fhir+json"
    outcome = json.loads(response.get_data())
    OperationOutcome.model_validate(outcome)
    return str(outcome["issue"][0]["diagnostics"])


def ids(resources: list[Json]) -> list[tuple[str, str]]:
    return sorted((one["resourceType"], one["id"]) for one in resources)


# --- what it holds


def test_an_export_of_all_patients_is_what_searches_find(ehr: Ehr) -> None:
    exported = ehr.lines(ehr.manifest()["output"])
    found = [one for patient in load_charts() for kind in OF_PATIENTS for one in ehr.by_search(kind, patient)]
    assert ids(exported) == ids(found)
    by_id = itemgetter("resourceType", "id")
    assert sorted(exported, key=by_id) == sorted(found, key=by_id)


def test_an_export_of_a_group_is_of_its_members_only(ehr: Ehr) -> None:
    group = json.loads(ehr.web.get("/fhir/Group/myositis").get_data())
    Group.model_validate(group)
    members = {member["entity"]["reference"].removeprefix("Patient/") for member in group["member"]}
    assert ID in members
    assert members < set(load_charts())
    assert not {"healthy", "dermatomyositis-suspected", "mimic-refuted-dermatomyositis"} & members
    exported = ehr.lines(ehr.manifest("Group/myositis/$export")["output"])
    assert {one["id"] for one in exported if one["resourceType"] == "Patient"} == members
    subjects = {
        str((one.get("subject") or one.get("patient"))["reference"]) for one in exported if one["resourceType"] != "Patient"
    }
    assert subjects <= {f"Patient/{member}" for member in members}


def test_groups_are_found(ehr: Ehr) -> None:
    found = json.loads(ehr.web.get("/fhir/Group").get_data())
    assert [entry["resource"]["id"] for entry in found["entry"]] == ["everyone", "myositis"]
    assert found["entry"][0]["resource"]["quantity"] == len(load_charts())
    assert json.loads(ehr.web.get("/fhir/Group?_id=myositis").get_data())["total"] == 1
    refused(ehr.web.get("/fhir/Group?name=x"), 400)
    refused(ehr.web.get("/fhir/Group/nobody"), 404)
    refused(ehr.web.get("/fhir/Group/nobody/$export", headers=ASYNC), 404)
    refused(ehr.web.delete("/fhir/Group/myositis"), 405)


def test_an_export_of_the_system_holds_what_is_about_nobody_too(ehr: Ehr) -> None:
    kinds = {file["type"] for file in ehr.manifest("$export")["output"]}
    assert {"Patient", "Group", "Practitioner"} <= kinds
    assert not {"Group", "Practitioner"} & {file["type"] for file in ehr.manifest()["output"]}


def test_types_can_be_chosen_in_each_way_that_is_allowed(ehr: Ehr) -> None:
    listed = ehr.manifest(_type="Condition,Patient")["output"]
    assert {file["type"] for file in listed} == {"Condition", "Patient"}
    twice = ehr.web.get("/fhir/Patient/$export?_type=Patient&_type=Condition", headers=ASYNC)
    same = ehr.web.get(urlsplit(twice.headers["Content-Location"]).path).get_json()["output"]
    assert [(one["type"], one["count"]) for one in same] == [(one["type"], one["count"]) for one in listed]


def test_a_kick_off_by_post_is_the_same(ehr: Ehr) -> None:
    parameters = {
        "resourceType": "Parameters",
        "parameter": [{"name": "_type", "valueString": "Condition"}, {"name": "_outputFormat", "valueString": "ndjson"}],
    }
    posted = ehr.web.post("/fhir/Patient/$export", json=parameters, headers=ASYNC)
    manifest = ehr.web.get(urlsplit(posted.headers["Content-Location"]).path).get_json()
    assert manifest["request"] == "http://localhost/fhir/Patient/$export"
    assert [file["count"] for file in manifest["output"]] == [file["count"] for file in ehr.manifest(_type="Condition")["output"]]
    refused(ehr.web.post("/fhir/Patient/$export", json={"resourceType": "Patient"}, headers=ASYNC), 400)
    refused(ehr.web.post("/fhir/Patient/$export", data="{", headers=ASYNC), 400)


def test_many_resources_of_a_type_are_in_several_files(ehr: Ehr) -> None:
    files = [file for file in ehr.manifest()["output"] if file["type"] == "Observation"]
    assert len(files) > 2
    assert [file["count"] for file in files[:-1]] == [50] * (len(files) - 1)
    assert 0 < files[-1]["count"] <= 50


def test_the_manifest_says_what_the_specification_asks_for(ehr: Ehr) -> None:
    before = datetime.now(UTC)
    manifest = ehr.manifest(_type="Patient")
    assert manifest["request"] == "http://localhost/fhir/Patient/$export?_type=Patient"
    assert manifest["requiresAccessToken"] is False  # the API is open
    assert (manifest["deleted"], manifest["error"]) == ([], [])
    moment = datetime.fromisoformat(manifest["transactionTime"])
    assert abs((moment - before).total_seconds()) < 5


def test_changes_and_deletions_since_the_last_export(ehr: Ehr) -> None:
    first = ehr.manifest()["transactionTime"]
    instants = iter([f"2099-01-01T00:00:0{number}+00:00" for number in range(9)])
    ehr.store._now = lambda: datetime.fromisoformat(next(instants))
    changed = ehr.by_search("Condition", ID)[0]
    gone = ehr.by_search("Observation", ID)[0]
    ehr.store.update(changed | {"recordedDate": "2026-11-20"})
    ehr.store.delete("Observation", gone["id"])
    for since in (first, first.replace("Z", "+00:00")):  # the plus arrives as it is, or as a space
        manifest = ehr.manifest(_since=since, _type="Condition,Observation")
        assert ids(ehr.lines(manifest["output"])) == [("Condition", changed["id"])]
        (bundle,) = ehr.lines(manifest["deleted"])
        assert bundle["type"] == "transaction"
        assert bundle["entry"] == [{"request": {"method": "DELETE", "url": f"Observation/{gone['id']}"}}]
    assert ehr.manifest(_since=first, _type="Condition")["deleted"] == []
    assert ehr.manifest()["deleted"] == []  # without _since nobody asked


def test_what_is_changed_after_the_kick_off_is_not_in_it(ehr: Ehr) -> None:
    ehr.faults["$export"] = Fault("slow", seconds=60)
    place, number = ehr.begin(_type="Condition"), len(ehr.by_search("Condition", ID))
    ehr.store.delete("Condition", ehr.by_search("Condition", ID)[0]["id"])
    ehr.seconds += 61
    exported = ehr.lines(ehr.web.get(place).get_json()["output"])
    assert len([one for one in exported if one["subject"]["reference"] == f"Patient/{ID}"]) == number


# --- the steps


def test_the_status_says_how_far_it_is(ehr: Ehr) -> None:
    ehr.faults["$export"] = Fault("slow", seconds=100)
    place = ehr.begin()
    seen = []
    for _ in range(3):
        response = ehr.web.get(place)
        seen.append((response.status_code, response.headers["X-Progress"], response.headers["Retry-After"]))
        ehr.seconds += 40
    assert seen == [(202, "0% complete", "30"), (202, "40% complete", "30"), (202, "80% complete", "20")]
    done = ehr.web.get(place)
    assert done.status_code == 200
    expires = parsedate_to_datetime(done.headers["Expires"]).timestamp()
    assert 0 < expires - ehr.seconds <= 3600


def test_after_its_time_an_export_is_gone(ehr: Ehr) -> None:
    place = ehr.begin(_type="Patient")
    file = urlsplit(ehr.web.get(place).get_json()["output"][0]["url"]).path
    ehr.seconds += 3600
    for path in (place, file):
        refused(ehr.web.get(path), 410)


def test_a_deleted_export_is_not_found(ehr: Ehr) -> None:
    place = ehr.begin(_type="Patient")
    file = urlsplit(ehr.web.get(place).get_json()["output"][0]["url"]).path
    assert ehr.web.delete(place).status_code == 202
    for path in (place, file):
        refused(ehr.web.get(path), 404)
    refused(ehr.web.delete(place), 404)


def test_a_file_can_be_gone_on_with(ehr: Ehr) -> None:
    path = urlsplit(ehr.manifest(_type="Patient")["output"][0]["url"]).path
    whole = ehr.web.get(path)
    body, tag = whole.get_data(), whole.headers["ETag"]
    assert (whole.headers["Accept-Ranges"], tag[0]) == ("bytes", '"')
    rest = ehr.web.get(path, headers={"Range": "bytes=100-", "If-Range": tag})
    assert (rest.status_code, rest.headers["Content-Range"]) == (206, f"bytes 100-{len(body) - 1}/{len(body)}")
    assert rest.get_data() == body[100:]
    assert ehr.web.get(path, headers={"Range": "bytes=100-", "If-Range": '"other"'}).get_data() == body
    refused(ehr.web.get(path, headers={"Range": f"bytes={len(body)}-"}), 416)
    refused(ehr.web.get(path + "x"), 404)


@pytest.mark.parametrize(
    ("query", "headers", "status", "word"),
    [
        ({}, {"Prefer": ""}, 400, "respond-async"),
        ({}, {"Accept": "text/html"}, 406, "fhir+json"),
        ({"_outputFormat": "text/csv"}, {}, 400, "ndjson"),
        ({"_type": "Basic"}, {}, 400, "Observation"),
        ({"_type": "Practitioner"}, {}, 400, "Observation"),
        ({"_since": "yesterday"}, {}, 400, "instant"),
        ({"_since": "2026-13-01T00:00:00Z"}, {}, 400, "instant"),
        ({"_since": "2026-11-01"}, {}, 400, "instant"),
        ({"_typeFilter": "Observation?status=final"}, {}, 400, "_since"),
    ],
)
def test_what_cannot_be_exported_is_refused_with_an_operation_outcome(
    ehr: Ehr, query: dict[str, str], headers: dict[str, str], status: int, word: str
) -> None:
    assert word in refused(ehr.web.get("/fhir/Patient/$export", query_string=query, headers=ASYNC | headers), status)


def test_lenient_handling_leaves_out_what_is_not_known_and_says_so(ehr: Ehr) -> None:
    lenient = {"Prefer": "respond-async, handling=lenient"}
    begun = ehr.web.get("/fhir/Patient/$export?_type=Patient,Basic&_elements=id", headers=lenient)
    manifest = ehr.web.get(urlsplit(begun.headers["Content-Location"]).path).get_json()
    assert {file["type"] for file in manifest["output"]} == {"Patient"}
    outcomes = ehr.lines(manifest["error"])
    assert [one["issue"][0]["severity"] for one in outcomes] == ["warning", "warning"]


@pytest.mark.parametrize("output_format", ["ndjson", "application/ndjson", NDJSON, "application%2Ffhir%2Bndjson"])
def test_ndjson_has_many_names(ehr: Ehr, output_format: str) -> None:
    assert ehr.web.get(f"/fhir/Patient/$export?_outputFormat={output_format}", headers=ASYNC).status_code == 202


# --- what goes wrong when it is told to


def spoilt(ehr: Ehr, kind: str, **more: Any) -> tuple[str, str]:
    """Paths of an export and of its first file, with a fault switched on."""
    ehr.faults["$export"] = Fault(kind, **more)
    place = ehr.begin(_type="Patient")
    listed = ehr.web.get(place)
    return place, urlsplit(listed.get_json()["output"][0]["url"]).path if listed.status_code == 200 else ""


def test_a_busy_or_failing_server_says_so(ehr: Ehr) -> None:
    place, _ = spoilt(ehr, "busy", value="2")
    again = ehr.web.get(place)
    assert (again.status_code, again.headers["Retry-After"]) == (429, "1")
    assert ehr.web.get(place).status_code == 200
    for kind, status in (("failed", 500), ("gone", 410)):
        place, _ = spoilt(ehr, kind)
        refused(ehr.web.get(place), status)


@pytest.mark.parametrize(("kind", "has_ranges"), [("cut", True), ("cut-whole", False)])
def test_a_file_breaks_off_half_way_once(ehr: Ehr, kind: str, has_ranges: bool) -> None:
    _, file = spoilt(ehr, kind)
    first = ehr.web.get(file, buffered=True)
    length = int(first.headers["Content-Length"])
    assert len(first.get_data()) == length // 2
    assert ("ETag" in first.headers) is has_ranges
    second = ehr.web.get(file, headers={"Range": f"bytes={length // 2}-"})
    assert second.status_code == (206 if has_ranges else 200)
    assert second.get_data().endswith(b"}\n")


def test_the_other_faults_do_what_they_say(ehr: Ehr) -> None:
    place, file = spoilt(ehr, "expired")
    assert ehr.web.get(file).status_code == 200
    assert 'error="invalid_token"' in ehr.web.get(file).headers["WWW-Authenticate"]
    assert ehr.web.get(file, headers={"Authorization": "Bearer new"}).status_code == 200
    place, file = spoilt(ehr, "wrong-count")
    assert ehr.web.get(place).get_json()["output"][0]["count"] == len(load_charts()) + 1
    place, file = spoilt(ehr, "elsewhere")
    assert ehr.web.get(place).get_json()["output"][0]["url"].startswith("http://127.0.0.2:9/")
    place, file = spoilt(ehr, "html")
    assert ehr.web.get(file).get_data().startswith(b"<!doctype")
    place, file = spoilt(ehr, "errors")
    outcomes = ehr.lines(ehr.web.get(place).get_json()["error"])
    assert [one["issue"][0]["severity"] for one in outcomes] == ["error", "warning"]


def test_a_stalled_file_comes_in_two_halves(ehr: Ehr) -> None:
    _, file = spoilt(ehr, "stalled", seconds=0.01)
    assert ehr.web.get(file).get_data().endswith(b"}\n")


def test_a_whole_sandbox_exports_and_takes_faults_from_a_file_too(tmp_path: Path) -> None:
    faults = tmp_path / "faults.json"
    app = create_sandbox("http://127.0.0.1:8000", keys=KEYS, is_open=True, more_faults=lambda: read_faults(faults)).test_client()
    faults.write_text('{"Condition": {"kind": "fail"}, "$export": {"kind": "failed"}}', "utf-8")
    refused(app.get(f"/fhir/Condition?patient={ID}"), 500)
    begun = app.get("/fhir/Patient/$export", headers=ASYNC)
    refused(app.get(urlsplit(begun.headers["Content-Location"]).path), 500)
    faults.unlink()
    assert app.get(urlsplit(begun.headers["Content-Location"]).path).get_json()["requiresAccessToken"] is False


# --- what it says about itself


def test_the_capability_statement_names_the_three_operations(ehr: Ehr) -> None:
    statement = json.loads(create_fhir_server(lambda: AS_OF).test_client().get("/fhir/metadata").get_data())
    rest = statement["rest"][0]
    own = {one["type"]: one.get("operation", []) for one in rest["resource"]}
    definitions = [one["definition"] for one in (*rest["operation"], *own["Patient"], *own["Group"])]
    assert definitions == [f"{DEFINITIONS}/{name}" for name in ("export", "patient-export", "group-export")]
    assert statement["instantiates"] == ["http://hl7.org/fhir/uv/bulkdata/CapabilityStatement/bulk-data"]
