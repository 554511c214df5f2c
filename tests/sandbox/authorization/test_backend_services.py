"""SMART Backend Services: a system gets tokens for itself, and only a system exports."""

import json
from typing import Any
from urllib.parse import urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from werkzeug.test import TestResponse

from sandbox.authorization.authorization import Authorization
from sandbox.authorization.smart_apps import backend_app, backend_with_keys
from tests.sandbox.authorization.conftest import ASSERTION, PATIENT, App, Clock

ASYNC = {"Prefer": "respond-async"}


def asked(app: App, scope: str | None = "system/*.rs", **more: Any) -> TestResponse:
    """What the token endpoint answers to the system."""
    app.client_id = more.pop("client_id", "backend")
    form = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION, "client_assertion": app.assertion(**more)}
    return app.browser.post("/auth/token", data=form | ({"scope": scope} if scope else {}))


def token(app: App, scope: str = "system/*.rs", **more: Any) -> str:
    """A token of the system."""
    response = asked(app, scope, **more)
    assert response.status_code == 200, response.get_data()
    return str(response.get_json()["access_token"])


def exported(app: App, held: str, path: str = "Patient/$export") -> TestResponse:
    """What a kick-off answers."""
    return app.browser.get(f"/fhir/{path}", headers={**ASYNC, "Authorization": f"Bearer {held}"})


def refused(response: TestResponse, status: int) -> str:
    assert response.status_code == status, response.get_data()
    return str(json.loads(response.get_data())["issue"][0]["diagnostics"])


def test_what_a_system_needs_to_know_is_published(app: App) -> None:
    found = app.browser.get("/fhir/.well-known/smart-configuration").get_json()
    assert "client_credentials" in found["grant_types_supported"]
    assert "private_key_jwt" in found["token_endpoint_auth_methods_supported"]
    assert {"ES384", "RS384"} <= set(found["token_endpoint_auth_signing_alg_values_supported"])
    assert "system/*.rs" in found["scopes_supported"]
    assert "client-confidential-asymmetric" in found["capabilities"]


def test_a_token_of_a_system_is_short_narrow_and_not_renewed(app: App, clock: Clock) -> None:
    given = asked(app, "system/Patient.rs system/Condition.rs user/*.rs").get_json()
    assert given == {"error": "invalid_scope"} or "error" in given
    given = asked(app, "system/Patient.rs system/Condition.rs").get_json()
    assert (given["token_type"], given["expires_in"], given["scope"]) == ("Bearer", 300, "system/Patient.rs system/Condition.rs")
    assert "refresh_token" not in given
    assert exported(app, given["access_token"], "Patient/$export?_type=Patient").status_code == 202
    clock.seconds += 301
    refused(exported(app, given["access_token"], "Patient/$export?_type=Patient"), 401)


@pytest.mark.parametrize("scope", [None, "patient/*.rs", "openid", "system/*.cud"])
def test_other_scopes_are_not_for_a_system(app: App, scope: str | None) -> None:
    response = asked(app, scope)
    assert (response.status_code, response.get_json()["error"]) == (400, "invalid_scope")


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": "nobody"},
        {"aud": "http://localhost/fhir"},
        {"exp": 1},
        {"jti": None},
        {"sub": "somebody-else"},
        {"headers": {"kid": "unknown"}},
    ],
)
def test_a_wrong_assertion_is_not_the_client(app: App, wrong: dict[str, Any]) -> None:
    response = asked(app, **wrong)
    assert (response.status_code, response.get_json()["error"]) in ((400, "invalid_client"), (401, "invalid_client"))


def test_an_assertion_counts_once(app: App) -> None:
    assert asked(app, jti="the same").status_code == 200
    assert asked(app, jti="the same").get_json()["error"] == "invalid_client"


@pytest.mark.parametrize("algorithm", ["ES384", "RS384"])
def test_keys_can_be_registered_as_they_are(app: App, authorization: Authorization, app_key: Any, algorithm: str) -> None:
    key: Any = app_key if algorithm == "ES384" else rsa.generate_private_key(65537, 2048)
    public = (ECAlgorithm if algorithm == "ES384" else RSAAlgorithm).to_jwk(key.public_key())
    authorization.register(backend_with_keys({"keys": [json.loads(public) | {"kid": "app-key"}]}))
    assert token(app, key=key, algorithm=algorithm)
    authorization.register(backend_with_keys({"keys": "none"}))
    assert asked(app, key=key, algorithm=algorithm).get_json()["error"] == "invalid_client"


def test_the_service_is_registered_as_a_system_with_the_keys_of_its_app(
    app: App, authorization: Authorization, jwks_url: str
) -> None:
    registered = backend_app("http://127.0.0.1:8000")
    assert (registered.jwks_url, registered.launch_url) == ("http://127.0.0.1:8000/.well-known/jwks.json", "")
    assert registered.scopes == ("system/*.rs",)


# --- who may export


def test_a_token_for_a_user_or_a_patient_exports_nothing(app: App, authorization: Authorization) -> None:
    held = [
        app.tokens()["access_token"],
        app.tokens(scope="launch user/*.read", nonce=None)["access_token"],
        authorization.hook_token(PATIENT).access_token,
    ]
    for one in held:
        for path in ("$export", "Patient/$export", "Group/everyone/$export"):
            assert "system" in refused(exported(app, one, path), 403)
    for one in (held[0], held[2]):
        refused(app.fhir("Group/everyone", one), 403)
    refused(exported(app, "made-up"), 401)
    assert app.browser.get("/fhir/Patient/$export", headers=ASYNC).status_code == 401


def test_an_export_holds_what_the_scopes_cover(app: App) -> None:
    held = token(app, "system/Patient.rs system/Observation.rs?category=exam")
    begun = exported(app, held)
    place = urlsplit(begun.headers["Content-Location"]).path.removeprefix("/fhir/")
    manifest = app.fhir(place, held).get_json()
    assert manifest["requiresAccessToken"] is True
    assert {file["type"] for file in manifest["output"]} == {"Patient", "Observation"}
    observations = [file for file in manifest["output"] if file["type"] == "Observation"]
    lines = app.fhir(urlsplit(observations[0]["url"]).path.removeprefix("/fhir/"), held).get_data().splitlines()
    assert {json.loads(line)["category"][0]["coding"][0]["code"] for line in lines} == {"exam"}
    assert "scopes" in refused(exported(app, held, "Patient/$export?_type=Condition"), 403)
    assert "scopes" in refused(exported(app, token(app, "system/Patient.r")), 403)
    refused(app.fhir(place, token(app, "system/Patient.rs")), 403)  # a token that covers less, later


def test_an_export_is_its_client_s_alone(app: App, authorization: Authorization, jwks_url: str) -> None:
    held = token(app)
    place = urlsplit(exported(app, held).headers["Content-Location"]).path.removeprefix("/fhir/")
    registered = next(one for one in authorization.apps if one.client_id == "backend")
    authorization.register(type(registered)("other", "Other", (), "", ("system/*.rs",), jwks_url=jwks_url))
    refused(app.fhir(place, token(app, client_id="other")), 404)
    file = urlsplit(app.fhir(place, held).get_json()["output"][0]["url"]).path
    assert app.browser.get(file).status_code == 401
    refused(app.browser.get(file, headers={"Authorization": f"Bearer {token(app, client_id='other')}"}), 404)
    assert app.fhir(file.removeprefix("/fhir/"), token(app)).status_code == 200  # another token of the same client


def test_an_assertion_names_its_type(app: App) -> None:
    header = jwt.get_unverified_header(app.assertion())
    assert header["typ"] == "JWT"
