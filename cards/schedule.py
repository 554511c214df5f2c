"""Rounds of a repeated screening test: days that lie close together are one round."""

from collections.abc import Iterable
from datetime import date

from fhir_profiles.dates import days_between

SAME_ROUND_DAYS = 60
"""Two tests within this many days belong to one round (house reading: the source counts screens, not days)."""


def rounds(days: Iterable[date]) -> tuple[date, ...]:
    """The last day of every round, oldest first.

    Args:
        days: days on which the test was done, oldest first.
    """
    ends: list[date] = []
    for day in days:
        if ends and days_between(ends[-1], day) <= SAME_ROUND_DAYS:
            ends[-1] = day
        else:
            ends.append(day)
    return tuple(ends)
