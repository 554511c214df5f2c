"""What single EHRs read differently, the last step before an answer leaves: `dialects.yaml` is the table, decision 15 the why."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cards.markdown import bullets, escape, section
from fhir_profiles.sentences import join, say
from server.cds_hooks.dialect_table import DIALECTS, SWITCHES, Dialect, is_registered

if TYPE_CHECKING:
    from server.trust.clients import Client

__all__ = ["DIALECTS", "SWITCHES", "Dialect", "in_dialect", "is_registered"]

Json = dict[str, Any]


def in_dialect(cards: Sequence[Json], client: "Client") -> list[Json]:
    """The cards as this client reads them.

    Args:
        cards: CDS Hooks 2.0.1 cards; not changed.
        client: who is answered.

    Returns:
        Cards that share with those given what the dialect leaves alone.
    """
    dialect = DIALECTS[client.dialect]
    return [_card(card, dialect, client.links) for card in cards]


def _card(written: Json, dialect: Dialect, registered: Sequence[str] | None) -> Json:
    card = {**written, "source": {**written["source"], "topic": {**written["source"]["topic"]}}}
    ours = card.get("suggestions", [])
    offered = _compatible([one for one in ours if _is_understood(one, dialect)], dialect)
    _put(card, "detail", join("\n\n", [part for part in (card["detail"], _by_hand(ours, offered, dialect)) if part]))
    _put(card, "suggestions", [_suggestion(one, dialect) for one in offered])
    _put(card, "selectionBehavior", dialect.selection_behavior if offered else None)
    _put(card, "links", [link for link in card.get("links", ()) if dialect.sends_link(link["type"], link["url"], registered)])
    if registered is not None and not is_registered(card["source"].get("url", ""), registered):
        card["source"].pop("url", None)
    card["source"]["topic"]["code"] = dialect.topic_code(card["source"]["topic"]["code"])
    for path in dialect.left_out:
        _leave_out(card, path)
    return card


def _put(card: Json, member: str, value: Any) -> None:
    """Set a member at its place, or take it out where it would be empty."""
    if value:
        card[member] = value
    else:
        card.pop(member, None)


def _compatible(offered: list[Json], dialect: Dialect) -> list[Json]:
    """Where one suggestion excludes the others, none may stand beside a removal: who takes it would keep the draft."""
    removals = [one for one in offered if any(action["type"] == "delete" for action in one["actions"])]
    return removals if removals and dialect.takes_one else offered


def _by_hand(ours: Sequence[Json], offered: Sequence[Json], dialect: Dialect) -> str:
    """What no button does, so that the buttons are not taken for the whole list. Stands last, right above them."""
    words = [escape(_words(one)) for one in ours if one not in offered]
    if dialect.takes_one and len(offered) > 1:
        words.append(say("What else is needed of the suggestions, of which one can be taken here"))
    return section(say("To be written by hand"), bullets(words))


def _words(suggestion: Json) -> str:
    """Its label; a note is given in full, since its label does not say what to write."""
    (first, *_) = suggestion["actions"]
    words: str = first["description"] if first["type"] == "update" else suggestion["label"]
    return words


def _is_understood(suggestion: Json, dialect: Dialect) -> bool:
    actions = suggestion["actions"]
    if dialect.most_actions and len(actions) > dialect.most_actions:
        return False
    return all(action["type"] in dialect.action_types and _can_be_coded(action, dialect) for action in actions)


def _can_be_coded(action: Json, dialect: Dialect) -> bool:
    """Whether the reader can tell what a created resource orders, from a code of a system that it knows."""
    if action["type"] != "create":
        return True
    order = action["resource"]
    return dialect.takes_order(order["resourceType"], [coding["system"] for coding in _codings(order)])


def _codings(order: Json) -> list[Json]:
    member = _ordered_by(order)
    return [coding for coding in order[member].get("coding", ()) if "system" in coding] if member else []


def _ordered_by(order: Json) -> str | None:
    """The member that says what is ordered."""
    return next((member for member in ("medicationCodeableConcept", "code") if order.get(member)), None)


def _suggestion(suggestion: Json, dialect: Dialect) -> Json:
    return {**suggestion, "actions": [_action(action, suggestion["label"], dialect) for action in suggestion["actions"]]}


def _action(written: Json, label: str, dialect: Dialect) -> Json:
    action = dict(written)
    if dialect.label_is_description:
        action["description"] = label
    if action["type"] == "delete":
        action[dialect.delete_member] = action.pop("resourceId")
    elif action["type"] == "create":
        action["resource"] = _spelt(action["resource"], dialect)
    return action


def _spelt(order: Json, dialect: Dialect) -> Json:
    """The order with the code systems of what it orders as this reader spells them."""
    member = _ordered_by(order)
    if member is None or not order[member].get("coding"):
        return order
    codings = [
        {**coding, "system": dialect.spelling(coding["system"])} if "system" in coding else coding
        for coding in order[member]["coding"]
    ]
    return {**order, member: {**order[member], "coding": codings}}


def _leave_out(card: Json, path: str) -> None:
    outer, _, member = path.rpartition(".")
    if not outer:
        card.pop(member, None)
    elif isinstance(held := card.get(outer), list):
        card[outer] = [_without(one, member) for one in held]
    elif held is not None:
        card[outer] = _without(held, member)


def _without(held: Json, member: str) -> Json:
    return {name: value for name, value in held.items() if name != member}
