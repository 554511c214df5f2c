"""Whether the database can be written, which only writing tells (DB-02, DB-04)."""

import math
import time
from collections.abc import Callable
from threading import Lock
from uuid import uuid4

from sqlalchemy import Engine, delete, insert

from server.store.errors import StoreError
from server.store.tables import installation
from server.store.transactions import transaction

CHECKED_SECONDS = 5.0
"""So long one attempt counts: whoever watches over the service may ask often."""

_VALUE = "x" * 16_384  # finds its place on no page that is half empty already


def try_writing(engine: Engine) -> None:
    """Write a row and delete it again, in one transaction that is committed: it reaches the disk, and leaves nothing there.

    Raises:
        StoreError: the database cannot be written: unreachable, locked, full or read-only.
    """
    name = f"check {uuid4()}"
    with transaction(engine) as connection:
        connection.execute(insert(installation).values(name=name, value=_VALUE))
        connection.execute(delete(installation).where(installation.c.name == name))


class WriteCheck:
    """Tells whether a database can be written, by trying once in a few seconds."""

    def __init__(self, engine: Engine, clock: Callable[[], float] = time.monotonic) -> None:
        """Nothing has been tried yet.

        Args:
            engine: the database.
            clock: seconds that never go back.
        """
        self._engine = engine
        self._clock = clock
        self._trying = Lock()
        self._tried_at = -math.inf
        self._can_write = False

    def can_write(self) -> bool:
        """What the last attempt came to; while another thread tries, nobody else waits."""
        if self._clock() >= self._tried_at + CHECKED_SECONDS and self._trying.acquire(blocking=False):
            try:
                self._can_write = _can_write(self._engine)
                self._tried_at = self._clock()
            finally:
                self._trying.release()
        return self._can_write


def _can_write(engine: Engine) -> bool:
    try:
        try_writing(engine)
    except StoreError:
        return False
    return True
