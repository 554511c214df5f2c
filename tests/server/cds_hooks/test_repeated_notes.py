"""A note on a draft is offered once, whatever language it was taken in."""

from typing import Any

import pytest

from server.cds_hooks.repeated_notes import without_repeated_notes
from server.languages.speaking import in_language
from tests.cards.reading import actions
from tests.cards.test_drafts import COMPLETE, METHOTREXATE, cards_for

NOTES = {
    "en": "Once weekly for this indication, never daily (US FDA, methotrexate boxed warning).",
    "de": in_language("Once weekly for this indication, never daily (US FDA, methotrexate boxed warning).", "de"),
}


def offered(draft: dict[str, Any], language: str) -> list[dict[str, Any]]:
    return in_language(without_repeated_notes(cards_for(COMPLETE, draft)), language)


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_note_on_a_draft_is_written_in_the_language_of_the_reader(language: str) -> None:
    (update,) = actions(offered(METHOTREXATE, language), "update")
    assert [note["text"] for note in update["resource"]["note"]] == ["Discussed with the patient.", NOTES[language]]
    assert NOTES[language] in update["description"]


@pytest.mark.parametrize("then", ["en", "de"])
@pytest.mark.parametrize("first", ["en", "de"])
def test_a_note_that_was_taken_in_one_language_is_offered_in_none(first: str, then: str) -> None:
    (update,) = actions(offered(METHOTREXATE, first), "update")
    again = offered(update["resource"], then)
    assert actions(again, "update") == []
    assert all(card.get("suggestions", ["one"]) for card in again)


def test_other_suggestions_stay() -> None:
    cards = cards_for(COMPLETE, METHOTREXATE)
    assert without_repeated_notes(cards) == cards
