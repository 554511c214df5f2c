"""Timeline, charts and calendar in a browser: by keyboard and pointer, without script, on a phone, in the dark, and by axe."""

from collections.abc import Iterator
from threading import Thread

import pytest
from axe_playwright_python.sync_playwright import Axe
from werkzeug.serving import make_server

from tests.browser.conftest import Watch, Watched
from tests.server.patient_page.drawings import drawings_page

pytestmark = pytest.mark.browser

REFRACTORY = "dermatomyositis-refractory-severe"
STORIES = (REFRACTORY, "mda5-amyopathic-rapid-ild", "dermatomyositis-six-years", "juvenile-dermatomyositis-resistant", "healthy")


@pytest.fixture(scope="module")
def drawings_url() -> Iterator[str]:
    """The drawings alone, under the policy of the app."""
    server = make_server("127.0.0.1", 0, drawings_page(), threaded=True)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_arrow_keys_move_between_points_and_what_a_point_says_is_shown(watched: Watched, drawings_url: str) -> None:
    page = watched.page
    page.goto(f"{drawings_url}/{REFRACTORY}")
    treatments = page.locator(".tl-rows").first
    assert treatments.locator(".point[tabindex='0']").count() == 1
    treatments.locator(".point").first.focus()
    tip = page.locator(".tl-tip")
    assert "stopped because it did not work" in tip.inner_text()
    page.keyboard.press("ArrowRight")
    assert tip.inner_text() == page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert "since 16 September 2026" in tip.inner_text()
    page.keyboard.press("End")
    assert "bisphosphonate" in tip.inner_text()
    page.keyboard.press("ArrowRight")
    assert "bisphosphonate" in page.evaluate("document.activeElement.getAttribute('aria-label')")
    page.mouse.wheel(0, 40)
    page.wait_for_function("scrollY > 0")
    assert tip.is_visible()
    page.keyboard.press("Escape")
    assert tip.is_hidden()
    page.keyboard.press("Home")
    assert "10 February 2026" in tip.inner_text()


def test_what_a_point_says_is_shown_under_the_pointer_and_stays_within_the_page(watched: Watched, drawings_url: str) -> None:
    page = watched.page
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"{drawings_url}/{REFRACTORY}")
    page.locator(".chart .point").first.hover()
    tip = page.locator(".tl-tip")
    assert tip.inner_text() == "Creatine kinase, 8 February 2026: 6,900 U/L, above the laboratory's range"
    box = tip.bounding_box()
    assert box is not None
    assert 0 <= box["x"] <= box["x"] + box["width"] <= 390


@pytest.mark.parametrize("slug", STORIES)
def test_the_drawings_fit_a_phone_and_no_words_run_into_each_other(watched: Watched, drawings_url: str, slug: str) -> None:
    page = watched.page
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"{drawings_url}/{slug}")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert page.evaluate(OVERLAPPING) == []
    smallest = page.eval_on_selector_all(
        "svg text", "all => Math.min(99, ...all.filter(t => t.getBBox().width).map(t => t.getBoundingClientRect().height))"
    )
    assert smallest >= 11
    page.set_viewport_size({"width": 1440, "height": 900})
    assert page.evaluate(OVERLAPPING) == []


OVERLAPPING = """() => [...document.querySelectorAll('svg')].flatMap(svg => {
    const texts = [...svg.querySelectorAll('text')].filter(t => t.checkVisibility() && t.textContent.trim())
        .map(t => [t.textContent, t.getBoundingClientRect()]);
    return texts.flatMap(([a, one], i) => texts.slice(i + 1).filter(([b, other]) =>
        one.left < other.right - 1 && other.left < one.right - 1 && one.top < other.bottom - 3 && other.top < one.bottom - 3
    ).map(([b]) => `${a} / ${b}`));
})"""


def test_without_script_every_point_is_a_stop_and_the_table_says_the_same(watch: Watch, drawings_url: str) -> None:
    page = watch(java_script_enabled=False).page
    page.goto(f"{drawings_url}/{REFRACTORY}")
    points = page.locator(".timeline .point[tabindex='0']")
    assert points.count() > 10
    assert points.locator("title").count() == points.count()
    page.locator(".timeline > details summary").click()
    rows = page.locator(".timeline > details tbody tr:has(code)")
    assert rows.count() == points.count()
    assert page.get_by_role("rowheader", name="azathioprine").count() == 1


@pytest.mark.parametrize(("slug", "scheme"), [(STORIES[0], "light"), (STORIES[1], "dark")])
def test_axe_finds_nothing_serious(watch: Watch, drawings_url: str, slug: str, scheme: str) -> None:
    page = watch(color_scheme=scheme, viewport={"width": 390, "height": 800}).page
    page.goto(f"{drawings_url}/{slug}")
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
    found = Axe().run(page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")] == []
