"""Strict JSON, from a request or a file (threats IN-03, IN-04)."""

import re
from typing import Any

import orjson

from server.errors import NotJsonError, RepeatedMemberError, TooDeepError

MOST_DEPTH = 64

_TOO_DEEP = f"The JSON is nested more than {MOST_DEPTH} levels deep."

# What we rely on in orjson; `tests/server/test_json_input.py` holds it to that.
_DEEPEST_THAT_IT_WRITES = 254
_DEEPER_THAN_IT_PARSES = "depth limit exceeded"

_LISTS_AROUND = _DEEPEST_THAT_IT_WRITES - MOST_DEPTH

_ESCAPED_COLON = re.compile(rb"\\(?:\\|(u003[aA]))")
"""Escapes in the order in which they are read, so that the `u003a` behind an escaped backslash is none."""


def parse_json(body: bytes) -> Any:
    """Parse strict JSON: UTF-8 without a byte order mark, no NaN or Infinity, no lone surrogates, no member twice, not too deep.

    Raises:
        NotJsonError: it is none; the message gives the place.
        TooDeepError: it is nested more than 64 levels deep.
        RepeatedMemberError: an object has a member twice.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        if error.msg == _DEEPER_THAN_IT_PARSES:
            raise TooDeepError(_TOO_DEEP) from None
        place = f"line {error.lineno}, column {error.colno}"
        raise NotJsonError(
            f"The input is not JSON: the error is at {place}. It must be UTF-8 without a byte order mark."
        ) from None
    _check_members(body, _written(value))
    return value


def _written(value: Any) -> bytes:
    """The value as JSON again, inside so many lists that our limit of depth meets the one of orjson: a quarter of the time of a
    walk in Python."""
    for _ in range(_LISTS_AROUND):
        value = [value]
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        raise TooDeepError(_TOO_DEEP) from None


def _check_members(body: bytes, written: bytes) -> None:
    """Of a member given twice the parser keeps the last, another program perhaps the first (RFC 8259, section 4): both then
    see another patient in one call (IN-04).

    Whatever was dropped took its colons with it, and what was kept has each of its own once: those between names and values, and
    those in texts, which may have been escaped. So the two texts have as many colons exactly if nothing was dropped, and no walk
    over the members is needed. What is written again as it came, as compact JSON often is, needs no counting either.
    """
    if written.startswith(body, _LISTS_AROUND):
        return
    colons = body.count(b":")
    if b"\\" in body and b"\\u003" in body:  # one byte is looked for in a fraction of the time
        colons += sum(map(bool, _ESCAPED_COLON.findall(body)))
    if colons != written.count(b":"):
        raise RepeatedMemberError("An object in the JSON has the same member twice. Send each member once.")
