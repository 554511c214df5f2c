"""`Retry-After` (RFC 9110 section 10.2.3), from a server that may write anything into it."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_LONGEST_NUMBER = 9


def seconds_to_wait(header: str | None, now: datetime) -> float | None:
    """How long a server asks us to wait.

    Args:
        header: the value of the header, if it was sent.
        now: the time.

    Returns:
        Seconds, not negative; None if it does not say, or not so that it can be understood.
    """
    text = (header or "").strip()
    if text.isascii() and text.isdecimal():
        return float(text[:_LONGEST_NUMBER])
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return max(0.0, (moment - now).total_seconds())
