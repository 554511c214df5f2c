"""What a suggestion changes (CDS Hooks 2.0.1, "Suggestion" and "Action"): all of its actions, or none.

Whoever calls a service remains responsible for what its suggestions do. This EHR lets them write orders of the open patient, and
change or take off drafts; nothing that is on the chart already is touched. A test that is suggested when a chart is opened is
ordered at once; a drug always becomes a draft, since a clinician signs drugs. System actions are not applied.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from sandbox.cards import Card, Suggestion
from sandbox.errors import DeskError
from sandbox.fhir_parts import Json
from sandbox.fhir_validation import problems
from sandbox.order_pad import ORDER_TYPES, signed, with_id

Pad = Mapping[str, Json]
"""Drafts by id."""

_A_DRAFT = {"status": "draft", "intent": "proposal"}
"""What an order is that does not say it."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What the actions of a suggestion come to.

    Args:
        pad: the drafts afterwards.
        orders: new orders for the chart.
        done: what was done, in a sentence each.
    """

    pad: Pad
    orders: tuple[Json, ...] = ()
    done: tuple[str, ...] = ()


def effect_of(actions: Iterable[Json], pad: Pad, patient_id: str, *, at_once: bool, today: date) -> Effect:
    """What a suggestion comes to; nothing is changed by asking.

    Args:
        actions: of a suggestion, each of a type that there is.
        pad: the drafts.
        patient_id: whose.
        at_once: order tests, instead of drafting them: where no orders are being written.
        today: when.

    Raises:
        DeskError: one of the actions cannot be applied, so none is.
    """
    effect = Effect(pad)
    for action in actions:
        match action["type"]:
            case "create":
                effect = _created(effect, _order(action, patient_id), at_once=at_once, today=today)
            case "update":
                effect = _updated(effect, _order(action, patient_id))
            case _:
                effect = _deleted(effect, reference_to_delete(action))
    return effect


def check_choice(card: Card, suggestion: int, taken: frozenset[int]) -> Suggestion:
    """A suggestion, if it may be taken after others were (conformance C-12).

    Args:
        card: with the suggestion.
        suggestion: its place, from 0.
        taken: places of suggestions taken before.

    Raises:
        DeskError: there is none, or it was taken already, or excludes another that was.
    """
    if not 0 <= suggestion < len(card.suggestions):
        raise DeskError("This card has no such suggestion.")
    if suggestion in taken:
        raise DeskError("This suggestion was taken already.")
    if card.behaviour == "at-most-one" and taken:
        raise DeskError("Of these suggestions one can be taken at most, and one was.")
    return card.suggestions[suggestion]


def reference_to_delete(action: Json) -> str:
    """What a delete action is about: `resourceId`, or `resource` as in CDS Hooks 1.0 and in Epic (conformance C-33).

    Raises:
        DeskError: it does not say.
    """
    for named in (action.get("resourceId"), action.get("resource")):
        if isinstance(named, dict):
            named = f"{named.get('resourceType')}/{named.get('id')}"
        if isinstance(named, str) and named.count("/") >= 1:
            return "/".join(named.split("/")[-2:])
    raise DeskError("The suggestion does not say which draft it would take off.")


def title_of(order: Json) -> str:
    """What an order is for, in words."""
    concept = order.get("medicationCodeableConcept") or order.get("code") or {}
    displays = [one["display"] for one in concept.get("coding", ()) if one.get("display")]
    return str(concept.get("text") or next(iter(displays), ""))


def check_fhir(order: Json) -> None:
    """Hold an order against FHIR R4, as the API does with what is written there.

    Raises:
        DeskError: it is not sound; the first issue, in words.
    """
    if found := problems(order):
        raise DeskError(f"The order is not written as FHIR has it, so nothing was done: {found[0]['diagnostics']}")


def _order(action: Json, patient_id: str) -> Json:
    """The order in an action, if it is one that this EHR can keep."""
    order = action.get("resource")
    if not isinstance(order, dict) or order.get("resourceType") not in ORDER_TYPES:
        raise DeskError("The suggestion is about something that cannot be ordered in this EHR.")
    member = "medicationCodeableConcept" if order["resourceType"] == "MedicationRequest" else "code"
    concept = order.get(member)
    if not isinstance(concept, dict) or not _is_list_of_objects(concept.get("coding", [])) or not title_of(order):
        raise DeskError("The suggestion does not say in words what is to be ordered.")
    if not _is_list_of_objects(order.get("note", [])) or not _are_dosages(order.get("dosageInstruction", [])):
        raise DeskError("The suggested order is not written as FHIR has it.")
    subject = order.get("subject", {"reference": f"Patient/{patient_id}"})
    if not isinstance(subject, dict) or "/".join(str(subject.get("reference")).split("/")[-2:]) != f"Patient/{patient_id}":
        raise DeskError("The suggested order is for another patient.")
    ours = {member: concept | {"text": title_of(order)}, "subject": {"reference": f"Patient/{patient_id}"}}
    kept: Json = _A_DRAFT | {name: value for name, value in order.items() if name != "meta"} | ours
    check_fhir(kept)
    return kept


def _is_list_of_objects(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def _are_dosages(value: object) -> bool:
    if not isinstance(value, list) or not _is_list_of_objects(value):
        return False
    timings = [one.get("timing", {}) for one in value]
    return _is_list_of_objects(timings) and _is_list_of_objects([timing.get("repeat", {}) for timing in timings])


def _created(effect: Effect, order: Json, *, at_once: bool, today: date) -> Effect:
    if at_once and order["resourceType"] == "ServiceRequest":
        done = (*effect.done, f"Ordered: {title_of(order)}.")
        return Effect(effect.pad, (*effect.orders, signed(order, today)), done)
    draft = with_id(order | {"status": "draft"})
    return Effect({**effect.pad, draft["id"]: draft}, effect.orders, (*effect.done, f"Drafted: {title_of(order)}."))


def _updated(effect: Effect, order: Json) -> Effect:
    before = _draft(effect, f"{order['resourceType']}/{order.get('id')}")
    after = order | {"id": before["id"], "status": "draft"}
    return Effect({**effect.pad, before["id"]: after}, effect.orders, (*effect.done, f"Changed: {title_of(order)}."))


def _deleted(effect: Effect, reference: str) -> Effect:
    gone = _draft(effect, reference)
    pad = {name: draft for name, draft in effect.pad.items() if name != gone["id"]}
    return Effect(pad, effect.orders, (*effect.done, f"Taken off the pad: {title_of(gone)}."))


def _draft(effect: Effect, reference: str) -> Json:
    """The draft that a reference names."""
    resource_type, _, draft_id = reference.partition("/")
    draft = effect.pad.get(draft_id)
    if draft is None or draft["resourceType"] != resource_type:
        raise DeskError("The draft that the suggestion is about is not on the pad any more, so nothing was changed.")
    return draft
