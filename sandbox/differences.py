"""What a change of the chart changed in the cards."""

from collections.abc import Iterable, Sequence

from sandbox.cards import Card
from sandbox.desk import Answer

Key = tuple[str, str, str]


def differences(before: Sequence[Answer], after: Sequence[Answer]) -> tuple[str, ...]:
    """A sentence for each card that is new, gone or says something else.

    A service sends one card to a topic, so cards of the same hook, service and topic are the same card at two times; cards
    without a topic are told apart by their summary.
    """
    then, now = _by_key(before), _by_key(after)
    new = (f"New: {card.summary}" for key, card in now.items() if key not in then)
    gone = (f"Gone: {card.summary}" for key, card in then.items() if key not in now)
    changed = (
        f"Changed: {_change(then[key], card)}" for key, card in now.items() if key in then and _said(then[key]) != _said(card)
    )
    return (*new, *gone, *changed)


def _by_key(answers: Iterable[Answer]) -> dict[Key, Card]:
    """The cards that can be used."""
    cards = ((answer, card) for answer in answers for card in answer.cards if not card.fault)
    return {(answer.hook, answer.url, card.source.topic_code or card.summary): card for answer, card in cards}


def _said(card: Card) -> list[str]:
    """What a clinician reads of a card; uuids are no news."""
    return [card.summary, card.indicator, card.detail, *(suggestion.label for suggestion in card.suggestions)]


def _change(one: Card, other: Card) -> str:
    same_summary = one.summary == other.summary
    return f"{other.summary} (in its details)" if same_summary else f"{one.summary} → {other.summary}"
