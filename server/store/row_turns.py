"""Threads take turns at a row of PostgreSQL that many of one process want to lock.

PostgreSQL has a queue, and counts the time in it as time of the statement: sixteen busy threads, of which each needs a moment
between lock and commit, would be refused for nothing but that.
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from time import monotonic
from weakref import WeakKeyDictionary

from sqlalchemy import Engine

from server.store.deadline import TRANSACTION_SECONDS, within
from server.store.errors import StoreError
from server.store.outage import LeftAloneError, outage_of
from server.store.turns import too_late

_ROWS: "WeakKeyDictionary[Engine, defaultdict[str, Lock]]" = WeakKeyDictionary()


class RowTurn:
    """A thread's turn at one row; it begins when `take` is called and ends with the context, which outlasts the transaction."""

    def __init__(self, engine: Engine, lock: Lock) -> None:
        """Not taken yet.

        Args:
            engine: the database.
            lock: of the row.
        """
        self._engine = engine
        self._lock = lock
        self._is_taken = False

    def take(self) -> None:
        """Wait until no other thread has its turn; within a transaction, before the row is locked. Again, it does nothing.

        Raises:
            StoreError: it took too long, or those who waited before found that the database does not answer.
        """
        if self._is_taken or self._engine.dialect.name == "sqlite":  # there, nobody else has the file
            return
        has_waited = not self._lock.acquire(blocking=False)
        if has_waited and not self._lock.acquire(timeout=max(0.0, within(TRANSACTION_SECONDS) - monotonic())):
            raise too_late()
        self._is_taken = True
        if has_waited and not outage_of(self._engine).lets_through():
            raise StoreError("the database did not answer a moment ago") from LeftAloneError()

    def end(self) -> None:
        """Let the next one."""
        if self._is_taken:
            self._is_taken = False
            self._lock.release()


@contextmanager
def row_turn(engine: Engine, row: str) -> Iterator[RowTurn]:
    """A turn to be taken at a row that every call of a client locks.

    Args:
        engine: the database.
        row: which; of a small set.
    """
    turn_at_row = RowTurn(engine, _ROWS.setdefault(engine, defaultdict(Lock))[row])
    try:
        yield turn_at_row
    finally:
        turn_at_row.end()
