"""What a change of the chart changed in the cards."""

from collections.abc import Iterable, Sequence

from sandbox.bundles import Json
from sandbox.desk import Answer

SAID = ("summary", "indicator", "detail", "suggestions")
"""The members of a card that a clinician reads."""

Key = tuple[str, str, str]


def differences(before: Sequence[Answer], after: Sequence[Answer]) -> tuple[str, ...]:
    """A sentence for each card that is new, gone or says something else.

    A service sends one card to a topic, so cards of the same hook, service and topic are the same card at two times; cards without
    a topic are told apart by their summary.
    """
    then, now = _by_key(before), _by_key(after)
    new = (f"New: {_summary(card)}" for key, card in now.items() if key not in then)
    gone = (f"Gone: {_summary(card)}" for key, card in then.items() if key not in now)
    changed = (f"Changed: {_change(then[key], card)}" for key, card in now.items() if key in then and _differ(then[key], card))
    return (*new, *gone, *changed)


def _by_key(answers: Iterable[Answer]) -> dict[Key, Json]:
    return {(answer.hook, answer.service_id, _topic(card)): card for answer in answers for card in answer.cards}


def _topic(card: Json) -> str:
    source = card.get("source")
    topic = source.get("topic") if isinstance(source, dict) else None
    return str(topic.get("code", "")) if isinstance(topic, dict) else _summary(card)


def _differ(one: Json, other: Json) -> bool:
    return any(_without_ids(one.get(member)) != _without_ids(other.get(member)) for member in SAID)


def _without_ids(value: Json | list[Json] | str | None) -> object:
    """Suggestions by what they say; their uuids are no news."""
    if isinstance(value, list):
        return [suggestion.get("label") if isinstance(suggestion, dict) else suggestion for suggestion in value]
    return value


def _change(one: Json, other: Json) -> str:
    same_summary = _summary(one) == _summary(other)
    return f"{_summary(other)} (its details)" if same_summary else f"{_summary(one)} → {_summary(other)}"


def _summary(card: Json) -> str:
    return str(card.get("summary", "a card without a summary"))
