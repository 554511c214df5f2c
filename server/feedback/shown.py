"""Which cards were shown, so that feedback on a card can be counted for what it said."""

import time
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, and_

from cards.show import Show, word_on
from cards.to_cards import EXPLANATION
from server.evaluation import Evaluation
from server.feedback.once import insert_once
from server.store.tables import cards_shown, feedback
from server.trust.clients import Caller

FEEDBACK_ON_CARD = and_(
    feedback.c.client == cards_shown.c.client,
    feedback.c.service == cards_shown.c.service,
    feedback.c.card == cards_shown.c.card,
)
"""Which feedback is on which card: that of the client that was shown it, sent to the service that showed it (FB-03)."""


def remember_cards(connection: Connection, caller: Caller, service: str, patient: str, evaluation: Evaluation) -> None:
    """Write down the cards of one answer; a card that is there already (the same hook instance again) stays as it is.

    A call can do without it (`server.auditing.trail`): a figure that lacks the cards costs no patient anything. Feedback on them
    will then be on unknown cards, and silence nothing.

    Args:
        connection: within a transaction.
        caller: who is answered.
        service: id of the service.
        patient: pseudonym.
        evaluation: what is answered.
    """
    if not evaluation.cards:
        return
    same = {"client": caller.client.name, "service": service, "patient": patient, "shown_at": int(time.time())}
    names = {one.id: word_on(one) for one in evaluation.recommendations}
    rows = [same | _row(card, names) for card in evaluation.cards]
    connection.execute(insert_once(connection, cards_shown).values(rows))


def fate_of_advice(evaluation: Evaluation, show: Show) -> dict[str, object]:
    """For the line of the log: which cards are shown, by their uuids, and how much advice is left out because it is silenced.

    Args:
        evaluation: what is answered.
        show: what was left out.
    """
    said = {name for card in evaluation.cards for name in card["extension"][EXPLANATION]["recommendations"]}
    quiet = {one.id for one in evaluation.recommendations if one.is_worth_a_card and show.is_quiet_about(one)} - said
    shown = {"shown": [card["uuid"] for card in evaluation.cards]} if evaluation.cards else {}
    return shown | {"silenced": len(quiet)}


def _row(card: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    explanation = card["extension"][EXPLANATION]
    return {
        "card": card["uuid"],
        "topic": card["source"]["topic"]["code"],
        "indicator": card["indicator"],
        "recommendations": [names[name] for name in explanation["recommendations"]],
        "knowledge_version": explanation["knowledgeVersion"],
    }
