"""Writers of one process take turns: at an SQLite file, and at a row of PostgreSQL that many of them want to lock.

SQLite lets a writer that finds the file locked sleep and look again, with no queue: of sixteen threads that write at once some
wait for two seconds and are then refused, while others have come and gone. A lock of this process has a queue; another process,
of which there are few, is still waited for as SQLite does it. PostgreSQL has a queue, and counts the time in it as time of the
statement: sixteen busy threads, of which each needs a moment between lock and commit, would be refused for nothing but that.
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, RLock
from time import monotonic
from weakref import WeakKeyDictionary

from sqlalchemy import Engine

from server.observing.figures import DATABASE_TROUBLE
from server.store.deadline import TRANSACTION_SECONDS, within
from server.store.errors import StoreError
from server.store.outage import LeftAloneError, outage_of
from server.store.sqlite import BUSY_SECONDS

_LOCKS: "WeakKeyDictionary[Engine, RLock]" = WeakKeyDictionary()
_ROWS: "WeakKeyDictionary[Engine, defaultdict[str, Lock]]" = WeakKeyDictionary()


@contextmanager
def turn(engine: Engine) -> Iterator[None]:
    """Wait until no other thread writes into the same SQLite file; PostgreSQL needs no turns.

    Raises:
        StoreError: it took too long.
    """
    if engine.dialect.name != "sqlite":
        yield
        return
    lock = _LOCKS.setdefault(engine, RLock())
    if not lock.acquire(timeout=BUSY_SECONDS):
        DATABASE_TROUBLE.inc()
        raise StoreError("the database cannot be used now (others write)")
    try:
        yield
    finally:
        lock.release()


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
        if self._is_taken:
            return
        has_waited = not self._lock.acquire(blocking=False)
        if has_waited and not self._lock.acquire(timeout=max(0.0, within(TRANSACTION_SECONDS) - monotonic())):
            DATABASE_TROUBLE.inc()
            raise StoreError("the database cannot be used now (others write)")
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
