"""The sandbox answers to its own address only: no web site can take its place in the browser of whoever tries it."""

import pytest
from flask.testing import FlaskClient

from sandbox.hosts import is_ours
from tests.sandbox.conftest import StubService
from tests.sandbox.desks import URL
from tests.sandbox.reading_pages import PAGES, PATIENT, form_token

EVIL = "evil.example:8001"


@pytest.mark.parametrize("host", [EVIL, "127.0.0.1.evil.example", "localhost.evil.example:8001", "[::2]:8001", "[", "192.0.2.1"])
def test_a_name_that_is_not_this_machines_gets_nothing(browser_of_pages: FlaskClient, host: str) -> None:
    for path in (*PAGES, "/health", "/nowhere", "/static/sandbox.css", "/auth/authorize", "/fhir/Patient/healthy"):
        response = browser_of_pages.get(path, headers={"Host": host})
        assert response.status_code == 421, path
        assert response.mimetype == "text/plain"


def test_a_site_whose_name_was_given_our_address_sets_no_switch(browser_of_pages: FlaskClient, service: StubService) -> None:
    token = form_token(browser_of_pages)
    fields = {"form_token": token, "prefetch": "none", "fault": "", "dialect": "standard"}
    headers = {"Host": EVIL, "Origin": f"http://{EVIL}"}
    assert browser_of_pages.post("/switches", data=fields, headers=headers).status_code == 421
    assert browser_of_pages.post(f"{PATIENT}/facts/reset", data=fields, headers=headers).status_code == 421
    assert browser_of_pages.post("/auth/authorize", data={"decision": "allow"}, headers=headers).status_code == 421
    assert browser_of_pages.post("/switches", data=fields, headers={"Origin": f"http://{EVIL}"}).status_code == 403
    assert "Switched:" not in browser_of_pages.get("/switches").text
    assert service.asked == []


@pytest.mark.parametrize("host", ["127.0.0.1:8001", "localhost:8001", "[::1]:8001"])
def test_this_machine_has_more_than_one_name(browser_of_pages: FlaskClient, host: str) -> None:
    assert browser_of_pages.get("/switches", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    ("origin", "ours"),
    [
        (None, True),
        (URL, True),
        ("http://localhost:8001", True),
        ("http://127.0.0.1:3000", False),
        ("http://127.0.0.1", False),
        ("https://127.0.0.1:8001", False),
        (f"http://{EVIL}", False),
        ("http://127.0.0.1:99999", False),
        ("http://[", False),
        ("null", False),
        ("", False),
    ],
)
def test_a_form_is_ours_if_it_was_on_a_page_of_ours(origin: str | None, ours: bool) -> None:
    assert is_ours(origin, URL) is ours
