"""Keeping feedback: each word once, and durably before it is answered (FB-01)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Row, false, insert, select

from server.feedback.items import Item
from server.feedback.once import insert_once
from server.feedback.snoozes import Word, renew_snoozes
from server.observing.counting import count_feedback
from server.observing.logs import logger
from server.store.tables import cards_shown, feedback, feedback_comments
from server.store.transactions import transaction
from server.trust.clients import Caller

_log = logger("feedback")


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of a batch.

    Args:
        new: items that were not there yet.
        repeated: items that were.
        unknown: new items on cards that we have not shown to this client by this service; kept too (F-9, FB-03).
    """

    new: int
    repeated: int
    unknown: int


def keep(database: Engine, caller: Caller, service: str, items: Sequence[Item], now: int) -> Kept:
    """Write down a batch, all of it or nothing.

    Args:
        database: the store.
        caller: who sent it.
        service: id of the service that it was sent to.
        items: what became of which card.
        now: seconds since 1970.

    Raises:
        StoreError: the database cannot be used; nothing was kept.
    """
    client = caller.client
    # Always in the same order, so that two transactions with the same items wait for each other but never in a circle.
    in_order = sorted(items, key=lambda item: (item.card, item.outcome, item.outcome_at))
    with transaction(database) as connection:
        new = [item for item in in_order if _is_new(connection, client.name, service, item, now)]
        shown = _shown(connection, client.name, service, new)
        patients = sorted({row.patient for row in shown.values()})
        words = renew_snoozes(connection, client, patients, now) if patients else []
    _write_log(client.name, service, new, shown, words, now)
    return Kept(len(new), len(items) - len(new), sum(item.card not in shown for item in new))


def _is_new(connection: Connection, client: str, service: str, item: Item, now: int) -> bool:
    """Insert an item unless it is there; whether it was not."""
    row = {
        "client": client,
        "service": service,
        "card": item.card,
        "outcome": item.outcome,
        "outcome_at": item.outcome_at,
        "suggestions": item.suggestions,
        "reason_system": item.reason and item.reason.system,
        "reason_code": item.reason and item.reason.code,
        "received_at": now,
    }
    added = connection.scalar(insert_once(connection, feedback).values(row).returning(feedback.c.id))
    if added is not None and item.comment:
        comment = {"feedback": added, "comment": item.comment.text, "is_cut": item.comment.is_cut}
        connection.execute(insert(feedback_comments).values(comment))
    return added is not None


def _shown(connection: Connection, client: str, service: str, items: Sequence[Item]) -> Mapping[str, Row[Any]]:
    """Those of the cards that we know, by uuid."""
    known = select(cards_shown).where(
        cards_shown.c.client == client,
        cards_shown.c.service == service,
        cards_shown.c.card.in_({item.card for item in items}),
        cards_shown.c.is_shadow == false(),
    )
    return {row.card: row for row in connection.execute(known)}


def _write_log(
    client: str, service: str, new: Sequence[Item], shown: Mapping[str, Row[Any]], words: Sequence[Word], now: int
) -> None:
    """One line for each card of ours, so that one can go from a card to what became of it (conformance L-4)."""
    for item in new:
        if card := shown.get(item.card):
            count_feedback(item.outcome, card.recommendations)
            _log.info(
                "feedback",
                client=client,
                service=service,
                card=item.card,
                topic=card.topic,
                outcome=item.outcome,
                recommendations=len(card.recommendations),
            )
    just_said = {item.card for item in new}
    for word in words:
        if word.card in just_said and word.until > now:
            _log.info("snoozed", client=client, card=word.card, recommendations=len(word.recommendations), days=word.days)
