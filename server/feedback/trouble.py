"""What a database in trouble may cost: feedback is sent again, cards are shown all the same."""

import logging

from sqlalchemy.exc import InterfaceError, InternalError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

_log = logging.getLogger("myositis_cds.store")

PASSING = (InterfaceError, InternalError, OperationalError, PoolTimeoutError)
"""Errors that may be gone when the same is tried again: no connection, a lock, a full disk, a server that changes its role."""


def log_trouble(error: SQLAlchemyError, doing: str) -> None:
    """Say in the log that the database failed us; what the error itself says may hold values, so only its kind is named.

    Args:
        error: what happened.
        doing: one word out of a closed set.
    """
    _log.error("event=store_trouble doing=%s error=%s", doing, type(error).__name__)
