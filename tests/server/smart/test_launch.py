"""A launch from the chart and one without, from the first request to the patient's page."""

import re
from typing import Any

import pytest

from server.cds_hooks.calls import answer
from server.cds_hooks.envelope import read_hook_call
from server.cds_hooks.services import find_service
from server.feedback.shown import remember_cards, rows_of_cards
from server.stopwatch import Stopwatch
from server.store.transactions import transaction
from server.trust.clients import Caller, SmartRegistration
from tests.server.charts import INSTANCE, chart, dermatomyositis, hook_call, prefetch_of
from tests.server.smart.conftest import Browser, Service, Start, parameters
from tests.server.smart.ehr import CLIENT_ID, SECRET, Ehr

V1_ONLY = {"capabilities": ["launch-ehr", "permission-v1"], "scopes_supported": None}


@pytest.mark.requirement("SM-03")
def test_a_launch_from_the_chart_asks_for_all_that_a_safe_one_needs(browser: Browser, ehr: Ehr) -> None:
    asked = parameters(browser.begin(ehr))
    assert {name: asked.pop(name) for name in ("response_type", "client_id", "redirect_uri", "aud", "launch")} == {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": "http://127.0.0.1:8000/smart/callback",
        "aud": ehr.base,
        "launch": "xyz",
    }
    assert asked["code_challenge_method"] == "S256"
    assert all(len(asked[name]) == 43 for name in ("state", "nonce", "code_challenge"))  # 256 bits in base64url
    assert asked["scope"].split() == [
        "launch", "openid", "fhirUser", "online_access",
        "patient/Patient.r", "patient/Condition.rs", "patient/MedicationRequest.rs", "patient/MedicationStatement.rs",
        "patient/MedicationAdministration.rs", "patient/Observation.rs", "patient/DiagnosticReport.rs", "patient/Procedure.rs",
        "patient/ServiceRequest.rs", "patient/AllergyIntolerance.rs",
    ]  # fmt: skip


@pytest.mark.requirement("SM-03", "SM-12")
def test_it_ends_at_the_page_of_the_patient(browser: Browser, ehr: Ehr) -> None:
    page = browser.get(browser.open(ehr))
    assert page.status_code == 200
    assert "Greta Sampleton" in page.text
    assert "anti-TIF1-γ dermatomyositis" in page.text


def test_a_launch_without_a_chart_lets_the_ehr_ask_for_the_patient(browser: Browser, ehr: Ehr) -> None:
    choices = browser.get("/smart/launch")
    assert "hospital-1" in choices.text
    (chosen,) = re.findall(r'href="(/smart/launch\?[^"]*)"', choices.text)
    assert browser.get(chosen).headers["Location"].startswith(f"{ehr.root}/authorize?")
    asked = parameters(browser.begin(ehr, None))
    assert asked["scope"].split()[0] == "launch/patient"
    assert "launch" not in asked
    assert browser.get(browser.open(ehr, None)).status_code == 200


def test_a_server_that_knows_smart_1_only_is_asked_in_smart_1(browser: Browser, ehr: Ehr) -> None:
    ehr.configuration = V1_ONLY
    scopes = parameters(browser.begin(ehr))["scope"].split()
    assert "patient/Observation.read" in scopes
    assert not any(scope.endswith((".r", ".rs")) for scope in scopes)
    assert "online_access" not in scopes
    assert browser.get(browser.open(ehr)).status_code == 200


def test_a_type_that_the_server_has_not_is_not_asked_for(start: Start, ehr: Ehr) -> None:
    service = start(ehr, fhir_types_missing=frozenset(("ServiceRequest",)))
    assert "ServiceRequest" not in parameters(service.browser().begin(ehr))["scope"]


def test_scopes_of_the_registration_are_asked_for_too(start: Start, ehr: Ehr) -> None:
    service = start(ehr, registration=SmartRegistration(CLIENT_ID, scopes=("user/Practitioner.r",)))
    assert parameters(service.browser().begin(ehr))["scope"].endswith(" user/Practitioner.r")


def test_an_ehr_that_wants_a_shared_secret_gets_it(start: Start, ehr: Ehr) -> None:
    service = start(ehr, registration=SmartRegistration(CLIENT_ID, "client_secret_basic", SECRET))
    browser = service.browser()
    assert browser.get(browser.open(ehr)).status_code == 200
    assert SECRET not in str(ehr.forms)


def test_addresses_may_be_relative_to_the_fhir_server(browser: Browser, ehr: Ehr) -> None:
    ehr.configuration = {"authorization_endpoint": "../authorize", "token_endpoint": "/token", "jwks_uri": "/keys"}
    assert browser.begin(ehr).startswith(f"{ehr.root}/authorize?")
    assert browser.get(browser.open(ehr)).status_code == 200


def test_the_configuration_is_fetched_once_in_an_hour(browser: Browser, ehr: Ehr) -> None:
    browser.open(ehr)
    browser.open(ehr)
    assert sum("smart-configuration" in path for path in ehr.asked) == 1


def test_a_server_that_shows_the_patient_itself_needs_no_banner(browser: Browser, ehr: Ehr) -> None:
    ehr.response = {"need_patient_banner": False}
    assert "Greta Sampleton" not in browser.get(browser.open(ehr)).text


@pytest.mark.requirement("SM-09")
def test_two_launches_in_one_browser_are_two_pages(start: Start, ehr: Ehr, other_ehr: Ehr) -> None:
    """Begun side by side, finished in the other order, each with its own patient; and both are on the list."""
    browser = start(ehr, other_ehr).browser()
    first, second = browser.begin(ehr), browser.begin(other_ehr)
    of_second = browser.finish(second)
    of_first = browser.finish(first)
    ehr.asked.clear()
    assert "Greta Sampleton" in browser.get(of_first).text
    assert not any("healthy" in path for path in ehr.asked)
    assert "Greta Sampleton" not in browser.get(of_second).text
    listed = browser.get("/smart/patient").text
    assert all(path.rpartition("/")[2] in listed for path in (of_first, of_second))
    assert "hospital-1" in listed
    assert "hospital-2" in listed


@pytest.mark.requirement("SM-09")
def test_another_browser_opens_no_launch_of_this_one(service: Service, ehr: Ehr) -> None:
    path = service.browser().open(ehr)
    stranger = service.browser()
    assert stranger.get(path).status_code == 401
    assert path.rpartition("/")[2] not in stranger.get("/smart/patient").text


def view(service: Service, ehr: Ehr, **more: Any) -> Any:
    """The cards that the EHR gets for the patient whose chart is open."""
    found = find_service("myositis-patient-view")
    body = hook_call(ehr.patient, prefetch_of(chart(ehr.patient)), hookInstance=INSTANCE, fhirServer=ehr.base) | more
    caller = Caller(service.runtime.clients[0])
    with service.app.test_request_context():
        said = answer(read_hook_call(body, found), found, caller, service.runtime, Stopwatch())
    with transaction(service.runtime.database) as connection:
        remember_cards(connection, rows_of_cards(caller, found.id, said.patient, said.evaluation))
    return said.cards


@pytest.mark.requirement("C-40", "C-41", "CARD-06", "CARD-07")
def test_every_card_links_to_the_app_with_its_own_uuid_and_nothing_else(service: Service, ehr: Ehr) -> None:
    cards = view(service, ehr)
    assert len(cards) > 1
    for card in cards:
        link = card["links"][0]
        assert link == {
            "label": "Open the whole reasoning for this patient",
            "url": "http://127.0.0.1:8000/smart/launch",
            "type": "smart",
            "appContext": card["uuid"],
        }


@pytest.mark.requirement("CARD-07")
def test_where_the_app_is_not_registered_no_card_links_to_it(client: Any) -> None:
    cards = client.post("/cds-services/myositis-patient-view", json=hook_call("p1", dermatomyositis())).get_json()["cards"]
    assert cards
    assert not any(link["type"] == "smart" for card in cards for link in card.get("links", ()))
