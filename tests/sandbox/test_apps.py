"""SMART apps are opened from a chart and without one, and others than ours can be registered."""

from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient

from tests.sandbox.conftest import StubService
from tests.sandbox.desks import URL
from tests.sandbox.reading_pages import PATIENT, page, post, said

APP = {
    "client_id": "growth-chart",
    "name": "Growth chart",
    "launch_url": "http://127.0.0.1:9000/launch?from=ehr",
    "redirect_uris": "http://127.0.0.1:9000/callback http://127.0.0.1:9000/other",
}


@pytest.mark.parametrize("place", ["", "/orders", "/facts"])
def test_a_chart_opens_the_app_without_a_card(browser_of_pages: FlaskClient, service: StubService, place: str) -> None:
    service.answer = {"cards": []}
    _, parsed = page(browser_of_pages, PATIENT + place)
    assert f"{PATIENT}/apps/myositis-cds" in parsed.links
    to_app = browser_of_pages.get(f"{PATIENT}/apps/myositis-cds").location
    assert to_app.startswith(f"{service.url}/smart/launch?")
    given = parse_qs(urlsplit(to_app).query)
    assert given["iss"] == [f"{URL}/fhir"]
    assert given["launch"] != parse_qs(urlsplit(browser_of_pages.get(f"{PATIENT}/apps/myositis-cds").location).query)["launch"]


def test_an_app_or_a_patient_that_is_not_here_is_not_opened(browser_of_pages: FlaskClient) -> None:
    page(browser_of_pages, f"{PATIENT}/apps/unknown", 404)
    page(browser_of_pages, "/patients/nobody/apps/myositis-cds", 404)


def test_the_checks_open_the_app_without_a_chart(browser_of_pages: FlaskClient, service: StubService) -> None:
    _, parsed = page(browser_of_pages, "/checks")
    assert f"{service.url}/smart/launch?iss=http%3A%2F%2F127.0.0.1%3A8001%2Ffhir" in parsed.links


def test_another_app_is_registered_and_opened(browser_of_pages: FlaskClient) -> None:
    html, parsed = post(browser_of_pages, "/apps/register", **APP)
    assert "Growth chart is registered" in said(html)
    assert "http://127.0.0.1:9000/launch?from=ehr&iss=http%3A%2F%2F127.0.0.1%3A8001%2Ffhir" in parsed.links
    assert f"{PATIENT}/apps/growth-chart" in page(browser_of_pages, PATIENT)[1].links
    to_app = browser_of_pages.get(f"{PATIENT}/apps/growth-chart").location
    assert to_app.startswith("http://127.0.0.1:9000/launch?from=ehr&iss=")
    asked = {
        "response_type": "code",
        "client_id": "growth-chart",
        "redirect_uri": "http://127.0.0.1:9000/other",
        "scope": "launch patient/Condition.rs",
        "state": "s" * 30,
        "aud": f"{URL}/fhir",
        "code_challenge": "c" * 43,
        "code_challenge_method": "S256",
        "launch": parse_qs(urlsplit(to_app).query)["launch"][0],
    }
    answer = browser_of_pages.get("/auth/authorize", query_string=asked)
    assert answer.location.startswith("http://127.0.0.1:9000/other?code=")
    assert "There is an app with this client id" in said(post(browser_of_pages, "/apps/register", **APP)[0])


@pytest.mark.parametrize(
    "changed",
    [
        {"client_id": ""},
        {"client_id": "a/b"},
        {"launch_url": "javascript:alert(1)"},
        {"redirect_uris": ""},
        {"redirect_uris": "http://127.0.0.1:9000/callback app:open"},
        {"jwks_url": "file:///etc/passwd"},
        {"name": "x" * 201},
    ],
)
def test_an_app_that_cannot_be_one_is_refused_in_words(browser_of_pages: FlaskClient, changed: dict[str, str]) -> None:
    html, _ = post(browser_of_pages, "/apps/register", **APP | changed)
    assert "Write" in said(html)
    assert "growth-chart" not in html
