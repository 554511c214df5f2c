"""Suggested orders: drafts, valid FHIR, without a dose, and with their reason (design section 6; CARD-08)."""

from dataclasses import replace

import pytest
from fhir.resources.R4B.medicationrequest import MedicationRequest
from fhir.resources.R4B.servicerequest import ServiceRequest

from cards.knowledge import knowledge
from cards.orders import CANONICAL, build_order, prove_templates
from cards.verdicts import RuleError
from tests.for_each import for_each
from tests.patient import Json

KNOWN = knowledge()
MODELS = {"ServiceRequest": ServiceRequest, "MedicationRequest": MedicationRequest}


def order(key: str, reasons: tuple[str, ...] = ("Condition/dm",)) -> Json:
    return build_order(key, ["titulaer-2011-dm-mammography-women"], "p1", reasons, KNOWN)


def test_every_template_is_proved_at_the_start() -> None:
    assert prove_templates(KNOWN) == len(KNOWN.orders) > 20


def test_a_template_that_is_not_valid_fhir_is_refused_in_one_line_that_names_the_order_and_the_element() -> None:
    coding = {"system": "https://hospital.example/orders", "code": "CO  LO"}
    known = replace(KNOWN, orders={"our-scan": {"resource": "ServiceRequest", "title": "our scan", "coding": [coding]}})
    with pytest.raises(RuleError, match=r"^orders\.yaml: our-scan: not valid FHIR: code/coding/0/code: .+\Z"):
        prove_templates(known)


@for_each("key", KNOWN.orders)
def test_every_order_is_valid_fhir_and_a_draft_for_this_patient_that_proposes(key: str) -> None:
    resource = order(key)
    MODELS[resource["resourceType"]].model_validate(resource)
    assert (resource["status"], resource["intent"]) == ("draft", "proposal")
    assert resource["subject"] == {"reference": "Patient/p1"}
    assert "id" not in resource


@for_each("key", KNOWN.orders)
def test_every_order_names_its_reason_and_the_statement_that_asks_for_it(key: str) -> None:
    resource = order(key)
    assert resource["reasonReference"] == [{"reference": "Condition/dm"}]
    assert resource["instantiatesCanonical"] == [f"{CANONICAL}/PlanDefinition/titulaer-2011-dm-mammography-women"]


@for_each("key", KNOWN.orders)
def test_every_order_says_in_words_what_it_is_for_people(key: str) -> None:
    resource = order(key)
    assert (resource.get("code") or resource["medicationCodeableConcept"])["text"] == KNOWN.orders[key]["title"]


@pytest.mark.parametrize("key", [key for key, entry in KNOWN.orders.items() if entry["resource"] == "MedicationRequest"])
def test_no_drug_order_carries_a_dose(key: str) -> None:
    resource = order(key)
    assert "dosageInstruction" not in resource
    assert "dispenseRequest" not in resource
    assert resource["note"][0]["text"].startswith("Draft without a dose: dose and schedule are left to the prescriber.")


def test_a_methotrexate_draft_says_that_it_is_a_weekly_drug() -> None:
    """drug-safety.md: daily dosing is the error that the boxed warning is about."""
    assert "nce weekly" in order("methotrexate")["note"][0]["text"]


def test_an_order_without_a_verified_code_is_in_words_only() -> None:
    for key, entry in KNOWN.orders.items():
        code = order(key).get("code") or order(key)["medicationCodeableConcept"]
        assert ("coding" in code) == bool(entry.get("coding"))


def test_only_conditions_are_given_as_reasons_and_each_once() -> None:
    reasons = ("Condition/dm", "Observation/tif1", "Condition/dm", "", "Condition/ild", "Condition/pm")
    assert order("colonoscopy", reasons)["reasonReference"] == [{"reference": "Condition/dm"}, {"reference": "Condition/ild"}]
    assert "reasonReference" not in order("colonoscopy", ())


def test_filling_in_one_patient_leaves_no_trace_for_the_next() -> None:
    first = order("colonoscopy")
    first["code"]["coding"].clear()
    assert order("colonoscopy")["code"]["coding"]
