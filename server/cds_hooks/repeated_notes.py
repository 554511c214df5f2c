"""A note that a draft has already is not offered again, in whatever language it was added (decisions 8 and 18)."""

from collections.abc import Iterable
from typing import Any

from server.languages.catalogue import LANGUAGES
from server.languages.speaking import in_language

Json = dict[str, Any]


def without_repeated_notes(cards: Iterable[Json]) -> list[Json]:
    """The cards without suggestions to add a note that is there; what cards themselves compare is English.

    Args:
        cards: CDS Hooks cards; not changed.
    """
    return [_card(card) if "suggestions" in card else card for card in cards]


def _card(card: Json) -> Json:
    kept = [one for one in card["suggestions"] if not any(_repeats(action) for action in one["actions"])]
    if kept:
        return {**card, "suggestions": kept}
    return {name: member for name, member in card.items() if name not in ("suggestions", "selectionBehavior")}


def _repeats(action: Json) -> bool:
    """Whether the note that an update adds, the last one, stands before it in one of our languages."""
    if action["type"] != "update":
        return False
    *before, added = (note.get("text") for note in action["resource"]["note"])
    return any(in_language(added, language) in before for language in LANGUAGES)
