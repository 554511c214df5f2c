"""Launches that go well: what an app gets, from the chart and standalone, whatever kind of client it is."""

from typing import Any

import jwt
import pytest
from jwt.algorithms import RSAAlgorithm

from sandbox.authorization.authorization import HOOK_SECONDS, Authorization
from sandbox.keys import EhrKeys
from tests.sandbox.authorization.conftest import (
    ASKED,
    FHIR_BASE,
    OTHER,
    PATIENT,
    App,
    Clock,
    answer_of,
)


def verified(id_token: str, keys: EhrKeys, app: App) -> dict[str, Any]:
    """The claims of an id_token, verified by another library than the one that signed it."""
    kid = jwt.get_unverified_header(id_token)["kid"]
    public = next(key for key in keys.jwks()["keys"] if key["kid"] == kid)
    claims: dict[str, Any] = jwt.decode(
        id_token, RSAAlgorithm.from_jwk(public), ["RS256"], audience=app.client_id, issuer=FHIR_BASE
    )
    return claims


@pytest.mark.parametrize("client_id", ["confidential", "symmetric", "public"])
def test_an_app_that_is_opened_from_the_chart_reads_the_chart(app: App, client_id: str) -> None:
    app.client_id = client_id
    tokens = app.tokens()
    assert tokens["token_type"] == "Bearer"
    assert tokens["expires_in"] == 3600
    assert tokens["scope"] == ASKED
    assert tokens["patient"] == PATIENT
    response = app.fhir(f"Condition?patient={PATIENT}", tokens["access_token"])
    assert response.status_code == 200
    assert app.fhir(f"Encounter/{tokens['encounter']}", tokens["access_token"]).status_code == 403  # not among the scopes


def test_state_and_issuer_come_back_with_the_code(app: App) -> None:
    answer = answer_of(app.authorize(state="s" * 30))
    assert answer["state"] == "s" * 30
    assert answer["iss"] == FHIR_BASE
    assert len(answer["code"]) >= 32


def test_the_id_token_says_who_it_is_and_repeats_the_nonce(app: App, ehr_keys: EhrKeys) -> None:
    tokens = app.tokens(nonce="n" * 30)
    claims = verified(tokens["id_token"], ehr_keys, app)
    assert claims["nonce"] == "n" * 30
    assert claims["fhirUser"] == f"{FHIR_BASE}/Practitioner/sandbox-clinician"
    assert claims["sub"] == "sandbox-clinician"
    assert claims["exp"] > claims["iat"]
    user = claims["fhirUser"].removeprefix(f"{FHIR_BASE}/")
    assert app.fhir(user, tokens["access_token"]).status_code == 200


def test_without_openid_there_is_no_id_token(app: App) -> None:
    assert "id_token" not in app.tokens(scope="launch patient/Condition.rs", nonce=None)


def test_what_the_chart_says_beside_the_patient_comes_with_the_token(app: App, authorization: Authorization) -> None:
    order = {"reference": "ServiceRequest/one"}
    launch = authorization.launch(
        PATIENT, app_context="context-of-a-card", fhir_context=[order], intent="review", need_patient_banner=False
    )
    tokens = app.tokens(launch=launch)
    assert tokens["appContext"] == "context-of-a-card"
    assert tokens["fhirContext"] == [order]
    assert tokens["intent"] == "review"
    assert tokens["need_patient_banner"] is False
    assert tokens["tenant"] == "sandbox"
    assert tokens["encounter"] == f"{PATIENT}.visit"
    style = app.browser.get(tokens["smart_style_url"])
    assert style.get_json()["color_text"].startswith("#")


def test_what_there_is_nothing_to_say_about_is_left_out(app: App) -> None:
    tokens = app.tokens()
    assert not {"appContext", "fhirContext", "intent"} & tokens.keys()
    assert tokens["need_patient_banner"] is True


@pytest.mark.parametrize(
    ("scope", "refreshes"),
    [("launch patient/*.rs", False), ("launch patient/*.rs online_access", True), ("launch patient/*.rs offline_access", True)],
)
def test_a_refresh_token_is_given_where_a_scope_asks_for_it(app: App, scope: str, refreshes: bool) -> None:
    assert ("refresh_token" in app.tokens(scope=scope, nonce=None)) is refreshes


@pytest.mark.parametrize("client_id", ["confidential", "symmetric", "public"])
def test_a_refreshed_token_opens_the_same_chart(app: App, clock: Clock, client_id: str) -> None:
    app.client_id = client_id
    first = app.tokens()
    clock.seconds += 3601
    assert app.fhir(f"Condition?patient={PATIENT}", first["access_token"]).status_code == 401
    second = app.refresh(first["refresh_token"]).get_json()
    assert second["patient"] == PATIENT
    assert second["refresh_token"] != first["refresh_token"]
    assert app.fhir(f"Condition?patient={PATIENT}", second["access_token"]).status_code == 200
    narrower = app.refresh(second["refresh_token"], scope="patient/Observation.rs online_access").get_json()
    assert narrower["scope"] == "patient/Observation.rs online_access"
    assert app.fhir(f"Condition?patient={PATIENT}", narrower["access_token"]).status_code == 403


def test_what_is_revoked_opens_nothing_any_more(app: App) -> None:
    tokens = app.tokens()
    assert app.post("/auth/introspect", token=tokens["access_token"]).get_json()["active"] is True
    assert app.post("/auth/revoke", token=tokens["refresh_token"]).status_code == 200
    assert app.fhir(f"Condition?patient={PATIENT}", tokens["access_token"]).status_code == 401
    assert app.post("/auth/introspect", token=tokens["access_token"]).get_json() == {"active": False}
    assert app.refresh(tokens["refresh_token"]).get_json()["error"] == "invalid_grant"


def test_a_token_is_described_to_its_own_app_only(app: App) -> None:
    tokens = app.tokens()
    said = app.post("/auth/introspect", token=tokens["access_token"]).get_json()
    assert (said["client_id"], said["patient"], said["scope"]) == ("confidential", PATIENT, ASKED)
    app.client_id = "symmetric"
    assert app.post("/auth/introspect", token=tokens["access_token"]).get_json() == {"active": False}
    assert app.post("/auth/revoke", token=tokens["access_token"]).status_code == 400
    assert app.fhir(f"Condition?patient={PATIENT}", tokens["access_token"]).status_code == 200


def test_a_system_gets_a_token_for_itself(app: App) -> None:
    app.client_id = "confidential"
    body = {"grant_type": "client_credentials", "scope": "system/Observation.rs"}
    app.client_id = "backend"
    sent = body | {
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": app.assertion(),
    }
    tokens = app.browser.post("/auth/token", data=sent).get_json()
    assert tokens["scope"] == "system/Observation.rs"
    assert "refresh_token" not in tokens
    for patient in (PATIENT, OTHER):
        assert app.fhir(f"Observation?patient={patient}", tokens["access_token"]).status_code == 200
    assert app.fhir(f"Condition?patient={PATIENT}", tokens["access_token"]).status_code == 403


# --- tokens for hooks


@pytest.mark.requirement("T-1", "T-2", "T-3")
def test_a_hook_gets_a_token_for_one_patient_and_a_while(app: App, authorization: Authorization, clock: Clock) -> None:
    given = authorization.hook_token(PATIENT)
    assert (given.token_type, given.expires_in, given.subject, given.patient) == ("Bearer", HOOK_SECONDS, "myositis-cds", PATIENT)
    assert "patient/Condition.read" in given.scope.split()
    assert given.access_token not in repr(given)
    assert app.fhir(f"Patient/{PATIENT}", given.access_token).status_code == 200
    assert app.fhir(f"Patient/{OTHER}", given.access_token).status_code == 403
    clock.seconds += HOOK_SECONDS
    assert app.fhir(f"Patient/{PATIENT}", given.access_token).status_code == 401


@pytest.mark.requirement("T-2")
def test_each_service_has_a_client_id_of_its_own(authorization: Authorization) -> None:
    given = authorization.hook_token(PATIENT, subject="another-service")
    assert given.subject == "another-service"
    granted = authorization.access(given.access_token)
    assert granted
    assert granted.client_id == "another-service"


@pytest.mark.requirement("T-7")
def test_the_ehr_takes_a_hooks_token_back(app: App, authorization: Authorization) -> None:
    given, other = authorization.hook_token(PATIENT), authorization.hook_token(PATIENT)
    authorization.revoke(given.access_token)
    assert authorization.access(given.access_token) is None
    assert authorization.access(other.access_token) is not None


def test_nobody_is_launched_or_read_who_is_not_here(authorization: Authorization) -> None:
    with pytest.raises(ValueError, match="nobody here"):
        authorization.launch("nobody")
    with pytest.raises(ValueError, match="nobody here"):
        authorization.hook_token("nobody")
