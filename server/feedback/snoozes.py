"""Advice that a clinician asked to be quiet about, for one patient and a bounded time.

The table is computed from the feedback: the latest word on a recommendation counts, so the order in which feedback arrives, and
how often, makes no difference. Never a word on a critical card; and `Show` decides what stays said all the same.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Engine, Row, and_, bindparam, delete, select

from cards.override_reasons import quiet_days
from server.feedback.latest import latest, seconds_of
from server.feedback.once import insert_once
from server.feedback.shown import FEEDBACK_ON_CARD
from server.feedback.trouble import log_trouble
from server.store.errors import StoreError
from server.store.tables import cards_shown, feedback, snoozes
from server.store.transactions import reading
from server.trust.clients import Caller, Client

_DAY = 86_400

_QUIET = select(snoozes.c.recommendation).where(
    snoozes.c.client == bindparam("of_client"), snoozes.c.patient == bindparam("of_patient"), snoozes.c.until > bindparam("now")
)
"""Built once: every call asks it."""


@dataclass(frozen=True, slots=True)
class Word:
    """What a clinician's latest feedback on a card means for its recommendations.

    Args:
        patient: pseudonym.
        card: its uuid.
        recommendations: ids.
        said_at: `Item.outcome_at`.
        days: how long to be quiet; 0 to speak again, since the card was accepted.
        until: seconds since 1970; 0 where it is not to be quiet.
    """

    patient: str
    card: str
    recommendations: tuple[str, ...]
    said_at: str
    days: int = 0
    until: int = 0


def silenced(database: Engine, caller: Caller, patient: str) -> frozenset[str]:
    """Ids of the recommendations that are quiet now; none where the database is in trouble: advice is then repeated, not lost.

    Args:
        database: the store.
        caller: who asks.
        patient: pseudonym.
    """
    if not caller.client.snooze_days:
        return frozenset()
    whose = {"of_client": caller.client.name, "of_patient": patient, "now": int(time.time())}
    try:
        with reading(database) as connection:
            return frozenset(connection.scalars(_QUIET, whose))
    except StoreError as error:
        log_trouble(error, "silenced")
        return frozenset()


def quiet_until(words: Iterable[Word]) -> dict[str, int]:
    """Until when each recommendation is quiet, for one patient.

    Args:
        words: the latest on each card, in any order.

    Returns:
        Seconds since 1970 by recommendation id. Of two words at the same moment the one for less silence counts.
    """
    deciding: dict[str, Word] = {}
    for word in words:
        for name in word.recommendations:
            other = deciding.get(name, word)
            deciding[name] = max(word, other, key=lambda one: (one.said_at, -one.until))
    return {name: word.until for name, word in deciding.items() if word.until}


def renew_snoozes(connection: Connection, client: Client, patients: Sequence[str], now: int) -> list[Word]:
    """Compute anew what is quiet for some patients, within a transaction that has just kept feedback on their cards.

    Args:
        connection: in a transaction.
        client: whose feedback it was.
        patients: pseudonyms.
        now: seconds since 1970.

    Returns:
        The words that count.
    """
    theirs = and_(cards_shown.c.client == client.name, cards_shown.c.patient.in_(patients))
    # On PostgreSQL two transactions about one patient take turns; SQLite has one writer anyway.
    connection.execute(select(cards_shown.c.card).where(theirs).order_by(cards_shown.c.card).with_for_update())
    words = _words(connection, client, theirs)
    connection.execute(delete(snoozes).where(snoozes.c.client == client.name, snoozes.c.patient.in_(patients)))
    rows = [
        {"client": client.name, "patient": patient, "recommendation": name, "until": until}
        for patient in sorted(patients)
        for name, until in sorted(quiet_until(word for word in words if word.patient == patient).items())
        if until > now
    ]
    if rows:
        connection.execute(insert_once(connection, snoozes), rows)
    return words


def _words(connection: Connection, client: Client, theirs: Any) -> list[Word]:
    said = select(cards_shown, feedback).join(feedback, FEEDBACK_ON_CARD).where(theirs).order_by(cards_shown.c.card)
    by_card = groupby(connection.execute(said), key=lambda row: row.card)
    words = (_word(latest(rows), client) for _, rows in by_card)
    return [word for word in words if word is not None]


def _word(row: Row[Any], client: Client) -> Word | None:
    recommendations = tuple(row.recommendations)
    if row.outcome == "accepted":
        return Word(row.patient, row.card, recommendations, row.outcome_at)
    system = row.reason_system and "".join(row.reason_system.split())  # one EHR is seen to put a space into it (F-8)
    days = min(quiet_days(system, row.reason_code, row.topic, row.indicator), client.snooze_days)
    if not days:
        return None
    # From the earlier of the two clocks, so that neither a late delivery nor a clock that is fast makes it longer.
    until = min(seconds_of(row.outcome_at), row.received_at) + days * _DAY
    return Word(row.patient, row.card, recommendations, row.outcome_at, days, until)
