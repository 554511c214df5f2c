"""Statements and drug-safety rules as FHIR R4 PlanDefinitions, for machines that want the knowledge itself.

Each is a description of what this service does, not a rule to be run: the applicability condition is plain English
(`text/plain`), complete with the meaning of the groups that it names. Strength, source attributes and the reason why a statement
is not computed are extensions, since R4 has no element for the source's own words.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cards.condition_words import phenotype_titles
from cards.knowledge import KNOWLEDGE_RELEASE, Knowledge, Rule, SafetyRule
from cards.markdown import capital
from cards.plain_words import explained, one_line, plain_words
from cards.recommendation import Source
from cards.schedule import in_words
from cards.source_attributes import source_attributes
from cards.wording import STRENGTH_WORDS
from fhir_profiles.systems import CANONICAL

Json = dict[str, Any]

PUBLISHER = "myositis-cds"
STRENGTH_SYSTEM = f"{CANONICAL}/CodeSystem/recommendation-strength"
TOPIC_SYSTEM = f"{CANONICAL}/CodeSystem/card-topic"

_EXTENSION = f"{CANONICAL}/StructureDefinition"
_HL7 = "http://terminology.hl7.org/CodeSystem"
_PRIORITY = {"routine": "routine", "soon": "urgent", "urgent": "stat"}
_LEVEL_PRIORITY = {"stop": "stat", "hold": "urgent", "warn": "urgent", "remind": "routine"}
_USAGE = (
    "Decision support for health professionals; not a medical device and not clinically validated. The statement paraphrases its "
    "source, and its applicability is evaluated by the myositis-cds service from the patient's record in three values: what is "
    "not known never counts as no."
)


def metadata(kind: str, name: str, title: str, known: Knowledge) -> Json:
    """What every published definition carries: id, canonical url, version, names, status and publisher."""
    return {
        "resourceType": kind,
        "id": name,
        "url": f"{CANONICAL}/{kind}/{name}",
        "version": known.version,
        "name": "".join(part[:1].upper() + part[1:] for part in name.split("-")),
        "title": capital(title),
        "status": "active",
        "experimental": True,
        "date": KNOWLEDGE_RELEASE.replace(".", "-"),
        "publisher": PUBLISHER,
    }


def plan_of_statement(rule: Rule, known: Knowledge, *, is_on: bool) -> Json:
    """The PlanDefinition of one guideline statement; one that is switched off is a draft."""
    plan = metadata("PlanDefinition", rule.id, rule.says, known)
    plan["status"] = "active" if is_on else "draft"
    plan["extension"] = [_strength(rule.strength), *_not_computed(rule), *_attributes(rule, known)]
    plan["type"] = {"coding": [{"system": f"{_HL7}/plan-definition-type", "code": "eca-rule"}]}
    plan["description"] = f"{capital(rule.says)}."
    plan["purpose"] = f"Makes the statement of {rule.sources[0].citation} visible for the patients whom it concerns."
    plan["usage"] = _USAGE
    if contexts := list(_contexts(rule.trigger, known)):
        plan["useContext"] = contexts
    plan["topic"] = [_topic(rule.topic, known)]
    plan["relatedArtifact"] = [*_citations(rule.sources), *_contradictions(rule, known)]
    plan["action"] = [_action_of_statement(rule, known)]
    return plan


def plan_of_safety_rule(rule: SafetyRule, known: Knowledge, *, is_on: bool) -> Json:
    """The PlanDefinition of one drug-safety rule; one that is switched off is a draft."""
    title = f"{_titles(rule.treatments, known)}: {rule.says}"
    plan = metadata("PlanDefinition", rule.id, title, known)
    plan["status"] = "active" if is_on else "draft"
    plan["extension"] = [{"url": f"{_EXTENSION}/caution-level", "valueCode": rule.level.value}]
    plan["type"] = {"coding": [{"system": f"{_HL7}/plan-definition-type", "code": "eca-rule"}]}
    plan["description"] = f"{capital(title)}."
    plan["usage"] = _USAGE
    plan["topic"] = [_topic("drugSafety", known)]
    plan["relatedArtifact"] = _citations((rule.source,))
    action = {"title": capital(title), "priority": _LEVEL_PRIORITY[rule.level.value]}
    if rule.instead:
        action["textEquivalent"] = f"{capital(rule.instead)}."
    plan["action"] = [action | _applies(rule.trigger, known)]
    return plan


# --- what is done --------------------------------------------------------------------------------------------------------------


def _action_of_statement(rule: Rule, known: Knowledge) -> Json:
    notes = [
        f"Where it applies ({one_line(plain_words(note.trigger, known.titles))}): {note.text}"
        for note in rule.notes
        if note.trigger
    ]
    action: Json = {"title": capital(rule.says), "priority": _PRIORITY[rule.urgency]}
    if rule.schedule:
        notes.insert(0, f"{capital(rule.schedule.title)} falls due {in_words(rule.schedule)}.")
    if notes:
        action["description"] = " ".join(notes)
    if rule.avoid:
        action["textEquivalent"] = f"Advises against {_titles(rule.avoid, known)}."
    action["code"] = [_topic(rule.topic, known)]
    action |= _applies(rule.trigger, known)
    parts = [*_order_actions(rule, known), *_offer_actions(rule, known)]
    if parts:
        if rule.offers:
            action["selectionBehavior"] = "any"
        action["action"] = parts
    return action


def _order_actions(rule: Rule, known: Knowledge) -> Iterator[Json]:
    for order in rule.orders:
        yield _ordering(order, known)
    for part in rule.orders_if:
        for order in part.orders:
            yield _ordering(order, known) | _applies(part.trigger, known)


def _offer_actions(rule: Rule, known: Knowledge) -> Iterator[Json]:
    """A treatment without an order of its own is named in words only."""
    for offer in rule.offers:
        treatment = known.treatments[offer.treatment]
        said = [f"with {offer.partner}" if offer.partner else "", offer.remark or ""]
        action = {"title": capital(treatment.title)}
        if any(said):
            action["description"] = f"{capital('; '.join(text for text in said if text))}."
        if treatment.order:
            action["definitionCanonical"] = f"{CANONICAL}/ActivityDefinition/{treatment.order}"
        yield action | _applies(offer.trigger, known)


def _ordering(order: str, known: Knowledge) -> Json:
    title = capital(known.orders[order]["title"])
    return {"title": title, "definitionCanonical": f"{CANONICAL}/ActivityDefinition/{order}"}


def _applies(trigger: Mapping[str, Any] | None, known: Knowledge) -> Json:
    if trigger is None:
        return {}
    expression = {"language": "text/plain", "expression": explained(trigger, known.populations, known.titles)}
    return {"condition": [{"kind": "applicability", "expression": expression}]}


def _titles(keys: Iterable[str], known: Knowledge) -> str:
    titles = [known.treatments[key].title if key in known.treatments else known.orders[key]["title"] for key in keys]
    return ", ".join(dict.fromkeys(titles))


# --- who says so ---------------------------------------------------------------------------------------------------------------


def _strength(strength: str) -> Json:
    coding = {"system": STRENGTH_SYSTEM, "code": strength, "display": strength_title(strength)}
    return {"url": f"{_EXTENSION}/recommendation-strength", "valueCodeableConcept": {"coding": [coding]}}


def strength_title(strength: str) -> str:
    """How a strength is printed: the source's word."""
    return capital(STRENGTH_WORDS.get(strength, strength))


def _not_computed(rule: Rule) -> list[Json]:
    return [{"url": f"{_EXTENSION}/not-computed", "valueString": rule.stated}] if rule.stated else []


def _attributes(rule: Rule, known: Knowledge) -> list[Json]:
    return [
        {
            "url": f"{_EXTENSION}/source-attribute",
            "extension": [{"url": "name", "valueString": item.name}, {"url": "value", "valueString": item.value}],
        }
        for item in source_attributes(rule, known)
    ]


def _topic(code: str, known: Knowledge) -> Json:
    return {"coding": [{"system": TOPIC_SYSTEM, "code": code, "display": known.topics[code].display}]}


def _citations(sources: Iterable[Source]) -> list[Json]:
    return [_citation(source) for source in sources]


def _citation(source: Source) -> Json:
    year = f" ({source.year})" if source.year and str(source.year) not in source.citation else ""
    where = f" Read in: {source.found_in}." if source.found_in else ""
    artifact = {
        "type": "citation",
        "label": source.short,
        "display": f"{source.citation}{year}",
        "citation": f"{source.citation}{year}. Evidence: {source.evidence}.{where}",
    }
    return artifact | ({"url": source.url} if source.url else {})


def _contradictions(rule: Rule, known: Knowledge) -> list[Json]:
    disputes = [known.disputes[code].contradiction for code in rule.conflicts]
    return [
        {
            "type": "documentation",
            "label": dispute.id,
            "display": f"Where guidelines disagree: {dispute.title}. {' '.join(dispute.lines)}",
        }
        for dispute in disputes
    ]


# --- for whom, where a machine can tell ----------------------------------------------------------------------------------------


def _contexts(trigger: Mapping[str, Any] | None, known: Knowledge) -> Iterator[Json]:
    """What must hold in any case: the phenotype, the sex and the age that no alternative of the trigger can do without."""
    needed = list(_necessary(trigger, known))
    for key, value in needed:
        if key == "phenotype":
            yield _context("focus", {"valueCodeableConcept": {"text": phenotype_titles(value, known.titles)}})
        elif key == "sex":
            coding = {"system": "http://hl7.org/fhir/administrative-gender", "code": value}
            yield _context("gender", {"valueCodeableConcept": {"coding": [coding]}})
    if ages := [value for key, value in needed if key == "age"]:
        yield _context("age", {"valueRange": _range(ages)})


def _necessary(trigger: Mapping[str, Any] | None, known: Knowledge) -> Iterator[tuple[str, Any]]:
    for key, value in (trigger or {}).items():
        if key == "all":
            for part in value:
                yield from _necessary(part, known)
        elif key == "population":
            yield from _necessary(known.populations[value], known)
        else:
            yield key, value


def _context(code: str, value: Json) -> Json:
    return {"code": {"system": f"{_HL7}/usage-context-type", "code": code}} | value


_BOUNDS = {"at_least": ("low", 0), "over": ("low", 1), "at_most": ("high", 0), "under": ("high", -1)}


def _range(ages: Iterable[Mapping[str, int]]) -> Json:
    """The completed years that satisfy all of these, both bounds inclusive."""
    limits: dict[str, list[int]] = {"low": [], "high": []}
    for name, years in (item for age in ages for item in age.items()):
        for bound, step in [_BOUNDS[name]] if name in _BOUNDS else [("low", 0), ("high", 0)]:
            limits[bound].append(years + step)
    bounds = {"low": max(limits["low"], default=None), "high": min(limits["high"], default=None)}
    unit = {"unit": "years", "system": "http://unitsofmeasure.org", "code": "a"}
    return {bound: {"value": years} | unit for bound, years in bounds.items() if years is not None}
