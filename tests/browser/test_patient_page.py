"""The page for one patient in a browser: accessible in light and in dark, on a phone and wide, with and without a script."""

from collections.abc import Iterator
from dataclasses import replace
from threading import Thread
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask, Response, request
from werkzeug.serving import make_server

from server.patient_page.page import render
from server.patient_page.patient_summary import render_summary
from server.patient_page.static_files import patient_page_static_blueprint
from tests.browser.conftest import Watch, Watched
from tests.server.patient_page.patients import opened

pytestmark = pytest.mark.browser

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
CLASSIC = "/classic-dermatomyositis"
SUPPOSED = f"{CLASSIC}?suppose=anti-mda5:positive,pregnancy:pregnant"
VIEWS = (SUPPOSED, "/inclusion-body-myositis-on-prednisone", "/nxp2-dermatomyositis-dysphagia/summary")
OPENED = "document.querySelectorAll('details').forEach((one, i) => { one.open = i % 4 === 0 })"
"""They are all alike, and axe takes its time over each."""


def page_server() -> Flask:
    """The page of every story, under the policy that the app has."""
    app = Flask("patient pages", static_folder=None)
    app.register_blueprint(patient_page_static_blueprint())

    @app.get("/smart/patient/<slug>")
    def page(slug: str) -> str:
        return render(replace(opened(slug), launch=slug), request.args, "en")

    @app.get("/smart/patient/<slug>/summary")
    def summary(slug: str) -> str:
        return render_summary(replace(opened(slug), launch=slug), "en")

    @app.after_request
    def add_policy(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = POLICY
        return response

    return app


@pytest.fixture(scope="module")
def pages_url() -> Iterator[str]:
    server = make_server("127.0.0.1", 0, page_server(), threaded=True)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/smart/patient"
    server.shutdown()


@pytest.mark.parametrize("view", VIEWS)
def test_the_page_is_accessible_in_light_and_in_dark_and_never_scrolls_sideways(
    watched: Watched, pages_url: str, view: str
) -> None:
    page = watched.page
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(pages_url + view)
    schemes: list[tuple[Literal["light", "dark"], dict[str, list[str]]]] = [("light", {})]
    if view == SUPPOSED:  # the one that shows the most
        page.evaluate(OPENED)
        schemes.append(("dark", {"runOnly": ["color-contrast"]}))  # only colours differ in the dark
    for scheme, rules in schemes:
        page.emulate_media(color_scheme=scheme)
        found = Axe().run(page, options={"resultTypes": ["violations"], **rules}).response["violations"]
        assert [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")] == []
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    for width in (390, 820, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), width


def test_a_datum_is_supposed_and_taken_back_by_keyboard_and_without_a_script(watch: Watch, pages_url: str) -> None:
    page = watch(java_script_enabled=False).page
    page.goto(pages_url + CLASSIC)
    assert not page.get_by_role("button", name="Print").is_visible()
    page.get_by_label("Suppose", exact=True).select_option("anti-mda5:positive")
    page.get_by_role("button", name="Show what would change").press("Enter")
    supposed = page.get_by_role("region", name="Supposition, nothing is written")
    assert "anti-MDA5 dermatomyositis would hold" in supposed.inner_text()
    assert "Pulmonary function testing together with high-resolution CT" in supposed.inner_text()
    assert page.get_by_role("heading", level=1).inner_text() == "Dermatomyositis (Supported)"
    supposed.get_by_role("link", name="take back").press("Enter")
    assert page.get_by_role("region", name="Supposition, nothing is written").count() == 0


def test_opened_sections_stay_open_and_a_link_opens_what_it_leads_to(watched: Watched, pages_url: str) -> None:
    page = watched.page
    page.goto(pages_url + CLASSIC)
    assert page.get_by_role("button", name="Print").is_visible()
    page.locator("#classification-items > summary").click()
    page.reload()
    assert page.locator("#classification-items").get_attribute("open") is not None
    page.goto(f"{pages_url}{CLASSIC}#statement-doria-2004-cs-first")
    assert page.locator("#statement-doria-2004-cs-first").is_visible()
    kept = page.evaluate("Object.values({...sessionStorage}).join()")
    assert "classification-items" in kept
    assert "Demoford" not in kept
