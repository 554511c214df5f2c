"""The connection sheet: made from the objects that serve, so that it cannot say anything else than the service does."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from types import MappingProxyType
from typing import Any

import pytest
from flask.testing import FlaskClient

from cards.override_reasons import override_reasons
from server.application import create_app
from server.basis import packaged_basis
from server.cds_hooks.dialects import DIALECTS, in_dialect
from server.cds_hooks.prefetch import TEMPLATES, Need, Template
from server.cds_hooks.services import SERVICES
from server.config import Config
from server.connecting import sheet as sheets
from server.connecting.as_text import as_text
from server.connecting.examples import DAY
from server.connecting.page import as_html
from server.connecting.scopes import Scope, scopes_for
from server.connecting.sheet import ANY_CLIENT, Sheet, make_sheet
from server.trust.clients import Client, SmartRegistration
from tests.server.answers import check_cards, empty_members
from tests.server.cds_hooks.test_dialects import answers
from tests.server.charts import without_uuids
from tests.server.conftest import CONFIG
from tests.server.publishing.test_guideline_pages import Reader

URL = "https://cds.example/myositis"
SERVED = Config(public_url=URL)
KNOWN = packaged_basis().knowledge

EPIC = Client(
    "hospital-one",
    issuer="https://ehr.hospital-one.example/FHIR/R4",
    jwks_url="https://ehr.hospital-one.example/keys",
    algorithms=("RS384",),
    audiences=("typed-in-by-hand",),
    tenants=("north",),
    longest_life=900,
    replay_check=False,
    fhir_servers=("https://ehr.hospital-one.example/FHIR/R4",),
    dialect="epic",
    links=("https://doi.org",),
    topics_off=frozenset(("supportiveCare",)),
)


def made(client: Client = ANY_CLIENT, config: Config = SERVED) -> Sheet:
    return make_sheet(config, packaged_basis(), client)


# --- it says what the service does ------------------------------------------------------------------------------------------


@pytest.mark.requirement("D-15", "J-5")
def test_services_and_prefetch_are_those_of_discovery() -> None:
    told = create_app(replace(CONFIG, public_url=URL)).test_client().get("/cds-services").get_json()["services"]
    sheet = made()
    assert [(s.id, s.hook, s.title, s.description) for s in sheet.services] == [
        (s["id"], s["hook"], s["title"], s["description"]) for s in told
    ]
    assert [s.url for s in sheet.services] == [f"{URL}/cds-services/{s['id']}" for s in told]
    for service in told:
        assert {one.key: one.query for one in sheet.prefetch} == service["prefetch"]


@pytest.mark.requirement("D-15", "C-32", "C-43")
@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_code_link_and_topic_that_is_sent_is_on_the_sheet(dialect: str) -> None:
    client = Client("here", dialect=dialect)
    sheet = made(client)
    codes = {(c.system, c.code) for order in sheet.orders if order.is_offered for c in order.codings}
    topics = {topic.code for topic in sheet.topics}
    beginnings = tuple(link.beginning for link in sheet.links if link.is_sent)
    seen = 0
    for name, cards in answers():
        for card in in_dialect(cards, client):
            assert card["source"].get("topic", {"code": "drugSafety"})["code"] in topics, name
            assert all(link["url"].startswith(beginnings) for link in card.get("links", ())), name
            for order in _orders_created_by(card):
                found = order.get("medicationCodeableConcept") or order["code"]
                assert {(c["system"], c["code"]) for c in found.get("coding", ())} <= codes, name
                seen += 1
    assert seen > 20


def _orders_created_by(card: dict[str, Any]) -> list[dict[str, Any]]:
    actions = [action for suggestion in card.get("suggestions", ()) for action in suggestion["actions"]]
    return [action["resource"] for action in actions if action["type"] == "create"]


@pytest.mark.parametrize("service", SERVICES)
def test_the_examples_are_what_the_service_answers(service: str) -> None:
    served = create_app(replace(CONFIG, card_cap=1, today=lambda: DAY)).test_client()
    (example,) = (one for one in made().examples if one.service == service)
    answer = served.post(f"/cds-services/{service}", json=example.request).get_json()
    assert without_uuids(answer) == without_uuids(example.answer)  # the caller is another, so the uuids are
    assert example.answer["cards"]
    check_cards(example.answer["cards"])


@pytest.mark.requirement("F-2", "F-3", "F-4", "F-5", "F-6", "F-7")
@pytest.mark.parametrize("service", SERVICES)
def test_the_example_of_feedback_is_about_the_card_of_the_example(service: str) -> None:
    (example,) = (one for one in made().examples if one.service == service)
    assert example.feedback is not None
    (card,) = example.answer["cards"]
    accepted, overridden = example.feedback["feedback"]
    assert {accepted["card"], overridden["card"]} == {card["uuid"]}
    assert accepted["acceptedSuggestions"] == [{"id": card["suggestions"][0]["uuid"]}]
    assert overridden["overrideReason"]["reason"] in card["overrideReasons"]
    assert list(empty_members(example.feedback)) == []


def test_a_client_without_uuids_has_no_feedback_to_give() -> None:
    assert {one.feedback for one in made(Client("old", dialect="1.0")).examples} == {None}


# --- a change of an object is a change of the sheet -------------------------------------------------------------------------


def test_another_public_url_changes_every_address() -> None:
    other = json.dumps(made(config=Config(public_url="https://other.example")).as_json())
    assert URL not in other
    assert "https://other.example/cds-services/myositis-order-sign/feedback" in other


def test_another_template_changes_prefetch_and_scopes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "TEMPLATES", (*TEMPLATES, Template("encounters", "Encounter", Need.DEGRADE, "date", 10)))
    sheet = made()
    assert sheet.prefetch[-1].query == "Encounter?patient={{context.patientId}}&_sort=-date&_count=10"
    assert sheet.scopes[-1] == Scope("Encounter", "patient/Encounter.read", "patient/Encounter.rs")


def test_another_service_is_on_the_sheet(monkeypatch: pytest.MonkeyPatch) -> None:
    first = SERVICES["myositis-patient-view"]
    one = replace(first, id="another")
    monkeypatch.setattr(sheets, "SERVICES", MappingProxyType({**SERVICES, "another": one}))
    assert f"{URL}/cds-services/another" in [service.url for service in made().services]


def test_another_order_topic_or_source_is_on_the_sheet() -> None:
    order = {"resource": "ServiceRequest", "title": "zinc level", "coding": [{"system": "s", "code": "77", "display": "d"}]}
    topic = replace(KNOWN.topics["drugSafety"], code="newTopic")
    source = replace(next(iter(KNOWN.sources.values())), url="https://library.example/1")
    known = replace(
        KNOWN,
        orders={**KNOWN.orders, "zinc-level": order},
        topics={**KNOWN.topics, "newTopic": topic},
        sources={**KNOWN.sources, "new": source},
    )
    sheet = make_sheet(SERVED, replace(packaged_basis(), knowledge=known))
    assert sheet.orders[-1].codings[0].code == "77"
    assert sheet.topics[-1].code == "newTopic"
    assert "https://library.example/" in [link.beginning for link in sheet.links]


def test_all_orders_topics_and_reasons_of_the_knowledge_are_on_the_sheet() -> None:
    sheet = made()
    assert [order.key for order in sheet.orders] == list(KNOWN.orders)
    assert [topic.code for topic in sheet.topics] == list(KNOWN.topics)
    assert [{"system": r.system, "code": r.code, "display": r.display} for r in sheet.override_reasons] == override_reasons()
    assert all(0 <= r.quiet_days <= ANY_CLIENT.snooze_days for r in sheet.override_reasons)


# --- one client -------------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("J-5", "J-13", "J-15")
def test_the_sheet_of_a_client_has_what_it_is_registered_with() -> None:
    sheet = made(EPIC)
    tokens = sheet.tokens
    assert (sheet.client, sheet.dialect, sheet.fhir_servers) == ("hospital-one", "epic", EPIC.fhir_servers)
    assert (tokens.issuer, tokens.keys, tokens.algorithms) == (EPIC.issuer, EPIC.jwks_url, ("RS384",))
    assert (tokens.longest_life, tokens.replay_check, tokens.tenants) == (900, False, ("north",))
    assert all(endpoint.audiences[-1] == "typed-in-by-hand" for endpoint in tokens.endpoints)
    assert {switch.name for switch in sheet.switches} == set(DIALECTS["epic"].set_apart)
    assert [link.beginning for link in sheet.links if link.is_sent] == ["https://doi.org/"]
    assert [topic.code for topic in sheet.topics if not topic.is_on] == ["supportiveCare"]
    assert any(coding.system == "urn:oid:2.16.840.1.113883.6.88" for order in sheet.orders for coding in order.codings)
    assert not any(order.is_offered for order in sheet.orders if order.resource_type == "ServiceRequest")


@pytest.mark.requirement("X-3", "F-11")
def test_every_endpoint_has_its_own_audience() -> None:
    sheet = made(Client("try", dialect="sandbox"))
    by_url = {endpoint.url: endpoint.audiences for endpoint in sheet.tokens.endpoints}
    assert set(by_url) == {f"{URL}/cds-services"} | {s.url for s in sheet.services} | {s.feedback_url for s in sheet.services}
    feedback = f"{URL}/cds-services/myositis-patient-view/feedback"
    assert f"{URL}/cds-services//myositis-patient-view/feedback" in by_url[feedback]
    assert all(url == audiences[0] for url, audiences in by_url.items())


@pytest.mark.requirement("T-3")
def test_scopes_read_and_never_write() -> None:
    scopes = scopes_for(TEMPLATES)
    assert {scope.resource_type for scope in scopes} == {template.resource_type for template in TEMPLATES}
    assert all(re.fullmatch(r"patient/[A-Za-z]+\.read", scope.v1) for scope in scopes)
    assert all(re.fullmatch(r"patient/[A-Za-z]+\.rs?", scope.v2) for scope in scopes)


@pytest.mark.requirement("CARD-07")
@pytest.mark.parametrize(
    ("dialect", "links", "is_linked"),
    [("standard", None, True), ("standard", (), False), ("epic", None, False), ("epic", (f"{URL}/smart/launch",), True)],
)
def test_the_sheet_says_where_the_app_is_and_whether_cards_lead_to_it(
    dialect: str, links: tuple[str, ...] | None, is_linked: bool
) -> None:
    app = made(
        replace(EPIC, dialect=dialect, links=links, smart=SmartRegistration("our-id", scopes=("user/Practitioner.r",)))
    ).app
    assert (app.client_id, app.authentication, app.is_linked) == ("our-id", "private_key_jwt", is_linked)
    assert (app.launch_url, app.redirect_uri) == (f"{URL}/smart/launch", f"{URL}/smart/callback")
    told = create_app(replace(CONFIG, public_url=URL)).test_client()
    assert told.get(app.jwks_url.removeprefix(URL)).get_json()["keys"]
    assert {"launch", "patient/Observation.rs", "user/Practitioner.r"} <= set(app.scopes_v2)
    assert not made().app.is_linked


# --- its forms --------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pages() -> FlaskClient:
    return create_app(replace(CONFIG, public_url=URL)).test_client()


def standalone(client: Client) -> str:
    app = create_app(replace(CONFIG, public_url=URL))
    with app.app_context():
        return as_html(made(client))


FORMS: dict[str, Callable[[Client], str]] = {
    "text": lambda client: as_text(made(client)),
    "html": standalone,
    "json": lambda client: json.dumps(made(client).as_json()),
}


@pytest.mark.requirement("D-14", "D-15")
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("client", [ANY_CLIENT, EPIC], ids=["any", "one client"])
def test_every_form_has_all_that_is_typed(form: str, client: Client) -> None:
    sheet, text = made(client), FORMS[form](client)
    if form == "html":
        text = unescape(re.sub(r"<[^>]+>", "", text))
    typed = [
        *(value for service in sheet.services for value in (service.hook, service.url, service.feedback_url)),
        *(value for one in sheet.prefetch for value in (one.key, one.query)),
        *(value for scope in sheet.scopes for value in (scope.v1, scope.v2)),
        *(value for endpoint in sheet.tokens.endpoints for value in endpoint.audiences),
        *(value for order in sheet.orders for coding in order.codings for value in (coding.system, coding.code)),
        *(reason.code for reason in sheet.override_reasons),
        *(topic.code for topic in sheet.topics),
        *(link.beginning for link in sheet.links),
        *sheet.fhir_servers,
        *(sheet.app.launch_url, sheet.app.redirect_uri, sheet.app.jwks_url),
        *(scope for scope in (*sheet.app.scopes_v1, *sheet.app.scopes_v2)),
    ]
    assert [value for value in typed if value not in text] == []


@pytest.mark.requirement("SEC-01", "J-23")
@pytest.mark.parametrize("form", FORMS)
def test_no_form_has_a_secret(form: str) -> None:
    key = {"kty": "EC", "crv": "P-384", "kid": "canary-kid", "x": "canary-x", "y": "canary-y", "d": "canary-d"}
    config = replace(SERVED, database_url="postgresql+psycopg://user:canary-password@db/x")
    client = replace(EPIC, jwks_url=None, jwks={"keys": [key]})
    sheet = make_sheet(config, packaged_basis(), client)
    assert "canary" not in json.dumps(sheet.as_json())
    assert "canary" not in FORMS[form](client)


def test_the_page_is_well_formed_has_no_script_and_loads_nothing_from_elsewhere(pages: FlaskClient) -> None:
    response = pages.get("/connect")
    assert response.status_code == 200
    reader = Reader(response.text)
    assert reader.open == []
    assert len(reader.ids) == len(set(reader.ids))
    assert {tag for tag, _ in reader.elements} & {"script", "style", "img", "iframe", "form"} == set()
    assert "style-src 'self'" in response.headers["Content-Security-Policy"]
    assert {link[1:] for link in reader.links if link.startswith("#")} <= set(reader.ids)


def test_the_page_of_a_service_with_clients_shows_none_of_them(pages: FlaskClient) -> None:
    """Who is connected is nobody else's business."""
    assert "hospital-one" not in pages.get("/connect").text


def test_the_page_as_a_file_needs_nothing_but_itself() -> None:
    reader = Reader(standalone(EPIC))
    assert reader.open == []
    assert [attributes for tag, attributes in reader.elements if tag == "link"] == []
    assert [link for link in reader.links if not link.startswith(("#", "https://"))] == []


@pytest.mark.requirement("D-14")
def test_the_front_page_and_the_guidelines_lead_to_it(pages: FlaskClient) -> None:
    assert 'href="/connect"' in pages.get("/").text
    assert 'href="/connect"' in pages.get("/guidelines").text
