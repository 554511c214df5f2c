"""The knowledge as FHIR: valid R4, complete, and with every canonical leading somewhere."""

import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from cards.as_fhir import as_fhir
from cards.knowledge import KNOWLEDGE_RELEASE, knowledge
from cards.source_attributes import source_attributes
from fhir_profiles.systems import CANONICAL
from tests.for_each import for_each
from tests.patient import Json

KNOWN = knowledge()
LIBRARY = as_fhir(KNOWN)
PLANS = LIBRARY["PlanDefinition"]
RULES = {rule.id: rule for rule in KNOWN.rules}


def every(value: Any, member: str) -> Iterator[Any]:
    """The values of a member, however deep."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == member:
                yield inner
            yield from every(inner, member)
    elif isinstance(value, list):
        for inner in value:
            yield from every(inner, member)


def extension(resource: Json, name: str) -> list[Json]:
    return [e for e in resource["extension"] if e["url"] == f"{CANONICAL}/StructureDefinition/{name}"]


@pytest.mark.parametrize("kind", LIBRARY)
def test_every_resource_is_valid_fhir_r4(kind: str) -> None:
    model = getattr(import_module(f"fhir.resources.R4B.{kind.lower()}"), kind)
    assert LIBRARY[kind]
    assert {name: trouble for name, resource in LIBRARY[kind].items() if (trouble := refused(model, resource))} == {}
    for name, resource in LIBRARY[kind].items():
        assert resource["id"] == name
        assert resource["url"] == f"{CANONICAL}/{kind}/{name}"
        assert re.fullmatch(r"[A-Za-z0-9\-.]{1,64}", name)
        assert re.fullmatch(r"[A-Z][A-Za-z0-9_]{0,254}", resource["name"])  # invariant "name usable for code generation"


def refused(model: type[BaseModel], resource: Json) -> str:
    """What is wrong with a resource; nothing where it is valid."""
    try:
        model.model_validate(resource)
    except ValidationError as error:
        return str(error)
    return ""


def test_every_statement_and_every_safety_rule_has_a_plan() -> None:
    assert set(PLANS) == {rule.id for rule in (*KNOWN.rules, *KNOWN.safety, *KNOWN.safety_off)}


def test_every_order_has_an_activity_of_its_kind_without_a_dose() -> None:
    activities = LIBRARY["ActivityDefinition"]
    assert set(activities) == set(KNOWN.orders)
    for key, activity in activities.items():
        assert activity["kind"] == KNOWN.orders[key]["resource"]
        assert activity["intent"] == "proposal"
        assert not {"dosage", "quantity", "doNotPerform"} & set(activity)
        code = activity["productCodeableConcept" if activity["kind"] == "MedicationRequest" else "code"]
        assert code.get("coding", []) == [dict(coding) for coding in KNOWN.orders[key].get("coding", [])]


def test_every_canonical_of_ours_leads_to_a_resource() -> None:
    named = {canonical for resources in LIBRARY.values() for canonical in every(list(resources.values()), "definitionCanonical")}
    named |= {
        system
        for resources in LIBRARY.values()
        for system in every(list(resources.values()), "system")
        if system.startswith(CANONICAL)
    }
    for canonical in named:
        kind, name = canonical.removeprefix(f"{CANONICAL}/").split("/")
        assert name in LIBRARY[kind], canonical


def test_every_code_of_ours_is_in_its_code_system() -> None:
    for coding in every(list(PLANS.values()), "coding"):
        for code in coding:
            if code["system"].startswith(CANONICAL):
                concepts = LIBRARY["CodeSystem"][code["system"].rpartition("/")[2]]["concept"]
                assert code["code"] in {concept["code"] for concept in concepts}


@for_each("name", RULES)
def test_a_plan_says_what_the_statement_says(name: str) -> None:
    rule, plan = RULES[name], PLANS[name]
    (strength,) = extension(plan, "recommendation-strength")
    assert strength["valueCodeableConcept"]["coding"][0]["code"] == rule.strength
    assert plan["description"].casefold().startswith(rule.says.casefold())
    assert plan["version"] == KNOWN.version
    assert plan["date"] == KNOWLEDGE_RELEASE.replace(".", "-")
    assert plan["experimental"] is True
    assert plan["topic"][0]["coding"][0]["code"] == rule.topic
    citations = [artifact for artifact in plan["relatedArtifact"] if artifact["type"] == "citation"]
    assert [artifact["label"] for artifact in citations] == [source.short for source in rule.sources]
    for artifact, source in zip(citations, rule.sources, strict=True):
        assert source.evidence in artifact["citation"]
        assert source.year is None or str(source.year) in artifact["citation"]
    contradictions = [artifact["label"] for artifact in plan["relatedArtifact"] if artifact["type"] == "documentation"]
    assert contradictions == list(rule.conflicts)
    assert [e["valueString"] for e in extension(plan, "not-computed")] == ([rule.stated] if rule.stated else [])


@for_each("name", RULES)
def test_a_plan_carries_the_thirteen_source_attributes(name: str) -> None:
    carried = [tuple(part["valueString"] for part in e["extension"]) for e in extension(PLANS[name], "source-attribute")]
    assert carried == [(attribute.name, attribute.value) for attribute in source_attributes(RULES[name], KNOWN)]


@for_each("name", RULES)
def test_the_condition_is_plain_english_and_complete_in_itself(name: str) -> None:
    (action,) = PLANS[name]["action"]
    assert ("condition" in action) == (RULES[name].trigger is not None)
    for condition in every(action, "condition"):
        (only,) = condition
        assert only["kind"] == "applicability"
        assert only["expression"]["language"] == "text/plain"
        text = only["expression"]["expression"]
        for group in set(re.findall("“(.*?)”", text)):
            assert f"“{group}” means: " in text


@for_each("name", RULES)
def test_the_actions_are_the_orders_and_treatments_of_the_statement(name: str) -> None:
    rule = RULES[name]
    orders = [*rule.orders, *(order for part in rule.orders_if for order in part.orders)]
    orders += [order for offer in rule.offers if (order := KNOWN.treatments[offer.treatment].order)]
    (action,) = PLANS[name]["action"]
    assert [c.rpartition("/")[2] for c in every(action, "definitionCanonical")] == orders
    assert len(action.get("action", ())) == len(rule.orders) + sum(len(p.orders) for p in rule.orders_if) + len(rule.offers)


def test_the_context_tells_sex_age_and_disease_where_every_path_needs_them() -> None:
    contexts = {c["code"]["code"]: c for c in PLANS["titulaer-2011-dm-testes-ultrasound-men-under-50"]["useContext"]}
    assert contexts["gender"]["valueCodeableConcept"]["coding"][0]["code"] == "male"
    assert {bound: q["value"] for bound, q in contexts["age"]["valueRange"].items()} == {"low": 18, "high": 49}
    assert contexts["focus"]["valueCodeableConcept"]["text"] == "dermatomyositis or clinically amyopathic dermatomyositis"


def test_an_alternative_makes_no_context() -> None:
    """Lung function is for confirmed or suspected myositis: neither is needed in every case."""
    assert "useContext" not in PLANS["sunderkotter-2016-pft-all"]


def test_advice_against_treatments_orders_nothing() -> None:
    (action,) = PLANS["bmj-ibm-no-immunosuppression"]["action"]
    assert action["textEquivalent"].startswith("Advises against oral glucocorticoid")
    assert "action" not in action
