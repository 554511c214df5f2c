"""What cards say, by the ids of the recommendations that they are made of."""

from collections.abc import Iterable, Mapping
from typing import Any

from cards.to_cards import EXPLANATION


def said_on(cards: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """Ids of the recommendations on some cards, before a dialect took something away.

    Args:
        cards: CDS Hooks cards.
    """
    return frozenset(name for card in cards for name in card["extension"][EXPLANATION]["recommendations"])
