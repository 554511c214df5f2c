"""Writing to the FHIR API of the sandbox: validated, versioned, and what the CapabilityStatement says is what works."""

import json
from typing import Any

import pytest
from fhir.resources.R4B.capabilitystatement import CapabilityStatement
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from sandbox.fhir_server import create_fhir_server
from sandbox.resource_types import WRITABLE
from tests.sandbox.conftest import AS_OF

ID = "anti-tif1-gamma-dermatomyositis"
CODE = {"coding": [{"system": "http://loinc.org", "code": "19876-2"}], "text": "Made up for a test"}
SUBJECT = {"reference": f"Patient/{ID}"}
WRITTEN: dict[str, dict[str, Any]] = {
    "AllergyIntolerance": {"patient": SUBJECT, "code": CODE, "recordedDate": "2026-11-20"},
    "Condition": {"subject": SUBJECT, "code": CODE, "recordedDate": "2026-11-20", "onsetDateTime": "2026-10"},
    "DiagnosticReport": {"subject": SUBJECT, "status": "final", "code": CODE, "effectiveDateTime": "2026-11-20"},
    "FamilyMemberHistory": {
        "patient": SUBJECT,
        "status": "completed",
        "relationship": CODE,
        "date": "2026-11-20",
        "condition": [{"code": CODE}],
    },
    "Immunization": {"patient": SUBJECT, "status": "completed", "vaccineCode": CODE, "occurrenceDateTime": "2026-11-20"},
    "MedicationAdministration": {
        "subject": SUBJECT,
        "status": "completed",
        "medicationCodeableConcept": CODE,
        "effectiveDateTime": "2026-11-20",
    },
    "MedicationRequest": {
        "subject": SUBJECT,
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": CODE,
        "authoredOn": "2026-11-20",
    },
    "MedicationStatement": {
        "subject": SUBJECT,
        "status": "active",
        "medicationCodeableConcept": CODE,
        "effectivePeriod": {"start": "2026-11-20"},
    },
    "Observation": {"subject": SUBJECT, "status": "final", "code": CODE, "effectiveDateTime": "2026-11-20"},
    "Procedure": {"subject": SUBJECT, "status": "completed", "code": CODE, "performedDateTime": "2026-11-20"},
    "ServiceRequest": {"subject": SUBJECT, "status": "active", "intent": "order", "code": CODE, "authoredOn": "2026-11-20"},
}
"""One sound resource of each type that can be written."""

CATEGORY = {"coding": [{"system": "http://example.org", "code": "made-up"}]}
ACTIVE = {"coding": [{"system": "http://example.org", "code": "active"}]}
MORE: dict[str, dict[str, Any]] = {
    "AllergyIntolerance": {"clinicalStatus": ACTIVE},
    "Condition": {"category": [CATEGORY], "clinicalStatus": ACTIVE, "verificationStatus": ACTIVE},
    "DiagnosticReport": {"category": [CATEGORY]},
    "MedicationRequest": {"category": [CATEGORY]},
    "MedicationStatement": {"category": CATEGORY},
    "Observation": {"category": [CATEGORY]},
    "Procedure": {"category": CATEGORY},
    "ServiceRequest": {"category": [CATEGORY]},
}
"""What else can be searched by."""


@pytest.fixture
def ehr() -> FlaskClient:
    """The API, on the day of the stories."""
    return create_fhir_server(lambda: AS_OF).test_client()


def sound(resource_type: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": resource_type} | WRITTEN[resource_type] | MORE.get(resource_type, {}) | more


def sent(ehr: FlaskClient, method: str, path: str, resource: Any, **headers: str) -> TestResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return ehr.open(
        f"/fhir/{path}", method=method, data=json.dumps(resource), content_type="application/fhir+json", headers=named
    )


def created(ehr: FlaskClient, resource_type: str, **more: Any) -> dict[str, Any]:
    response = sent(ehr, "POST", resource_type, sound(resource_type, **more))
    assert response.status_code == 201, response.get_data(as_text=True)
    found: dict[str, Any] = json.loads(response.get_data())
    return found


def diagnostics(response: TestResponse, status: int) -> str:
    """What a refusal says."""
    outcome = json.loads(response.get_data())
    assert (response.status_code, outcome["resourceType"]) == (status, "OperationOutcome")
    return " ".join(issue["diagnostics"] for issue in outcome["issue"])


# --- create, update, delete


@pytest.mark.parametrize("resource_type", WRITABLE)
def test_each_type_is_created_changed_and_deleted(ehr: FlaskClient, resource_type: str) -> None:
    response = sent(ehr, "POST", resource_type, sound(resource_type, id="mine"))
    made = json.loads(response.get_data())
    path = f"{resource_type}/{made['id']}"
    assert response.status_code == 201
    assert made["id"] != "mine"
    assert response.location == f"http://localhost/fhir/{path}"
    assert response.headers["ETag"] == f'W/"{made["meta"]["versionId"]}"'
    assert json.loads(ehr.get(f"/fhir/{path}").get_data()) == made

    changed = sent(ehr, "PUT", path, made | {"language": "en"}, If_Match=response.headers["ETag"])
    assert changed.status_code == 200
    assert changed.headers["ETag"] != response.headers["ETag"]
    assert json.loads(ehr.get(f"/fhir/{path}").get_data())["language"] == "en"

    assert ehr.delete(f"/fhir/{path}").status_code == 204
    diagnostics(ehr.get(f"/fhir/{path}"), 404)
    assert ehr.delete(f"/fhir/{path}").status_code == 204


def test_what_was_ordered_is_found_by_the_next_search(ehr: FlaskClient) -> None:
    url = f"/fhir/ServiceRequest?patient={ID}"
    before = json.loads(ehr.get(url).get_data())["total"]
    made = created(ehr, "ServiceRequest")
    after = json.loads(ehr.get(url).get_data())
    assert after["total"] == before + 1
    assert made in [entry["resource"] for entry in after["entry"]]


def test_an_update_with_a_new_id_creates(ehr: FlaskClient) -> None:
    response = sent(ehr, "PUT", "Condition/chosen", sound("Condition", id="chosen"))
    assert response.status_code == 201
    assert response.location.endswith("/fhir/Condition/chosen")


def test_who_changes_an_old_version_is_told_so(ehr: FlaskClient) -> None:
    made = created(ehr, "Observation")
    path, old = f"Observation/{made['id']}", f'W/"{made["meta"]["versionId"]}"'
    assert sent(ehr, "PUT", path, made, If_Match=old).status_code == 200
    diagnostics(sent(ehr, "PUT", path, made, If_Match=old), 412)
    diagnostics(ehr.delete(f"/fhir/{path}", headers={"If-Match": old}), 412)
    diagnostics(sent(ehr, "PUT", path, made, If_Match="anything"), 400)
    diagnostics(sent(ehr, "PUT", "Observation/new", made | {"id": "new"}, If_Match='W/"1"'), 412)
    assert ehr.get(f"/fhir/{path}").status_code == 200


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"status": None}, "status"),
        ({"subject": None}, "subject"),
        ({"code": "CK"}, "code"),
        ({"effectiveDateTime": "last week"}, "effectiveDateTime"),
        ({"unheardOf": 1}, "unheardOf"),
        ({"valueQuantity": {"value": "secret-value"}}, "value"),
    ],
)
def test_what_is_not_fhir_is_refused_and_the_place_is_named(ehr: FlaskClient, change: dict[str, Any], place: str) -> None:
    resource = {name: value for name, value in (sound("Observation") | change).items() if value is not None}
    said = diagnostics(sent(ehr, "POST", "Observation", resource), 422)
    assert "Observation" in said
    assert place in said
    assert "last week" not in said
    assert "secret-value" not in said


def test_what_is_about_nobody_here_is_refused(ehr: FlaskClient) -> None:
    said = diagnostics(sent(ehr, "POST", "Condition", sound("Condition", subject={"reference": "Patient/nobody"})), 422)
    assert "Condition.subject" in said
    told = json.loads(ehr.get(f"/fhir/Condition?patient={ID}").get_data())["entry"][0]["resource"]
    moved = told | {"subject": {"reference": "Patient/healthy"}}
    assert "another patient" in diagnostics(sent(ehr, "PUT", f"Condition/{told['id']}", moved), 422)


def test_what_cannot_be_read_at_all_is_refused(ehr: FlaskClient) -> None:
    diagnostics(ehr.post("/fhir/Condition", data="{", content_type="application/fhir+json"), 400)
    diagnostics(ehr.post("/fhir/Condition", data="[]", content_type="application/fhir+json"), 400)
    diagnostics(ehr.post("/fhir/Condition", data="x=1", content_type="application/x-www-form-urlencoded"), 415)
    diagnostics(sent(ehr, "POST", "Condition", sound("Procedure")), 400)
    diagnostics(sent(ehr, "PUT", "Condition/one", sound("Condition", id="two")), 400)
    diagnostics(sent(ehr, "PUT", "Condition/a b", sound("Condition", id="a b")), 422)
    diagnostics(sent(ehr, "PUT", "Encounter/one", {"resourceType": "Encounter"}), 405)
    diagnostics(sent(ehr, "PATCH", "Condition/one", {}), 405)


# --- what it says about itself


def statement(ehr: FlaskClient) -> dict[str, dict[str, Any]]:
    whole = json.loads(ehr.get("/fhir/metadata").get_data())
    return {each["type"]: each for each in whole["rest"][0]["resource"]}


def test_the_statement_is_fhir(ehr: FlaskClient) -> None:
    CapabilityStatement.model_validate_json(ehr.get("/fhir/metadata").get_data())


def test_what_can_be_written_is_what_it_says(ehr: FlaskClient) -> None:
    for resource_type, said in statement(ehr).items():
        interactions = {each["code"] for each in said["interaction"]}
        posted = ehr.post(f"/fhir/{resource_type}", data="{", content_type="application/fhir+json").status_code
        assert (posted == 400) is ("create" in interactions)
        assert (posted == 405) is ("create" not in interactions)
        deleted = ehr.delete(f"/fhir/{resource_type}/nothing").status_code
        assert (deleted == 204) is ("delete" in interactions)
        assert ehr.get(f"/fhir/{resource_type}?_id=nothing").status_code == 200
        assert ehr.get(f"/fhir/{resource_type}/nothing").status_code == 404


FOUND_BY = {
    "_lastUpdated": ("ge2026-01-01", "lt2026-01-01"),
    "authored": ("ge2026-11-20", "lt2026-11-20"),
    "authoredon": ("ge2026-11-20", "lt2026-11-20"),
    "birthdate": ("1964-03-14", "ne1964-03-14"),
    "category": ("made-up", "other"),
    "clinical-status": ("active", "inactive"),
    "code": ("http://loinc.org|19876-2", "http://loinc.org|1"),
    "date": ("2026-11", "2026-10"),
    "effective": ("ge2026-11-20", "eb2026-11-20"),
    "effective-time": ("2026-11-20", "2026-11-21"),
    "gender": ("female", "male"),
    "intent": ("order", "plan"),
    "onset-date": ("2026-10", "2026-09"),
    "recorded-date": ("sa2026-11-19", "sa2026-11-20"),
    "vaccine-code": ("19876-2", "1"),
    "verification-status": ("active", "refuted"),
}
"""For each search parameter a value that finds the resource, and one that does not."""


@pytest.mark.parametrize("resource_type", ["Patient", "Practitioner", "Encounter", *WRITABLE])
def test_every_search_parameter_that_it_names_finds_and_leaves_out(ehr: FlaskClient, resource_type: str) -> None:
    existing = {"Patient": ID, "Practitioner": "sandbox-clinician", "Encounter": f"{ID}.visit"}
    if resource_type in existing:
        made = json.loads(ehr.get(f"/fhir/{resource_type}/{existing[resource_type]}").get_data())
    else:
        made = created(ehr, resource_type)
    for parameter in statement(ehr)[resource_type]["searchParam"]:
        hit, miss = _values(parameter["name"], made)
        for value, expected in ((hit, True), (miss, False)):
            query = {"_id": made["id"], parameter["name"]: value}
            found = json.loads(ehr.get(f"/fhir/{resource_type}", query_string=query).get_data())
            assert found["resourceType"] == "Bundle", (parameter, found)
            assert (made["id"] in [entry["resource"]["id"] for entry in found.get("entry", [])]) is expected, (parameter, value)


def _values(parameter: str, made: dict[str, Any]) -> tuple[str, str]:
    if parameter == "_id":
        return made["id"], "nothing"
    if parameter in ("patient", "subject"):
        return f"Patient/{ID}", "Patient/healthy"
    if parameter == "status":
        return made["status"], "entered-in-error"
    if parameter == "identifier":
        return made["identifier"][0]["value"], "nothing"
    if parameter == "date" and made["resourceType"] == "Encounter":
        return f"ge{AS_OF}", "lt2020"
    return FOUND_BY[parameter]


def test_an_answer_says_what_was_asked(ehr: FlaskClient) -> None:
    bundle = json.loads(ehr.get(f"/fhir/Observation?patient={ID}&_count=2&_format=json").get_data())
    links = {link["relation"]: link["url"] for link in bundle["link"]}
    assert links["self"] == f"http://localhost/fhir/Observation?patient={ID}&_count=2"
    assert links["next"].startswith("http://localhost/fhir/Observation?")


def test_pages_of_other_origins_may_call(ehr: FlaskClient) -> None:
    for response in (ehr.get("/fhir/metadata"), ehr.options("/fhir/Observation"), ehr.get("/fhir/Basic/x")):
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert "Authorization" in response.headers["Access-Control-Allow-Headers"]


def test_whom_hooks_and_launches_name_can_be_read(ehr: FlaskClient) -> None:
    assert json.loads(ehr.get("/fhir/Practitioner/sandbox-clinician").get_data())["name"][0]["family"] == "Sandbox"
    visit = json.loads(ehr.get(f"/fhir/Encounter?patient={ID}").get_data())["entry"][0]["resource"]
    assert visit["subject"]["reference"] == f"Patient/{ID}"
