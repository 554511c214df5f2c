"""What the authorization server refuses, and to whom it says so."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.authorization.authorization import Authorization
from tests.sandbox.authorization.conftest import PATIENT, REDIRECT, App, Clock, answer_of
from tests.sizes import size

# --- the authorization request


@pytest.mark.parametrize(
    "change",
    [
        {"client_id": "unknown"},
        {"client_id": None},
        {"redirect_uri": None},
        {"redirect_uri": f"{REDIRECT}/"},
        {"redirect_uri": f"{REDIRECT}?x=1"},
        {"redirect_uri": "http://attacker.example/callback"},
        {"redirect_uri": 'http://x/"é\\'},
    ],
)
def test_where_the_app_is_not_known_for_sure_nobody_is_sent_anywhere(app: App, change: dict[str, str | None]) -> None:
    response = app.authorize(**change)
    assert response.status_code == 400
    assert response.location is None
    assert "cannot be connected" in response.get_data(as_text=True)
    assert "attacker.example" not in response.get_data(as_text=True)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"state": None}, "invalid_request"),
        ({"aud": None}, "invalid_request"),
        ({"aud": "http://attacker.example/fhir"}, "invalid_request"),
        ({"launch": None}, "invalid_request"),
        ({"launch": "made-up"}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "too-short"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"nonce": None}, "invalid_request"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": "system/*.cruds"}, "invalid_scope"),
        ({"scope": "openid patient/Condition.rs"}, "invalid_scope"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": None}, "unsupported_response_type"),
        ({"response_type": 'no "sense" é'}, "unsupported_response_type"),
    ],
)
def test_an_app_that_asks_wrongly_is_told_so_at_its_own_address(app: App, change: dict[str, str | None], error: str) -> None:
    # A chart was opened all the same; what is wrong is said although there is a launch to use.
    launch = {} if "launch" in change else {"launch": app.authorization.launch(PATIENT)}
    response = app.authorize(**({"state": "s" * 30} | launch | change))
    answer = answer_of(response)
    assert answer["error"] == error
    assert "code" not in answer
    assert answer["iss"].endswith("/fhir")
    assert answer.get("state") == (None if "state" in change else "s" * 30)


def test_parameters_that_come_twice_are_refused(app: App) -> None:
    query = [*app.request(launch=app.authorization.launch(PATIENT)).items(), ("state", "another")]
    assert app.browser.get("/auth/authorize", query_string=query).status_code == 400


def test_scopes_that_are_not_registered_are_not_granted(app: App) -> None:
    tokens = app.tokens(scope="launch patient/Condition.rs patient/Condition.cud user/Observation.read user/Observation.cruds")
    assert tokens["scope"] == "launch patient/Condition.rs user/Observation.read"


def test_a_launch_opens_one_app_once(app: App, clock: Clock) -> None:
    launch = app.authorization.launch(PATIENT)
    assert "code" in answer_of(app.authorize(launch=launch))
    assert answer_of(app.authorize(launch=launch))["error"] == "invalid_request"
    late = app.authorization.launch(PATIENT)
    clock.seconds += 301
    assert answer_of(app.authorize(launch=late))["error"] == "invalid_request"


def test_a_nonce_counts_once(app: App) -> None:
    app.code(nonce="n" * 30)
    assert answer_of(app.authorize(nonce="n" * 30))["error"] == "invalid_request"


# --- the token request


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"code_verifier": None}, "invalid_request"),
        ({"code_verifier": "w" * 64}, "invalid_grant"),
        ({"code_verifier": "short"}, "invalid_request"),
        ({"redirect_uri": None}, "invalid_grant"),
        ({"redirect_uri": f"{REDIRECT}/"}, "invalid_grant"),
        ({"code": None}, "invalid_request"),
        ({"code": "made-up"}, "invalid_grant"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": None}, "unsupported_grant_type"),
    ],
)
@pytest.mark.parametrize("client_id", ["confidential", "public"])
def test_a_wrong_token_request_gets_no_token(app: App, client_id: str, change: dict[str, str | None], error: str) -> None:
    app.client_id = client_id
    response = app.ask_for_token(**({"code": app.code()} | change))  # type: ignore[arg-type]
    assert response.status_code == 400
    assert response.get_json()["error"] == error
    assert response.headers["Cache-Control"] == "no-store"


def test_a_code_lives_a_minute(app: App, clock: Clock) -> None:
    code = app.code()
    clock.seconds += 61
    assert app.ask_for_token(code).get_json()["error"] == "invalid_grant"


def test_a_code_that_comes_twice_ends_what_the_first_one_began(app: App) -> None:
    code = app.code()
    tokens = app.ask_for_token(code).get_json()
    assert app.fhir(f"Condition?patient={PATIENT}", tokens["access_token"]).status_code == 200
    assert app.ask_for_token(code).get_json()["error"] == "invalid_grant"
    assert app.fhir(f"Condition?patient={PATIENT}", tokens["access_token"]).status_code == 401
    assert app.refresh(tokens["refresh_token"]).get_json()["error"] == "invalid_grant"


def test_a_code_of_another_app_is_refused_and_still_good_for_its_own(app: App) -> None:
    code = app.code()
    app.client_id = "public"
    assert app.ask_for_token(code).get_json()["error"] == "invalid_grant"
    app.client_id = "confidential"
    assert app.ask_for_token(code).status_code == 200


def test_a_refresh_token_that_comes_twice_ends_the_session(app: App) -> None:
    first = app.tokens()
    second = app.refresh(first["refresh_token"]).get_json()
    assert app.refresh(first["refresh_token"]).get_json()["error"] == "invalid_grant"
    assert app.fhir(f"Condition?patient={PATIENT}", second["access_token"]).status_code == 401
    assert app.refresh(second["refresh_token"]).get_json()["error"] == "invalid_grant"


def test_a_refresh_token_is_its_own_apps_and_never_gets_more(app: App) -> None:
    tokens = app.tokens()
    assert app.refresh(tokens["refresh_token"], scope="patient/*.rs").get_json()["error"] == "invalid_scope"
    app.client_id = "symmetric"
    assert app.refresh(tokens["refresh_token"]).get_json()["error"] == "invalid_grant"
    app.client_id = "confidential"
    assert app.refresh(tokens["refresh_token"]).status_code == 200


@pytest.mark.parametrize("what", ["code", "refresh_token", "launch", "assertion"])
def test_of_threads_that_use_one_thing_at_once_one_wins(app: App, authorization: Authorization, what: str) -> None:
    def use(_: int) -> bool:
        mine = with_a_browser_of_its_own(app)
        if what == "code":
            return mine.ask_for_token(code).status_code == 200
        if what == "refresh_token":
            return mine.refresh(refresh_token).status_code == 200
        if what == "launch":
            return "code" in answer_of(mine.authorize(launch=launch))
        return mine.post("/auth/introspect", token="x", client_assertion=assertion).status_code == 200

    code, refresh_token = app.code(), app.tokens()["refresh_token"]
    launch, assertion = authorization.launch(PATIENT), app.assertion()
    with ThreadPoolExecutor(6) as threads:
        assert sum(threads.map(use, range(12))) == 1


def with_a_browser_of_its_own(app: App) -> App:
    """A test client is for one thread."""
    return App(app.browser.application.test_client(), app.authorization, app.client_id, app.key)


# --- client authentication


def test_a_sound_assertion_is_accepted(app: App) -> None:
    assert app.ask_for_token(app.code(), client_assertion=app.assertion()).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "other"},
        {"sub": "other"},
        {"iss": None},
        {"aud": "http://localhost/fhir"},
        {"aud": None},
        {"exp": None},
        {"exp": 1_000_000_000},
        {"exp": 4_000_000_000},
        {"exp": float("nan")},
        {"exp": "soon"},
        {"jti": None},
        {"jti": ""},
        {"jti": 5},
        {"headers": {"typ": "at+jwt"}},
        {"headers": {"kid": "unknown"}},
        {"algorithm": "HS384", "key": "k" * 48},
        pytest.param({"key": ec.generate_private_key(ec.SECP384R1())}, id="another key"),
    ],
    ids=str,
)
def test_an_assertion_that_is_not_as_smart_has_it_is_refused(app: App, change: dict[str, Any]) -> None:
    response = app.ask_for_token(app.code(), client_assertion=app.assertion(**change))
    assert response.get_json()["error"] == "invalid_client"
    assert response.status_code in (400, 401)


def test_an_assertion_counts_once(app: App) -> None:
    assertion = app.assertion()
    assert app.ask_for_token(app.code(), client_assertion=assertion).status_code == 200
    assert app.ask_for_token(app.code(), client_assertion=assertion).get_json()["error"] == "invalid_client"


def test_who_has_a_key_cannot_do_without_it(app: App) -> None:
    form = {"client_assertion": None, "client_assertion_type": None, "client_id": "confidential"}
    assert app.ask_for_token(app.code(), **form).status_code == 401
    app.client_id = "symmetric"
    code = app.code()
    wrong = {"Authorization": "Basic c3ltbWV0cmljOndyb25n"}
    sent = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "code_verifier": "v" * 64}
    assert app.browser.post("/auth/token", data=sent, headers=wrong).status_code == 401
    assert app.browser.post("/auth/token", data=sent | {"client_id": "symmetric"}).status_code == 401


def test_without_keys_to_read_nobody_is_let_in(app: App, authorization: Authorization) -> None:
    registered = next(each for each in authorization.apps if each.client_id == "confidential")
    authorization.register(replace(registered, jwks_url="http://127.0.0.1:9/nothing"))
    assert app.ask_for_token(app.code()).get_json()["error"] == "invalid_client"


def test_credentials_alone_are_for_systems(app: App) -> None:
    app.client_id = "public"
    assert app.post("/auth/token", grant_type="client_credentials", scope="patient/*.rs").get_json()["error"] == "invalid_client"
    app.client_id = "confidential"
    response = app.post("/auth/token", grant_type="client_credentials", scope="patient/*.rs")
    assert response.get_json()["error"] == "invalid_scope"


# --- whatever comes

TEXT = st.text(max_size=20)


@settings(max_examples=size(40, part=16), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(
        ["response_type", "client_id", "redirect_uri", "scope", "state", "aud", "launch", "nonce", "code_challenge", "prompt"]
    ),
    TEXT,
)
def test_no_parameter_breaks_the_authorization_endpoint(app: App, name: str, value: str) -> None:
    response = app.authorize(**{name: value})
    assert response.status_code in (200, 302, 400)
    if response.status_code == 302:
        assert response.location.startswith(f"{REDIRECT}?")


@settings(max_examples=size(40, part=16), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(
        ["grant_type", "code", "redirect_uri", "code_verifier", "client_assertion", "client_assertion_type", "scope", "client_id"]
    ),
    TEXT,
)
def test_no_parameter_breaks_the_token_endpoint(app: App, name: str, value: str) -> None:
    response = app.ask_for_token(**({"code": "made-up"} | {name: value}))
    assert response.status_code in (400, 401)
    assert response.get_json()["error"]
