"""What the authorization server can be told to do wrong: each switch does just that."""

import json
import time
from base64 import urlsafe_b64decode
from pathlib import Path
from typing import Any

import jwt
import pytest
from jwt.algorithms import RSAAlgorithm

from sandbox.authorization.misbehaviour import Misbehaviour, read_misbehaviour
from sandbox.keys import EhrKeys
from tests.sandbox.authorization.conftest import ASKED, FHIR_BASE, PATIENT, App, answer_of


def claims_of(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def test_the_nonce_can_be_wrong(app: App, misbehaviour: list[Misbehaviour]) -> None:
    misbehaviour[0] = Misbehaviour(wrong_nonce=True)
    assert claims_of(app.tokens(nonce="n" * 30)["id_token"])["nonce"] not in ("n" * 30, "")


def test_the_issuer_can_be_wrong(app: App, misbehaviour: list[Misbehaviour]) -> None:
    misbehaviour[0] = Misbehaviour(wrong_issuer=True)
    answer = answer_of(app.authorize())
    assert answer["iss"] != FHIR_BASE
    assert claims_of(app.ask_for_token(answer["code"]).get_json()["id_token"])["iss"] != FHIR_BASE


def test_the_signature_can_be_by_another_key_of_the_same_name(
    app: App, misbehaviour: list[Misbehaviour], ehr_keys: EhrKeys
) -> None:
    misbehaviour[0] = Misbehaviour(wrong_key=True)
    id_token = app.tokens()["id_token"]
    kid = jwt.get_unverified_header(id_token)["kid"]
    public = next(key for key in ehr_keys.jwks()["keys"] if key["kid"] == kid)
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(id_token, RSAAlgorithm.from_jwk(public), ["RS256"], audience="confidential")


def test_the_id_token_can_be_unsigned(app: App, misbehaviour: list[Misbehaviour]) -> None:
    misbehaviour[0] = Misbehaviour(unsigned=True)
    header, claims, signature = app.tokens()["id_token"].split(".")
    assert json.loads(urlsafe_b64decode(header + "=="))["alg"] == "none"
    assert json.loads(urlsafe_b64decode(claims + "=="))["aud"] == "confidential"
    assert signature == ""


def test_the_id_token_can_be_for_another_app(app: App, misbehaviour: list[Misbehaviour]) -> None:
    misbehaviour[0] = Misbehaviour(other_audience=True)
    assert claims_of(app.tokens()["id_token"])["aud"] == "another-app"


def test_the_patient_can_be_missing(app: App, misbehaviour: list[Misbehaviour]) -> None:
    misbehaviour[0] = Misbehaviour(no_patient=True)
    assert "patient" not in app.tokens()


def test_scopes_can_be_cut(app: App, misbehaviour: list[Misbehaviour]) -> None:
    misbehaviour[0] = Misbehaviour(cut_scopes=("patient/Observation.rs", "online_access"))
    tokens = app.tokens()
    assert tokens["scope"] == "launch openid fhirUser patient/Condition.rs"
    assert "refresh_token" not in tokens
    assert app.fhir(f"Observation?patient={PATIENT}", tokens["access_token"]).status_code == 403


def test_the_state_can_be_another(app: App, misbehaviour: list[Misbehaviour]) -> None:
    misbehaviour[0] = Misbehaviour(wrong_state=True)
    assert answer_of(app.authorize(state="s" * 30))["state"] != "s" * 30


def test_every_code_can_be_too_old(app: App, misbehaviour: list[Misbehaviour]) -> None:
    misbehaviour[0] = Misbehaviour(expired_code=True)
    assert app.ask_for_token(app.code()).get_json()["error"] == "invalid_grant"


def test_tokens_can_be_short_lived(app: App, misbehaviour: list[Misbehaviour], clock: Any) -> None:
    misbehaviour[0] = Misbehaviour(token_seconds=2)
    tokens = app.tokens()
    assert tokens["expires_in"] == 2
    assert app.fhir(f"Condition?patient={PATIENT}", tokens["access_token"]).status_code == 200
    clock.seconds += 2
    expired = app.fhir(f"Condition?patient={PATIENT}", tokens["access_token"])
    assert expired.status_code == 401
    assert 'error="invalid_token"' in expired.headers["WWW-Authenticate"]


def test_refreshing_can_be_refused(app: App, misbehaviour: list[Misbehaviour]) -> None:
    tokens = app.tokens()
    misbehaviour[0] = Misbehaviour(refuse_refresh=True)
    assert app.refresh(tokens["refresh_token"]).get_json()["error"] == "invalid_grant"


def configuration(app: App) -> dict[str, Any]:
    found: dict[str, Any] = app.browser.get("/fhir/.well-known/smart-configuration").get_json()
    return found


def test_the_configuration_can_be_of_another_time(app: App, misbehaviour: list[Misbehaviour]) -> None:
    misbehaviour[0] = Misbehaviour(v1_only=True)
    found = configuration(app)
    assert "permission-v1" in found["capabilities"]
    assert "permission-v2" not in found["capabilities"]
    assert "patient/*.read" in found["scopes_supported"]
    assert not any(scope.endswith(".rs") for scope in found["scopes_supported"])
    misbehaviour[0] = Misbehaviour(plain_only=True)
    assert configuration(app)["code_challenge_methods_supported"] == ["plain"]
    misbehaviour[0] = Misbehaviour(relative_urls=True)
    assert configuration(app)["token_endpoint"] == "/auth/token"


def test_switches_are_read_from_a_file_at_every_request(tmp_path: Path) -> None:
    path = tmp_path / "misbehaviour.json"
    assert read_misbehaviour(None) == read_misbehaviour(path) == Misbehaviour()
    path.write_text('{"wrong_nonce": true, "cut_scopes": ["online_access"]}', "utf-8")
    assert read_misbehaviour(path) == Misbehaviour(wrong_nonce=True, cut_scopes=("online_access",))
    path.write_text('{"unheard_of": true}', "utf-8")
    with pytest.raises(TypeError):
        read_misbehaviour(path)


def test_without_a_switch_all_is_well(app: App) -> None:
    tokens = app.tokens(nonce="n" * 30)
    claims = claims_of(tokens["id_token"])
    assert (claims["nonce"], claims["iss"], claims["aud"]) == ("n" * 30, FHIR_BASE, "confidential")
    assert tokens["scope"] == ASKED
    assert claims["exp"] > time.time()
