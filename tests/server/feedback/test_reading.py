"""Whoever reads what was shown and said waits for nobody who writes."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from sqlalchemy import Engine, insert

from cards.told import Told
from server.cds_hooks.services import SERVICES
from server.feedback.history import Period, shadow_calls_of, shown_cards, unknown_cards
from server.feedback.snoozes import silenced
from server.feedback.visits import Visit, told_in
from server.smart.app_context import focus_of
from server.store.tables import cards_shown, feedback, installation, shadow_calls, snoozes
from server.store.transactions import transaction
from server.trust.clients import Caller, Client
from tests.server.store.rows import add

EHR = Client("ehr")
PATIENT = "0" * 64
CARD = "7d0e9f6c-51f5-4a0c-9c11-5d2f2d8d6d36"
VISIT = Visit("visit", b"key")
SIGN = SERVICES["myositis-order-sign"]


@dataclass(frozen=True, slots=True)
class Reader:
    """One of those who read.

    Args:
        read: asks the database.
        finds: what is there.
    """

    read: Callable[[Engine], object]
    finds: object


READERS = {
    "silenced": Reader(lambda database: silenced(database, Caller(EHR), PATIENT), frozenset(["MYO-REC-1"])),
    "told": Reader(lambda database: told_in(VISIT, database, Caller(EHR), SIGN, PATIENT), Told(VISIT.key, frozenset(["mark"]))),
    "focus": Reader(lambda database: focus_of(CARD, EHR, frozenset([PATIENT]), database), ("MYO-REC-1",)),
    "cards shown": Reader(lambda database: len([*shown_cards(database, Period())]), 1),
    "shadow calls": Reader(lambda database: len([*shadow_calls_of(database, Period())]), 1),
    "unknown cards": Reader(lambda database: len([*unknown_cards(database, Period())]), 1),
}


@pytest.mark.requirement("DB-05")
def test_nobody_who_reads_waits_for_a_writer_however_long_it_takes(database: Engine) -> None:
    now = int(time.time())
    add(database, snoozes, {"recommendation": "MYO-REC-1", "until": now + 60})
    shown = {"card": CARD, "recommendations": ["MYO-REC-1"], "marks": ["mark"], "encounter": VISIT.id, "shown_at": now}
    add(database, cards_shown, shown)
    add(database, shadow_calls, {})
    add(database, feedback, {"card": "unknown"})
    with ThreadPoolExecutor(len(READERS)) as pool, transaction(database) as writer:
        writer.execute(insert(installation).values(name="not yet committed", value=""))
        found = {name: pool.submit(reader.read, database) for name, reader in READERS.items()}
        assert {name: one.result() for name, one in found.items()} == {name: reader.finds for name, reader in READERS.items()}
