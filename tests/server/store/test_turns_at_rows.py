"""Threads that all want one row of PostgreSQL: each has its turn, however many they are, and an outage ends the queue at once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from time import monotonic, sleep

import pytest
from sqlalchemy import Engine, create_engine

from server.auditing.appending import locked_head
from server.store.errors import StoreError
from server.store.outage import ALONE_SECONDS, LeftAloneError, outage_of
from server.store.postgresql import STATEMENT_SECONDS
from server.store.row_turns import row_turn
from server.store.transactions import transaction

THREADS = 12
HELD_SECONDS = 1.2 * STATEMENT_SECONDS / THREADS
"""Together they hold the row for longer than a statement may wait for it."""


def hold(engine: Engine, seconds: float) -> None:
    """What each call does with the chain of its client."""
    with row_turn(engine, "hospital") as turn, transaction(engine) as connection:
        turn.take()
        locked_head(connection, "hospital")
        sleep(seconds)


@pytest.mark.requirement("DB-03", "AUD-01")
def test_a_queue_longer_than_a_statement_may_wait_refuses_nobody(database: Engine) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda _: hold(database, HELD_SECONDS), range(THREADS)))


@pytest.mark.requirement("DB-02")
def test_who_waited_while_the_database_went_away_hears_so_at_once() -> None:
    engine, held, let_go = create_engine("postgresql+psycopg://"), Event(), Event()  # which is never connected to

    def first() -> None:
        with row_turn(engine, "hospital") as turn:
            turn.take()
            held.set()
            assert let_go.wait(10)
            sleep(0.3)  # by now the other one waits
            outage_of(engine).noticed()

    def second() -> float:
        with row_turn(engine, "hospital") as turn:
            assert held.wait(10)
            let_go.set()
            with pytest.raises(StoreError) as refused:
                turn.take()
            assert isinstance(refused.value.__cause__, LeftAloneError)
        return monotonic()

    with ThreadPoolExecutor(2) as pool:
        began = monotonic()
        pool.submit(first)
        assert pool.submit(second).result() - began < ALONE_SECONDS


def test_a_turn_that_was_taken_is_not_waited_for_again_and_ends_with_its_context(database: Engine) -> None:
    for _ in range(2):
        with row_turn(database, "hospital") as turn:
            turn.take()
            turn.take()
    with row_turn(database, "hospital") as turn, row_turn(database, "clinic") as other:
        turn.take()
        other.take()
