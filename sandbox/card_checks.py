"""Reading the cards of an answer: what the specification requires of them, and this EHR relies on (conformance section 5).

Whatever a service sends becomes cards: a card that breaks a rule becomes one that says so, and takes nothing from the others.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sandbox.cards import Action, Card, Link, Reason, Source, Suggestion
from sandbox.errors import ServiceError
from sandbox.exchange import has_objects
from sandbox.fhir_parts import Json
from sandbox.web_addresses import is_web_address

INDICATORS = ("info", "warning", "critical")
BEHAVIOURS = ("any", "at-most-one")
LINK_TYPES = ("absolute", "smart")
ACTIONS = ("create", "update", "delete")


def check_answer(answered: Any) -> Json:
    """An answer to a hook, if it is one.

    Raises:
        ServiceError: it holds no cards.
    """
    if not isinstance(answered, dict) or not isinstance(answered.get("cards"), list):
        raise ServiceError("The service answered, but its answer holds no list of cards.")
    return answered


def read_cards(answered: Json) -> tuple[Card, ...]:
    """The cards of a checked answer, in their order."""
    return tuple(read_card(card) for card in answered["cards"])


def read_card(sent: Any) -> Card:
    """One card, whatever it is that was sent as one. A member that is null counts as one that is not there."""
    if not isinstance(sent, dict):
        return Card(fault="is no JSON object")
    if not _can_be_shown(sent):
        return Card(fault="holds characters that are no text")
    card = _without_nulls(sent)
    if fault := next(_faults(card), ""):
        return Card(uuid=_text(card, "uuid"), summary=_text(card, "summary"), fault=fault)
    return Card(
        uuid=_text(card, "uuid"),
        summary=card["summary"],
        indicator=card["indicator"],
        detail=_text(card, "detail"),
        source=_source(card["source"]),
        suggestions=tuple(map(_suggestion, card.get("suggestions", ()))),
        behaviour=_text(card, "selectionBehavior"),
        links=tuple(map(_link, card.get("links", ()))),
        reasons=tuple(Reason(one["code"], _text(one, "display"), one) for one in card.get("overrideReasons", ())),
    )


def _source(source: Json) -> Source:
    topic = source.get("topic")
    topic = topic if isinstance(topic, dict) else {}
    return Source(source["label"], _web_address(source), _text(topic, "display"), _text(topic, "code"))


def _suggestion(sent: Json) -> Suggestion:
    actions = tuple(map(_action, sent.get("actions") or ()))
    return Suggestion(_text(sent, "uuid"), sent["label"], sent.get("isRecommended") is True, actions)


def _action(sent: Json) -> Action:
    named = sent.get("resourceId") or sent.get("resource")
    target = _text(named, "id") if isinstance(named, dict) else named if isinstance(named, str) else ""
    return Action(sent["type"], _text(sent, "description"), target if sent["type"] == "delete" else "", sent)


def _link(sent: Json) -> Link:
    context = sent.get("appContext")
    return Link(sent["label"], _web_address(sent), sent["type"], context if isinstance(context, str) else None)


def _web_address(holder: Json) -> str:
    return str(holder["url"]) if is_web_address(holder.get("url")) else ""


def _faults(card: Json) -> Iterator[str]:
    if not _is_text(card.get("summary")):
        yield "has no summary"
    if card.get("indicator") not in INDICATORS:
        yield f"has an indicator that is none of {', '.join(INDICATORS)}"
    if not isinstance(card.get("source"), dict) or not _is_text(card["source"].get("label")):
        yield "does not name its source"
    if not isinstance(card.get("detail", ""), str) or not isinstance(card.get("uuid", ""), str):
        yield "has a detail, or a uuid, that is no text"
    for member, faults_of in _LISTS.items():
        if member in card and not has_objects(card, member):
            yield f"has {member} that are no list of objects"
            return
        for item in card.get(member, ()):
            yield from faults_of(item)
    if card.get("suggestions") and card.get("selectionBehavior") not in BEHAVIOURS:
        yield f"has suggestions, but a selectionBehavior that is none of {', '.join(BEHAVIOURS)}"


def _faults_of_suggestion(suggestion: Json) -> Iterator[str]:
    if not _is_text(suggestion.get("label")):
        yield "has a suggestion without a label"
    actions = _without_nulls(suggestion)
    if "actions" in actions and not has_objects(actions, "actions"):
        yield "has a suggestion whose actions are no list of objects"
    elif any(action.get("type") not in ACTIONS for action in actions.get("actions", ())):
        yield f"has an action whose type is none of {', '.join(ACTIONS)}"


def _faults_of_link(link: Json) -> Iterator[str]:
    if not _is_text(link.get("label")) or not _is_text(link.get("url")) or link.get("type") not in LINK_TYPES:
        yield "has a link without a label, a url, or a type"


def _faults_of_reason(reason: Json) -> Iterator[str]:
    if not _is_text(reason.get("code")):
        yield "has an override reason without a code"


_LISTS: Mapping[str, Callable[[Json], Iterator[str]]] = {
    "suggestions": _faults_of_suggestion,
    "links": _faults_of_link,
    "overrideReasons": _faults_of_reason,
}


def _can_be_shown(sent: Json) -> bool:
    """Whether all text in it is Unicode: JSON can name half of a surrogate pair, which no page can be written with."""
    try:
        json.dumps(sent, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _without_nulls(sent: Json) -> Json:
    return {name: value for name, value in sent.items() if value is not None}


def _text(holder: Json, member: str) -> str:
    value = holder.get(member)
    return value if isinstance(value, str) else ""


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())
