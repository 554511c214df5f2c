"""Which cards were shown, so that feedback on a card can be counted for what it said."""

from sqlalchemy import Engine

from server.evaluation import Evaluation
from server.trust.clients import Caller


def remember_cards(database: Engine, caller: Caller, service: str, patient: str, evaluation: Evaluation) -> None:
    """Write down the cards of one answer.

    Args:
        database: the store.
        caller: who is answered.
        service: id of the service.
        patient: pseudonym.
        evaluation: what is answered.
    """
