"""Writers take turns at an SQLite file.

SQLite lets a writer that finds the file locked sleep and look again, with no queue, and each time for longer: of sixteen threads
that write at once some wait for two seconds and are then refused, while others have come and gone; of two processes that write
all the time, one sleeps where the other has long been done. So the writers of a process have a queue, and the first of it locks a
file beside the database, which the system unlocks when its holder is killed; it looks again every half millisecond. Whoever does
not know of that file (a tool of SQLite's) is still waited for as SQLite does it.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from errno import errorcode
from functools import cache
from pathlib import Path
from threading import Lock
from time import monotonic, sleep
from weakref import WeakKeyDictionary

from sqlalchemy import Engine

from server.interpreter import turn_to_write
from server.observing.figures import DATABASE_TROUBLE
from server.observing.logs import logger
from server.store.deadline import within
from server.store.errors import StoreError
from server.store.sqlite import BUSY_SECONDS, file_of, turn_file

_BETWEEN_LOOKS = 0.0005
_MOMENT = 0.002  # about as long as another process writes; after it somebody evaluates before the next look

_log = logger("store")

_PLACES: "WeakKeyDictionary[Engine, _Place]" = WeakKeyDictionary()


@contextmanager
def turn(engine: Engine) -> Iterator[Callable[[], None]]:
    """Wait until nobody else writes into the same SQLite file; PostgreSQL needs no turns.

    Yields:
        What is to be called when everything was said, before it is flushed to the disk: nobody who evaluates need wait for that.

    Raises:
        StoreError: others have written for `BUSY_SECONDS`.
    """
    if engine.dialect.name != "sqlite":
        yield _nothing
        return
    place = _PLACES.get(engine) or _PLACES.setdefault(engine, _Place(file_of(engine.url)))
    until = within(BUSY_SECONDS)
    with place.queue(until):
        while True:
            with ExitStack() as computing:
                computing.enter_context(turn_to_write())
                if place.lock(min(until, monotonic() + _MOMENT)):
                    try:
                        yield computing.close
                    finally:
                        place.unlock()
                    return
            if monotonic() >= until:
                raise too_late()
            sleep(_BETWEEN_LOOKS)


def too_late() -> StoreError:
    """What is raised when others have written for too long; it is counted."""
    DATABASE_TROUBLE.inc()
    return StoreError("the database cannot be used now (others write)")


@dataclass(slots=True)
class _Place:
    """Where one writes into a file at a time.

    Args:
        file: the database; None in memory.
        thread: the one that writes, or is the next of this process.
        descriptor: of the file beside the database, while it is locked.
    """

    file: Path | None
    thread: Lock = field(default_factory=Lock)
    descriptor: int | None = None

    @contextmanager
    def queue(self, until: float) -> Iterator[None]:
        """Become the one of this process that may lock the file."""
        if not self.thread.acquire(timeout=max(0.0, until - monotonic())):
            raise too_late()
        try:
            yield
        finally:
            self.thread.release()

    def lock(self, until: float) -> bool:
        """Whether no other process writes, or none did any more before that moment."""
        while self.file and not self._try_to_lock(turn_file(self.file)):
            if monotonic() >= until:
                return False
            sleep(_BETWEEN_LOOKS)
        return True

    def unlock(self) -> None:
        """Let other processes write."""
        descriptor, self.descriptor = self.descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def _try_to_lock(self, file: Path) -> bool:
        """Whether it was free, opened anew: a lock belongs to all processes forked from whoever opened the file.

        Where it cannot be opened or locked at all, SQLite's own waiting has to do.
        """
        try:
            self.descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.unlock()
            return False
        except OSError as error:
            self.unlock()
            _say_once(str(file), errorcode.get(error.errno or 0, "OSError"))
        return True


def _nothing() -> None:
    """There is no turn to give back."""


@cache
def _say_once(file: str, error: str) -> None:
    _log.warning("no_turns_among_processes", error=error)
