"""A PostgreSQL that does not answer is left alone for a moment, so that it does not hold every thread of the service (DB-02).

One caller finds out at the price of a few seconds; the others, and the rest of its own call, hear so at once.
"""

import time
from collections.abc import Callable
from threading import Lock
from weakref import WeakKeyDictionary

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

ALONE_SECONDS = 1.0
"""From one attempt that failed to the next."""


class LeftAloneError(RuntimeError):
    """Nobody asked the database now, since it did not answer a moment ago."""


class Outage:
    """What is known about whether a database answers."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """It answers, as far as is known.

        Args:
            clock: seconds that never go back.
        """
        self._clock = clock
        self._lock = Lock()
        self._alone_until: float | None = None

    def lets_through(self) -> bool:
        """Whether to ask the database; after a failure one caller at a time may."""
        with self._lock:
            if self._alone_until is None:
                return True
            if self._clock() < self._alone_until:
                return False
            self._alone_until = self._clock() + 10 * ALONE_SECONDS  # the one who tries says how it went long before
            return True

    def noticed(self) -> None:
        """The database did not answer."""
        with self._lock:
            self._alone_until = self._clock() + ALONE_SECONDS

    def is_over(self) -> None:
        """The database answered, be it with a refusal."""
        self._alone_until = None


_outages: WeakKeyDictionary[Engine, Outage] = WeakKeyDictionary()


def outage_of(engine: Engine) -> Outage:
    """What is known about a database; the same for everybody who uses this engine."""
    return _outages.setdefault(engine, Outage())


def is_gone(engine: Engine, error: SQLAlchemyError) -> bool:
    """Whether an error says that a server is not there, rather than that it refused something or was slow.

    Args:
        engine: the database; an SQLite file does not come and go, and is only ever busy.
        error: what happened.
    """
    if engine.dialect.name == "sqlite" or not isinstance(error, DBAPIError):
        return False
    refused = getattr(error.orig, "sqlstate", None)  # only a server that is there gives its refusals a code
    return error.connection_invalidated or (isinstance(error, OperationalError) and refused is None)
