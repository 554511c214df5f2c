"""What applies now (the cards), what else holds, and what waits for a datum; each statement stands in one of the three."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cards.knowledge import Knowledge
from cards.recommendation import URGENCIES, Recommendation
from cards.to_cards import EXPLANATION
from cards.wording import options_of
from fhir_profiles.sentences import say
from server.evaluation import Evaluation
from server.patient_page.statements import Statement, statements

INDICATOR_WORDS = {"critical": say("Critical"), "warning": say("Warning"), "info": say("Information")}


@dataclass(frozen=True, slots=True)
class Card:
    """The advice of one card.

    Args:
        anchor: names it on the page.
        summary: its one sentence.
        indicator: `critical`, `warning` or `info`; `indicator_words` for people.
        topic: title of its topic.
        orders, against: what there is to do, and what is being taken against advice, each once.
        options: what there is to choose from, best fit first.
        statements: what it says, the most urgent first.
        is_focus: the reader came from this card.
    """

    anchor: str
    summary: str
    indicator: str
    indicator_words: str
    topic: str
    orders: tuple[str, ...]
    options: tuple[str, ...]
    against: tuple[str, ...]
    statements: tuple[Statement, ...]
    is_focus: bool


@dataclass(frozen=True, slots=True)
class Topic:
    """Statements of one topic."""

    title: str
    statements: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Advice:
    """Everything that the evaluation recommends.

    Args:
        cards: what applies now, the card that the reader came from first.
        others: what else holds, by topic.
        waiting: what would hold were a datum known, by topic.
        focus_gone: the reader came from a card whose advice is not given any more.
    """

    cards: tuple[Card, ...]
    others: tuple[Topic, ...]
    waiting: tuple[Topic, ...]
    focus_gone: tuple[str, ...]


Pair = tuple[Recommendation, Statement]


def advice(evaluation: Evaluation, focus: Sequence[str]) -> Advice:
    """Sort what was recommended.

    Args:
        evaluation: the patient.
        focus: recommendation ids of the card that the reader came from.
    """
    known = evaluation.knowledge
    said = statements(evaluation.recommendations, known)
    cards = [_card(card, said, focus) for card in evaluation.cards]
    on_cards = {statement.anchor for card in cards for statement in card.statements}
    left = [pair for pair in said if pair[1].anchor not in on_cards]
    given = {recommendation.id for recommendation in evaluation.recommendations}
    return Advice(
        cards=tuple(sorted(cards, key=lambda card: not card.is_focus)),
        others=_by_topic([pair for pair in left if pair[1].is_firm], known),
        waiting=_by_topic([pair for pair in left if not pair[1].is_firm], known),
        focus_gone=() if set(focus) & given else tuple(focus),
    )


def _card(card: dict[str, Any], said: Sequence[Pair], focus: Sequence[str]) -> Card:
    topic = card["source"]["topic"]
    ids = card["extension"][EXPLANATION]["recommendations"]
    pairs = [(r, statement) for r, statement in said if r.topic == topic["code"] and r.id in ids]
    of_card = [statement for _, statement in pairs]
    options = options_of(r for r, _ in pairs)
    return Card(
        anchor=f"card-{topic['code']}",
        summary=card["summary"],
        indicator=card["indicator"],
        indicator_words=INDICATOR_WORDS[card["indicator"]],
        topic=topic["display"],
        orders=tuple(dict.fromkeys(order for one in of_card for order in one.orders)),
        options=tuple(option.title for option in options if option.not_offered is None),
        against=tuple(dict.fromkeys(title for one in of_card for title in one.against)),
        statements=tuple(sorted(of_card, key=lambda one: URGENCIES.index(one.urgency_code))),
        is_focus=bool(set(focus) & set(ids)),
    )


def _by_topic(pairs: Sequence[Pair], known: Knowledge) -> tuple[Topic, ...]:
    codes = sorted({recommendation.topic for recommendation, _ in pairs}, key=lambda code: known.topics[code].rank)
    return tuple(Topic(known.topics[code].display, tuple(s for r, s in pairs if r.topic == code)) for code in codes)
