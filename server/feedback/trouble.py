"""A database in trouble costs no patient a card; it is only said in the log."""

from server.observing.logs import logger
from server.store.errors import StoreError

_log = logger("store")


def log_trouble(error: StoreError, doing: str) -> None:
    """Say in the log that the database failed us; what its error says may hold values, so only the kind is named.

    Args:
        error: what happened.
        doing: one word out of a closed set.
    """
    _log.error("store_trouble", doing=doing, error=type(error.__cause__ or error).__name__)
