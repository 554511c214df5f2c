"""Days as numbers, which are quicker to reckon with than dates."""

from datetime import date
from functools import lru_cache

YEAR = 365.25
MONTH = YEAR / 12
"""Days."""


@lru_cache(maxsize=65_536)
def written(day: int) -> str:
    """A day as FHIR writes it.

    Args:
        day: proleptic Gregorian ordinal, as `date.toordinal` counts.
    """
    return date.fromordinal(day).isoformat()
