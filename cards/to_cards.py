"""`to_cards`: from recommendations to CDS Hooks 2.0.1 cards; at most one per topic, one of them critical, under a cap."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from cards.choosing import choose, indicator_of
from cards.draft_answers import answers_to_drafts
from cards.knowledge import Knowledge, knowledge
from cards.markdown import capital, fit, listed, more
from cards.orders import build_order, panel_before
from cards.override_reasons import override_reasons
from cards.recommendation import Level, Option, Recommendation, firm
from cards.safety import cautions_for
from cards.show import EVERYTHING, Show
from cards.summary import summary
from cards.verdicts import Case
from cards.wording import detail, evidence_of, missing_of, options_of, sources_of
from fhir_profiles.assessment import Assessment
from fhir_profiles.findings import Answer, Missing, Standing
from fhir_profiles.sentences import say
from fhir_profiles.systems import CANONICAL

EXPLANATION = "org.myositis-cds.explanation"
MOST_SUGGESTIONS = 8


def to_cards(
    recommendations: Sequence[Recommendation],
    assessment: Assessment,
    *,
    seed: str,
    show: Show = EVERYTHING,
    known: Knowledge | None = None,
) -> list[dict[str, Any]]:
    """Make the cards of one answer.

    Args:
        recommendations: from `recommend`.
        assessment: what they were held against.
        seed: makes the uuids of cards and suggestions repeatable; the hook instance.
        show: what to leave out.
        known: the knowledge; the packaged one by default.

    Returns:
        CDS Hooks cards, without empty members; the same input gives the same cards.
    """
    known = known or knowledge()
    namespace = uuid5(NAMESPACE_URL, f"{CANONICAL}/cards/{seed}/{assessment.record.patient_id}")
    offered: set[str] = set()
    chosen = choose(recommendations, show, known)
    waiting = [known.topics[topic].display for topic in chosen.held_back]
    return [
        _card(topic, list(said), assessment, known, namespace, offered, () if number else waiting)
        for number, (topic, said) in enumerate(chosen.cards)
    ]


def _card(
    topic: str,
    said: list[Recommendation],
    assessment: Assessment,
    known: Knowledge,
    namespace: UUID,
    offered: set[str],
    waiting: Sequence[str],
) -> dict[str, Any]:
    missing = missing_of(said)
    told = said
    if firm(said):
        against = [replace(_against_drugs(r), because=()) for r in said if r.holds is Answer.UNKNOWN and r.options]
        said = [r for r in said if r.holds is Answer.YES or r.warns_unread]
        told = [*said, *against]
    elif topic == "nextLineTherapy":  # several lines of treatment wait at once: none of them is advice
        told = [_against_drugs(r) for r in said]
    suggestions = _suggestions(topic, said, missing, assessment, known, namespace, offered)
    sources = sources_of(said)
    card: dict[str, Any] = {
        "uuid": str(uuid5(namespace, f"{topic}/{'/'.join(r.id for r in said)}")),
        "summary": summary(topic, said, assessment, known),
        "detail": detail(told, missing, known, waiting),
        "indicator": indicator_of(said),
        "source": _source(topic, sources, known),
    }
    if suggestions:
        card["suggestions"] = suggestions
        card["selectionBehavior"] = "any"
    card["overrideReasons"] = override_reasons()
    if links := _links(sources):
        card["links"] = links
    card["extension"] = {EXPLANATION: _explanation(said, missing, known)}
    return card


def _against_drugs(waiting: Recommendation) -> Recommendation:
    """Of a statement that waits for data, what speaks against its drugs whatever the data say; each caution names its source."""
    return replace(waiting, is_note=True, notes=(), disputes=(), sources=())


def _source(topic: str, sources: Sequence[Any], known: Knowledge) -> dict[str, Any]:
    names = list(dict.fromkeys(source.short for source in sources))  # two guidelines of one society may have one short name
    named = names[:3] + ([more(len(names) - 3)] if len(names) > 3 else [])
    source: dict[str, Any] = {"label": fit(listed(named))}
    if url := next((s.url for s in sources if s.url), None):
        source["url"] = url
    source["topic"] = {
        "system": f"{CANONICAL}/CodeSystem/card-topic",
        "code": topic,
        "display": known.topics[topic].display,
    }
    return source


def _suggestions(
    topic: str,
    said: list[Recommendation],
    missing: Sequence[Missing],
    assessment: Assessment,
    known: Knowledge,
    namespace: UUID,
    offered: set[str],
) -> list[dict[str, Any]]:
    """One action per suggestion: what to do with a draft, then orders; one that an earlier card offers is not offered twice."""
    wanted: dict[str, list[str]] = {}
    for recommendation in said:
        for order in recommendation.orders:
            wanted.setdefault(order, []).append(recommendation.id)
    instead = {order: r.id for r in reversed(said) for order in r.alternatives if order not in wanted}
    ready = [(option, drug) for option in options_of(said) if (drug := _order_of(option, known))]
    drugs = [(option, (drug, *_co_prescriptions(option, known))) for option, drug in ready]
    tests = [(option, _tests_before(option, assessment, known)) for option, _ in ready]
    for option, keys_of_it in (*drugs, *tests):
        for key in keys_of_it:
            wanted.setdefault(key, []).extend(backing.recommendation for backing in option.backing)
    for key in _orders_that_answer(missing, assessment, known):
        wanted.setdefault(key, [said[0].id])
    wanted = {order: [name] for order, name in instead.items()} | wanted
    patient_id = assessment.record.patient_id
    if patient_id is None:
        return []
    answers = answers_to_drafts(said, namespace)[:MOST_SUGGESTIONS]
    keys = [key for key in wanted if key not in offered][: MOST_SUGGESTIONS - len(answers)]
    offered.update(keys)
    reasons = [fact.reference for phenotype in assessment.phenotypes if phenotype.is_confirmed for fact in phenotype.diagnoses]
    orders = [_suggestion(topic, key, wanted[key], patient_id, reasons, known, namespace, key in instead) for key in keys]
    return answers + orders


def _order_of(option: Option, known: Knowledge) -> str | None:
    """The ready-made order of an option, if nothing speaks against making it ready."""
    is_ready = option.is_best_fit and option.not_offered is None and option.order_withheld is None
    return known.treatments[option.treatment].order if is_ready else None


def _co_prescriptions(option: Option, known: Knowledge) -> list[str]:
    """The drugs that go with a ready-made drug order: folic acid with methotrexate. The reminder beside the option says why."""
    named = [order for caution in option.reminders for order in caution.orders]
    return [order for order in named if known.orders[order]["resource"] == "MedicationRequest"]


def _tests_before(option: Option, assessment: Assessment, known: Knowledge) -> list[str]:
    """The tests that a warning about a ready-made drug order asks for: TPMT before azathioprine (drug-safety.md section 3)."""
    asked = dict.fromkeys(order for caution in option.cautions for order in caution.orders)
    tests = [order for order in asked if known.orders[order]["resource"] == "ServiceRequest"]
    return [key for key in tests if _is_needed(key, assessment, known) and not _is_stopped(key, assessment, known)]


_SHOWN = (Standing.PRESENT, Standing.FAILED)


def _orders_that_answer(missing: Iterable[Missing], assessment: Assessment, known: Knowledge) -> list[str]:
    """The tests that would supply what is missing, where we know an order for them, the chart shows none (rules 1 and 3), and
    no safety rule stops it."""
    supply = known.order_that_supplies
    asked = [(supply[item.concept], item.is_to_repeat) for item in missing if item.concept in supply and not item.is_caveat]
    needed = [key for key, again in asked if _is_needed(key, assessment, known, again=again)]
    return [key for key in needed if not _is_stopped(key, assessment, known)]


def _is_needed(order: str, assessment: Assessment, known: Knowledge, *, again: bool = False) -> bool:
    """Neither done, unless it is to be done again, nor ordered, declined or part of a panel to come; and it could be read."""
    entry = known.orders[order]
    found = assessment.investigation(entry["investigation"])
    is_to_repeat = again and found.standing is Standing.PRESENT and not assessment.record.orders.get(entry["concept"])
    is_open = found.standing not in _SHOWN or is_to_repeat
    return is_open and not found.declined and panel_before(order, assessment, known) is None


def _is_stopped(order: str, assessment: Assessment, known: Knowledge) -> bool:
    stops = cautions_for(order, Case(assessment), known, (Level.STOP,))
    return any(stop.is_certain for stop in stops)


def _suggestion(
    topic: str,
    key: str,
    ids: list[str],
    patient_id: str,
    reasons: Iterable[str],
    known: Knowledge,
    namespace: UUID,
    is_instead: bool = False,
) -> dict[str, Any]:
    title = known.orders[key].get("label", known.orders[key]["title"])
    if known.orders[key]["resource"] == "MedicationRequest":
        instead = say("Draft {drug} instead, dose left to you", drug=title)
        label = instead if is_instead else say("Draft {drug}, dose left to you", drug=title)
        description = say("{drug}, as a draft without a dose", drug=capital(title))
    else:
        label, description = say("Order {test}", test=title), say("Order {test}, as a draft", test=title)
    return {
        "label": label,
        "uuid": str(uuid5(namespace, f"{topic}/{key}")),
        "actions": [
            {
                "type": "create",
                "description": description,
                "resource": build_order(key, dict.fromkeys(ids), patient_id, reasons, known),
            }
        ],
    }


def _links(sources: Sequence[Any]) -> list[dict[str, str]]:
    """Links to the sources themselves; never anything about the patient."""
    urls: dict[str, str] = {}
    for source in sources:
        if source.url:
            urls.setdefault(source.url, source.found_in or source.citation)
    return [{"label": fit(citation, 80), "url": url, "type": "absolute"} for url, citation in list(urls.items())[:3]]


def _explanation(said: list[Recommendation], missing: Sequence[Missing], known: Knowledge) -> dict[str, Any]:
    explanation: dict[str, Any] = {
        "recommendations": [r.id for r in said],
        "because": [{"text": e.text} | ({"reference": e.reference} if e.reference else {}) for e in evidence_of(said)],
        "missing": [{"text": m.text, "concept": m.concept} for m in missing],
        "sources": [_cited(source) for source in sources_of(said)],
        "conflicts": list(dict.fromkeys(code for r in said for code in r.conflicts)),
        "knowledgeVersion": known.version,
    }
    return {key: value for key, value in explanation.items() if value}


def _cited(source: Any) -> dict[str, Any]:
    cited = {"id": source.id, "citation": source.citation, "year": source.year, "evidence": source.evidence}
    return {key: value for key, value in cited.items() if value is not None}
