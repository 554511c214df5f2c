"""What goes wrong in a transaction is one kind of error, comes soon, and tells no value."""

import os
import signal
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from time import monotonic

import pytest
from sqlalchemy import Connection, Engine, func, insert, select, text
from sqlalchemy.exc import IntegrityError

from server.store.errors import StoreError
from server.store.hurried import ANSWER_SECONDS
from server.store.postgresql import CONNECT_SECONDS, STATEMENT_SECONDS
from server.store.tables import feedback_comments, installation
from server.store.transactions import transaction
from tests.postgresql import PostgresqlServer
from tests.server.store.rows import count

ON_POSTGRESQL = pytest.mark.parametrize("empty_database_url", ["postgresql"], indirect=True)
SPARE_SECONDS = 5  # for a busy machine


@contextmanager
def halted(process: int) -> Iterator[None]:
    """A process that neither goes on nor ends: to others it is as if the network lost everything."""
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def server_process(connection: Connection) -> int:
    return int(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())


def test_all_of_a_transaction_is_kept_or_nothing(database: Engine) -> None:
    def add(*names: str) -> None:
        with transaction(database) as connection:
            for name in names:
                connection.execute(insert(installation).values(name=name, value=""))

    with pytest.raises(IntegrityError):
        add("a", "b", "a")
    assert count(database, installation) == 0


def test_a_constraint_is_left_to_the_caller(database: Engine) -> None:
    with pytest.raises(IntegrityError), transaction(database) as connection:
        connection.execute(insert(feedback_comments).values(feedback=1, comment="", is_cut=False))


@pytest.mark.requirement("LOG-02", "LOG-07")
def test_an_error_tells_no_value(database: Engine) -> None:
    values = {"comment": "words that name somebody"}
    with pytest.raises(StoreError) as caught, transaction(database) as connection:
        connection.execute(text("INSERT INTO nowhere VALUES (:comment)"), values)
    assert "words" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.requirement("DB-03")
@ON_POSTGRESQL
def test_a_slow_statement_is_ended_by_the_server(database: Engine) -> None:
    began = monotonic()
    with pytest.raises(StoreError), transaction(database) as connection:
        connection.execute(select(func.pg_sleep(60)))
    assert STATEMENT_SECONDS <= monotonic() - began < STATEMENT_SECONDS + SPARE_SECONDS
    assert count(database, installation) == 0


@pytest.mark.requirement("DB-02")
@ON_POSTGRESQL
def test_a_connection_that_went_silent_is_given_up_and_replaced(database: Engine) -> None:
    with database.connect() as connection:
        silent = server_process(connection)
    with halted(silent):
        began = monotonic()
        with transaction(database) as connection:  # the pool tries the silent one first
            assert server_process(connection) != silent
        assert monotonic() - began < ANSWER_SECONDS + SPARE_SECONDS


@pytest.mark.requirement("DB-02")
@ON_POSTGRESQL
def test_a_connection_that_goes_silent_is_given_up(database: Engine) -> None:
    began = monotonic()
    with pytest.raises(StoreError), transaction(database) as connection, halted(server_process(connection)):
        connection.execute(select(1))
    assert ANSWER_SECONDS <= monotonic() - began < ANSWER_SECONDS + SPARE_SECONDS
    assert count(database, installation) == 0


@pytest.mark.requirement("DB-02")
@ON_POSTGRESQL
def test_a_server_that_takes_no_connection_is_given_up(database: Engine, postgresql: PostgresqlServer) -> None:
    database.dispose()
    assert postgresql.process is not None
    with halted(postgresql.process.pid):
        began = monotonic()
        with pytest.raises(StoreError), transaction(database):
            pass
        assert monotonic() - began < CONNECT_SECONDS + SPARE_SECONDS
    assert count(database, installation) == 0


@pytest.mark.requirement("DB-02")
def test_when_every_connection_is_taken_nobody_waits_for_ever(database: Engine) -> None:
    def take(many: int) -> None:
        with ExitStack() as taken:
            for _ in range(many):
                taken.enter_context(transaction(database))

    began = monotonic()
    with pytest.raises(StoreError):
        take(100)
    assert monotonic() - began < CONNECT_SECONDS + SPARE_SECONDS
    assert count(database, installation) == 0
