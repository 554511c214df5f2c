"""A physician opens the sandbox and looks at patients."""

import pytest

from tests.browser.conftest import Watched

pytestmark = pytest.mark.browser


def test_the_list_shows_every_patient_with_a_story(watched: Watched, sandbox_url: str) -> None:
    watched.page.goto(sandbox_url)
    rows = watched.page.locator("tbody tr")
    assert rows.count() >= 24
    assert "not clinically validated" in watched.page.inner_text("body")


def test_a_click_on_the_anti_tif1_gamma_patient_shows_the_tumour_screening_card(watched: Watched, sandbox_url: str) -> None:
    watched.page.goto(sandbox_url)
    watched.page.click("a[href$='/patients/anti-tif1-gamma-dermatomyositis']")
    text = watched.page.inner_text("main")
    assert "Tumour screening in anti-TIF1-γ dermatomyositis" in text
    assert "No lung function test on record" in text
    assert "Order colonoscopy" in text
    assert "Order mammography" not in text  # done two months ago


def test_the_switch_to_three_resource_types_shows_what_was_not_supplied(watched: Watched, sandbox_url: str) -> None:
    watched.page.goto(f"{sandbox_url}/patients/anti-tif1-gamma-dermatomyositis?inputs=minimal")
    assert "were not supplied" in watched.page.inner_text("main")


def test_a_healthy_person_has_a_chart_and_no_card(watched: Watched, sandbox_url: str) -> None:
    watched.page.goto(f"{sandbox_url}/patients/healthy")
    assert watched.page.locator("article").count() == 0
    assert "ramipril" in watched.page.inner_text("main").lower()


@pytest.mark.parametrize("path", ["/", "/patients/mda5-amyopathic-rapid-ild", "/patients/dermatomyositis-pregnant"])
@pytest.mark.parametrize("width", [390, 820, 1600])
def test_no_page_scrolls_sideways(watched: Watched, sandbox_url: str, path: str, width: int) -> None:
    watched.page.set_viewport_size({"width": width, "height": 900})
    watched.page.goto(sandbox_url + path)
    assert watched.page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
