"""Dates of the stories, moved so that the day of the story is today.

"Mammography two months ago" would be a lie a year from now. The sandbox keeps the stories true by moving every date
of a chart, the date of birth included, by the days that have passed since the story was told.
"""

from calendar import month_name
from datetime import date, timedelta
from typing import Any

DATE_FIELDS = frozenset(
    (
        "abatementDateTime",
        "authoredOn",
        "birthDate",
        "bornDate",
        "creation",
        "date",
        "dateAsserted",
        "deceasedDate",
        "deceasedDateTime",
        "effectiveDateTime",
        "effectiveInstant",
        "end",
        "expirationDate",
        "issued",
        "lastOccurrence",
        "occurrenceDateTime",
        "onset",
        "onsetDateTime",
        "performedDateTime",
        "presentationDate",
        "publicationDate",
        "recorded",
        "recordedDate",
        "start",
        "time",
        "timestamp",
        "timingDate",
        "timingDateTime",
        "valueDate",
        "valueDateTime",
        "valueInstant",
    )
)
"""Every element with a date that a chart can have: of the types of a chart, of all that can stand in them (FHIR R4: extensions,
notes, dosages, a contained Medication …), and of the generated Bundles. Other strings (codes, identifiers) only look like dates.
Two are left: `lastUpdated`, which the chart store says, and `when` of a signature, which is the name of a code in a dosage."""

DATES_FIELD = "event"
"""The one element with a list of dates, of a Timing; other types have other things under that name."""


def move_dates(resource: Any, days: int) -> Any:
    """A copy of a FHIR resource, or of any part of one, with each date moved.

    Args:
        resource: parsed JSON.
        days: how far; a partial date keeps its precision.
    """
    if isinstance(resource, dict):
        return {field: _moved_element(field, value, days) for field, value in resource.items()}
    if isinstance(resource, list):
        return [move_dates(item, days) for item in resource]
    return resource


def _moved_element(field: str, value: Any, days: int) -> Any:
    if field in DATE_FIELDS:
        return _moved(value, days)
    if field == DATES_FIELD and isinstance(value, list):
        return [_moved(each, days) if isinstance(each, str) else move_dates(each, days) for each in value]
    return move_dates(value, days)


def _moved(text: str, days: int) -> str:
    day, time = text[:10], text[10:]
    return f"{_middle(day) + timedelta(days=days):%Y-%m-%d}"[: len(day)] + time


def _middle(day: str) -> date:
    """The day itself, or the middle of the month or year that is meant."""
    return date.fromisoformat(day + {4: "-07-01", 7: "-15", 10: ""}[len(day)])


def in_words(day: str) -> str:
    """A FHIR date for people, as precise as it is: `17 May 2024`, `May 2024` or `2024`; empty for no date."""
    parts = day[:10].split("-")
    words = [str(int(parts[2]))] if len(parts) > 2 else []
    if len(parts) > 1:
        words.append(month_name[int(parts[1])])
    return " ".join([*words, parts[0]])
