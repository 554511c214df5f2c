"""What the EHR publishes, its FHIR API behind tokens, and the launch service of the public sandbox."""

import json
from dataclasses import replace
from typing import Any

import pytest
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from flask import Flask

from sandbox.authorization.authorization import Authorization
from sandbox.ehr import ehr_blueprints
from sandbox.faults import Fault
from sandbox.keys import EhrKeys
from tests.sandbox.authorization.conftest import FHIR_BASE, ORIGIN, OTHER, PATIENT, App, answer_of
from tests.sandbox.test_fhir_api_writes import sound


def document(app: App, path: str) -> dict[str, Any]:
    response = app.browser.get(path)
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    found: dict[str, Any] = response.get_json()
    return found


def test_the_smart_configuration_names_what_there_is(app: App) -> None:
    found = document(app, "/fhir/.well-known/smart-configuration")
    assert found["issuer"] == FHIR_BASE
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert found["authorization_response_iss_parameter_supported"] is True
    assert {"launch-ehr", "launch-standalone", "client-confidential-asymmetric", "permission-v2"} <= set(found["capabilities"])
    for member in ("authorization_endpoint", "token_endpoint", "revocation_endpoint", "introspection_endpoint", "jwks_uri"):
        path = found[member].removeprefix(ORIGIN)
        assert app.browser.get(path).status_code in (200, 400, 405), member  # there is something at that address
    assert document(app, found["jwks_uri"].removeprefix(ORIGIN))["keys"]


def test_the_openid_configuration_is_one(app: App) -> None:
    found = document(app, "/fhir/.well-known/openid-configuration")
    assert found["issuer"] == FHIR_BASE
    AuthorizationServerMetadata(found).validate_jwks_uri()
    assert {"issuer", "authorization_endpoint", "token_endpoint", "jwks_uri", "subject_types_supported"} <= found.keys()
    assert found["id_token_signing_alg_values_supported"] == ["RS256"]


def test_only_public_keys_are_published(app: App, ehr_keys: EhrKeys) -> None:
    keys = document(app, "/.well-known/jwks.json")["keys"]
    assert {"ES384", "RS256"} <= {key["alg"] for key in keys}
    assert len({key["kid"] for key in keys}) == len(keys)
    assert not {"d", "p", "q", "dp", "dq", "qi"} & {member for key in keys for member in key}
    assert keys == ehr_keys.jwks()["keys"]
    assert EhrKeys().jwks() != ehr_keys.jwks()


def test_browser_apps_of_other_origins_may_ask_for_tokens(app: App) -> None:
    for path in ("/auth/token", "/auth/revoke"):
        response = app.browser.options(path)
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert "Authorization" in response.headers["Access-Control-Allow-Headers"]
    page = app.browser.get("/auth/authorize", query_string=app.request(scope="patient/*.rs", nonce=None))
    assert "Access-Control-Allow-Origin" not in page.headers


# --- the FHIR API behind tokens


@pytest.mark.parametrize("given", [None, "Bearer", "Bearer ", "Bearer made-up", "Basic abc", "bearer made-up"])
def test_without_a_valid_token_nothing_is_read(app: App, given: str | None) -> None:
    response = app.browser.get(f"/fhir/Patient/{PATIENT}", headers={"Authorization": given} if given else {})
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith("Bearer ")
    assert json.loads(response.get_data())["resourceType"] == "OperationOutcome"


def test_what_the_ehr_can_do_is_told_without_a_token(app: App) -> None:
    statement = json.loads(app.browser.get("/fhir/metadata").get_data())
    assert statement["rest"][0]["security"]["service"][0]["coding"][0]["code"] == "SMART-on-FHIR"


@pytest.mark.parametrize(
    "path",
    [
        f"Patient/{OTHER}",
        f"Patient?_id={OTHER}",
        f"Condition?patient={OTHER}",
        f"Condition?patient={PATIENT},{OTHER}",
        f"Condition?subject=Patient/{OTHER}",
        f"Encounter/{OTHER}.visit",
    ],
)
def test_another_patient_is_refused(app: App, path: str) -> None:
    token = app.tokens(scope="launch patient/*.rs", nonce=None)["access_token"]
    response = app.fhir(path, token)
    assert response.status_code == 403
    assert 'error="insufficient_scope"' in response.headers["WWW-Authenticate"]
    assert app.fhir(path.replace(OTHER, PATIENT), token).status_code == 200


def test_nothing_of_another_patient_is_found_by_id(app: App, authorization: Authorization) -> None:
    token = app.tokens(scope="launch patient/*.rs", nonce=None)["access_token"]
    chart = authorization.store.chart(OTHER)
    assert chart is not None
    theirs = chart.of("AllergyIntolerance")[0]["id"]
    assert json.loads(app.fhir(f"AllergyIntolerance?_id={theirs}", token).get_data())["total"] == 0
    assert app.fhir(f"AllergyIntolerance/{theirs}", token).status_code == 403


def test_a_narrow_scope_finds_its_category_only(app: App) -> None:
    category = "http://terminology.hl7.org/CodeSystem/observation-category|laboratory"
    scope = f"launch patient/Observation.rs?category={category}"
    tokens = app.tokens(scope=scope, nonce=None)
    assert tokens["scope"] == scope
    bundle = json.loads(app.fhir(f"Observation?patient={PATIENT}", tokens["access_token"]).get_data())
    filed = {entry["resource"]["category"][0]["coding"][0]["code"] for entry in bundle["entry"]}
    assert filed == {"laboratory"}
    assert bundle["total"] == len(bundle["entry"])


def test_an_app_writes_only_with_a_scope_for_it(app: App, authorization: Authorization) -> None:
    registered = next(each for each in authorization.apps if each.client_id == "confidential")
    authorization.register(replace(registered, scopes=("launch", "patient/*.cruds")))
    reading = app.tokens(scope="launch patient/ServiceRequest.rs", nonce=None)["access_token"]
    writing = app.tokens(scope="launch patient/ServiceRequest.cud", nonce=None)["access_token"]
    order = sound("ServiceRequest")

    def send(method: str, path: str, token: str, resource: Any = order) -> int:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/fhir+json"}
        return app.browser.open(f"/fhir/{path}", method=method, data=json.dumps(resource), headers=headers).status_code

    assert send("POST", "ServiceRequest", reading) == 403
    assert send("POST", "ServiceRequest", writing) == 201
    assert send("POST", "ServiceRequest", writing, order | {"subject": {"reference": f"Patient/{OTHER}"}}) == 403
    assert send("POST", "Condition", writing, sound("Condition")) == 403
    chart = authorization.store.chart(PATIENT)
    assert chart is not None
    existing = chart.of("ServiceRequest")[0]
    assert send("PUT", f"ServiceRequest/{existing['id']}", reading, existing) == 403
    assert send("PUT", f"ServiceRequest/{existing['id']}", writing, existing) == 200
    assert send("DELETE", f"ServiceRequest/{existing['id']}", reading) == 403
    assert send("DELETE", f"ServiceRequest/{existing['id']}", writing) == 204


def test_faults_are_switched_on_while_it_runs(app: App, faults: dict[str, Fault]) -> None:
    token = app.tokens()["access_token"]
    assert app.fhir(f"Condition?patient={PATIENT}", token).status_code == 200
    faults["Condition"] = Fault("fail")
    assert app.fhir(f"Condition?patient={PATIENT}", token).status_code == 500
    faults.clear()
    assert app.fhir(f"Condition?patient={PATIENT}", token).status_code == 200


# --- the launch service

LAUNCH = "/fhir/_services/smart/Launch"


@pytest.fixture
def open_app(authorization: Authorization, app: App) -> App:
    """The same app at an EHR whose API is open, as the public CDS Hooks sandbox knows them."""
    ehr = Flask("sandbox.application")
    for blueprint in ehr_blueprints(authorization, is_open=True):
        ehr.register_blueprint(blueprint)
    return App(ehr.test_client(), authorization, key=app.key)


def asked(patient: str = PATIENT, **more: str) -> dict[str, Any]:
    return {"launchUrl": "http://app.example/launch", "parameters": {"patient": patient} | more}


def test_the_public_sandbox_gets_a_launch_that_works(open_app: App) -> None:
    preflight = open_app.browser.options(LAUNCH)
    response = open_app.browser.post(LAUNCH, json=asked(appContext="of-a-card"))
    for each in (preflight, response):
        assert each.headers["Access-Control-Allow-Origin"] == "*"
        assert "Content-Type" in each.headers["Access-Control-Allow-Headers"]
    request = open_app.request(launch=response.get_json(force=True)["launch_id"])
    login = {"decision": "allow", "practitioner": "sandbox-clinician", "kept_scope": ["patient/Condition.rs"]}
    allowed = open_app.browser.post("/auth/authorize", query_string=request, data=login)
    tokens = open_app.ask_for_token(answer_of(allowed)["code"]).get_json()
    assert (tokens["patient"], tokens["appContext"]) == (PATIENT, "of-a-card")


def test_a_launch_from_the_launch_service_has_nobody_logged_in(app: App, authorization: Authorization) -> None:
    bearer = {"Authorization": f"Bearer {authorization.hook_token(PATIENT).access_token}"}
    launch = app.browser.post(LAUNCH, json=asked(), headers=bearer).get_json(force=True)["launch_id"]
    page = app.authorize(launch=launch)
    assert page.status_code == 200
    assert "whose chart is open" in page.text
    assert answer_of(app.authorize(launch=launch, prompt="none"))["error"] == "login_required"


def test_an_open_api_asks_for_no_token_and_still_judges_one_that_comes(open_app: App) -> None:
    path = f"Condition?patient={OTHER}"
    assert open_app.browser.get(f"/fhir/{path}").status_code == 200
    assert open_app.fhir(path, open_app.tokens()["access_token"]).status_code == 403
    assert open_app.fhir(path, "made-up").status_code == 401


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"[]", 400),
        (b"{", 400),
        (b'{"parameters": {}}', 400),
        (b'{"parameters": {"patient": 5}}', 400),
        (b'{"parameters": {"patient": "nobody"}}', 422),
    ],
)
def test_a_launch_for_nobody_is_refused(open_app: App, body: bytes, status: int) -> None:
    response = open_app.browser.post(LAUNCH, data=body)
    assert response.status_code == status
    assert json.loads(response.get_data())["resourceType"] == "OperationOutcome"


def test_where_the_api_wants_tokens_the_launch_service_does_too(app: App, authorization: Authorization) -> None:
    token = authorization.hook_token(PATIENT).access_token
    assert app.browser.post(LAUNCH, json=asked()).status_code == 401
    assert app.browser.post(LAUNCH, json=asked(OTHER), headers={"Authorization": f"Bearer {token}"}).status_code == 403
    assert app.browser.post(LAUNCH, json=asked(), headers={"Authorization": f"Bearer {token}"}).status_code == 200
