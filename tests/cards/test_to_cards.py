"""The cards of every synthetic patient: valid CDS Hooks 2.0.1, few, cited, repeatable (conformance section 5; CARD-05 to 09)."""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fhir.resources.R4B.medicationrequest import MedicationRequest
from fhir.resources.R4B.servicerequest import ServiceRequest

from cards.knowledge import knowledge
from cards.orders import CANONICAL
from cards.recommend import recommend
from cards.to_cards import to_cards
from fhir_profiles.assess import assess
from fhir_profiles.codes import Terminology
from fhir_profiles.reader import read_record
from tests.cards.reading import EXPLANATION, explanation, orders, resources, topic_of, topics
from tests.for_each import for_each
from tests.patient import AS_OF, Json, Patient, terminology

SANDBOX = Path(__file__).parents[2] / "sandbox" / "patients"
NAMES = sorted(path.stem for path in SANDBOX.glob("*.json"))
MODELS = {"ServiceRequest": ServiceRequest, "MedicationRequest": MedicationRequest}
OVERRIDE_CODES = {
    *("cds-not-applicable", "cds-suboptimal-context", "recipient-disagrees-evidence", "recipient-concerns-outcomes"),
    *("does-not-align-preferences", "not-convenient-feasible", "action-completed", "patient-contraindication"),
    *("patient-refuses", "too-costly-uncovered", "service-not-available", "recipient-does-not-understand"),
}


@cache
def chart(name: str) -> Json:
    loaded: Json = json.loads((SANDBOX / f"{name}.json").read_text("utf-8"))
    return loaded


def cards_of(chart: Json, seed: str = "hook-1", known: Terminology | None = None) -> list[Json]:
    assessment = assess(read_record([chart], terminology=known or terminology(), as_of=AS_OF))
    return to_cards(recommend(assessment), assessment, seed=seed)


@cache
def cards(name: str) -> list[Json]:
    return cards_of(chart(name))


def patient_id(name: str) -> str:
    return next(e["resource"]["id"] for e in chart(name)["entry"] if e["resource"]["resourceType"] == "Patient")


def values(node: Any) -> Iterator[Any]:
    yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from values(child)


every_patient = for_each("name", NAMES)


def test_there_are_patients_with_and_without_cards() -> None:
    assert len(NAMES) >= 24
    assert {bool(cards(name)) for name in NAMES} == {True, False}


# --- the card -----------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("SAF-21")
@every_patient
def test_at_most_five_cards_one_to_a_topic_and_at_most_one_critical(name: str) -> None:
    assert len(cards(name)) <= 5
    assert len(set(topics(cards(name)))) == len(cards(name))
    assert [card["indicator"] for card in cards(name)].count("critical") <= 1


@every_patient
def test_the_most_urgent_card_comes_first(name: str) -> None:
    order = [["critical", "warning", "info"].index(card["indicator"]) for card in cards(name)]
    assert order == sorted(order)


@pytest.mark.requirement("C-4", "CARD-04")
@every_patient
def test_a_summary_is_one_short_line(name: str) -> None:
    for card in cards(name):
        assert 0 < len(card["summary"].encode("utf-16-le")) // 2 <= 139
        assert "\n" not in card["summary"]
        assert card["summary"][0].isupper() or card["summary"][0].isdigit()


@every_patient
def test_every_member_is_known_and_none_is_empty(name: str) -> None:
    allowed = {
        *("uuid", "summary", "detail", "indicator", "source", "suggestions", "selectionBehavior", "overrideReasons"),
        *("links", "extension"),
    }
    for card in cards(name):
        assert set(card) <= allowed
        assert {"uuid", "summary", "detail", "indicator", "source", "overrideReasons", "extension"} <= set(card)
        assert [value for value in values(card) if value in (None, "", [], {})] == []


@every_patient
def test_a_source_has_a_label_an_address_and_a_coded_topic(name: str) -> None:
    for card in cards(name):
        source = card["source"]
        assert source["label"]
        assert source.get("url", "https://").startswith("https://")
        assert source["topic"]["system"] == f"{CANONICAL}/CodeSystem/card-topic"
        assert re.fullmatch(r"[A-Za-z0-9]{1,100}", source["topic"]["code"])
        assert source["topic"]["display"] == knowledge().topics[source["topic"]["code"]].display


@every_patient
def test_links_are_complete_and_lead_to_https(name: str) -> None:
    for card in cards(name):
        for link in card.get("links", ()):
            assert set(link) == {"label", "url", "type"}
            assert link["type"] == "absolute"
            assert link["url"].startswith("https://")


@every_patient
def test_override_reasons_are_codings_of_hl7s_list(name: str) -> None:
    for card in cards(name):
        for reason in card["overrideReasons"]:
            assert set(reason) == {"system", "code", "display"}
            assert reason["system"] == "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"
            assert reason["code"] in OVERRIDE_CODES
        assert len(card["overrideReasons"]) <= 6


@pytest.mark.requirement("C-5", "CARD-01", "CARD-02")
@every_patient
def test_detail_is_markdown_without_html_or_images(name: str) -> None:
    for card in cards(name):
        assert re.search(r"(?<!\\)<", card["detail"]) is None
        assert "![" not in card["detail"]
        assert "not a medical device" in card["detail"]


@pytest.mark.requirement("CARD-06")
@every_patient
def test_nothing_that_identifies_the_patient_leaves_in_a_link_a_source_or_a_text(name: str) -> None:
    who = next(e["resource"] for e in chart(name)["entry"] if e["resource"]["resourceType"] == "Patient")
    secrets = [who["id"], who["birthDate"], *(part for one in who.get("name", ()) for part in (one["family"], *one["given"]))]
    for card in cards(name):
        shown = json.dumps([card["summary"], card["detail"], card["source"], card.get("links"), card["uuid"]])
        assert [secret for secret in secrets if re.search(rf"\b{re.escape(secret)}\b", shown)] == []


@pytest.mark.requirement("SAF-19")
@every_patient
def test_no_card_speaks_as_an_alarm(name: str) -> None:
    """SAF-19: not for time-critical use."""
    for card in cards(name):
        assert re.search(r"\b(alarm|emergency|life-saving|must)\b", f"{card['summary']} {card['detail']}", re.IGNORECASE) is None


# --- the explanation ----------------------------------------------------------------------------------------------------


@every_patient
def test_every_card_cites_its_statements_and_its_sources(name: str) -> None:
    stated = {rule.id for rule in knowledge().rules} | {rule.id for rule in knowledge().safety}
    for card in cards(name):
        told = explanation(card)
        assert set(told) <= {"recommendations", "because", "missing", "sources", "conflicts", "knowledgeVersion"}
        assert told["recommendations"]
        assert set(told["recommendations"]) <= stated
        assert told["because"]
        assert told["knowledgeVersion"] == knowledge().version
        assert all(
            {"id", "citation", "evidence"} <= set(source) <= {"id", "citation", "evidence", "year"} for source in told["sources"]
        )
        assert all(set(missing) == {"text", "concept"} for missing in told.get("missing", ()))
        assert all({"text"} <= set(reason) <= {"text", "reference"} for reason in told["because"])


@every_patient
def test_every_reason_refers_to_a_resource_that_was_sent(name: str) -> None:
    sent = {f"{e['resource']['resourceType']}/{e['resource']['id']}" for e in chart(name)["entry"]}
    for card in cards(name):
        assert {reason["reference"] for reason in explanation(card)["because"] if "reference" in reason} <= sent


@every_patient
def test_a_source_that_a_card_names_is_cited_in_its_detail(name: str) -> None:
    for card in cards(name):
        for source in explanation(card)["sources"]:
            assert source["citation"] in card["detail"]


# --- suggestions --------------------------------------------------------------------------------------------------------


@every_patient
def test_selection_behaviour_comes_with_suggestions_and_only_then(name: str) -> None:
    for card in cards(name):
        assert card.get("selectionBehavior") == ("any" if "suggestions" in card else None)
        assert len(card.get("suggestions", ())) <= 8


@every_patient
def test_a_suggestion_has_a_label_a_uuid_and_exactly_one_action(name: str) -> None:
    for card in cards(name):
        for suggestion in card.get("suggestions", ()):
            assert set(suggestion) == {"label", "uuid", "actions"}
            (action,) = suggestion["actions"]
            assert set(action) == {"type", "description", "resource"}
            assert action["type"] == "create"


@pytest.mark.requirement("C-32", "CARD-08")
@every_patient
def test_every_suggested_resource_is_valid_a_draft_and_for_this_patient(name: str) -> None:
    for resource in resources(cards(name)):
        MODELS[resource["resourceType"]].model_validate(resource)
        assert (resource["status"], resource["intent"]) == ("draft", "proposal")
        assert resource["subject"] == {"reference": f"Patient/{patient_id(name)}"}
        assert "dosageInstruction" not in resource
        assert "id" not in resource


@every_patient
def test_every_suggested_resource_names_the_statements_of_its_own_card(name: str) -> None:
    for card in cards(name):
        for resource in resources([card]):
            named = {canonical.removeprefix(f"{CANONICAL}/PlanDefinition/") for canonical in resource["instantiatesCanonical"]}
            assert named
            assert named <= set(explanation(card)["recommendations"])


@every_patient
def test_every_suggested_resource_gives_a_recorded_diagnosis_as_reason(name: str) -> None:
    recorded = {f"Condition/{e['resource']['id']}" for e in chart(name)["entry"] if e["resource"]["resourceType"] == "Condition"}
    for resource in resources(cards(name)):
        assert {reason["reference"] for reason in resource.get("reasonReference", ())} <= recorded


@every_patient
def test_nothing_is_suggested_twice(name: str) -> None:
    suggested = [json.dumps(resource.get("code") or resource["medicationCodeableConcept"]) for resource in resources(cards(name))]
    assert len(suggested) == len(set(suggested))


@every_patient
def test_what_is_on_the_chart_is_not_suggested(name: str) -> None:
    """Whatever is suggested, once it is ordered, is not suggested any more."""
    for resource in resources(cards(name)):
        if resource["resourceType"] != "ServiceRequest" or "coding" not in resource["code"]:
            continue
        ordered = {**resource, "id": "now-ordered", "status": "active", "intent": "order"}
        after = {**chart(name), "entry": [*chart(name)["entry"], {"resource": ordered}]}
        assert resource["code"] not in [one.get("code") for one in resources(cards_of(after))]


# --- repeatable ---------------------------------------------------------------------------------------------------------


@every_patient
def test_uuids_are_uuids_and_each_is_used_once(name: str) -> None:
    found = [card["uuid"] for card in cards(name)] + [s["uuid"] for card in cards(name) for s in card.get("suggestions", ())]
    assert len(found) == len(set(found))
    for text in found:
        assert str(UUID(text)) == text
        assert UUID(text).version == 5


@pytest.mark.requirement("CARD-09", "C-51")
@every_patient
def test_the_same_chart_in_any_order_gives_the_same_cards(name: str) -> None:
    entries = chart(name)["entry"]
    assert cards_of({**chart(name), "entry": entries[::-1]}) == cards(name)
    assert cards_of({**chart(name), "entry": entries[len(entries) // 2 :] + entries[: len(entries) // 2]}) == cards(name)


def test_another_hook_instance_gives_other_uuids_and_otherwise_the_same_cards() -> None:
    def without_uuids(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: without_uuids(value) for key, value in node.items() if key != "uuid"}
        return [without_uuids(item) for item in node] if isinstance(node, list) else node

    name = "anti-tif1-gamma-dermatomyositis"
    other = cards_of(chart(name), seed="hook-2")
    assert {card["uuid"] for card in other}.isdisjoint(card["uuid"] for card in cards(name))
    assert without_uuids(other) == without_uuids(cards(name))


# --- the cap and the order of topics ------------------------------------------------------------------------------------


def test_the_cap_keeps_the_most_important() -> None:
    patient = Patient().has("dermatomyositis", since="2026-05").antibody("anti_tif1_gamma", "positive")
    assert len(patient.cards()) > 2
    assert patient.cards(cap=2) == patient.cards()[:2]
    assert patient.cards(cap=0) == []


def test_an_order_that_one_card_offers_is_not_offered_by_the_next() -> None:
    child = Patient(born="2016-01-01").has("dermatomyositis", since="2026-05")
    assert "pulmonary-function-test" in orders(child.cards(), "lungFunction")
    assert "pulmonary-function-test" not in orders(child.cards(), "diagnosticWorkup")


def test_a_card_that_only_asks_never_alarms() -> None:
    patient = Patient().has("dermatomyositis", since="2026-05").failed("Procedure", "MedicationRequest")
    for card in patient.cards():
        if "could not be assessed" in card["summary"]:
            assert card["indicator"] == "info"


def test_the_explanation_extension_is_named_as_in_the_design() -> None:
    for card in Patient().has("dermatomyositis", since="2026-05").cards():
        assert list(card["extension"]) == [EXPLANATION] == ["org.myositis-cds.explanation"]
        assert topic_of(card)


def test_a_well_treated_and_fully_screened_patient_gets_no_card() -> None:
    assert cards("dermatomyositis-fully-cared-for") == []


def test_advice_against_a_drug_that_is_taken_leads_its_card() -> None:
    (card,) = [card for card in cards("inclusion-body-myositis-on-prednisone") if topic_of(card) == "supportiveCare"]
    usually_not = "usually not recommended in inclusion body myositis; check for another indication (BMJ Best Practice)"
    assert card["summary"] == f"Glucocorticoid: {usually_not}"
