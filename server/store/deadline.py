"""How long one transaction may keep its caller waiting, however slowly the database goes on answering (DB-03)."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

TRANSACTION_SECONDS = 4.0
"""For all of it: finding a connection that works, and every statement."""

_ends_at: ContextVar[float | None] = ContextVar("ends_at", default=None)


@contextmanager
def deadline() -> Iterator[None]:
    """Begin to count."""
    token = _ends_at.set(time.monotonic() + TRANSACTION_SECONDS)
    try:
        yield
    finally:
        _ends_at.reset(token)


def within(seconds: float) -> float:
    """When to give up: after so many seconds, or when the transaction must end; a moment of `time.monotonic`."""
    soon, ends_at = time.monotonic() + seconds, _ends_at.get()
    return soon if ends_at is None else min(soon, ends_at)
