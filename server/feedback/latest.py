"""Several words on one card: the latest counts, in whichever order they arrived (FB-01)."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol, TypeVar


class Outcome(Protocol):
    """A row of the feedback table, as far as it matters here."""

    @property
    def outcome(self) -> str:
        """`accepted` or `overridden`."""

    @property
    def outcome_at(self) -> str:
        """When, in the form of `Item.outcome_at`."""


_Outcome = TypeVar("_Outcome", bound=Outcome)


def latest(outcomes: Iterable[_Outcome]) -> _Outcome:
    """The latest outcome by the client's clock; of two at the same moment the acceptance, since it silences nothing.

    Args:
        outcomes: at least one.
    """
    return max(outcomes, key=lambda outcome: (outcome.outcome_at, outcome.outcome == "accepted"))


def seconds_of(outcome_at: str) -> int:
    """Seconds since 1970.

    Args:
        outcome_at: in the form of `Item.outcome_at`.
    """
    return int(datetime.fromisoformat(outcome_at).timestamp())
