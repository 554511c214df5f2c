"""Whether an answer can be used: what the specification requires of cards, and this EHR relies on (conformance section 5)."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sandbox.errors import ServiceError
from sandbox.exchange import has_objects
from sandbox.fhir_parts import Json

INDICATORS = ("info", "warning", "critical")
BEHAVIOURS = ("any", "at-most-one")
LINK_TYPES = ("absolute", "smart")
ACTIONS = ("create", "update", "delete")


def check_answer(answered: Any) -> Json:
    """An answer to a hook, if it is one.

    Raises:
        ServiceError: it holds no cards.
    """
    if not has_objects(answered, "cards"):
        raise ServiceError("The service answered, but its answer holds no list of cards.")
    checked: Json = answered
    return checked


def fault_of(card: Json) -> str:
    """What is wrong with a card, so that it can be shown, but nothing in it applied; empty if nothing is."""
    return next(_faults(card), "")


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
    if "actions" in suggestion and not has_objects(suggestion, "actions"):
        yield "has a suggestion whose actions are no list of objects"
    elif any(action.get("type") not in ACTIONS for action in suggestion.get("actions", ())):
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


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())
