"""The knowledge as FHIR R4: PlanDefinitions, ActivityDefinitions, ValueSets and CodeSystems, built once for a knowledge.

A suggested order points at its PlanDefinition (`instantiatesCanonical`), a PlanDefinition at its ActivityDefinitions, and
everything coded by us at its CodeSystem; the last part of each canonical is the id here.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from cards.knowledge import Knowledge
from cards.plan_definitions import metadata, plan_of_safety_rule, plan_of_statement, strength_title
from cards.wording import STRENGTH_WORDS
from fhir_profiles.codes import Terminology
from fhir_profiles.systems import LOCAL_CONCEPT
from fhir_profiles.valueset_files import PACKAGED

Json = dict[str, Any]

Library = Mapping[str, Mapping[str, Json]]
"""Resources by type and id, each type in the order in which a search lists it."""


def as_fhir(known: Knowledge, terminology: Terminology | None = None) -> Library:
    """Everything that can be published of a knowledge.

    Args:
        known: the knowledge.
        terminology: what charts are read with, where a site added codes to the packaged ones.

    Returns:
        FHIR R4 resources in JSON, by resource type and id.
    """
    value_sets = [orjson.loads(path.read_bytes()) for path in sorted(PACKAGED.glob("*.json"))]
    if terminology is not None:
        value_sets = [_with_codes_of_site(value_set, terminology, known) for value_set in value_sets]
    plans = (
        *(plan_of_statement(rule, known, is_on=True) for rule in known.rules),
        *(plan_of_statement(rule, known, is_on=False) for rule in known.rules_off),
        *(plan_of_safety_rule(rule, known, is_on=True) for rule in known.safety),
        *(plan_of_safety_rule(rule, known, is_on=False) for rule in known.safety_off),
    )
    return {
        "PlanDefinition": _by_id(plans),
        "ActivityDefinition": _by_id(activity(key, entry, known) for key, entry in known.orders.items()),
        "ValueSet": _by_id(value_sets),
        "CodeSystem": _by_id((_topics(known), _strengths(known), _local_concepts(value_sets, known))),
    }


def _with_codes_of_site(value_set: Json, terminology: Terminology, known: Knowledge) -> Json:
    """A packaged ValueSet and, after its own codes, those that a site's ValueSets and ConceptMaps add to its concept."""
    packaged = value_set["compose"]["include"]
    own = terminology.codings(value_set["id"].replace("-", "_"))[sum(len(part.get("concept", ())) for part in packaged) :]
    if not own:
        return value_set
    added = [{"system": coding.system, "concept": [{"code": coding.code, "display": coding.display}]} for coding in own]
    return value_set | {"version": known.version, "compose": value_set["compose"] | {"include": [*packaged, *added]}}


def _by_id(resources: Iterable[Json]) -> dict[str, Json]:
    return {resource["id"]: resource for resource in resources}


def activity(key: str, entry: Mapping[str, Any], known: Knowledge) -> Json:
    """The ActivityDefinition of one order of `orders.yaml`: what is ordered, as a proposal and without a dose."""
    is_drug = entry["resource"] == "MedicationRequest"
    definition = metadata("ActivityDefinition", key, entry["title"], known)
    if is_drug:
        note = "A draft without a dose: dose and schedule are left to the prescriber."
        definition["description"] = f"{note} {entry.get('note', '')}".strip()
    concept: Json = {"coding": [dict(coding) for coding in entry["coding"]]} if entry.get("coding") else {}
    concept["text"] = entry["title"]
    definition |= {"kind": entry["resource"], "intent": "proposal"}
    definition["productCodeableConcept" if is_drug else "code"] = concept
    return definition


def _code_system(name: str, title: str, concepts: Iterable[tuple[str, str]], known: Knowledge) -> Json:
    listed = [{"code": code, "display": display} for code, display in concepts]
    return metadata("CodeSystem", name, title, known) | {
        "caseSensitive": True,
        "content": "complete",
        "count": len(listed),
        "concept": listed,
    }


def _topics(known: Knowledge) -> Json:
    topics = sorted(known.topics.values(), key=lambda topic: topic.rank)
    return _code_system("card-topic", "topics of cards", ((topic.code, topic.display) for topic in topics), known)


def _strengths(known: Knowledge) -> Json:
    strengths = dict.fromkeys(
        ("recommended", *STRENGTH_WORDS, "statement", *(rule.strength for rule in (*known.rules, *known.rules_off)))
    )
    named = ((code, strength_title(code)) for code in strengths)
    return _code_system("recommendation-strength", "strength of a recommendation, in the source's word", named, known)


def _local_concepts(value_sets: Iterable[Json], known: Knowledge) -> Json:
    """The concepts that no published code system can name, as our ValueSets use them."""
    includes = [
        part for value_set in value_sets for part in value_set["compose"]["include"] if part.get("system") == LOCAL_CONCEPT
    ]
    concepts = {concept["code"]: concept.get("display", concept["code"]) for part in includes for concept in part["concept"]}
    return _code_system("local-concept", "concepts without a published code", sorted(concepts.items()), known)
