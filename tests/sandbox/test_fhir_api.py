"""The FHIR API of the sandbox: what an EHR offers to a service that calls back, and the faults that can be switched on."""

import json
import subprocess
import sys
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from fhir_profiles.elements import Json
from sandbox.charts import Chart
from sandbox.faults import FAULTS
from sandbox.fhir_server import create_fhir_server, main
from tests.sandbox.conftest import AS_OF

ID = "anti-tif1-gamma-dermatomyositis"
OBSERVATIONS = f"/fhir/Observation?patient={ID}"

Spoil = Callable[..., None]


@pytest.fixture
def faults(tmp_path: Path) -> Path:
    return tmp_path / "faults.json"


@pytest.fixture
def ehr(faults: Path) -> FlaskClient:
    """The API, on the day of the stories."""
    return create_fhir_server(lambda: AS_OF, faults=faults).test_client()


@pytest.fixture
def spoil(faults: Path) -> Spoil:
    """Switches one fault on for one type."""

    def write(kind: str, resource_type: str = "Observation", **more: Any) -> None:
        faults.write_text(json.dumps({resource_type: {"kind": kind, **more}}), "utf-8")

    return write


def fhir(response: TestResponse, status: int = 200) -> Json:
    assert response.status_code == status
    assert response.content_type == "application/fhir+json"
    content: Json = json.loads(response.get_data())
    return content


def refused(response: TestResponse, status: int) -> None:
    assert fhir(response, status)["resourceType"] == "OperationOutcome"


def resources(response: TestResponse) -> list[Any]:
    entries: Any = fhir(response).get("entry", [])
    return [entry["resource"] for entry in entries]


def as_told(resource: Json) -> Json:
    """Without the version that the EHR adds."""
    return {name: value for name, value in resource.items() if name != "meta"}


# --- what it offers


def test_it_says_what_it_can(ehr: FlaskClient) -> None:
    statement: Any = fhir(ehr.get("/fhir/metadata"))
    assert (statement["resourceType"], statement["fhirVersion"]) == ("CapabilityStatement", "4.0.1")
    types = {resource["type"] for resource in statement["rest"][0]["resource"]}
    assert {"Patient", "Condition", "Observation", "MedicationRequest"} <= types


def test_a_resource_is_read_by_its_id(ehr: FlaskClient, tif1_gamma_chart: Chart) -> None:
    assert fhir(ehr.get(f"/fhir/Patient/{ID}"))["birthDate"] == "1964-03-14"
    condition = tif1_gamma_chart.of("Condition")[0]
    assert as_told(fhir(ehr.get(f"/fhir/Condition/{condition['id']}"))) == condition


@pytest.mark.parametrize("parameter", [f"patient={ID}", f"subject=Patient/{ID}", f"patient=Patient/{ID}"])
def test_a_search_finds_what_is_this_patients(ehr: FlaskClient, tif1_gamma_chart: Chart, parameter: str) -> None:
    found = resources(ehr.get(f"/fhir/Condition?{parameter}"))
    assert list(map(as_told, found)) == list(tif1_gamma_chart.of("Condition"))


def test_a_search_by_post_finds_the_same(ehr: FlaskClient) -> None:
    posted = ehr.post("/fhir/Observation/_search", data={"patient": ID, "_sort": "-date"})
    assert resources(posted) == resources(ehr.get(f"{OBSERVATIONS}&_sort=-date")) != []


def test_a_search_by_id_finds_whoever_has_it(ehr: FlaskClient) -> None:
    assert [patient["id"] for patient in resources(ehr.get(f"/fhir/Patient?_id={ID}"))] == [ID]
    assert resources(ehr.get("/fhir/Patient?_id=nobody")) == []


def test_nothing_is_found_for_somebody_who_is_not_here(ehr: FlaskClient) -> None:
    assert fhir(ehr.get("/fhir/Condition?patient=nobody"))["total"] == 0


def test_pages_lead_to_all_of_it_and_to_an_end(ehr: FlaskClient) -> None:
    url: str | None = f"{OBSERVATIONS}&_sort=-date&_count=2"
    found, pages = [], 0
    while url:
        page: Any = fhir(ehr.get(url))
        found += [entry["resource"] for entry in page["entry"]]
        url = next((link["url"] for link in page.get("link", []) if link["relation"] == "next"), None)
        pages += 1
    assert found == resources(ehr.get(f"{OBSERVATIONS}&_sort=-date"))
    assert len(found) > 4
    assert pages == (len(found) + 1) // 2


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/fhir/Patient/nobody", 404),
        ("/fhir/Basic?patient=x", 404),
        ("/fhir/", 404),
        ("/fhir/a/b/c/d", 404),
        ("/fhir/Condition", 400),
        (f"{OBSERVATIONS}&value-quantity=1", 400),
        (f"{OBSERVATIONS}&_count=x", 400),
    ],
)
def test_what_it_does_not_know_is_refused_with_an_operation_outcome(ehr: FlaskClient, path: str, status: int) -> None:
    refused(ehr.get(path), status)


def test_what_it_does_not_do_is_refused_too(ehr: FlaskClient) -> None:
    refused(ehr.delete(f"/fhir/Patient/{ID}"), 405)
    refused(ehr.post("/fhir/Patient", json={}), 405)


@pytest.mark.parametrize("given", [None, "Bearer wrong", "Bearer ", "Basic abc", "abc", "Bearer é"])
def test_with_a_token_set_nobody_gets_in_without_it(given: str | None) -> None:
    ehr = create_fhir_server(lambda: AS_OF, token="synthetic").test_client()
    refused(ehr.get(OBSERVATIONS, headers={"Authorization": given} if given else {}), 401)
    assert resources(ehr.get(OBSERVATIONS, headers={"Authorization": "Bearer synthetic"}))


def test_the_sandbox_has_the_api_too(browser_of_pages: FlaskClient) -> None:
    assert fhir(browser_of_pages.get("/fhir/metadata"))["resourceType"] == "CapabilityStatement"


# --- faults


def test_without_a_fault_of_its_own_a_type_is_answered(ehr: FlaskClient, spoil: Spoil) -> None:
    spoil("fail", "Observation")
    refused(ehr.get(OBSERVATIONS), 500)
    assert resources(ehr.get(f"/fhir/Condition?patient={ID}"))
    spoil("fail", "*")
    refused(ehr.get(f"/fhir/Patient/{ID}"), 500)


def test_every_fault_can_be_switched_on_and_changes_the_answer(ehr: FlaskClient, spoil: Spoil) -> None:
    sound = ehr.get(OBSERVATIONS)
    for kind in FAULTS:
        spoil(kind, seconds=0.1, value="4130" if kind == "epic" else "1")
        spoilt = ehr.get(OBSERVATIONS)
        same = (spoilt.status_code, spoilt.get_data()) == (sound.status_code, sound.get_data())
        assert same == (kind == "slow"), kind


def test_a_busy_server_says_when_to_come_back(ehr: FlaskClient, spoil: Spoil) -> None:
    spoil("busy", value="7")
    assert ehr.get(OBSERVATIONS).headers["Retry-After"] == "7"


def test_a_loop_leads_back_to_itself_and_another_link_leads_away(ehr: FlaskClient, spoil: Spoil) -> None:
    spoil("loop")
    page: Any = fhir(ehr.get(OBSERVATIONS))
    assert page["link"][0]["url"].endswith(OBSERVATIONS)
    spoil("elsewhere")
    page = fhir(ehr.get(OBSERVATIONS))
    assert not page["link"][0]["url"].startswith("http://localhost/")


def test_the_data_of_another_patient_name_only_that_one(ehr: FlaskClient, spoil: Spoil) -> None:
    spoil("another-patient")
    found = json.loads(ehr.get(OBSERVATIONS).get_data())
    assert {entry["resource"]["subject"]["reference"] for entry in found["entry"]} == {"Patient/somebody-else"}


# --- as a process


def test_it_runs_as_a_process_of_its_own(faults: Path) -> None:
    command = [sys.executable, "-m", "sandbox.fhir_server", "--port", "0", "--faults", str(faults), "--as-of", "2026-11-22"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            base = process.stdout.readline().split()[-1]
            connection = HTTPConnection("127.0.0.1", int(base.rpartition(":")[2].partition("/")[0]), timeout=10)
            connection.request("GET", f"/fhir/Patient/{ID}")
            assert connection.getresponse().status == 200
            connection.close()
        finally:
            process.terminate()
            process.wait(timeout=10)


def test_it_tells_how_to_start_it() -> None:
    assert "--faults" in CliRunner().invoke(main, ["--help"]).output


@pytest.mark.parametrize("depth", [100, 900, 200_000])
@pytest.mark.parametrize("opening", ['{"extension":[', "["])
def test_json_that_is_nested_without_end_is_refused_in_fhir(ehr: FlaskClient, depth: int, opening: str) -> None:
    closing = "]}" if opening[0] == "{" else "]"
    body = f'{{"resourceType":"Condition","extension":[{opening * depth}{closing * depth}]}}'
    outcome = fhir(ehr.post("/fhir/Condition", data=body, content_type="application/fhir+json"), 400)
    assert outcome["resourceType"] == "OperationOutcome"
    assert "nested" in outcome["issue"][0]["diagnostics"]


@pytest.mark.parametrize(("asked", "status"), [("json", 200), ("application/fhir+json", 200), ("xml", 406), ("text/html", 406)])
def test_json_is_the_only_format(ehr: FlaskClient, asked: str, status: int) -> None:
    for path in (f"/fhir/Patient/{ID}?", f"{OBSERVATIONS}&"):
        answered = fhir(ehr.get(f"{path}_format={asked}"), status)
        assert (answered["resourceType"] == "OperationOutcome") is (status == 406)


@pytest.mark.parametrize(
    ("resource_type", "ways"),
    [("Patient", "identifier or _id"), ("Condition", "patient or subject or _id"), ("Immunization", "patient or _id")],
)
def test_a_search_that_is_too_wide_is_told_what_its_type_takes(ehr: FlaskClient, resource_type: str, ways: str) -> None:
    assert fhir(ehr.get(f"/fhir/{resource_type}"), 400)["issue"][0]["diagnostics"] == f"Search by {ways}."
