"""What a change of the chart changed in the cards."""

from collections.abc import Iterable, Sequence

from sandbox.desk import Answer
from sandbox.fhir_parts import Json

Key = tuple[str, str, str]


def differences(before: Sequence[Answer], after: Sequence[Answer]) -> tuple[str, ...]:
    """A sentence for each card that is new, gone or says something else.

    A service sends one card to a topic, so cards of the same hook, service and topic are the same card at two times; cards
    without a topic are told apart by their summary.
    """
    then, now = _by_key(before), _by_key(after)
    new = (f"New: {card['summary']}" for key, card in now.items() if key not in then)
    gone = (f"Gone: {card['summary']}" for key, card in then.items() if key not in now)
    changed = (
        f"Changed: {_change(then[key], card)}" for key, card in now.items() if key in then and _said(then[key]) != _said(card)
    )
    return (*new, *gone, *changed)


def _by_key(answers: Iterable[Answer]) -> dict[Key, Json]:
    return {(answer.hook, answer.service_id, _topic(card)): card for answer in answers for card in answer.cards}


def _topic(card: Json) -> str:
    topic = card["source"].get("topic")
    return str(topic["code"]) if isinstance(topic, dict) and "code" in topic else str(card["summary"])


def _said(card: Json) -> list[object]:
    """What a clinician reads of a card; uuids are no news."""
    suggestions = [suggestion["label"] for suggestion in card.get("suggestions", ())]
    return [*(card.get(member) for member in ("summary", "indicator", "detail")), *suggestions]


def _change(one: Json, other: Json) -> str:
    same_summary = one["summary"] == other["summary"]
    return f"{other['summary']} (in its details)" if same_summary else f"{one['summary']} → {other['summary']}"
