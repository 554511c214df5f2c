"""The page on which a clinician logs in, chooses a patient, and says what an app may do."""

import re

import pytest
from werkzeug.test import TestResponse

from sandbox.authorization.authorization import Authorization
from sandbox.authorization.smart_apps import SmartApp
from tests.sandbox.authorization.conftest import ASKED, FHIR_BASE, OTHER, PATIENT, REDIRECT, App, answer_of

STANDALONE = "launch/patient openid fhirUser offline_access patient/Condition.rs patient/Observation.rs"
ALLOWED = {
    "decision": "allow",
    "practitioner": "sandbox-neurologist",
    "chosen_patient": OTHER,
    "kept_scope": ["offline_access", "patient/Condition.rs"],
}


def decide(app: App, request: dict[str, str], **form: object) -> TestResponse:
    """Send the form of the page, which goes to the address of the page itself."""
    return app.browser.post("/auth/authorize", query_string=request, data=form)


@pytest.fixture
def standalone(app: App) -> dict[str, str]:
    """An app that nobody opened from a chart."""
    return app.request(scope=STANDALONE)


def test_without_a_launch_somebody_is_asked(app: App, standalone: dict[str, str]) -> None:
    response = app.browser.get("/auth/authorize", query_string=standalone)
    page = response.get_data(as_text=True)
    assert response.status_code == 200
    assert "Confidential app" in page
    assert page.count('name="practitioner"') == 2
    assert re.findall(r'name="kept_scope" value="([^"]+)"', page) == [
        "offline_access",
        "patient/Condition.rs",
        "patient/Observation.rs",
    ]
    assert "read: diagnoses of this patient" in page
    assert f'<option value="{OTHER}">' in page


def test_the_form_may_lead_to_the_app_and_nowhere_else(app: App, standalone: dict[str, str]) -> None:
    policy = app.browser.get("/auth/authorize", query_string=standalone).headers["Content-Security-Policy"]
    assert policy.endswith("form-action 'self' http://app.example:8000")
    assert "default-src 'none'" in policy


def test_who_allows_it_chooses_patient_and_scopes(app: App, standalone: dict[str, str]) -> None:
    answer = answer_of(decide(app, standalone, **ALLOWED))
    tokens = app.ask_for_token(answer["code"]).get_json()
    assert tokens["patient"] == OTHER
    assert tokens["scope"] == "launch/patient openid fhirUser offline_access patient/Condition.rs"
    assert "encounter" not in tokens
    assert app.fhir(f"Condition?patient={OTHER}", tokens["access_token"]).status_code == 200
    assert app.fhir(f"Observation?patient={OTHER}", tokens["access_token"]).status_code == 403
    access = app.authorization.access(tokens["access_token"])
    assert access is not None
    assert access.user == "Practitioner/sandbox-neurologist"


def test_who_does_not_allow_it_sends_the_app_away(app: App, standalone: dict[str, str]) -> None:
    answer = answer_of(decide(app, standalone, decision="deny"))
    assert answer["error"] == "access_denied"
    assert answer["state"] == standalone["state"]
    assert answer["iss"] == FHIR_BASE


@pytest.mark.parametrize(
    "change", [{"practitioner": "nobody"}, {"practitioner": ""}, {"chosen_patient": "nobody"}, {"chosen_patient": ""}]
)
def test_half_a_form_is_asked_again(app: App, standalone: dict[str, str], change: dict[str, str]) -> None:
    response = decide(app, standalone, **(ALLOWED | change))
    assert response.status_code == 200
    assert 'role="alert"' in response.get_data(as_text=True)


def test_nobody_gets_a_scope_that_was_not_asked_for(app: App, standalone: dict[str, str]) -> None:
    answer = answer_of(decide(app, standalone, **(ALLOWED | {"kept_scope": ["user/*.read", "patient/*.rs"]})))
    assert app.ask_for_token(answer["code"]).get_json()["scope"] == "launch/patient openid fhirUser"


def test_without_patient_scopes_no_patient_is_chosen(app: App) -> None:
    request = app.request(scope="openid fhirUser user/Observation.read")
    assert "chosen_patient" not in app.browser.get("/auth/authorize", query_string=request).get_data(as_text=True)
    answer = answer_of(
        decide(app, request, decision="allow", practitioner="sandbox-clinician", kept_scope="user/Observation.read")
    )
    tokens = app.ask_for_token(answer["code"]).get_json()
    assert "patient" not in tokens
    for patient in (PATIENT, OTHER):
        assert app.fhir(f"Observation?patient={patient}", tokens["access_token"]).status_code == 200


def test_a_launch_by_nobody_who_is_logged_in_asks_but_not_for_the_patient(app: App, authorization: Authorization) -> None:
    request = app.request(launch=authorization.launch(PATIENT, user=""))
    page = app.browser.get("/auth/authorize", query_string=request).get_data(as_text=True)
    assert "whose chart is open" in page
    assert "chosen_patient" not in page
    kept = [scope for scope in ASKED.split() if "/" in scope]
    form = {"decision": "allow", "practitioner": "sandbox-clinician", "chosen_patient": OTHER, "kept_scope": kept}
    answer = answer_of(decide(app, request, **form))
    assert app.ask_for_token(answer["code"]).get_json()["patient"] == PATIENT


def test_a_form_of_another_origin_decides_nothing(app: App, standalone: dict[str, str]) -> None:
    for origin, status in (("http://attacker.example", 403), ("null", 403), ("http://localhost", 302)):
        headers = {"Origin": origin}
        response = app.browser.post("/auth/authorize", query_string=standalone, data=ALLOWED, headers=headers)
        assert response.status_code == status


@pytest.mark.parametrize(
    ("prompt", "scope", "is_asked", "error"),
    [
        ("none", ASKED, False, None),
        ("login", ASKED, True, None),
        ("consent", ASKED, True, None),
        ("none", STANDALONE, False, "login_required"),
    ],
)
def test_an_app_may_want_somebody_to_be_asked_or_nobody(
    app: App, prompt: str, scope: str, is_asked: bool, error: str | None
) -> None:
    launch = None if "launch/patient" in scope else app.authorization.launch(PATIENT)
    response = app.browser.get("/auth/authorize", query_string=app.request(launch=launch, scope=scope, prompt=prompt))
    assert (response.status_code == 200) is is_asked
    if not is_asked:
        assert answer_of(response).get("error") == error


def test_a_request_may_come_as_a_form_of_the_app(app: App) -> None:
    request = app.request(launch=app.authorization.launch(PATIENT))
    response = app.browser.post("/auth/authorize", data=request)
    assert response.status_code == 303
    assert "code" in answer_of(app.browser.get(response.location))


def test_what_an_app_calls_itself_is_text_on_the_page(app: App, authorization: Authorization, standalone: dict[str, str]) -> None:
    authorization.register(SmartApp("public", "<script>alert(1)</script>", (REDIRECT,), "", ("patient/*.rs",)))
    request = standalone | {"client_id": "public", "scope": "patient/*.rs"}
    assert "<script>" not in app.browser.get("/auth/authorize", query_string=request).get_data(as_text=True)
