"""Whose lines these are: each line that a thread logs bears the ids of the request that it works on."""

from typing import Any

from structlog import contextvars


def begin_request(**ids: str) -> None:
    """From here on, each line that this thread writes bears the ids of the request that it works on."""
    contextvars.clear_contextvars()
    contextvars.bind_contextvars(**ids)


def end_request() -> None:
    """What this thread does from here on is about no request."""
    contextvars.clear_contextvars()


def ids_of_request() -> dict[str, Any]:
    """The ids of the request that this thread works on."""
    return contextvars.get_contextvars()
