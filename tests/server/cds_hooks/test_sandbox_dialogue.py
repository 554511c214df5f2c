"""What the CDS Hooks sandbox (github.com/cds-hooks/sandbox, 3b7e255) sends, with synthetic patients, and what it needs back."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from server.cds_hooks.services import SERVICES
from tests.server.cds_hooks.test_calls import Call, by_topic, cards
from tests.server.charts import Json
from tests.server.contract.sent import all_sent, sent

R4 = [name for name in all_sent("sandbox-") if "dstu2" not in name]
DSTU2 = all_sent("sandbox-dstu2-")


@pytest.mark.requirement("X-5", "X-6", "X-8", "X-11", "X-20", "I-2.1")
@pytest.mark.parametrize("name", R4)
def test_every_request_of_the_sandbox_is_answered(call: Call, name: str) -> None:
    body = sent(name)
    assert "encounterId" not in body["context"]
    assert call(body).status_code == 200


@pytest.mark.requirement("X-11", "K-9")
def test_its_hooks_are_the_ones_that_are_served() -> None:
    assert {sent(name)["hook"] for name in R4} == {service.hook for service in SERVICES.values()}


@pytest.mark.requirement("X-12", "X-13", "X-14", "K-4", "K-5")
def test_the_order_select_before_a_drug_is_chosen_is_answered(call: Call) -> None:
    """A Bundle without type, a MedicationRequest without intent and medication, its category an object."""
    body = sent("sandbox-order-select-before-a-drug")
    bundle = body["context"]["draftOrders"]
    (entry,) = bundle["entry"]
    assert "type" not in bundle
    assert isinstance(entry["resource"]["category"], dict)
    assert not {"intent", "medicationCodeableConcept", "medicationReference"} & set(entry["resource"])
    assert call(body).get_json() == {"cards": []}


@pytest.mark.requirement("X-14", "X-24")
def test_once_the_drug_is_chosen_the_same_request_gets_advice_about_it(call: Call) -> None:
    before = sent("sandbox-order-select-before-a-drug")["context"]["draftOrders"]["entry"][0]["resource"]
    after = sent("sandbox-order-select")
    assert before["id"] == after["context"]["draftOrders"]["entry"][0]["resource"]["id"]
    advice = by_topic(call(after))["drugSafety"]
    assert advice["indicator"] == "critical"
    actions = [action for suggestion in advice["suggestions"] for action in suggestion["actions"]]
    assert all(action["description"] for action in actions)
    assert "MedicationRequest/request-123" in {action.get("resourceId") for action in actions}


@pytest.mark.requirement("X-24")
@pytest.mark.parametrize("name", R4)
def test_a_suggested_drug_has_the_text_that_the_sandbox_shows(call: Call, name: str) -> None:
    actions = [a for card in cards(call(sent(name))) for s in card.get("suggestions", ()) for a in s["actions"]]
    drugs = [a["resource"] for a in actions if a.get("resource", {}).get("resourceType") == "MedicationRequest"]
    assert all(drug["medicationCodeableConcept"]["text"] for drug in drugs)


@pytest.mark.requirement("X-9", "H-2", "R-18")
@pytest.mark.parametrize("hook", [service.hook for service in SERVICES.values()])
def test_when_all_its_prefetch_failed_it_is_told_that_nothing_could_be_looked_at(call: Call, hook: str) -> None:
    body = sent(f"sandbox-{hook}")
    del body["prefetch"]
    assert call(body).status_code == 412


@pytest.mark.requirement("X-9", "P-11", "H-7")
def test_a_key_that_failed_is_simply_not_there(call: Call) -> None:
    body = sent("sandbox-patient-view")
    del body["prefetch"]["patient"]
    assert cards(call(body))


@pytest.mark.requirement("X-7", "K-6", "G-7")
@pytest.mark.parametrize("name", DSTU2)
def test_data_of_its_dstu2_server_is_never_a_fault_and_never_taken_for_no_data(call: Call, name: str) -> None:
    response = call(sent(name))
    assert response.status_code in (200, 412)
    assert response.status_code == 412 or response.get_json()["cards"]


@pytest.mark.requirement("X-2", "X-3")
def test_the_slash_that_was_typed_stays_in_every_url(client: FlaskClient) -> None:
    typed = "/cds-services/"
    for service in client.get(typed).get_json()["services"]:
        body = sent(f"sandbox-{service['hook']}")
        assert client.post(f"{typed}/{service['id']}", json=body).status_code == 200


@pytest.mark.requirement("R-2", "C-50", "C-51")
@pytest.mark.parametrize("name", R4)
def test_a_call_that_is_repeated_gets_the_same_cards_again(call: Callable[[Json], object], name: str) -> None:
    assert cards(call(sent(name))) == cards(call(sent(name)))  # type: ignore[arg-type]
