"""A physician opens the SMART app from a card and without a chart: the whole demo, through the sandbox's authorization server."""

import re
from collections.abc import Iterator
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests
from playwright.sync_api import Page, expect
from werkzeug.serving import make_server

from server.application import create_app
from server.config import Config
from tests.browser.conftest import Demo, Watch, Watched, shuts_out
from tests.browser.english_left import english_left

pytestmark = pytest.mark.browser

TIF1_GAMMA, GRETA = "anti-tif1-gamma-dermatomyositis", "Greta Sampleton"
CLASSIC, INES = "classic-dermatomyositis", "Ines Demoford"
REFRACTORY = "dermatomyositis-refractory-severe"
MDA5 = "mda5-amyopathic-rapid-ild"
SERVICE_PAGES = ("/guidelines", "/connect", "/smart/launch", "/smart/patient")


@pytest.fixture(autouse=True)
def well_behaved(demo: Demo) -> Iterator[None]:
    """Whatever a test switches on is off afterwards."""
    yield
    demo.misbehave()


@pytest.fixture
def front_page() -> Iterator[str]:
    """The front page of the service alone; that of the demo is the sandbox's."""
    server = make_server("127.0.0.1", 0, create_app(Config()), threaded=True)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


@pytest.mark.requirement("SM-09")
def test_a_card_opens_the_app_for_its_patient_and_two_patients_do_not_mix(watched: Watched, demo: Demo) -> None:
    watched.page.goto(f"{demo.sandbox}/patients/{TIF1_GAMMA}")
    card = watched.page.get_by_role("article", name="Tumour screening in anti-TIF1")
    greta = _app_from(card.get_by_role("link", name="Open the whole reasoning"), watched)
    expect(greta.get_by_role("region", name="Patient")).to_contain_text(GRETA)
    focus = greta.locator(".card", has_text="You came from this card.")
    expect(focus.get_by_role("heading")).to_contain_text("Tumour screening in anti-TIF1")
    assert greta.locator(".timeline .point.is-due").count() > 0
    assert _empty_drawings(greta) == []
    for title in ("Options side by side", "Calendar", "Classification and improvement"):
        section = greta.get_by_role("region", name=title)
        assert len(section.inner_text()) > 200, title
    assert greta.locator(".calendar .cal-entry").count() > 0
    assert greta.locator("table.options tbody tr").count() > 0

    other = _opened(watched, demo, REFRACTORY)
    assert other.locator(".timeline .point.bar").count() > 1
    assert other.locator("figure.chart .point").count() > 3
    assert _empty_drawings(other) == []
    name = other.locator(".banner .who").inner_text()
    assert greta.url != other.url
    for page, own, foreign in ((greta, GRETA, name), (other, name, GRETA), (greta, GRETA, name)):
        page.reload()
        assert page.locator(".banner .who").inner_text() == own
        assert foreign not in page.content()
        assert (TIF1_GAMMA if foreign == GRETA else REFRACTORY) not in page.content()


@pytest.mark.requirement("SM-07")
def test_no_token_reaches_the_browser_or_stands_in_the_database(watched: Watched, demo: Demo) -> None:
    seen: list[str] = []
    app = _opened(watched, demo, MDA5, seen)
    app.wait_for_load_state("networkidle")
    app.reload(wait_until="networkidle")
    app.get_by_role("link", name="Summary for the patient").click()
    app.wait_for_url("**/summary", wait_until="networkidle")
    script = "JSON.stringify([document.cookie, {...localStorage}, {...sessionStorage}, document.documentElement.outerHTML])"
    seen += [page.evaluate(script) for page in watched.context.pages]
    seen += [each["value"] for each in watched.context.cookies()]
    launch = _launch(app)
    grant = demo.grant(launch)
    tokens = [grant.access_token, grant.refresh_token]
    assert all(len(token) > 30 for token in tokens)
    everything = "\n".join(seen)
    assert f"/smart/patient/{launch}" in everything  # the right things were looked at
    assert "/smart/callback?code=" in everything
    assert [token for token in tokens if token in everything or token in demo.sealed(launch)] == []
    assert re.findall(r"eyJ[\w-]+\.eyJ[\w-]+\.", everything) == []  # how every JWT looks, the id_token too
    cookies = [each for each in watched.context.cookies() if each["name"].startswith("myositis-cds-launch-")]
    assert cookies
    assert all(each["httpOnly"] and each["sameSite"] == "Lax" for each in cookies)


@pytest.mark.requirement("SM-11")
def test_an_expired_token_is_renewed_and_where_it_cannot_be_the_app_asks_to_be_opened_again(watched: Watched, demo: Demo) -> None:
    demo.misbehave(token_seconds=30)  # shorter than the minute before which a token is renewed
    app = _opened(watched, demo, CLASSIC)
    launch = _launch(app)
    first = demo.grant(launch).access_token
    app.reload()
    assert app.locator(".banner .who").inner_text() == INES
    assert demo.grant(launch).access_token != first

    demo.misbehave(token_seconds=30, refuse_refresh=True)
    app.reload()
    watched.expect(f"401 /smart/patient/{launch}")
    assert app.get_by_role("heading", level=1).inner_text() == "This session has ended"
    assert "Open the app again from the chart" in app.inner_text("main")
    assert INES not in app.content()
    assert demo.sealed(launch) == ""
    assert shuts_out(app) == []

    demo.misbehave()
    again = _opened(watched, demo, CLASSIC)
    assert again.locator(".banner .who").inner_text() == INES
    assert _launch(again) != launch


@pytest.mark.requirement("SM-02", "SM-03", "SM-05")
def test_a_launch_that_somebody_changed_opens_nothing(watched: Watched, demo: Demo) -> None:
    page = watched.page
    page.goto(f"{demo.sandbox}/patients/{CLASSIC}")
    link = demo.sandbox + str(page.get_by_role("link", name="Open the whole reasoning").first.get_attribute("href"))
    for changed, number in (("state", "MYO-1703"), ("code_challenge", "MYO-1706"), ("nonce", "MYO-1707")):
        page.goto(_with(_authorization_url(watched, link), **{changed: "A" * 43}))
        assert page.url.startswith(f"{demo.service}/smart/callback?"), changed
        assert number in page.inner_text("main"), changed
        assert INES not in page.content()
        status = {"state": 400, "code_challenge": 502, "nonce": 403}[changed]
        watched.expect(f"{status} /smart/callback")


@pytest.mark.requirement("SM-02")
def test_a_callback_opens_the_app_once_and_in_the_browser_that_began_only(watch: Watch, demo: Demo) -> None:
    mine, stranger = watch(), watch()
    mine.page.goto(f"{demo.sandbox}/patients/{CLASSIC}")
    link = demo.sandbox + str(mine.page.get_by_role("link", name="Open the whole reasoning").first.get_attribute("href"))
    callback = _redirect(mine, _authorization_url(mine, link))
    assert callback.startswith(f"{demo.service}/smart/callback?code=")

    stranger.page.goto(callback)
    assert "MYO-1703" in stranger.page.inner_text("main")
    stranger.expect("400 /smart/callback")

    mine.page.goto(callback)
    assert mine.page.locator(".banner .who").inner_text() == INES
    shown = mine.page.url
    stranger.page.goto(shown)
    assert "MYO-1709" in stranger.page.inner_text("main")
    assert INES not in stranger.page.content()
    stranger.expect(f"401 {urlsplit(shown).path}")

    mine.page.goto(callback)
    assert "MYO-1703" in mine.page.inner_text("main")
    mine.expect("400 /smart/callback")


def test_what_if_changes_the_advice_on_the_page_and_nothing_in_the_chart(watched: Watched, demo: Demo) -> None:
    app = _opened(watched, demo, CLASSIC)
    grant = demo.grant(_launch(app))
    before = _chart(demo, CLASSIC, grant.access_token)
    assert len(before["Observation"]) > 2
    advised = app.get_by_role("region", name="What applies now").text_content()

    app.get_by_label("Suppose", exact=True).select_option("anti-mda5:positive")
    app.get_by_role("button", name="Show what would change").click()
    supposed = app.get_by_role("region", name="Supposition, nothing is written")
    expect(supposed).to_contain_text("Advice that appears")
    expect(supposed).to_contain_text("MDA5")
    expect(supposed.locator("ul.changes > li").first).to_be_visible()

    supposed.get_by_role("link", name="Back to the chart without suppositions").click()
    expect(app.get_by_role("region", name="What applies now")).to_be_visible()
    assert supposed.count() == 0
    assert app.get_by_role("region", name="What applies now").text_content() == advised
    assert _chart(demo, CLASSIC, grant.access_token) == before
    assert {scope.rpartition(".")[2] for scope in grant.scope.split() if "/" in scope and "launch" not in scope} <= {
        "r",
        "s",
        "rs",
    }
    written = requests.post(
        f"{demo.sandbox}/fhir/Observation",
        json=before["Observation"][0],
        headers={"Authorization": f"Bearer {grant.access_token}"},
        timeout=10,
    )
    assert written.status_code == 403


@pytest.mark.requirement("SM-10")
def test_without_a_chart_somebody_signs_in_and_what_was_not_allowed_is_unknown(watched: Watched, demo: Demo) -> None:
    page = watched.page
    page.goto(f"{demo.sandbox}/patients/{TIF1_GAMMA}/facts")
    page.get_by_role("button", name="Reset this chart").click()  # other tests order for her
    page.goto(f"{demo.service}/smart/launch")
    page.get_by_role("link", name="sandbox", exact=True).click()
    page.get_by_label("Patient", exact=True).select_option(TIF1_GAMMA)
    page.locator("input[name=kept_scope][value^='patient/Observation']").uncheck()
    page.get_by_role("button", name="Allow", exact=True).click()
    page.wait_for_url(f"{demo.service}/smart/patient/*")
    assert page.locator(".banner .who").inner_text() == GRETA
    expect(page.get_by_role("region", name="What this page could not see")).to_contain_text(
        "Results: this launch was not permitted"
    )
    assert page.get_by_role("heading", level=1).inner_text() == "Dermatomyositis (Supported)"  # for the antibody was not read
    calendar = page.get_by_role("region", name="Calendar").inner_text()
    assert "pulmonary function test could not be assessed: results could not be read completely" in calendar
    assert "anti-TIF1-γ: could not be assessed, the data were incomplete" in calendar
    for title in ("Timeline", "Phenotype and severity"):
        section = page.get_by_role("region", name=title).inner_text()
        assert "No antibody result in the data supplied." in section
        assert "no result on record" not in section
    assert page.locator("figure.chart .point").count() == 0
    assert _empty_drawings(page) == []


def test_a_german_reader_reads_german_and_leaves(watch: Watch, demo: Demo) -> None:
    watched = watch(locale="de-DE")
    app = _opened(watched, demo, MDA5)
    launch = _launch(app)
    in_the_chart = _words(_chart(demo, MDA5, demo.grant(launch).access_token))
    shown = app.url
    for address in (shown, f"{shown}?suppose=pregnancy:pregnant", f"{shown}/summary"):
        app.goto(address)
        assert app.locator("html").get_attribute("lang") == "de"
        assert sorted(english_left(app) - in_the_chart) == [], address
    assert app.get_by_role("heading", name="Über Ihre Gesundheit").count() == 1
    app.goto(shown)
    assert app.locator("#now .card").count() == app.locator("#now .card:is(.critical, .warning, .info)").count() > 1

    app.locator(".languages").get_by_role("link", name="English").click()
    expect(app.locator("html")).to_have_attribute("lang", "en")
    assert len(english_left(app)) > 10  # what was looked for above can be found
    app.goto(f"{shown}?language=de")
    app.locator("form[action$='/logout'] button").click()
    expect(app.get_by_role("heading", level=1)).to_have_text("Die Akte ist geschlossen")
    assert demo.sealed(launch) == ""
    app.goto(shown)
    watched.expect(f"401 {urlsplit(shown).path}")
    expect(app.locator("main")).to_contain_text("MYO-1709")
    assert app.locator("html").get_attribute("lang") == "de"
    assert english_left(app) == set()


def test_no_page_of_the_service_keeps_anybody_out(watched: Watched, demo: Demo, front_page: str) -> None:
    """The page for one patient and its summary are looked at in `test_patient_page`."""
    _opened(watched, demo, CLASSIC)  # so that there is an open chart on the list
    page = watched.page
    for address in (front_page, *(demo.service + path for path in SERVICE_PAGES)):
        page.goto(address)
        assert shuts_out(page) == [], address


def _opened(watched: Watched, demo: Demo, slug: str, seen: list[str] | None = None) -> Page:
    """The app for a patient, opened from the first card of the chart.

    Args:
        watched: the browser.
        demo: the demo.
        slug: of the patient.
        seen: gets every address and every answer from the click on.
    """
    watched.page.goto(f"{demo.sandbox}/patients/{slug}")
    if seen is not None:
        watched.context.on("request", lambda request: seen.append(request.url))
        watched.context.on("requestfinished", lambda request: seen.append(_text(request)))
    return _app_from(watched.page.get_by_role("link", name="Open the whole reasoning").first, watched)


def _app_from(link: Any, watched: Watched) -> Page:
    with watched.context.expect_page() as tab:
        link.click()
    tab.value.wait_for_url("**/smart/patient/*")
    return tab.value


def _text(request: Any) -> str:
    """Headers and body of an answer; a redirect has no body."""
    response = request.response()
    headers = str(response.all_headers())
    return headers if 300 <= response.status < 400 else headers + response.text()


def _launch(page: Page) -> str:
    return urlsplit(page.url).path.split("/")[3]


def _authorization_url(watched: Watched, link: str) -> str:
    """Where the app sends the browser after a click on a card's link."""
    return _redirect(watched, _redirect(watched, link))


def _redirect(watched: Watched, url: str) -> str:
    """Where an address leads, asked with the cookies of the browser."""
    return watched.context.request.get(url, max_redirects=0).headers["location"]


def _with(url: str, **changed: str) -> str:
    """An address with other parameters."""
    parts = urlsplit(url)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    assert changed.keys() <= query.keys()
    return parts._replace(query=urlencode({**query, **changed})).geturl()


def _chart(demo: Demo, patient: str, token: str) -> dict[str, list[Any]]:
    """What the EHR has of a patient, with versions, by the type of resource."""
    found = {}
    for kind in ("Observation", "Condition", "MedicationRequest", "Procedure", "ServiceRequest", "DiagnosticReport"):
        url = f"{demo.sandbox}/fhir/{kind}?patient={patient}&_count=500"
        answer = requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=10)
        assert answer.status_code == 200, kind
        found[kind] = [each["resource"] for each in answer.json().get("entry", ())]
    return found


def _words(chart: Any) -> set[str]:
    """Every text of a chart, which no page translates."""
    if isinstance(chart, dict):
        return set().union(*map(_words, chart.values()))
    if isinstance(chart, list):
        return set().union(*map(_words, chart))
    return {str(chart)}


def _empty_drawings(page: Page) -> list[str]:
    """Groups and charts that show neither a named point nor a sentence."""
    script = """() => [...document.querySelectorAll('.tl-group, .charts, figure.chart, .calendar')].filter(box => {
        const points = [...box.querySelectorAll('.point[role=img]')];
        const sentences = box.querySelectorAll('.tl-empty, .chart-note, .chart-absent li, .cal-says, .tl-summary, figcaption p');
        const isEmpty = !points.length && ![...sentences].some(one => one.innerText);
        return isEmpty || points.some(point => !point.getAttribute('aria-label'));
    }).map(box => box.innerText.slice(0, 80))"""
    return list(page.evaluate(script))
