"""Cards keep their sentences whole: nothing that a person reads is glued together where no other language could follow."""

import re
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cards.knowledge import knowledge
from cards.markdown import SUMMARY_LIMIT
from fhir_profiles.sentences import Sentence
from server.languages import speaking
from server.languages.catalogue import Catalogue
from server.languages.speaking import in_language, left_over
from tests.cards.reading import actions, topic_of
from tests.cards.test_laws import charts
from tests.patient import Patient
from tests.server.languages.said import collected

ORDERS = ("methotrexate", "azathioprine", "cyclophosphamide", "prednisone", "immunoglobulin_iv", "rituximab")
SCREENED_NEVER = Patient().has("dermatomyositis", since="2026-05")
CONTRADICTION = re.compile(r"C[0-9]{1,2}")


def speak(monkeypatch: pytest.MonkeyPatch, said: Callable[[str], str]) -> None:
    """Let there be a language that says `said(english)` for everything that is collected; its days are the British ones."""
    texts = {one.text: said(one.text) for one in collected() if not one.plural}
    plurals = {one.text: (said(one.text), said(one.plural)) for one in collected() if one.plural}
    spoken = Catalogue("en_GB", texts, plurals, lambda number: int(number != 1))
    monkeypatch.setattr(speaking, "catalogue", lambda _: spoken)


@pytest.fixture
def english_again(monkeypatch: pytest.MonkeyPatch) -> None:
    speak(monkeypatch, lambda text: text)


@st.composite
def answers(draw: st.DrawFn) -> tuple[Patient, tuple[str, ...] | None]:
    """A chart, and the orders being written, if any."""
    drafted = draw(st.lists(st.sampled_from(ORDERS), max_size=2, unique=True))
    return draw(charts()), tuple(drafted) or None


@pytest.mark.usefixtures("english_again")
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
@given(answers())
def test_said_again_in_english_every_card_is_what_it_was(answer: tuple[Patient, tuple[str, ...] | None]) -> None:
    patient, drafted = answer
    cards = patient.cards(drafted, cap=10)
    assert in_language(cards, "again") == cards


@pytest.mark.usefixtures("english_again")
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
@given(answers())
def test_a_card_holds_nothing_in_words_that_no_translator_was_shown(answer: tuple[Patient, tuple[str, ...] | None]) -> None:
    patient, drafted = answer
    sources = knowledge().sources.values()
    names = {name for source in sources for name in (source.short, source.citation, source.found_in)}
    left = [text for text in left_over(patient.cards(drafted, cap=10), "again") if not CONTRADICTION.fullmatch(text)]
    assert [text for text in left if text not in names] == []


def lengthened(text: str) -> str:
    """A language that says every other word twice; names in braces stay."""
    return re.sub(r"(?<![{\w])[a-z]{4,}(?![\w}])", lambda word: f"{word[0]} {word[0]}", text)


def test_a_longer_language_is_given_the_wording_that_fits_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    (screening,) = (card for card in SCREENED_NEVER.cards() if topic_of(card) == "tumourScreening")
    speak(monkeypatch, lengthened)
    said = in_language(screening["summary"], "longer")
    assert screening["summary"].startswith("Tumour screening in dermatomyositis: CT of thorax and abdomen, ")
    assert len(screening["summary"]) <= SUMMARY_LIMIT < len(lengthened(screening["summary"]))
    assert said.startswith("Tumour screening screening in dermatomyositis dermatomyositis: ")
    assert said.endswith(lengthened(" not on record"))
    assert len(said) <= SUMMARY_LIMIT


def test_an_order_is_suggested_in_the_words_of_the_reader() -> None:
    pregnant = Patient().has("dermatomyositis", since="2026-05").has("pregnancy", since="2026-09")
    created = actions(pregnant.cards(("methotrexate",), cap=10) + pregnant.cards(cap=10), "create")
    assert created
    assert all(isinstance(action["description"], Sentence) for action in created)
