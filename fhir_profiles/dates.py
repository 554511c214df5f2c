"""Dates as the chart gives them: exact to the day, or only to the month or the year.

FHIR lets `2024`, `2024-05` and `2024-05-17T08:30:00+02:00` stand for a date. A partial date is kept as the interval of days it
may mean, and a question about it is answered only if every day of the interval gives the same answer (SAF-10).
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

MONTH_NAMES = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]  # fixed English names: `strftime("%B")` would follow the server's locale


_SHAPE = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2}([T ].+)?)?)?")
"""Python alone would also read `+123`, `1_00` and week dates; some senders put a blank in place of the T."""


@dataclass(frozen=True, slots=True, order=True)
class DateInterval:
    """The days that a FHIR date, dateTime or Period may mean.

    Args:
        first: earliest possible day.
        last: latest possible day, never before `first`.
    """

    first: date
    last: date

    @property
    def is_exact(self) -> bool:
        """Whether the day itself is known."""
        return self.first == self.last

    @property
    def precision(self) -> str:
        """How precisely it is known: `day`, `month`, `year`, or `span` for days that make none of these."""
        first, last = self.first, self.last
        if first == last:
            return "day"
        if (first.day, last.day) == (1, monthrange(last.year, last.month)[1]):
            if (first.year, first.month) == (last.year, last.month):
                return "month"
            if first.year == last.year and (first.month, last.month) == (1, 12):
                return "year"
        return "span"

    def __str__(self) -> str:
        """The date with a month name, as precise as it is known: `17 May 2024`, `May 2024`, `2024`, or a span."""
        first, last = self.first, self.last
        match self.precision:
            case "day":
                return f"{first.day} {MONTH_NAMES[first.month - 1]} {first.year}"
            case "month":
                return f"{MONTH_NAMES[first.month - 1]} {first.year}"
            case "year":
                return str(first.year)
            case _:
                return f"between {DateInterval(first, first)} and {DateInterval(last, last)}"


EARLIEST_YEAR = 1875
"""Nobody living was born before; earlier years are the null dates of other systems (0001-01-01, 1753-01-01)."""


@lru_cache(maxsize=8192)
def parse_fhir_date(text: str) -> DateInterval | None:
    """Read a FHIR `date`, `dateTime` or `instant` (https://hl7.org/fhir/R4/datatypes.html#dateTime).

    A time with a zone is counted as its day in UTC, so that facts of several zones compare with one moment.

    Args:
        text: the string as sent.

    Returns:
        The interval of days it may mean, or None where it is no FHIR date of a living person.
    """
    if not _SHAPE.fullmatch(text) or int(text[:4]) < EARLIEST_YEAR:
        return None
    try:
        if len(text) == 4:
            year = int(text)
            return DateInterval(date(year, 1, 1), date(year, 12, 31))
        if len(text) == 7:
            year, month = int(text[:4]), int(text[5:])
            return DateInterval(date(year, month, 1), date(year, month, monthrange(year, month)[1]))
        if len(text) == 10:
            day = date.fromisoformat(text)
            return DateInterval(day, day)
        moment = datetime.fromisoformat(text)
        day = (moment if moment.tzinfo is None else moment.astimezone(UTC)).date()
        return DateInterval(day, day)
    except (ValueError, OverflowError):
        return None


def completed_years(birth: date, day: date) -> int:
    """Age in completed years on a day, as people count it (born 29 February: a year older on 1 March)."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


@lru_cache(maxsize=8192)
def add_months(day: date, months: int) -> date:
    """The same day of the month, `months` later (or earlier); the last day of a shorter month."""
    index = max(day.year * 12 + day.month - 1 + months, 12)
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def days_between(earlier: date, later: date) -> int:
    """Days from one day to another; negative if `later` comes first."""
    return (later - earlier) // timedelta(days=1)
