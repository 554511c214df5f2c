"""The order pad, the patient editor, switches and services, as people use them."""

import re

import pytest
from flask.testing import FlaskClient

from tests.sandbox.conftest import CARD, StubService
from tests.sandbox.reading_pages import PAGES, PATIENT, SUGGESTION, card, page, post, said, way


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
    assert "Nothing is changed." in said(post(pad, change, dose="15 mg weekly")[0])

    html, _ = post(pad, f"{orders}/sign")
    assert "Review them once more" in said(html)
    html, _ = post(pad, f"{orders}/review")
    assert "1 card to read before you sign" in said(html)
    assert "Sign 1 order" in html
    assert service.calls[-1]["hook"] == "order-sign"

    (reviewed,) = re.findall('name="reviewed" value="([0-9a-f]+)"', html)
    html, parsed = post(pad, f"{orders}/sign", reviewed=reviewed)
    assert "Signed, and on the chart: methotrexate 2.5 mg oral tablet." in said(html)
    assert "methotrexate 2.5 mg oral tablet 22 November 2026 15 mg weekly; oral; active" in parsed.text


def test_a_dose_that_was_cleared_on_the_screen_is_not_signed(pad: FlaskClient, service: StubService) -> None:
    _, parsed = post(pad, f"{PATIENT}/orders/add", key="methotrexate_2_5")
    (change,) = (way for way in parsed.posts if way.endswith("/change"))
    post(pad, change, dose="15 mg weekly", route="route_oral", note="Mondays")
    html, _ = post(pad, change, dose="", route="", note="")
    assert 'value="15 mg weekly"' not in html
    (entry,) = service.calls[-1]["context"]["draftOrders"]["entry"]
    assert "note" not in entry["resource"]
    assert [one.keys() for one in entry["resource"]["dosageInstruction"]] == [{"timing"}]


def test_a_draft_that_was_changed_after_review_is_not_signed(pad: FlaskClient) -> None:
    orders = f"{PATIENT}/orders"
    _, parsed = post(pad, f"{orders}/add", key="methotrexate_2_5")
    (change,) = (way for way in parsed.posts if way.endswith("/change"))
    html, _ = post(pad, f"{orders}/review")
    (reviewed,) = re.findall('name="reviewed" value="([0-9a-f]+)"', html)
    html, _ = post(pad, change, dose="20 mg weekly")
    assert "Sign 1 order" not in html
    assert "Review them once more" in said(post(pad, f"{orders}/sign", reviewed=reviewed)[0])


def test_like_oracle_nobody_is_asked_about_drafts_and_that_is_said(pad: FlaskClient, service: StubService) -> None:
    post(pad, "/switches", prefetch="all", token="on", dialect="oracle")
    html, _ = post(pad, f"{PATIENT}/orders/add", key="methotrexate_2_5")
    assert "Nothing is drafted yet" not in html
    assert "this EHR does not fire order-select or order-sign in this dialect" in html
    html, _ = post(pad, f"{PATIENT}/orders/review")
    assert "Reviewed by you alone: this EHR does not fire order-sign in this dialect." in said(html)
    assert service.calls == []


def test_without_a_service_for_orders_and_without_an_answer_nobody_is_said_to_have_nothing_to_say(
    pad: FlaskClient, service: StubService
) -> None:
    service.offer("patient-view")
    post(pad, f"{PATIENT}/orders/add", key="ferritin")
    html, _ = post(pad, f"{PATIENT}/orders/review")
    assert "no service was asked" in said(html)
    assert "none that is registered has the hook" in html
    service.offer("order-sign")
    service.status = 503
    post(pad, "/services/read", url=f"{service.url}/cds-services")
    html, _ = post(pad, f"{PATIENT}/orders/review")
    assert "Reviewed by you alone: no answer from myositis-order-sign." in said(html)


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
    _, parsed = post(pad, f"{PATIENT}/orders/review")
    html, _ = post(pad, way(parsed, "/accept/0"), place="orders")
    assert "methotrexate" in said(html)
    assert "No draft yet." in html


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
