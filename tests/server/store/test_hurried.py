"""An exchange with PostgreSQL ends in time; an answer that has come is taken, however late its reader looks (DB-02)."""

from collections.abc import Generator
from typing import Any

import pytest
from psycopg import OperationalError
from psycopg.waiting import Wait

from server.store import hurried
from server.store.hurried import ANSWER_SECONDS, HurriedConnection


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Noted:
    """What of a connection an exchange uses."""

    is_closed = False

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(hurried, "monotonic", clock)
    monkeypatch.setattr(hurried, "within", lambda seconds: clock() + seconds)
    return clock


def answer_in(pieces: int) -> Generator[Wait, Any, str]:
    """An answer that comes in so many pieces."""
    while pieces:
        pieces -= bool((yield Wait.R))
    return "all of it"


def exchanged(connection: Noted, clock: Clock, pieces: int, seconds: float) -> str:
    """The answer, of which a piece comes every so many seconds."""
    exchange = HurriedConnection._in_time(connection, answer_in(pieces))  # type: ignore[arg-type]
    next(exchange)
    try:
        while True:
            clock.now += seconds
            exchange.send(Wait.R)  # type: ignore[arg-type]
    except StopIteration as end:
        return str(end.value)


def test_an_answer_that_comes_in_time_is_taken(clock: Clock) -> None:
    connection = Noted()
    assert exchanged(connection, clock, 10, ANSWER_SECONDS / 20) == "all of it"
    assert not connection.is_closed


def test_an_answer_that_has_come_is_taken_by_a_process_that_stood_still_meanwhile(clock: Clock) -> None:
    connection = Noted()
    assert exchanged(connection, clock, 1, 10 * ANSWER_SECONDS) == "all of it"
    assert not connection.is_closed


def test_an_answer_that_comes_in_pieces_is_not_waited_for_for_ever(clock: Clock) -> None:
    connection = Noted()
    with pytest.raises(OperationalError, match="does not answer"):
        exchanged(connection, clock, 10_000, ANSWER_SECONDS / 100)
    assert connection.is_closed
    assert clock.now <= 1.02 * ANSWER_SECONDS


def test_when_the_time_is_over_nothing_is_sent_any_more(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hurried, "within", lambda _: -1.0)
    connection, began = Noted(), []

    def statement() -> Generator[Wait, Any, str]:
        began.append(True)
        yield Wait.R
        return "done"

    with pytest.raises(OperationalError, match="does not answer"):
        next(HurriedConnection._in_time(connection, statement()))  # type: ignore[arg-type]
    assert (began, connection.is_closed) == ([], True)


def test_a_silent_server_is_given_up(clock: Clock) -> None:
    connection = Noted()
    exchange = HurriedConnection._in_time(connection, answer_in(1))  # type: ignore[arg-type]
    next(exchange)
    clock.now += ANSWER_SECONDS / 2
    exchange.send(None)  # type: ignore[arg-type]
    clock.now += ANSWER_SECONDS
    with pytest.raises(OperationalError, match="does not answer"):
        exchange.send(None)  # type: ignore[arg-type]
    assert connection.is_closed
