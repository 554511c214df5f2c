"""Writers take turns: at an SQLite file, and at a row of PostgreSQL that many of one process want to lock.

SQLite lets a writer that finds the file locked sleep and look again, with no queue, and each time for longer: of sixteen threads
that write at once some wait for two seconds and are then refused, while others have come and gone; of two processes that write
all the time, one sleeps where the other has long been done. So writers take turns at a lock of their process and at a file beside
the database, which the system unlocks when its holder is killed; they look again every half millisecond. Whoever does not know of
that file (a tool of SQLite's) is still waited for as SQLite does it.

PostgreSQL has a queue, and counts the time in it as time of the statement: sixteen busy threads, of which each needs a moment
between lock and commit, would be refused for nothing but that.
"""

import fcntl
import os
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from errno import errorcode
from functools import cache
from pathlib import Path
from threading import Lock, RLock
from time import monotonic, sleep
from weakref import WeakKeyDictionary

from sqlalchemy import Engine

from server.interpreter import turn_to_compute
from server.observing.figures import DATABASE_TROUBLE
from server.observing.logs import logger
from server.store.deadline import TRANSACTION_SECONDS, within
from server.store.errors import StoreError
from server.store.outage import LeftAloneError, outage_of
from server.store.sqlite import BUSY_SECONDS, file_of

BESIDE = "-turn"
"""What is added to the name of the database: the file that its writers lock, and that nothing is ever written into."""

_BETWEEN_LOOKS = 0.0005

_log = logger("store")

_PLACES: "WeakKeyDictionary[Engine, _Place]" = WeakKeyDictionary()
_ROWS: "WeakKeyDictionary[Engine, defaultdict[str, Lock]]" = WeakKeyDictionary()


@contextmanager
def turn(engine: Engine) -> Iterator[None]:
    """Wait until nobody else writes into the same SQLite file; PostgreSQL needs no turns.

    Whoever finds the file taken gives its turn to compute back before it looks again: those who evaluate need not wait for it.

    Raises:
        StoreError: others have written for `BUSY_SECONDS`.
    """
    if engine.dialect.name != "sqlite":
        yield
        return
    place = _PLACES.get(engine) or _PLACES.setdefault(engine, _Place(file_of(engine.url)))
    until: float | None = None
    while True:
        with turn_to_compute():
            until = until or monotonic() + BUSY_SECONDS  # waiting for those who evaluate is not waiting for those who write
            if place.try_to_take():
                try:
                    yield
                finally:
                    place.leave()
                return
        if monotonic() > until:
            raise _too_late()
        sleep(_BETWEEN_LOOKS)


@dataclass(slots=True)
class _Place:
    """Where one writes into a file at a time.

    Args:
        file: the database; None in memory.
        thread: the one that writes. It may ask again.
        depth: how often it has asked.
        descriptor: of the file beside the database, while it is locked.
    """

    file: Path | None
    thread: RLock = field(default_factory=RLock)
    depth: int = 0
    descriptor: int | None = None

    def try_to_take(self) -> bool:
        """Whether it was free, and is now this thread's."""
        if not self.thread.acquire(blocking=False):
            return False
        if self.depth == 0 and self.file and not self._try_to_lock(self.file):
            self.thread.release()
            return False
        self.depth += 1
        return True

    def leave(self) -> None:
        """Let others have it, if nobody further out in this thread needs it."""
        self.depth -= 1
        if self.depth == 0:
            self._close()
        self.thread.release()

    def _try_to_lock(self, file: Path) -> bool:
        """Lock the file beside the database, opened anew: a lock belongs to all processes forked from whoever opened it.

        Where there can be none, SQLite's own waiting has to do.
        """
        try:
            self.descriptor = os.open(f"{file}{BESIDE}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._close()
            return False
        except OSError as error:
            self._close()
            _say_once(f"{file}{BESIDE}", errorcode.get(error.errno or 0, "OSError"))
        return True

    def _close(self) -> None:
        if self.descriptor is not None:
            os.close(self.descriptor)  # which unlocks it
            self.descriptor = None


@cache
def _say_once(file: str, error: str) -> None:
    _log.warning("no_turns_among_processes", error=error)


def _too_late() -> StoreError:
    DATABASE_TROUBLE.inc()
    return StoreError("the database cannot be used now (others write)")


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
            raise _too_late()
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
