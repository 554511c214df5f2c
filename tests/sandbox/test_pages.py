"""The pages: what people see and do on them, that a card cannot do harm, and that no other site can use their forms."""

import json
import re
from html.parser import HTMLParser

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from sandbox.__main__ import main
from sandbox.charts import load_charts
from sandbox.story import read_stories
from tests.sandbox.conftest import CARD, StubService

SLUG = "anti-tif1-gamma-dermatomyositis"
PATIENT = f"/patients/{SLUG}"
PAGES = ("/", PATIENT, f"{PATIENT}/orders", f"{PATIENT}/facts", "/switches", "/services", "/checks")
VOID = {"meta", "link", "br", "hr", "img", "input", "rect", "circle", "polyline", "path"}
CARD_ID = CARD["uuid"]
ORDER = {"resourceType": "ServiceRequest", "status": "draft", "intent": "proposal", "code": {"text": "pulmonary function test"}}
ACTION = {"type": "create", "description": "Draft an order", "resource": ORDER}
SUGGESTION = {"uuid": "22222222-2222-4222-8222-222222222222", "label": "Order pulmonary function test", "actions": [ACTION]}


class Page(HTMLParser):
    """What a test asks of a page: is it well formed, which ids, links and loaded files, which text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.posts: list[str] = []
        self.headings: list[int] = []
        self.text = ""
        self.feed(html)
        self.text = re.sub(r"\s+", " ", self.text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        self.tags.append(tag)
        self.ids += [given["id"]] if "id" in given else []
        self.links += [given["href"]] if tag == "a" else []
        self.loaded += [given[name] for name in ("src", "href", "srcset", "data") if name in given and tag != "a"]
        self.posts += [given["action"]] if given.get("method") == "post" else []
        self.headings += [int(tag[1])] if re.fullmatch("h[1-6]", tag) else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += f" {data}"


def page(client: FlaskClient, path: str, status: int = 200) -> tuple[str, Page]:
    response = client.get(path)
    assert response.status_code == status, response.text
    parsed = Page(response.text)
    assert parsed.open == []
    return response.text, parsed


def form_token(client: FlaskClient) -> str:
    found = re.search(r'name="form_token" value="([^"]+)"', client.get("/services").text)
    assert found
    return found[1]


def post(client: FlaskClient, path: str, **fields: str) -> tuple[str, Page]:
    """Send a form as a browser does that is on the page, and follow to the page that answers."""
    response = client.post(path, data={"form_token": form_token(client)} | fields, follow_redirects=True)
    assert response.status_code == 200, response.text
    return response.text, Page(response.text)


def card(html: str) -> str:
    return html[html.index("<article") : html.index("</article>")]


def said(html: str) -> str:
    return html[html.index('id="status"') : html.index("<main")]


# The list


@pytest.mark.parametrize("path", ["/", "/sandbox/"])
def test_the_first_page_lists_every_patient_with_age_sex_and_story(browser_of_pages: FlaskClient, path: str) -> None:
    html, parsed = page(browser_of_pages, path)
    for story in read_stories():
        assert f"/patients/{story.slug}" in parsed.links
        row = html[html.rindex(f'href="/patients/{story.slug}"') :].split("</tr>")[0]
        assert story.name in row
        assert f"<td>{story.age}</td>" in row
        assert f"<td>{story.sex}</td>" in row
        assert story.story in row


@pytest.mark.parametrize(
    ("words", "found", "not_found"),
    [
        ("greta", SLUG, "healthy"),
        ("TIF1-γ positive", SLUG, "classic-dermatomyositis"),
        ("pregnan", "dermatomyositis-pregnant", "inclusion-body-myositis"),
        ("methotrexate not tolerated", "dermatomyositis-methotrexate-intolerance", "dermatomyositis-remission"),
        ("child polymyositis", "juvenile-polymyositis", "polymyositis-untreated"),
    ],
)
def test_patients_are_found_by_name_story_and_what_they_show(
    browser_of_pages: FlaskClient, words: str, found: str, not_found: str
) -> None:
    html = browser_of_pages.get("/", query_string={"words": words}).text
    table = html[html.index("<table") :]
    assert f'href="/patients/{found}"' in table
    assert f'href="/patients/{not_found}"' not in table


def test_words_that_nobody_has_are_answered_in_words(browser_of_pages: FlaskClient) -> None:
    html, _ = page(browser_of_pages, "/?words=zebra")
    assert "Nobody here has all of these words." in html


# The chart


@pytest.mark.parametrize("slug", [story.slug for story in read_stories()])
def test_every_chart_can_be_opened(browser_of_pages: FlaskClient, slug: str) -> None:
    _, parsed = page(browser_of_pages, f"/patients/{slug}")
    for resource in load_charts()[slug].resources[1:]:
        assert f"{resource['resourceType']}/{resource['id']}" in parsed.ids


def test_a_chart_shows_problems_drugs_results_and_orders_with_their_dates(browser_of_pages: FlaskClient) -> None:
    _, parsed = page(browser_of_pages, "/patients/dermatomyositis-methotrexate-intolerance")
    for shown in (
        "Dermatomyositis February 2026 active",
        "methotrexate 2.5 mg oral tablet 1 May 2026 15 mg weekly; until 20 July 2026; not tolerated; Liver enzymes rose",
        "prednisone 10 mg oral tablet 16 April 2026 20 mg daily; active",
        "18 July 2026 148 U/L; high; range 7–35",
        "Anti-Mi-2 15 April 2026 Positive",
        "Mammography 12 May 2026 No suspicious finding",
        "Colonoscopy 20 May 2026 No polyp and no tumour",
        "CT of chest, abdomen and pelvis 16 November 2026 ordered, not done yet",
        "methotrexate 20 July 2026 Raised liver enzymes",
    ):
        assert shown in parsed.text


def test_a_test_that_was_repeated_is_drawn_over_time_and_told_in_words(browser_of_pages: FlaskClient) -> None:
    html, parsed = page(browser_of_pages, PATIENT)
    assert "polyline" in parsed.tags
    assert 'aria-label="Creatine kinase: 2140 U/L on 10 September 2026, 780 U/L on 9 November 2026"' in html
    assert html.count("<polyline") == 1  # everything else was measured once


def test_a_chart_says_what_others_wrote_even_if_it_says_little(browser_of_pages: FlaskClient, service: StubService) -> None:
    service.answer = {"cards": [CARD | {"suggestions": [SUGGESTION]}]}
    page(browser_of_pages, PATIENT)
    _, parsed = post(browser_of_pages, f"{PATIENT}/cards/{CARD_ID}/accept/{SUGGESTION['uuid']}")
    assert "pulmonary function test 22 November 2026 ordered, not done yet" in parsed.text


# Cards


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
    html, _ = page(browser_of_pages, PATIENT)
    assert "Recommended" in card(html)
    html, parsed = post(browser_of_pages, f"{PATIENT}/cards/{CARD_ID}/accept/{SUGGESTION['uuid']}")
    assert "pulmonary function test" in said(html)
    assert "Accepted: Order pulmonary function test" in parsed.text
    assert f"{PATIENT}/cards/{CARD_ID}/override" not in parsed.posts
    assert [item["outcome"] for item in service.feedback] == ["accepted"]
    assert len(service.calls) == 1  # the chart is still open, so nothing was fired


def test_an_override_keeps_reason_and_comment_and_is_marked(browser_of_pages: FlaskClient, service: StubService) -> None:
    page(browser_of_pages, PATIENT)
    html, parsed = post(
        browser_of_pages, f"{PATIENT}/cards/{CARD_ID}/override", reason="patient-refuses", comment="Not before spring."
    )
    assert "The card is overridden." in said(html)
    assert "Overridden: Patient refuses" in parsed.text
    assert "Accept:" not in card(html)
    why = service.feedback[0]["overrideReason"]
    assert (why["reason"]["code"], why["userComment"]) == ("patient-refuses", "Not before spring.")


def test_a_card_that_is_gone_is_said_in_words(browser_of_pages: FlaskClient) -> None:
    page(browser_of_pages, PATIENT)
    html, _ = post(browser_of_pages, f"{PATIENT}/cards/nothing/accept/nothing")
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


# Under the hood


def test_under_the_hood_are_request_response_headers_phases_and_prefetch(
    browser_of_pages: FlaskClient, service: StubService
) -> None:
    service.timing = "read;dur=0.25, advise;dur=0.75"
    html, parsed = page(browser_of_pages, PATIENT)
    hood = html[html.index("Under the hood") :]
    text = Page(f"<div>{hood[hood.index('<details') : hood.index('</section>')]}</div>").text
    assert re.search(r"1 card in \d+ ms", text)
    assert "read 0.2 ms" in text
    assert "advise 0.8 ms" in text
    assert "network and the rest" in text
    assert "results sent: 8 of 8" in text
    assert "immunizations empty" in text
    assert "Bundle with 0 of 0 resources" in text
    assert re.search(r"Authorization Bearer \S{1,20}…", text)
    whole = browser_of_pages.get(next(link for link in parsed.links if link.endswith(".json")))
    assert whole.json == json.loads(json.dumps(service.calls[0])) | {
        "fhirAuthorization": whole.json["fhirAuthorization"]  # its token is shortened
    }
    assert whole.json["fhirAuthorization"] != service.calls[0]["fhirAuthorization"]


# The order pad


@pytest.fixture
def pad(browser_of_pages: FlaskClient, service: StubService) -> FlaskClient:
    """Someone at the order pad of a service that has all three hooks."""
    service.offer("patient-view", "order-select", "order-sign")
    return browser_of_pages


def test_orders_are_found_by_name(pad: FlaskClient) -> None:
    html, _ = page(pad, f"{PATIENT}/orders?words=colono")
    assert "Colonoscopy" in html
    assert "Ferritin" not in html
    assert "Nothing that can be ordered" in page(pad, f"{PATIENT}/orders?words=zebra")[0]


def test_each_change_of_a_draft_is_asked_about_and_what_is_signed_was_reviewed(pad: FlaskClient, service: StubService) -> None:
    orders = f"{PATIENT}/orders"
    html, parsed = post(pad, f"{orders}/add", key="methotrexate_2_5")
    assert "methotrexate 2.5 mg oral tablet is on the order pad" in said(html)
    assert "No lung function test on record" in card(html[html.index('id="cards"') :])
    (change,) = (way for way in parsed.posts if way.endswith("/change"))
    html, _ = post(pad, change, dose="15 mg weekly", route="route_oral", note="Mondays")
    assert 'value="15 mg weekly"' in html
    assert [call["hook"] for call in service.calls] == ["order-select", "order-select"]
    assert "Nothing is changed; what is left empty stays." in said(post(pad, change, dose="")[0])

    html, _ = post(pad, f"{orders}/sign")
    assert "Review them once more" in said(html)
    html, _ = post(pad, f"{orders}/review")
    assert "1 card to read before you sign" in said(html)
    assert "Sign 1 order" in html
    assert service.calls[-1]["hook"] == "order-sign"

    html, parsed = post(pad, f"{orders}/sign")
    assert "Signed, and on the chart: methotrexate 2.5 mg oral tablet." in said(html)
    assert "methotrexate 2.5 mg oral tablet 22 November 2026 15 mg weekly; oral; active" in parsed.text


def test_a_draft_that_was_changed_after_review_is_not_signed(pad: FlaskClient) -> None:
    orders = f"{PATIENT}/orders"
    _, parsed = post(pad, f"{orders}/add", key="methotrexate_2_5")
    (change,) = (way for way in parsed.posts if way.endswith("/change"))
    post(pad, f"{orders}/review")
    html, _ = post(pad, change, dose="20 mg weekly")
    assert "Sign 1 order" not in html
    assert "Review them once more" in said(post(pad, f"{orders}/sign")[0])


def test_a_draft_can_be_taken_off_and_with_the_last_the_cards_go(pad: FlaskClient) -> None:
    _, parsed = post(pad, f"{PATIENT}/orders/add", key="ferritin")
    (discard,) = (way for way in parsed.posts if way.endswith("/discard"))
    html, _ = post(pad, discard)
    assert "No draft yet." in html
    assert "<article" not in html


def test_a_suggestion_changes_the_draft_and_says_what_changed(pad: FlaskClient, service: StubService) -> None:
    html, _ = post(pad, f"{PATIENT}/orders/add", key="methotrexate_2_5")
    drafted = service.calls[-1]["context"]["draftOrders"]["entry"][0]["resource"]
    action = {"type": "delete", "description": "Remove it", "resourceId": f"MedicationRequest/{drafted['id']}"}
    removal = SUGGESTION | {"label": "Remove the draft", "actions": [action]}
    service.answer = {"cards": [CARD | {"suggestions": [removal]}]}
    post(pad, f"{PATIENT}/orders/review")
    html, _ = post(pad, f"{PATIENT}/cards/{CARD_ID}/accept/{SUGGESTION['uuid']}", place="orders")
    assert "methotrexate" in said(html)
    assert "No draft yet." in html


# Facts, switches, services


def test_a_changed_fact_opens_the_chart_anew_and_says_what_changed_in_the_cards(
    browser_of_pages: FlaskClient, service: StubService
) -> None:
    facts = f"{PATIENT}/facts"
    page(browser_of_pages, facts)
    source = {"label": "A source", "topic": {"code": "urgentReferral"}}
    service.answer = {"cards": [CARD | {"indicator": "critical"}, CARD | {"uuid": "4", "summary": "Refer now", "source": source}]}
    html, parsed = post(browser_of_pages, f"{facts}/make", key="anti_mda5-positive")
    assert "Anti-MDA5 positive." in said(html)
    assert "New: Refer now" in said(html)
    assert "Changed: No lung function test on record (in its details)" in said(html)
    assert "Undo the last change" in parsed.text

    service.answer = {"cards": []}
    html, _ = post(browser_of_pages, f"{facts}/undo")
    assert "Taken back: Anti-MDA5 positive." in said(html)
    assert "Gone: Refer now" in said(html)
    html, _ = post(browser_of_pages, f"{facts}/reset")
    assert "The cards stay as they were." in said(html)


def test_a_value_that_is_no_number_is_refused_in_words(browser_of_pages: FlaskClient) -> None:
    html, _ = post(browser_of_pages, f"{PATIENT}/facts/make", key="ferritin", typed="much")
    assert "Write a number" in said(html)


def test_the_switch_sends_patient_condition_and_medication_request_only(
    browser_of_pages: FlaskClient, service: StubService
) -> None:
    html, _ = post(browser_of_pages, "/switches", prefetch="minimal", token="on", fault="slow", dialect="epic")
    for path in PAGES:
        html, _ = page(browser_of_pages, path)
        assert "Patient, Condition and MedicationRequest only" in html
        assert "FHIR server: slow" in html
        assert "like Epic" in html
    assert list(service.calls[0]["prefetch"]) == ["patient", "conditions", "medications"]
    assert "Observation is switched off" in page(browser_of_pages, PATIENT)[0]
    html, _ = post(browser_of_pages, "/switches/normal")
    assert "Switched:" not in html


def test_a_switch_position_that_there_is_not_is_refused_in_words(browser_of_pages: FlaskClient) -> None:
    html, _ = post(browser_of_pages, "/switches", prefetch="some", dialect="standard")
    assert "no such position" in said(html)
    assert "Switched:" not in html


def test_services_are_shown_added_and_removed(browser_of_pages: FlaskClient, service: StubService) -> None:
    html, _ = page(browser_of_pages, "/services")
    assert f"{service.url}/cds-services/myositis-patient-view" in html
    assert "Patient/{{context.patientId}}" in html
    html, _ = post(browser_of_pages, "/services/add", url="javascript:alert(1)")
    assert "no address of a service" in said(html)
    html, _ = post(browser_of_pages, "/services/add", url="http://127.0.0.1:9/cds-services")
    assert "cannot be used yet" in said(html)
    html, _ = post(browser_of_pages, "/services/remove", url=f"{service.url}/cds-services")
    assert f"{service.url}/cds-services/myositis-patient-view" not in html


# Every page


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
    f"{PATIENT}/cards/{CARD_ID}/accept/1",
    f"{PATIENT}/cards/{CARD_ID}/override",
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
