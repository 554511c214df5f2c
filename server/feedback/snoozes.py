"""Advice that a clinician asked to be quiet about, for one patient and a bounded time."""

from sqlalchemy import Engine

from server.trust.clients import Caller


def silenced(database: Engine, caller: Caller, patient: str) -> frozenset[str]:
    """Ids of the recommendations that are quiet now.

    Args:
        database: the store.
        caller: who asks.
        patient: pseudonym.
    """
    return frozenset()
