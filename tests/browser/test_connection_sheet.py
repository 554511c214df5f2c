"""An EHR analyst reads the connection sheet, on a phone and on a wide screen, by keyboard, and prints it."""

from collections.abc import Iterator
from itertools import pairwise
from threading import Thread

import pytest
from werkzeug.serving import make_server

from server.application import create_app
from server.config import Config
from tests.browser.conftest import Watched, widths_that_scroll_sideways

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def service_url() -> Iterator[str]:
    """The service alone."""
    server = make_server("127.0.0.1", 0, create_app(Config(public_url="https://cds.hospital.example/myositis")), threaded=True)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.mark.parametrize("is_open", [False, True], ids=["closed", "examples open"])
def test_the_page_does_not_scroll_sideways(tab: Watched, service_url: str, is_open: bool) -> None:
    tab.page.goto(f"{service_url}/connect")
    if is_open:
        tab.page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert widths_that_scroll_sideways(tab.page, 360, 820, 1600) == []


def test_headings_go_down_one_level_at_a_time_and_begin_with_one_h1(tab: Watched, service_url: str) -> None:
    tab.page.goto(f"{service_url}/connect")
    levels = tab.page.eval_on_selector_all("h1, h2, h3, h4", "all => all.map(h => Number(h.tagName[1]))")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_everything_that_scrolls_or_opens_has_a_name_and_can_be_reached_by_keyboard(tab: Watched, service_url: str) -> None:
    tab.page.goto(f"{service_url}/connect")
    nameless = tab.page.eval_on_selector_all(
        "pre", "all => all.filter(one => one.tabIndex !== 0 || !one.getAttribute('aria-label')).length"
    )
    assert nameless == 0
    names = tab.page.eval_on_selector_all("pre", "all => all.map(one => one.getAttribute('aria-label'))")
    assert len(names) == len(set(names))
    unlabelled = tab.page.eval_on_selector_all(
        "table, section", "all => all.filter(one => !document.getElementById(one.getAttribute('aria-labelledby'))).length"
    )
    assert unlabelled == 0


def test_the_contents_lead_to_every_section(tab: Watched, service_url: str) -> None:
    tab.page.goto(f"{service_url}/connect")
    targets = tab.page.eval_on_selector_all(".contents a", "all => all.map(a => a.getAttribute('href').slice(1))")
    headings = tab.page.eval_on_selector_all("main > h2", "all => all.map(h => h.id)")
    assert targets == headings
    tab.page.click(".contents a[href='#orders']")
    assert tab.page.locator("#orders").is_visible()


def test_the_tables_stay_tables_for_a_screen_reader_on_a_phone(tab: Watched, service_url: str) -> None:
    tab.page.set_viewport_size({"width": 360, "height": 800})
    tab.page.goto(f"{service_url}/connect")
    assert tab.page.get_by_role("columnheader", name="Query").count() == 1
    assert tab.page.get_by_role("rowheader", name="medicationRequests").count() == 1


def test_the_paper_has_the_examples_and_not_the_navigation(tab: Watched, service_url: str) -> None:
    tab.page.goto(f"{service_url}/connect")
    tab.page.emulate_media(media="print")
    assert not tab.page.get_by_role("navigation").first.is_visible()
    assert tab.page.get_by_label("Answer of myositis-order-sign").is_visible()
