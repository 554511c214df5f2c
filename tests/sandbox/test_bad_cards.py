"""Whatever a service sends, the chart opens, and a card that cannot be used says so and takes nothing from the others."""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.card_checks import read_card
from sandbox.web_addresses import is_web_address
from tests.sandbox.conftest import CARD, StubService
from tests.sandbox.desks import TIF1_GAMMA, open_ehr
from tests.sandbox.reading_pages import PATIENT, Page, page, post, way
from tests.sizes import size

SOUND = CARD | {"summary": "The sound one"}
UNUSABLE: list[Any] = [
    5,
    None,
    [],
    {},
    CARD | {"uuid": []},
    CARD | {"uuid": {"a": 1}},
    CARD | {"summary": ["x"]},
    CARD | {"indicator": {}},
    CARD | {"indicator": "hard-stop"},
    CARD | {"source": "me"},
    CARD | {"source": {"label": 5}},
    CARD | {"detail": 5},
    CARD | {"detail": "half a pair: \ud800"},
    CARD | {"links": 5},
    CARD | {"links": [5]},
    CARD | {"links": [{"label": "x", "url": 5, "type": "smart"}]},
    CARD | {"suggestions": 5},
    CARD | {"suggestions": [{"label": {}}]},
    CARD | {"suggestions": [{"label": "x", "actions": 5}]},
    CARD | {"suggestions": [{"label": "x", "actions": [{"type": {}}]}]},
    CARD | {"selectionBehavior": []},
    CARD | {"overrideReasons": 5},
    CARD | {"overrideReasons": [{"code": 5}]},
]
USABLE: list[Any] = [
    CARD | {"source": {"label": "x", "url": "http://[x"}},
    CARD | {"source": {"label": "x", "url": 5, "topic": 5}},
    CARD | {"source": {"label": "x", "topic": {"code": [], "display": {}}}},
    CARD | {"links": [{"label": "x", "url": "http://[x", "type": "absolute"}]},
    CARD | {"links": [{"label": "x", "url": "http://a..b", "type": "smart", "appContext": 5}]},
    CARD | {"detail": None, "links": None, "uuid": None, "overrideReasons": None},
    CARD | {"suggestions": [{"label": "x", "uuid": 5, "isRecommended": "y", "actions": None}]},
    CARD | {"suggestions": [{"label": "x", "actions": [{"type": "delete", "resource": 5, "description": []}]}]},
    CARD | {"overrideReasons": [{"code": "x", "display": 5}]},
    CARD | {"detail": "[" * 3000 + ">" * 3000},
]


@pytest.mark.parametrize("bad", UNUSABLE, ids=range(len(UNUSABLE)))
def test_a_card_that_cannot_be_used_says_so_beside_the_others(
    browser_of_pages: FlaskClient, service: StubService, bad: object
) -> None:
    service.answer = {"cards": [bad, SOUND]}
    html, parsed = page(browser_of_pages, PATIENT)
    first, second = html.split("<article")[1:3]
    assert "This card cannot be used:" in first
    assert "Accept:" not in first
    assert "The sound one" in second
    assert "cannot be used" not in second
    assert parsed.tags.count("article") == 2


@pytest.mark.parametrize("odd", USABLE, ids=range(len(USABLE)))
def test_a_card_that_is_odd_in_small_things_is_used_without_them(
    browser_of_pages: FlaskClient, service: StubService, odd: object
) -> None:
    service.answer = {"cards": [odd, SOUND]}
    html, parsed = page(browser_of_pages, PATIENT)
    assert "cannot be used" not in html
    assert "The sound one" in html
    assert not any("[x" in link or "a..b" in link for link in parsed.links)


def test_a_card_that_cannot_be_used_can_be_overridden_if_it_has_a_uuid(
    browser_of_pages: FlaskClient, service: StubService
) -> None:
    service.answer = {"cards": [CARD | {"indicator": "hard-stop"}]}
    _, parsed = page(browser_of_pages, PATIENT)
    html, _ = post(browser_of_pages, way(parsed, "/override"))
    assert "The card is overridden." in html
    assert [item["card"] for item in service.feedback] == [CARD["uuid"]]


def test_a_card_that_cannot_be_used_and_has_no_uuid_has_no_button(browser_of_pages: FlaskClient, service: StubService) -> None:
    service.answer = {"cards": [{"summary": "x"}]}
    assert not any("/cards/" in one for one in page(browser_of_pages, PATIENT)[1].posts)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 200_000,
        b'{"cards": [{"detail": ' + b"[" * 150 + b"]" * 150 + b"}]}",
        b"9" * 10_000,
        b'{"cards": NaN}',
        b"\xff\xfe{",
    ],
    ids=["brackets", "levels", "digits", "no number", "no text"],
)
def test_json_that_no_page_could_show_is_said_to_be_unreadable(
    browser_of_pages: FlaskClient, service: StubService, body: bytes
) -> None:
    service.answer = body
    assert "without JSON that can be read" in page(browser_of_pages, PATIENT)[0]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6) | st.sampled_from(["\ud800", "http://[x", "create", "any"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(CARD)) | st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=8,
)
BAD = st.builds(lambda name, value: CARD | {name: value}, st.sampled_from(sorted(CARD)), VALUES) | VALUES


@settings(max_examples=size(40, part=16), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(BAD, max_size=4))
def test_whatever_is_sent_as_cards_the_chart_opens(browser_of_pages: FlaskClient, service: StubService, cards: list[Any]) -> None:
    service.answer = {"cards": [*cards, SOUND]}
    response = browser_of_pages.get(PATIENT)
    assert response.status_code == 200
    parsed = Page(response.text)
    assert parsed.open == []
    assert "The sound one" in parsed.text
    assert parsed.tags.count("article") == len(cards) + 1


@given(BAD)
def test_every_card_is_read_to_values_that_can_be_shown(sent: Any) -> None:
    read = read_card(json.loads(json.dumps(sent)))
    for text in (read.summary, read.uuid, read.detail, read.fault, read.source.label):
        text.encode()
    assert all(link.url == "" or is_web_address(link.url) for link in read.links)


def test_two_services_with_the_same_uuids_do_not_answer_for_each_other(service: StubService) -> None:
    def order(name: str) -> dict[str, Any]:
        return {
            "type": "create",
            "resource": {"resourceType": "ServiceRequest", "status": "draft", "intent": "proposal", "code": {"text": name}},
        }

    service.discovery["services"] += [service.discovery["services"][0] | {"id": "another"}]
    ehr = open_ehr([service.url])
    service.answer = {
        "cards": [
            CARD | {"suggestions": [{"uuid": "s", "label": name, "actions": [order(name)]}]} for name in ("test A", "test B")
        ]
    }
    first, second = ehr.desk.open_chart(TIF1_GAMMA)
    assert first.id != second.id
    assert ehr.desk.accept(TIF1_GAMMA, first.id, 0, 0) == "Ordered: test A."
    assert ehr.desk.accept(TIF1_GAMMA, second.id, 1, 0) == "Ordered: test B."
    shown = ehr.desk.answers(TIF1_GAMMA)
    assert [set(answer.decisions) for answer in shown] == [{0}, {1}]
    assert service.paths[-2:] == ["/cds-services/myositis-patient-view/feedback", "/cds-services/another/feedback"]


def test_a_reason_called_accepted_is_an_override(browser_of_pages: FlaskClient, service: StubService) -> None:
    service.answer = {"cards": [CARD | {"overrideReasons": [{"code": "accepted", "display": "Accepted elsewhere"}]}]}
    _, parsed = page(browser_of_pages, PATIENT)
    _, parsed = post(browser_of_pages, way(parsed, "/override"), reason="accepted")
    assert "Overridden: Accepted elsewhere" in parsed.text


def test_a_provider_in_trouble_has_no_request_to_look_at(browser_of_pages: FlaskClient, service: StubService) -> None:
    service.discovery = {}
    html, parsed = page(browser_of_pages, PATIENT)
    assert "not called" in html
    assert not any(link.endswith("request.json") for link in parsed.links)
