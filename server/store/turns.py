"""Writers of one process take turns at an SQLite file.

SQLite lets a writer that finds the file locked sleep and look again, with no queue: of sixteen threads that write at once some
wait for two seconds and are then refused, while others have come and gone. A lock of this process has a queue; another process,
of which there are few, is still waited for as SQLite does it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock
from weakref import WeakKeyDictionary

from sqlalchemy import Engine

from server.observing.figures import DATABASE_TROUBLE
from server.store.errors import StoreError
from server.store.sqlite import BUSY_SECONDS

_LOCKS: "WeakKeyDictionary[Engine, RLock]" = WeakKeyDictionary()


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
