"""What every token is made of, whoever signed it: JSON objects without ambiguity, and moments that two clocks agree on.

RFC 7515, section 4, and RFC 7519; threat JWT-11.
"""

import json
from base64 import urlsafe_b64decode
from typing import Any

SKEW = 60
"""Seconds that two clocks may differ by."""

_LATEST = 253_402_300_799  # the last second of the year 9999


def json_object(part: str) -> dict[str, Any]:
    """The JSON object in a part of a token; a member that is there twice has two meanings, so none may be.

    Args:
        part: base64url without padding.

    Raises:
        ValueError: it is none.
    """
    try:
        value = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)), object_pairs_hook=_members)
    except RecursionError:
        raise ValueError("too deep") from None
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


def moment(value: Any) -> float:
    """Seconds since 1970: a number that is a moment. `True` is a number for Python alone, and NaN is before and after nothing.

    Raises:
        ValueError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LATEST:
        raise ValueError("not a moment")
    return float(value)


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a member is there twice")
    return members
