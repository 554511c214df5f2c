"""Which cards were shown, so that feedback on a card can be counted for what it said."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, and_, false

from cards.recommendation import Recommendation
from cards.show import Show, word_on
from cards.to_cards import EXPLANATION
from cards.told import mark_of
from server.evaluation import Evaluation, silenced_of
from server.feedback.once import Row, insert_once
from server.feedback.visits import Visit
from server.store.tables import cards_shown, feedback
from server.trust.clients import Caller, Client

FEEDBACK_ON_CARD = and_(
    feedback.c.client == cards_shown.c.client,
    feedback.c.service == cards_shown.c.service,
    feedback.c.card == cards_shown.c.card,
    cards_shown.c.is_shadow == false(),
)
"""Which feedback is on which card: that of the client that was shown it, sent to the service that showed it (FB-03). Nobody was
shown a card of shadow mode."""


def remember_cards(connection: Connection, rows: Sequence[Row]) -> None:
    """Write down the cards of one answer; a card that is there already (the same hook instance again) stays as it is.

    A call can do without it (`server.auditing.trail`): a figure that lacks the cards costs no patient anything. Feedback on them
    will then be on unknown cards, and silence nothing; and the visit hears them again.

    Args:
        connection: within a transaction.
        rows: `rows_of_cards`, made before: others wait for the transaction.
    """
    if rows:
        connection.execute(insert_once(connection, cards_shown), rows)


def rows_of_cards(caller: Caller, service: str, patient: str, evaluation: Evaluation, visit: Visit | None = None) -> list[Row]:
    """What is to be written down of the cards of one answer.

    Args:
        caller: who is answered.
        service: id of the service.
        patient: pseudonym.
        evaluation: what is answered.
        visit: in which visit, and who reads it; None where that is not known.
    """
    same = {
        "client": caller.client.name,
        "service": service,
        "patient": patient,
        "shown_at": int(time.time()),
        "is_shadow": caller.client.is_in_shadow,
        "encounter": visit and visit.id,
    }
    said = {one.id: one for one in evaluation.recommendations}
    return [same | _row(card, said, visit) for card in evaluation.cards]


def fate_of_advice(evaluation: Evaluation, show: Show, client: Client) -> dict[str, object]:
    """For the line of the log: which cards are shown, by their uuids, and how much advice is left out because it is silenced.

    Args:
        evaluation: what was found out.
        show: what was left out of it.
        client: who is answered; in shadow mode with no card.
    """
    silenced: dict[str, object] = {"silenced": len(silenced_of(evaluation, show))}
    if client.is_in_shadow:
        return {"cards": 0, "outcome": "shadow"} | silenced
    shown: dict[str, object] = {"shown": [card["uuid"] for card in evaluation.cards]} if evaluation.cards else {}
    return {"cards": len(evaluation.cards)} | shown | silenced


def _row(card: dict[str, Any], said: Mapping[str, Recommendation], visit: Visit | None) -> Row:
    explanation = card["extension"][EXPLANATION]
    on_card = [said[name] for name in explanation["recommendations"]]
    return {
        "card": card["uuid"],
        "topic": card["source"]["topic"]["code"],
        "indicator": card["indicator"],
        "recommendations": [word_on(one) for one in on_card],
        "knowledge_version": explanation["knowledgeVersion"],
        "marks": visit and [mark_of(one, visit.key) for one in on_card],
    }
