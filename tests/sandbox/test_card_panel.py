"""Cards as people see and answer them, and that a card cannot do harm."""

import pytest
from flask.testing import FlaskClient

from tests.sandbox.conftest import CARD, StubService
from tests.sandbox.reading_pages import NO_CARD, PATIENT, SUGGESTION, Page, card, page, post, said, way


def test_a_card_shows_indicator_summary_detail_source_topic_links_and_override_reasons(browser_of_pages: FlaskClient) -> None:
    html, parsed = page(browser_of_pages, PATIENT)
    shown = card(html)
    assert 'class="card warning"' in shown
    assert "Warning" in shown
    assert "No lung function test on record" in shown
    assert "<strong>dermatomyositis</strong>" in shown
    assert "<td>Sunderkötter</td>" in shown
    assert '<a href="https://example.org/sunderkoetter" rel="noreferrer noopener">Sunderkötter et al. 2016</a>' in shown
    assert "Accept: Order pulmonary function test" in shown
    assert "New: Draft an order for a pulmonary function test" in Page(shown).text
    assert "&#34;resourceType&#34;: &#34;ServiceRequest&#34;" in shown
    assert "Patient refuses" in shown
    assert "https://example.org/connect" in parsed.links


@pytest.mark.parametrize(
    ("indicator", "words", "shape"), [("info", "Information", "<circle"), ("critical", "Critical", "M5 1h6l4 4v6l-4 4H5l-4-4V5z")]
)
def test_an_indicator_has_words_and_a_shape(
    browser_of_pages: FlaskClient, service: StubService, indicator: str, words: str, shape: str
) -> None:
    service.answer = {"cards": [CARD | {"indicator": indicator}]}
    shown = card(page(browser_of_pages, PATIENT)[0])
    assert words in shown
    assert shape in shown


def test_a_long_detail_is_folded_after_its_first_sections(browser_of_pages: FlaskClient, service: StubService) -> None:
    sections = [f"**Part {number}**\n\n- {'word ' * 60}" for number in range(1, 6)]
    service.answer = {"cards": [CARD | {"detail": "\n\n".join(sections)}]}
    shown = card(page(browser_of_pages, PATIENT)[0])
    before, after = shown.split("Read all", 1)
    assert "Part 1" in before
    assert "Part 3" not in before
    assert "Part 5" in after


def test_a_short_detail_is_not_folded(browser_of_pages: FlaskClient) -> None:
    assert "Read all" not in card(page(browser_of_pages, PATIENT)[0])


def test_an_accepted_suggestion_orders_tells_the_service_and_is_marked(
    browser_of_pages: FlaskClient, service: StubService
) -> None:
    service.answer = {"cards": [CARD | {"suggestions": [SUGGESTION | {"isRecommended": True}]}]}
    html, parsed = page(browser_of_pages, PATIENT)
    assert "Recommended" in card(html)
    html, parsed = post(browser_of_pages, way(parsed, "/accept/0"))
    assert "pulmonary function test" in said(html)
    assert "Accepted: Order pulmonary function test" in parsed.text
    assert not any(one.endswith("/override") for one in parsed.posts)
    assert [item["outcome"] for item in service.feedback] == ["accepted"]
    assert len(service.calls) == 1  # the chart is still open, so nothing was fired


def test_an_override_keeps_reason_and_comment_and_is_marked(browser_of_pages: FlaskClient, service: StubService) -> None:
    _, parsed = page(browser_of_pages, PATIENT)
    html, parsed = post(browser_of_pages, way(parsed, "/override"), reason="patient-refuses", comment="Not before spring.")
    assert "The card is overridden." in said(html)
    assert "Overridden: Patient refuses" in parsed.text
    assert "Accept:" not in card(html)
    why = service.feedback[0]["overrideReason"]
    assert (why["reason"]["code"], why["userComment"]) == ("patient-refuses", "Not before spring.")


def test_a_card_that_is_gone_is_said_in_words(browser_of_pages: FlaskClient) -> None:
    page(browser_of_pages, PATIENT)
    html, _ = post(browser_of_pages, f"{NO_CARD}/accept/0")
    assert "trouble" in said(html)


def test_a_smart_link_leads_to_the_app_with_issuer_and_launch(browser_of_pages: FlaskClient, service: StubService) -> None:
    link = {"label": "Whole reasoning", "url": f"{service.url}/smart/launch", "type": "smart", "appContext": "{}"}
    service.answer = {"cards": [CARD | {"links": [link]}]}
    html, parsed = page(browser_of_pages, PATIENT)
    assert "opens the app in a new tab" in html
    (way,) = (one for one in parsed.links if "/cards/" in one)
    response = browser_of_pages.get(way)
    assert response.status_code == 302
    assert response.location.startswith(f"{service.url}/smart/launch?iss=http%3A%2F%2F127.0.0.1%3A8001%2Ffhir&launch=")


def test_no_card_is_said_in_words(browser_of_pages: FlaskClient, service: StubService) -> None:
    service.answer = {"cards": []}
    html, _ = page(browser_of_pages, "/patients/healthy")
    assert "The service has no advice for this patient." in html
    assert "<article" not in html


def test_a_service_error_is_said_in_words_beside_the_chart(browser_of_pages: FlaskClient, service: StubService) -> None:
    service.status, service.answer = 500, {"resourceType": "OperationOutcome", "issue": [{"details": {"text": "broken"}}]}
    html, _ = page(browser_of_pages, PATIENT)
    assert "The service refused the call (500). broken" in html
    assert "Proximal muscle weakness" in html


def test_a_card_cannot_bring_html_images_or_scripts(browser_of_pages: FlaskClient, service: StubService) -> None:
    bad = CARD | {
        "summary": "<script>alert(1)</script>",
        "detail": "<img src=x onerror=alert(1)> ![pixel](https://example.org/p.png) [x](javascript:alert(1))",
        "source": {"label": "<b>x</b>", "url": "javascript:alert(1)", "icon": "https://example.org/spy.png"},
        "links": [{"label": "<i>y</i>", "url": "javascript:alert(2)", "type": "absolute"}],
    }
    service.answer = {"cards": [bad]}
    html, parsed = page(browser_of_pages, PATIENT)
    assert html.count("<script") == 1  # ours
    assert not {"img", "b", "i"} & set(parsed.tags)
    assert not any(link.startswith("javascript:") for link in parsed.links)
    assert "&lt;script&gt;alert" in html
    assert not any("example.org" in loaded for loaded in parsed.loaded)


def test_headings_inside_a_card_stay_below_its_own(browser_of_pages: FlaskClient, service: StubService) -> None:
    service.answer = {"cards": [CARD | {"detail": "# Why\n\n#### Small"}]}
    html, parsed = page(browser_of_pages, PATIENT)
    assert "<h4>Why</h4>" in html
    assert "<h6>Small</h6>" in html
    assert parsed.headings.count(1) == 1
