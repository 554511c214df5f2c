"""The pages: what people see, and that a card cannot do harm."""

import re
from html.parser import HTMLParser

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from sandbox.__main__ import main
from sandbox.charts import load_charts
from sandbox.story import read_stories
from tests.sandbox.conftest import CARD, StubService

PATIENT = "/patients/anti-tif1-gamma-dermatomyositis"
VOID = {"meta", "link", "br", "hr", "img", "input"}


class Page(HTMLParser):
    """What a test asks of a page: is it well formed, which ids, links and loaded files, which text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.headings: list[int] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        self.tags.append(tag)
        self.ids += [given["id"]] if "id" in given else []
        self.links += [given["href"]] if tag == "a" else []
        self.loaded += [given[name] for name in ("src", "href", "srcset", "data") if name in given and tag != "a"]
        self.headings += [int(tag[1])] if re.fullmatch("h[1-6]", tag) else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def page(client: FlaskClient, path: str, status: int = 200) -> tuple[str, Page]:
    response = client.get(path)
    assert response.status_code == status
    parsed = Page(response.text)
    assert parsed.open == []
    return response.text, parsed


@pytest.mark.parametrize("path", ["/", "/sandbox/"])
def test_the_first_page_lists_every_patient_with_age_sex_and_story(browser_of_pages: FlaskClient, path: str) -> None:
    html, parsed = page(browser_of_pages, path)
    for story in read_stories():
        assert f"/patients/{story.slug}" in parsed.links
        row = html[html.index(f'href="/patients/{story.slug}"') :].split("</tr>")[0]
        assert story.name in row
        assert f"<td>{story.age}</td>" in row
        assert f"<td>{story.sex}</td>" in row
        assert story.story in row


@pytest.mark.parametrize("path", ["/", PATIENT])
def test_every_page_says_that_patients_are_synthetic_and_that_it_is_no_medical_device(
    browser_of_pages: FlaskClient, path: str
) -> None:
    html, _ = page(browser_of_pages, path)
    assert "Synthetic patients." in html
    assert "Not a medical device" in html


@pytest.mark.parametrize("slug", [story.slug for story in read_stories()])
def test_every_chart_can_be_opened(browser_of_pages: FlaskClient, slug: str) -> None:
    _, parsed = page(browser_of_pages, f"/patients/{slug}")
    for resource in load_charts()[slug].resources[1:]:
        assert f"{resource['resourceType']}/{resource['id']}" in parsed.ids


def test_a_chart_shows_problems_drugs_results_and_orders_with_their_dates(browser_of_pages: FlaskClient) -> None:
    html, _ = page(browser_of_pages, "/patients/dermatomyositis-methotrexate-intolerance")
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))
    for shown in (
        "Dermatomyositis February 2026 active",
        "methotrexate 2.5 mg oral tablet 1 May 2026 15 mg weekly; until 20 July 2026; not tolerated; Liver enzymes rose",
        "prednisone 10 mg oral tablet 16 April 2026 20 mg daily; active",
        "Alanine aminotransferase 18 July 2026 148 U/L; high; range 7–35",
        "Anti-Mi-2 15 April 2026 Positive",
        "Mammography 12 May 2026 No suspicious finding",
        "Colonoscopy 20 May 2026 No polyp and no tumour",
        "CT of chest, abdomen and pelvis 16 November 2026 ordered, not done yet",
        "methotrexate 20 July 2026 Raised liver enzymes",
    ):
        assert shown in text


def test_a_card_shows_indicator_summary_detail_source_suggestion_order_and_override_reasons(
    browser_of_pages: FlaskClient,
) -> None:
    html, parsed = page(browser_of_pages, PATIENT)
    card = html[html.index("<article") : html.index("</article>")]
    assert 'class="card warning"' in card
    assert "Warning" in card
    assert "No lung function test on record" in card
    assert "<strong>dermatomyositis</strong>" in card
    assert "<td>Sunderkötter</td>" in card
    assert '<a href="https://example.org/sunderkoetter" rel="noreferrer noopener">Sunderkötter et al. 2016</a>' in card
    assert "Order pulmonary function test" in card
    assert "Draft an order for a pulmonary function test" in card
    assert "&#34;resourceType&#34;: &#34;ServiceRequest&#34;" in card
    assert "Patient refuses" in card
    assert "https://example.org/connect" in parsed.links


def test_under_the_hood_are_the_request_in_short_the_response_and_the_time(browser_of_pages: FlaskClient) -> None:
    html, _ = page(browser_of_pages, PATIENT)
    hood = html[html.index("Under the hood") :]
    assert re.search(r"answered in \d+ ms", hood)
    assert "Bundle with 6 of 6 resources" in hood
    assert "Bundle with 0 of 0 resources" in hood
    assert "No lung function test on record" in hood


def test_the_switch_sends_patient_condition_and_medication_request_only(
    browser_of_pages: FlaskClient, service: StubService
) -> None:
    html, parsed = page(browser_of_pages, f"{PATIENT}?inputs=minimal")
    assert list(service.asked[0]["prefetch"]) == ["patient", "conditions", "medications"]
    assert "Observation is switched off" in html
    assert {PATIENT, f"{PATIENT}?inputs=minimal"} <= set(parsed.links)


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
    service.answer = {
        "cards": [
            CARD
            | {
                "summary": "<script>alert(1)</script>",
                "detail": "<img src=x onerror=alert(1)> ![pixel](https://example.org/p.png) [x](javascript:alert(1))",
                "source": {"label": "<b>x</b>", "url": "javascript:alert(1)"},
            }
        ]
    }
    html, parsed = page(browser_of_pages, PATIENT)
    assert "script" not in parsed.tags
    assert "img" not in parsed.tags
    assert "b" not in parsed.tags
    assert not any(link.startswith("javascript:") for link in parsed.links)
    assert "&lt;script&gt;" in html


@pytest.mark.parametrize(
    "card",
    [
        {},
        {"summary": 1, "indicator": "hard-stop", "detail": 2, "source": "text", "suggestions": "abc", "links": [1]},
        {"suggestions": [{"actions": None}], "overrideReasons": [{}], "source": {"url": 5}},
    ],
)
def test_a_card_that_breaks_the_rules_does_not_break_the_page(
    browser_of_pages: FlaskClient, service: StubService, card: dict[str, object]
) -> None:
    service.answer = {"cards": [card]}
    html, _ = page(browser_of_pages, PATIENT)
    assert "<article" in html


def test_headings_inside_a_card_stay_below_its_own(browser_of_pages: FlaskClient, service: StubService) -> None:
    service.answer = {"cards": [CARD | {"detail": "# Why\n\n#### Small"}]}
    html, parsed = page(browser_of_pages, PATIENT)
    assert "<h4>Why</h4>" in html
    assert "<h6>Small</h6>" in html
    assert parsed.headings.count(1) == 1


@pytest.mark.parametrize("path", ["/", "/sandbox/", PATIENT, "/health", "/nowhere", "/static/sandbox.css"])
def test_every_answer_has_a_strict_content_security_policy(browser_of_pages: FlaskClient, path: str) -> None:
    response = browser_of_pages.get(path)
    policy = dict(part.strip().split(" ", 1) for part in response.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert "script-src" not in policy
    assert "unsafe" not in response.headers["Content-Security-Policy"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    response.close()


@pytest.mark.parametrize("path", ["/", PATIENT, "/nowhere"])
def test_nothing_is_loaded_from_elsewhere_and_no_script_is_needed(browser_of_pages: FlaskClient, path: str) -> None:
    html = browser_of_pages.get(path).text
    parsed = Page(html)
    assert parsed.loaded == ["/static/icon.svg", "/static/sandbox.css"]
    assert "script" not in parsed.tags
    assert "style=" not in html
    with browser_of_pages.get("/static/sandbox.css") as response:
        css = response.text
    assert "http" not in css
    assert "@import" not in css


def test_the_list_of_patients_links_to_nothing_outside(browser_of_pages: FlaskClient) -> None:
    _, parsed = page(browser_of_pages, "/")
    assert not any("//" in link for link in parsed.links)


@pytest.mark.parametrize("path", ["/", PATIENT])
def test_pages_have_landmarks_one_main_heading_and_no_double_id(browser_of_pages: FlaskClient, path: str) -> None:
    html, parsed = page(browser_of_pages, path)
    assert '<html lang="en">' in html
    assert [parsed.tags.count(tag) for tag in ("header", "main", "footer", "h1", "title")] == [1, 1, 1, 1, 1]
    assert len(set(parsed.ids)) == len(parsed.ids)
    assert all(deeper <= level + 1 for level, deeper in zip(parsed.headings, parsed.headings[1:], strict=False))


def test_an_unknown_patient_gets_a_page_that_leads_back(browser_of_pages: FlaskClient) -> None:
    html, parsed = page(browser_of_pages, "/patients/nobody", 404)
    assert "nobody" not in html
    assert "/sandbox/" in parsed.links or "/" in parsed.links


def test_health_says_that_the_patients_are_loaded(browser_of_pages: FlaskClient) -> None:
    assert browser_of_pages.get("/health").json == {"status": "ok", "patients": len(read_stories())}


def test_the_command_serves_the_sandbox_on_this_machine_only(monkeypatch: pytest.MonkeyPatch) -> None:
    served: dict[str, object] = {}
    monkeypatch.setattr("waitress.serve", lambda app, **settings: served.update(settings))
    result = CliRunner().invoke(main, ["--port", "8123", "--service-url", "http://127.0.0.1:8122"])
    assert result.exit_code == 0
    assert result.output == "Sandbox with synthetic patients: http://127.0.0.1:8123/\n"
    assert (served["host"], served["port"]) == ("127.0.0.1", 8123)
