"""Calls as EHRs really send them, and answers as they really read them (conformance sections 9, 10 and 12)."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from werkzeug.test import TestResponse

from server.cds_hooks.dialects import DIALECTS, in_dialect
from server.cds_hooks.prefetch import prefetch_templates
from server.trust.clients import Client
from tests.server.cds_hooks.test_dialects import answers
from tests.server.charts import Json, dermatomyositis, diagnosis, hook_call, order_call, searchset

Call = Callable[[Json], TestResponse]

SERVER = "https://ehr.example/FHIR/R4"
METHOTREXATE = {
    "text": "Methotrexate 2.5 MG Oral Tablet",
    "coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "105585"}],
}


def topics(response: TestResponse) -> set[str]:
    assert response.status_code == 200
    return {card["source"]["topic"]["code"] for card in response.get_json()["cards"]}


# --- the public sandbox


def sandbox_draft(**more: Any) -> Json:
    """A draft as the sandbox makes it: the category an object, and no intent."""
    draft = {
        "resourceType": "MedicationRequest",
        "id": "request-123",
        "status": "draft",
        "category": {"coding": [{"code": "outpatient"}]},
        "subject": {"reference": "Patient/p1"},
    }
    return {"resourceType": "Bundle", "entry": [{"resource": draft | more}]}


@pytest.mark.requirement("X-5", "X-6", "X-12", "X-13", "X-14", "K-5")
def test_the_sandbox_calls_before_a_drug_is_chosen(call: Call) -> None:
    sent = order_call("order-select", "p1", dermatomyositis(), sandbox_draft(), selections=["MedicationRequest/request-123"])
    assert "drugSafety" not in topics(call(sent | {"fhirServer": "https://launch.smarthealthit.org/v/r4/fhir"}))


@pytest.mark.requirement("X-12", "X-13", "K-4", "K-5")
def test_the_drug_that_was_chosen_in_the_sandbox_is_read(call: Call) -> None:
    drafts = sandbox_draft(medicationCodeableConcept=METHOTREXATE)
    sent = order_call("order-select", "p1", dermatomyositis(), drafts, selections=["MedicationRequest/request-123"])
    assert "drugSafety" in topics(call(sent))


@pytest.mark.requirement("K-4")
def test_a_draft_that_is_not_selected_is_not_spoken_about(call: Call) -> None:
    drafts = sandbox_draft(medicationCodeableConcept=METHOTREXATE)
    sent = order_call("order-select", "p1", dermatomyositis(), drafts, selections=["MedicationRequest/another"])
    assert "drugSafety" not in topics(call(sent))


@pytest.mark.requirement("X-7", "K-6")
@pytest.mark.parametrize("hook", ["patient-view", "order-select"])
def test_fhir_dstu2_is_answered_and_nothing_is_read_into_it(call: Call, hook: str) -> None:
    order = {
        "resourceType": "MedicationOrder",
        "id": "order-123",
        "status": "draft",
        "patient": {"reference": "Patient/p1"},
        "medicationCodeableConcept": METHOTREXATE,
    }
    condition = {"resourceType": "Condition", "id": "c", "patient": {"reference": "Patient/p1"}, "code": diagnosis()["code"]}
    prefetch = {"conditions": searchset([condition]), "medicationRequests": searchset([order])}
    if hook == "patient-view":
        response = call(hook_call("p1", prefetch))
    else:
        response = call(
            order_call(hook, "p1", prefetch, {"resourceType": "Bundle", "entry": [{"resource": order}]}, selections=[])
        )
    assert response.status_code in (200, 412)


@pytest.mark.requirement("X-8", "T-2", "T-5")
def test_an_authorization_without_patient_and_end_is_accepted(call: Call) -> None:
    token = {"access_token": "t", "token_type": "Bearer", "scope": "patient/*.* launch", "subject": "s"}
    assert topics(call(hook_call("p1", dermatomyositis(), fhirServer=SERVER, fhirAuthorization=token)))


@pytest.mark.requirement("X-9", "R-11")
def test_a_call_without_any_prefetch_is_refused_in_words(call: Call) -> None:
    response = call(hook_call("p1", None))
    assert response.status_code == 412
    assert "conditions" in response.get_json()["issue"][0]["diagnostics"]


@pytest.mark.requirement("P-1", "P-2", "P-3", "P-9", "P-12", "P-13", "X-10")
def test_the_queries_are_such_as_the_sandbox_resolves() -> None:
    for query in prefetch_templates().values():
        assert set(re.findall(r"{{(.*?)}}", query)) == {"context.patientId"}
        names = [pair.split("=")[0] for pair in query.partition("?")[2].split("&") if pair]
        assert len(names) == len(set(names))
        assert set(names) <= {"patient", "_sort", "_count"}


def cards_in(dialect: str) -> Iterator[Json]:
    for _, cards in answers():
        yield from in_dialect(cards, Client("here", dialect=dialect))


@pytest.mark.requirement("X-21", "X-22", "X-24", "X-25", "X-28", "C-3", "C-5", "C-6", "C-21", "C-31", "C-35", "CARD-01")
def test_the_sandbox_can_show_and_apply_every_card() -> None:
    for card in cards_in("sandbox"):
        assert card["indicator"] in ("critical", "warning", "info")
        assert not re.search(r"<[a-z/!]", card["detail"], re.IGNORECASE)  # it renders raw HTML
        assert card["uuid"]
        for suggestion in card.get("suggestions", ()):
            assert suggestion["uuid"]
            assert all(action["description"] for action in suggestion["actions"])
            for drug in (action["resource"] for action in suggestion["actions"] if action["type"] == "create"):
                if drug["resourceType"] == "MedicationRequest":
                    assert drug["medicationCodeableConcept"]["text"]
                    assert drug["medicationCodeableConcept"]["coding"][0]["code"]


@pytest.mark.requirement("X-29", "C-2", "H-1")
def test_nothing_to_say_is_an_empty_list(call: Call) -> None:
    assert call(hook_call("p1", {"conditions": None})).get_json() == {"cards": []}


# --- Epic


EPIC_EXTENSION = {
    "com.epic.cdshooks.request.bpa-trigger-action": "18",
    "com.epic.cdshooks.request.cds-hooks-specification-version": "1.0",
    "com.epic.cdshooks.request.fhir-version": "R4",
}


def absolute(resource: Json) -> Json:
    return resource | {"subject": {"reference": f"{SERVER}/Patient/p1", "display": "Somebody"}}


@pytest.mark.requirement("R-7", "R-8", "E-1", "E-2", "E-5", "K-1", "K-8", "T-4", "P-14")
def test_a_call_of_epic_is_read(call: Call) -> None:
    token = {
        "access_token": "t",
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "Observation.Read (Labs) (R4) Condition.Search (Problems) (R4)",
        "subject": "client",
    }
    warned = {"severity": "warning", "code": "processing", "details": {"text": "no results"}}
    outcome = {"resource": {"resourceType": "OperationOutcome", "issue": [warned]}, "search": {"mode": "outcome"}}
    prefetch = {
        "-user": {"resourceType": "PractitionerRole", "id": "7"},
        "problemList": searchset([absolute(diagnosis())]),
        "labs": {"resourceType": "Bundle", "type": "searchset", "total": 0, "entry": [outcome]},
    }
    sent = hook_call("p1", prefetch, fhirServer=SERVER, fhirAuthorization=token, extension=EPIC_EXTENSION)
    sent["context"]["userId"] = "PractitionerRole/7"
    assert topics(call(sent))


@pytest.mark.requirement("K-3", "K-7")
@pytest.mark.parametrize("status", ["draft", "active", "on-hold"])
def test_a_drug_that_stands_in_an_entry_of_its_own_is_found_and_is_no_order(call: Call, status: str) -> None:
    order = {
        "resourceType": "MedicationRequest",
        "id": "1",
        "status": status,
        "intent": "order",
        "subject": {"reference": f"{SERVER}/Patient/p1"},
        "medicationReference": {"reference": "Medication/m"},
    }
    drug = {"resourceType": "Medication", "id": "m", "code": METHOTREXATE}
    drafts = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": order}, {"resource": drug}]}
    assert "drugSafety" in topics(call(order_call("order-sign", "p1", dermatomyositis(), drafts, encounterId="e1")))


@pytest.mark.requirement("C-10", "C-12", "C-22", "C-23", "C-31", "K-9")
def test_epic_can_take_every_suggestion() -> None:
    accepted = DIALECTS["epic"].code_systems
    seen = 0
    for card in cards_in("epic"):
        assert re.fullmatch(r"[A-Za-z0-9]{1,100}", card["source"]["topic"]["code"])
        assert card.get("selectionBehavior", "any") == "any"
        for suggestion in card.get("suggestions", ()):
            (action,) = suggestion["actions"]
            assert action["description"] == suggestion["label"]
            if action["type"] == "create":
                order = action["resource"]
                concept = order.get("medicationCodeableConcept") or order["code"]
                assert {coding["system"] for coding in concept["coding"]} & set(accepted[order["resourceType"]])
                seen += 1
            else:
                assert re.fullmatch(r"[A-Za-z]+/[A-Za-z0-9.-]+", action["resource"])
    assert seen


# --- extensions


@pytest.mark.requirement("E-1", "E-2", "E-3", "E-4", "C-16")
@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_is_ours_stands_in_one_extension_with_a_reverse_domain_name(dialect: str) -> None:
    for card in cards_in(dialect):
        (name,) = card["extension"]
        assert re.fullmatch(r"[a-z]+(\.[a-z-]+)+", name)
        assert {"recommendations", "sources", "knowledgeVersion"} <= card["extension"][name].keys()
