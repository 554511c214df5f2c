"""The German catalogue is complete: whatever a card says about our patients and scenarios, it says in German."""

import re
from collections.abc import Iterator
from string import Formatter

import pytest
from babel.messages.catalog import Message

from cards.knowledge import knowledge
from cards.markdown import SUMMARY_LIMIT
from fhir_profiles.sentences import Sentence
from server.cds_hooks.dialects import DIALECTS, in_dialect
from server.languages.catalogue import catalogue, read_file
from server.languages.speaking import in_language, left_over
from server.trust.clients import Client
from tests.server.languages.said import all_cards, charts_and_drafts, collected, opened, words_of

GERMAN = "de"
CITATIONS = {text for source in knowledge().sources.values() for text in (source.short, source.citation)}
"""Sources are cited as they call themselves, by author, year and journal."""


def is_written_alike(text: str) -> bool:
    """What needs no translation: a citation, and the number of a contradiction (C4)."""
    return text in CITATIONS or text in knowledge().disputes


def entries() -> Iterator[Message]:
    return (message for message in read_file(GERMAN) if message.id)


def places(text: str) -> set[tuple[str, str]]:
    """Names in braces, and how each is to be formatted."""
    return {(name, how or "") for _, name, how, _ in Formatter().parse(text) if name is not None}


def forms(message: Message) -> list[tuple[str, str]]:
    """Each text of an entry with what it stands for."""
    if isinstance(message.id, str):
        return [(message.id, str(message.string))]
    (one, many), said = message.id, list(message.string)
    return [(one, said[0]), *((many, text) for text in said[1:])]


def test_every_text_is_translated_and_none_is_in_doubt() -> None:
    assert [message.id for message in entries() if message.fuzzy] == []
    known = catalogue(GERMAN)
    assert [found.text for found in collected() if found.text not in known.texts and found.text not in known.plurals] == []


def test_a_translation_has_the_places_of_its_text() -> None:
    pairs = [pair for message in entries() for pair in forms(message) if pair[1]]
    assert [text for text, said in pairs if places(text) != places(said)] == []


def test_a_translation_begins_and_ends_like_its_text() -> None:
    """Blanks, and what ends a sentence, are part of how the pieces fit together."""
    pairs = [pair for message in entries() for pair in forms(message) if pair[1]]
    assert [text for text, said in pairs if (said != said.strip()) or (text.endswith(".") != said.endswith("."))] == []


def test_markdown_marks_are_those_of_the_text() -> None:
    pairs = [pair for message in entries() for pair in forms(message) if pair[1]]
    assert [
        text for text, said in pairs if [text.count(mark) for mark in "_*`|\n"] != [said.count(mark) for mark in "_*`|\n"]
    ] == []


@pytest.mark.slow
def test_every_card_is_said_in_german() -> None:
    left = {text: name for name, cards in all_cards() for text in left_over(cards, GERMAN)}
    assert {text: name for text, name in left.items() if not is_written_alike(text)} == {}


def test_everything_that_is_found_out_is_said_in_german() -> None:
    said = [text for evaluation in charts_and_drafts().values() for text in words_of(evaluation.assessment)]
    assert [text for text in left_over(said, GERMAN) if not is_written_alike(text)] == []


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_a_dialect_adds_is_said_in_german(dialect: str) -> None:
    client = Client("ehr", dialect=dialect, language=GERMAN)
    cards = [card for sent in opened().values() for card in in_dialect(sent, client)]
    assert [text for text in left_over(cards, GERMAN) if not is_written_alike(text)] == []


@pytest.mark.requirement("CARD-01")
def test_a_german_card_keeps_the_shape_of_the_english_one() -> None:
    for cards in opened().values():
        for english, german in zip(cards, in_language(cards, GERMAN), strict=True):
            assert english.keys() == german.keys()
            assert german["uuid"] == english["uuid"]
            assert len(german["summary"].encode("utf-16-le")) // 2 <= SUMMARY_LIMIT
            assert structure(german["detail"]) == structure(english["detail"])


def structure(markdown: str) -> list[str]:
    """How each line begins: a heading, a list, a table, with the number of its columns."""
    columns = [re.sub(r"\\.", "", line).count("|") for line in markdown.split("\n")]
    return [
        f"{line[:2] if line[:2] in ('**', '- ', '| ') else ''}{count}"
        for line, count in zip(markdown.split("\n"), columns, strict=True)
    ]


def test_no_english_sentence_is_left_in_a_german_answer() -> None:
    """Even where every piece is covered, a text that was cut out of a sentence would be found here."""
    known = {found.text for found in collected() if len(found.text.split()) > 3 and "{" not in found.text}
    said = {text for text in known if in_language(text, GERMAN) != text}
    for name, cards in opened().items():
        for card in in_language(cards, GERMAN):
            assert [text for text in said if text in card["detail"] or text in card["summary"]] == [], name


def test_english_stays_as_it_was_made() -> None:
    cards = next(iter(opened().values()))
    assert in_language(cards, "en") is cards
    assert isinstance(cards[0]["detail"], Sentence)
