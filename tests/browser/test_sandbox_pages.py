"""A physician tries the sandbox: opens charts, takes and dismisses advice, drafts orders, and changes facts."""

import re
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Demo, Watched

pytestmark = pytest.mark.browser

TIF1_GAMMA = "/patients/anti-tif1-gamma-dermatomyositis"
PREGNANT = "/patients/dermatomyositis-pregnant"
CLASSIC = "/patients/classic-dermatomyositis"
INTOLERANT = "/patients/dermatomyositis-methotrexate-intolerance"
PAGES = (
    "/?words=tif1",
    INTOLERANT,
    f"{INTOLERANT}/orders",
    f"{INTOLERANT}/facts",
    "/switches",
    "/services",
    "/checks",
    "/auth/authorize",
)


def test_an_accepted_order_is_on_the_chart_and_an_overridden_card_stays_silent(watched: Watched, demo: Demo) -> None:
    page = watched.page
    page.goto(demo.sandbox + TIF1_GAMMA)
    page.get_by_role("button", name="Accept: Order pulmonary function test").click()
    expect(page.get_by_role("status").first).to_contain_text("pulmonary function test")
    expect(page.get_by_role("table", name="Orders").get_by_role("rowheader", name="pulmonary function test")).to_be_visible()
    expect(page.get_by_role("article", name="No lung function test on record")).to_contain_text("Accepted; the service was told")

    therapy = page.get_by_role("article", name="First-line options")
    therapy.locator("summary", has_text="Override").click()
    therapy.get_by_label("Recipient disagrees").check()
    therapy.get_by_label("Comment").fill("She wants to wait.")
    therapy.get_by_role("button", name="Override this card").click()
    expect(therapy).to_contain_text("Overridden: Recipient disagrees")

    page.goto(demo.sandbox + TIF1_GAMMA)
    expect(page.get_by_role("article", name="Tumour screening in anti-TIF1")).to_be_visible()
    assert page.get_by_role("article", name="No lung function test on record").count() == 0
    assert page.get_by_role("article", name="First-line options").count() == 0

    told = {row["recommendation"]: row for row in demo.feedback()}
    assert told["sunderkotter-2016-pft-all"]["accepted"] == 1
    assert told["bmj-nonsevere-1l-csdmard-early"]["reasons"] == {"recipient-disagrees-evidence": 1}


def test_methotrexate_for_the_pregnant_patient_is_warned_of_before_it_is_signed(watched: Watched, demo: Demo) -> None:
    page = watched.page
    page.goto(f"{demo.sandbox}{PREGNANT}/orders")
    page.get_by_label("Medicine, test, imaging or procedure").press_sequentially("methotrexate 2")
    page.get_by_role("button", name="Add methotrexate 2.5 mg").click()
    warning = page.get_by_role("article", name="Methotrexate: contraindicated in pregnancy")
    expect(warning).to_contain_text("Critical")

    page.get_by_role("textbox", name="Dose").fill("15 mg weekly")
    page.get_by_role("textbox", name="Dose").press("Tab")
    expect(page.get_by_role("status").first).to_contain_text("is changed")
    assert page.evaluate("document.activeElement.name") == "route"  # the page changed, the keyboard is where it was
    expect(page.get_by_role("textbox", name="Dose")).to_have_value("15 mg weekly")
    assert page.get_by_role("button", name="Sign 1 order").count() == 0
    page.get_by_role("button", name="Review before signing").click()
    expect(page.get_by_role("status").first).to_contain_text("1 card to read before you sign")
    expect(page.get_by_role("button", name="Sign 1 order")).to_be_visible()
    expect(warning.get_by_text("Recommended", exact=True)).to_be_visible()

    warning.get_by_role("button", name="Draft ciclosporin instead").click()
    expect(page.get_by_role("status").first).to_contain_text("ciclosporin")
    expect(page.get_by_role("article", name="ciclosporin", exact=True)).to_be_visible()
    expect(warning).to_be_visible()  # as long as methotrexate is drafted
    warning.get_by_role("button", name="Remove the draft of methotrexate").click()
    expect(page.get_by_role("status").first).to_contain_text("Taken off the pad: methotrexate")
    expect(page.get_by_role("article", name="ciclosporin", exact=True)).to_be_visible()
    assert page.get_by_role("article", name="methotrexate 2.5 mg").count() == 0
    assert page.get_by_role("button", name=re.compile("^Sign")).count() == 0  # what has changed is reviewed again first

    page.get_by_role("button", name="Review before signing").click()
    page.get_by_role("button", name="Sign 1 order").click()
    expect(page.get_by_role("table", name="Medications").get_by_role("rowheader", name="ciclosporin")).to_be_visible()


def test_two_quick_clicks_are_two_orders_and_nobody_signs_what_is_only_typed(watched: Watched, demo: Demo) -> None:
    page = watched.page
    page.goto(f"{demo.sandbox}{INTOLERANT}/orders?words=f")
    page.evaluate("for (const key of ['ferritin', 'folic_acid', 'ferritin']) document.getElementById(`add-${key}`)?.click()")
    drafts = page.locator(".drafts article")
    expect(drafts).to_have_count(2)
    page.get_by_role("button", name="Review before signing").click()
    sign = page.get_by_role("button", name="Sign 2 orders")
    expect(sign).to_be_enabled()
    note = drafts.first.get_by_role("textbox", name="Note")
    note.press_sequentially("later")
    expect(sign).to_be_disabled()
    note.press("Tab")
    expect(page.get_by_role("button", name="Review before signing")).to_be_visible()
    expect(note).to_have_value("later")
    note.fill("")
    note.press("Tab")
    expect(page.get_by_role("status").first).to_contain_text("is changed")
    expect(note).to_have_value("")


def test_another_fact_makes_other_cards_and_can_be_taken_back(watched: Watched, demo: Demo) -> None:
    page = watched.page
    page.goto(f"{demo.sandbox}{CLASSIC}/facts")
    before = page.get_by_role("region", name="Decision support").inner_text()
    assert "MDA5" not in before
    page.get_by_role("button", name="Anti-MDA5 positive").click()
    status = page.get_by_role("status").first
    expect(status).to_contain_text("Anti-MDA5 positive.")
    expect(status).to_contain_text("Changed: First-line options for non-severe dermatomyositis")
    expect(page.get_by_role("region", name="Decision support")).to_contain_text("MDA5")
    page.get_by_role("button", name="Undo the last change").click()
    expect(status).to_contain_text("Taken back: Anti-MDA5 positive.")
    assert page.get_by_role("region", name="Decision support").inner_text() == before


def test_a_switch_is_said_on_every_page_and_the_service_calls_back(watched: Watched, demo: Demo) -> None:
    page = watched.page
    page.goto(f"{demo.sandbox}/switches")
    page.get_by_label("nothing: the service has to call back").check()
    page.get_by_role("button", name="Set the switches").click()
    page.goto(demo.sandbox + INTOLERANT)
    assert "prefetch sends nothing" in page.inner_text("body")
    expect(page.get_by_role("article").first).to_be_visible()
    page.locator("summary", has_text="patient-view").click()
    hood = page.get_by_role("region", name="Under the hood")
    expect(hood.get_by_role("row", name="conditions")).to_contain_text("left out")
    expect(hood).to_contain_text("fhirAuthorization")
    page.get_by_role("button", name="All back to normal").click()
    assert "prefetch sends nothing" not in page.inner_text("body")


def test_everything_can_be_reached_and_done_by_keyboard(watched: Watched, demo: Demo) -> None:
    page = watched.page
    page.goto(demo.sandbox + INTOLERANT)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.innerText").startswith("Accept: Order"):
            break
    accepted = page.evaluate("document.activeElement.innerText").removeprefix("Accept: Order ")
    page.keyboard.press("Enter")
    expect(page.get_by_role("table", name="Orders").get_by_role("rowheader", name=accepted, exact=True)).to_be_visible()
    assert page.evaluate("document.activeElement !== document.body")  # whoever tabs on is where they were


@pytest.fixture(scope="module")
def phone(browser: Browser) -> Iterator[Watched]:
    """A narrow page."""
    watch = Watched(browser.new_context(viewport={"width": 390, "height": 844}))
    yield watch
    watch.context.close()
    watch.check()


@pytest.mark.parametrize("path", PAGES)
def test_no_page_scrolls_sideways_or_keeps_anybody_out(phone: Watched, demo: Demo, path: str) -> None:
    page = phone.page
    page.goto(_address(demo, path))
    page.eval_on_selector_all(".card details:not(.suggestions *)", "all => all.slice(0, 2).forEach(one => one.open = true)")
    assert _serious(page) == []
    page.emulate_media(color_scheme="dark")
    assert _serious(page, only=["color-contrast"]) == []
    page.emulate_media(color_scheme="light")
    page.eval_on_selector_all("details", "all => all.forEach(one => one.open = true)")
    for width in (390, 1440):
        page.set_viewport_size({"width": width, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    page.set_viewport_size({"width": 390, "height": 844})


def _address(demo: Demo, path: str) -> str:
    """A page; that of the authorization server asks what an app asks that was opened without a chart."""
    if path != "/auth/authorize":
        return demo.sandbox + path
    asked = {
        "response_type": "code",
        "client_id": "myositis-cds",
        "redirect_uri": f"{demo.service}/smart/callback",
        "scope": "launch/patient openid fhirUser patient/*.rs",
        "state": "a" * 32,
        "aud": f"{demo.sandbox}/fhir",
        "nonce": "b" * 32,
        "code_challenge": "c" * 43,
        "code_challenge_method": "S256",
    }
    return f"{demo.sandbox}{path}?{urlencode(asked)}"


def _serious(page: Page, only: list[str] | None = None) -> list[str]:
    """What axe finds that keeps people out."""
    options = {"resultTypes": ["violations"]} | ({"runOnly": {"type": "rule", "values": only}} if only else {})
    found = Axe().run(page, options=options).response["violations"]
    return [
        f"{each['id']}: {node['html'][:120]}"
        for each in found
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]
