"""The list of what the last launches did right and wrong."""

from collections.abc import Sequence

import pytest

from sandbox.authorization.checks import Attempt
from sandbox.authorization.verdicts import Check
from tests.sandbox.authorization.conftest import PATIENT, REDIRECT, App


def failed(checks: Sequence[Check]) -> list[str]:
    return [check.what for check in checks if not check.passed]


def last(app: App) -> Attempt:
    return app.authorization.checks()[0]


@pytest.mark.parametrize("client_id", ["confidential", "symmetric", "public"])
def test_a_launch_as_it_should_be_passes_every_check(app: App, client_id: str) -> None:
    app.client_id = client_id
    tokens = app.tokens()
    assert failed(last(app).authorization) == failed(last(app).token) == []
    assert not last(app).passed  # a token that nobody uses shows nothing
    app.fhir(f"Condition?patient={PATIENT}", tokens["access_token"])
    assert last(app).passed
    assert (last(app).kind, last(app).client_id, last(app).refreshed) == ("EHR launch", client_id, 0)
    app.refresh(tokens["refresh_token"])
    assert last(app).refreshed == 1


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"client_id": "unknown"}, "The client is registered"),
        ({"redirect_uri": f"{REDIRECT}/x"}, "The redirect URI is a registered one"),
        ({"response_type": "token"}, "It asks for a code"),
        ({"launch": "made-up"}, "The launch value is the one that the EHR gave"),
        ({"scope": "openid patient/Condition.rs"}, "It asks for the scope launch"),
        ({"state": None}, "There is a state, long enough not to be guessed"),
        ({"state": "short"}, "There is a state, long enough not to be guessed"),
        ({"aud": "http://other.example"}, "aud is the base URL of the FHIR server"),
        ({"code_challenge_method": "plain"}, "There is a PKCE challenge with S256"),
        ({"scope": "launch user/*.cruds"}, "Every scope is registered"),
        ({"nonce": None}, "openid comes with a nonce"),
    ],
)
def test_a_wrong_authorization_request_is_named(app: App, change: dict[str, str | None], what: str) -> None:
    app.authorize(**change)
    assert what in failed(last(app).authorization)
    assert not last(app).passed


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"redirect_uri": f"{REDIRECT}/x"}, "The redirect URI is the one of the authorization request"),
        ({"code_verifier": "w" * 64}, "The verifier fits the challenge"),
        ({"client_assertion": None}, "There is a client assertion, and its type is named"),
        ({"client_assertion": "rubbish"}, "There is a client assertion, and its type is named"),
    ],
)
def test_a_wrong_token_request_is_named(app: App, change: dict[str, str | None], what: str) -> None:
    app.ask_for_token(app.code(), **change)
    assert what in failed(last(app).token)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"headers": {"typ": "at+jwt"}}, "Its header has typ JWT and kid"),
        ({"algorithm": "HS256", "key": "k" * 48}, "Its algorithm is ES384 or RS384"),
        ({"sub": "other"}, "iss and sub are the client id"),
        ({"aud": "http://localhost/fhir"}, "aud is the token endpoint"),
        ({"exp": 4_000_000_000}, "exp is at most five minutes away"),
        ({"jti": None}, "jti is new"),
    ],
    ids=str,
)
def test_a_wrong_assertion_is_named_claim_by_claim(app: App, change: dict[str, object], what: str) -> None:
    app.ask_for_token(app.code(), client_assertion=app.assertion(**change))  # type: ignore[arg-type]
    assert failed(last(app).token) == [what]


def test_a_second_use_is_named(app: App) -> None:
    code, assertion = app.code(), app.assertion()
    app.ask_for_token(code, client_assertion=assertion)
    assert failed(last(app).token) == []
    app.ask_for_token(code, client_assertion=assertion)
    assert failed(last(app).token) == ["The code is fresh, and used once", "jti is new"]


def test_the_form_of_the_page_is_no_second_launch(app: App) -> None:
    request = app.request(scope="launch/patient patient/Condition.rs", nonce=None)
    app.browser.get("/auth/authorize", query_string=request)
    app.browser.post("/auth/authorize", query_string=request, data={"decision": "deny"})
    assert [attempt.kind for attempt in app.authorization.checks()] == ["standalone"]


def test_the_newest_come_first_and_the_oldest_are_forgotten(app: App) -> None:
    for _ in range(60):
        app.browser.get("/auth/authorize", query_string={"client_id": "unknown"})
    numbers = [attempt.number for attempt in app.authorization.checks()]
    assert numbers == list(range(60, 10, -1))


def test_it_holds_no_secret(app: App) -> None:
    tokens = app.tokens()
    told = repr(app.authorization.checks())
    assert tokens["access_token"] not in told
    assert tokens["refresh_token"] not in told
    assert PATIENT not in told
