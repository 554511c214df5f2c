"""Writers take turns: at an SQLite file, and at a row of PostgreSQL that many of one process want to lock.

SQLite lets a writer that finds the file locked sleep and look again, with no queue, and each time for longer: of sixteen threads
that write at once some wait for two seconds and are then refused, while others have come and gone; of two processes that write
all the time, one sleeps where the other has long been done. So threads queue at a lock of their process, and processes at a file
beside the database, which the system unlocks when its holder is killed, and at which they look again every half millisecond.
Whoever does not know of it (a tool of SQLite's) is still waited for as SQLite does it. PostgreSQL has a queue, and counts the
time in it as time of the statement: sixteen busy threads, of which each needs a moment between lock and commit, would be refused
for nothing but that.
"""

import fcntl
import os
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock, RLock
from time import monotonic, sleep
from weakref import WeakKeyDictionary

from sqlalchemy import Engine

from server.interpreter import turn_to_compute
from server.observing.figures import DATABASE_TROUBLE
from server.store.deadline import TRANSACTION_SECONDS, within
from server.store.errors import StoreError
from server.store.outage import LeftAloneError, outage_of
from server.store.sqlite import BUSY_SECONDS, file_of

BESIDE = "-turn"
"""What is added to the name of the database: the file that its writers queue at, and that nothing is ever written into."""

_BETWEEN_LOOKS = 0.0005

_QUEUES: "WeakKeyDictionary[Engine, _Queue]" = WeakKeyDictionary()
_ROWS: "WeakKeyDictionary[Engine, defaultdict[str, Lock]]" = WeakKeyDictionary()


@contextmanager
def turn(engine: Engine) -> Iterator[None]:
    """Wait until nobody else writes into the same SQLite file; PostgreSQL needs no turns.

    Raises:
        StoreError: it took too long.
    """
    if engine.dialect.name != "sqlite":
        yield
        return
    queue = _QUEUES.get(engine) or _QUEUES.setdefault(engine, _Queue(file_of(engine.url)))
    until = monotonic() + BUSY_SECONDS
    if not queue.threads.acquire(timeout=BUSY_SECONDS):
        raise _too_late()
    try:
        with turn_to_compute():
            queue.take_among_processes(until)
            try:
                yield
            finally:
                queue.leave_to_processes()
    finally:
        queue.threads.release()


@dataclass(slots=True)
class _Queue:
    """Where those who write into one file wait.

    Args:
        file: the database; None in memory.
        threads: the queue within this process. A thread that has its turn may ask again.
        depth: how often it has asked.
        descriptor: of the file beside the database, while it is locked.
    """

    file: Path | None
    threads: RLock = field(default_factory=RLock)
    depth: int = 0
    descriptor: int | None = None

    def take_among_processes(self, until: float) -> None:
        """Lock the file; only the thread that has its turn within the process may call it."""
        if self.depth == 0 and self.file:
            self.descriptor = _opened(self.file)
            while self.descriptor is not None and not _is_locked(self.descriptor):
                if monotonic() > until:
                    self._close()
                    raise _too_late()
                sleep(_BETWEEN_LOOKS)
        self.depth += 1

    def leave_to_processes(self) -> None:
        """Unlock the file, if nobody further out in this thread needs it."""
        self.depth -= 1
        if self.depth == 0:
            self._close()

    def _close(self) -> None:
        if self.descriptor is not None:
            os.close(self.descriptor)  # which unlocks it
            self.descriptor = None


def _opened(file: Path) -> int | None:
    """Anew for each turn: a lock belongs to whoever opened the file, and to all processes forked from it."""
    try:
        return os.open(f"{file}{BESIDE}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        return None  # the database itself will say what is wrong with its folder


def _is_locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


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
        if self._is_taken:
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
