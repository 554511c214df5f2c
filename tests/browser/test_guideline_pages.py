"""A reviewer reads the guidelines, on a phone and on a wide screen, in light and in dark, by mouse and by keyboard."""

from collections.abc import Iterator
from itertools import pairwise
from threading import Thread

import pytest
from playwright.sync_api import Browser
from werkzeug.serving import make_server

from server.application import create_app
from server.config import Config
from tests.browser.conftest import Watched, widths_that_scroll_sideways

pytestmark = pytest.mark.browser

PAGES = ("", "/titulaer-2011", "/bmj-best-practice", "/contradictions", "/drug-safety", "/orders")


@pytest.fixture(scope="module")
def service_url() -> Iterator[str]:
    """The service alone, without the sandbox."""
    server = make_server("127.0.0.1", 0, create_app(Config()), threaded=True)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.mark.parametrize("path", PAGES)
def test_no_page_scrolls_sideways(tab: Watched, service_url: str, path: str) -> None:
    tab.page.goto(f"{service_url}/guidelines{path}")
    assert widths_that_scroll_sideways(tab.page, 360, 820, 1600) == []


@pytest.mark.parametrize("path", PAGES)
def test_headings_go_down_one_level_at_a_time_and_begin_with_one_h1(tab: Watched, service_url: str, path: str) -> None:
    tab.page.goto(f"{service_url}/guidelines{path}")
    levels = tab.page.eval_on_selector_all("h1, h2, h3, h4", "all => all.map(h => Number(h.tagName[1]))")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


@pytest.mark.parametrize("path", PAGES)
def test_every_link_within_a_page_leads_somewhere(tab: Watched, service_url: str, path: str) -> None:
    tab.page.goto(f"{service_url}/guidelines{path}")
    dangling = tab.page.eval_on_selector_all(
        "a[href^='#']", "all => all.map(a => a.getAttribute('href').slice(1)).filter(id => !document.getElementById(id))"
    )
    assert dangling == []
    twice = tab.page.eval_on_selector_all("[id]", "all => all.map(e => e.id).filter((id, i, ids) => ids.indexOf(id) !== i)")
    assert twice == []


def test_the_first_stop_of_the_keyboard_skips_to_the_content(tab: Watched, service_url: str) -> None:
    tab.page.goto(f"{service_url}/guidelines/titulaer-2011")
    tab.page.keyboard.press("Tab")
    assert tab.page.evaluate("document.activeElement.textContent") == "Skip to the content"
    tab.page.keyboard.press("Enter")
    assert tab.page.evaluate("document.activeElement.id") == "main"


def test_a_link_to_a_recommendation_leads_to_its_statement(tab: Watched, service_url: str) -> None:
    tab.page.goto(f"{service_url}/guidelines/titulaer-2011#titulaer-2011-dm-colonoscopy-over-50")
    target = tab.page.locator("article:target")
    assert "no colonoscopy on record" in target.inner_text()
    assert target.is_visible()


def test_the_tables_stay_tables_for_a_screen_reader_on_a_phone(tab: Watched, service_url: str) -> None:
    tab.page.set_viewport_size({"width": 360, "height": 800})
    tab.page.goto(f"{service_url}/guidelines")
    assert tab.page.get_by_role("columnheader", name="Rests on").count() >= 2
    assert tab.page.get_by_role("rowheader", name="Titulaer et al. 2011").count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(browser: Browser, service_url: str, scheme: str) -> None:
    """WCAG AA: 4.5 to 1, for the colours that carry text on either ground."""
    page = browser.new_page(color_scheme=scheme)
    page.goto(f"{service_url}/guidelines")
    ratios = page.evaluate("""() => {
        const light = c => { c /= 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4 };
        const of = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim().slice(1);
        const luminance = hex => [0, 2, 4].map(i => light(parseInt(hex.slice(i, i + 2), 16)))
            .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
        const ratio = (a, b) => {
            const [x, y] = [luminance(of(a)), luminance(of(b))].sort((p, q) => q - p);
            return (x + 0.05) / (y + 0.05);
        };
        return ['--ink', '--quiet', '--link'].flatMap(t => ['--ground', '--paper'].map(g => ratio(t, g)));
    }""")
    page.close()
    assert min(ratios) >= 4.5
