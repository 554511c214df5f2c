"""Every page: what it says, loads and looks like to a machine, and that no other site can use its forms."""

import re

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from sandbox.__main__ import main
from sandbox.story import read_stories
from tests.sandbox.conftest import StubService
from tests.sandbox.reading_pages import NO_CARD, PAGES, PATIENT, Page, form_token, page


@pytest.mark.parametrize("path", PAGES)
def test_every_page_says_that_patients_are_synthetic_and_that_it_is_no_medical_device(
    browser_of_pages: FlaskClient, path: str
) -> None:
    html, _ = page(browser_of_pages, path)
    assert "Synthetic patients." in html
    assert "Not a medical device" in html


@pytest.mark.parametrize("path", [*PAGES, "/sandbox/", "/health", "/nowhere", "/static/sandbox.css", "/fhir/metadata"])
def test_every_answer_has_a_strict_content_security_policy(browser_of_pages: FlaskClient, path: str) -> None:
    response = browser_of_pages.get(path)
    policy = dict(part.strip().split(" ", 1) for part in response.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy.get("script-src", "'self'") == "'self'"
    assert "unsafe" not in response.headers["Content-Security-Policy"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    response.close()


@pytest.mark.parametrize("path", [*PAGES, "/nowhere"])
def test_nothing_is_loaded_from_elsewhere_and_nothing_is_inline(browser_of_pages: FlaskClient, path: str) -> None:
    html = browser_of_pages.get(path).text
    assert Page(html).loaded == ["/static/icon.svg", "/static/sandbox.css", "/static/sandbox.js"]
    assert html.count("<script") == 1
    assert not re.search(r"\sstyle=|\son[a-z]+=|<style", html)
    for name in ("sandbox.css", "sandbox.js"):
        with browser_of_pages.get(f"/static/{name}") as response:
            text = response.text
        assert "http" not in text
        assert "@import" not in text


@pytest.mark.parametrize("path", PAGES)
def test_pages_have_landmarks_one_main_heading_and_no_double_id(browser_of_pages: FlaskClient, path: str) -> None:
    html, parsed = page(browser_of_pages, path)
    assert '<html lang="en">' in html
    assert [parsed.tags.count(tag) for tag in ("header", "main", "footer", "h1", "title")] == [1, 1, 1, 1, 1]
    assert len(set(parsed.ids)) == len(parsed.ids)
    assert all(deeper <= level + 1 for level, deeper in zip(parsed.headings, parsed.headings[1:], strict=False))


def test_the_list_of_patients_links_to_nothing_outside(browser_of_pages: FlaskClient) -> None:
    _, parsed = page(browser_of_pages, "/")
    assert not any("//" in link for link in parsed.links)


@pytest.mark.parametrize("path", ["/patients/nobody", "/patients/nobody/orders", "/patients/nobody/facts"])
def test_an_unknown_patient_gets_a_page_that_leads_back(browser_of_pages: FlaskClient, path: str) -> None:
    html, parsed = page(browser_of_pages, path, 404)
    assert "nobody" not in html
    assert "/sandbox/" in parsed.links or "/" in parsed.links


POSTS = (
    f"{NO_CARD}/accept/0",
    f"{NO_CARD}/override",
    f"{PATIENT}/orders/add",
    f"{PATIENT}/orders/1/change",
    f"{PATIENT}/orders/1/discard",
    f"{PATIENT}/orders/review",
    f"{PATIENT}/orders/sign",
    f"{PATIENT}/facts/make",
    f"{PATIENT}/facts/undo",
    f"{PATIENT}/facts/reset",
    "/switches",
    "/switches/normal",
    "/services/add",
    "/services/read",
    "/services/remove",
    "/apps/register",
)


def test_all_forms_of_the_pages_are_looked_at_below(browser_of_pages: FlaskClient) -> None:
    rules = {
        rule.rule
        for rule in browser_of_pages.application.url_map.iter_rules()
        if "POST" in (rule.methods or ()) and not rule.rule.startswith(("/fhir", "/auth"))
    }
    adapter = browser_of_pages.application.url_map.bind("127.0.0.1")
    assert {adapter.match(path, "POST", return_rule=True)[0].rule for path in POSTS} == rules


@pytest.mark.parametrize("path", POSTS)
def test_a_form_from_another_site_is_refused(browser_of_pages: FlaskClient, service: StubService, path: str) -> None:
    token = form_token(browser_of_pages)

    def send(headers: dict[str, str], **fields: str) -> TestResponse:
        return browser_of_pages.post(path, data=fields, headers=headers)

    assert send({}).status_code == 403
    assert send({}, form_token="guessed").status_code == 403
    assert send({"Origin": "http://evil.example"}, form_token=token).status_code == 403
    assert send({"Origin": "null"}, form_token=token).status_code == 403
    assert "Open the page anew" in send({}).text
    assert service.asked == []


def test_health_says_that_the_patients_are_loaded(browser_of_pages: FlaskClient) -> None:
    assert browser_of_pages.get("/health").json == {"status": "ok", "patients": len(read_stories())}


def test_the_command_serves_the_sandbox_on_this_machine_only(monkeypatch: pytest.MonkeyPatch) -> None:
    served: dict[str, object] = {}
    monkeypatch.setattr("waitress.serve", lambda app, **settings: served.update(settings))
    result = CliRunner().invoke(main, ["--port", "8123", "--service-url", "http://127.0.0.1:8122"])
    assert result.exit_code == 0
    assert result.output == "Sandbox with synthetic patients: http://127.0.0.1:8123/\n"
    assert served["host"] == "127.0.0.1"


@pytest.mark.requirement("IN-15")
@pytest.mark.parametrize("path", ["/switches", "/services/add"])
@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_no_form_of_more_than_64_kibibytes_is_read(browser_of_pages: FlaskClient, path: str, content_type: str) -> None:
    long, short = (browser_of_pages.post(path, data=b"a=" + b"x" * size, content_type=content_type) for size in (65_536, 60_000))
    assert (long.status_code, short.status_code == 413) == (413, False)
