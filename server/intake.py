"""Reading a request body: bounded, and JSON or nothing (reference: security IN-01 to IN-09).

We read the body ourselves and one byte more than we accept, because some HTTP servers cut a chunked body at their own limit and
hand on the rest as if it were whole.
"""

from typing import Any

from flask import Request

from server.errors import (
    BodyTooLongError,
    ContentEncodingError,
    ContentTypeError,
    EmptyBodyError,
    TooManyResourcesError,
)
from server.json_input import parse_json

MOST_RESOURCES = 5_000
MOST_VALUES = 500_000
JSON_TYPES = frozenset(("application/json", "application/fhir+json"))


def read_json(request: Request, max_bytes: int) -> Any:
    """The parsed body of a request.

    Args:
        request: the request, its body not yet read.
        max_bytes: a longer body is refused.

    Raises:
        RequestRefusedError: the subclass says why.
    """
    body = _read_body(request, max_bytes)
    if body.strip():
        _check_headers(request)
    return check_body(body, max_bytes)


def check_body(body: bytes, max_bytes: int) -> Any:
    """The parsed body, wherever it was read from.

    Args:
        body: all of it.
        max_bytes: a longer body is refused.

    Raises:
        RequestRefusedError: the subclass says why.
    """
    if len(body) > max_bytes:
        raise _too_long(max_bytes)
    if not body.strip():
        raise EmptyBodyError("The request has no body. Send JSON.")
    _check_amount(body)
    return parse_json(body)


def _read_body(request: Request, max_bytes: int) -> bytes:
    if (request.content_length or 0) > max_bytes:
        raise _too_long(max_bytes)
    pieces: list[bytes] = []
    length = 0
    while length <= max_bytes and (piece := request.stream.read(max_bytes + 1 - length)):
        pieces.append(piece)
        length += len(piece)
    if length > max_bytes:
        raise _too_long(max_bytes)
    return b"".join(pieces)


def _too_long(max_bytes: int) -> BodyTooLongError:
    return BodyTooLongError(
        f"The body is longer than {max_bytes} bytes. Send fewer resources, or raise the limit in the settings."
    )


def _check_headers(request: Request) -> None:
    if request.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise ContentEncodingError("The body is compressed. Send it without a Content-Encoding.")
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if request.mimetype not in JSON_TYPES or charset not in ("utf-8", "utf8"):
        raise ContentTypeError("Send JSON in UTF-8, with Content-Type application/json or application/fhir+json.")


def _check_amount(body: bytes) -> None:
    """A flood of tiny things costs far more than its bytes (IN-09). Counted before parsing, which is cheap."""
    if body.count(b'"resourceType"') > MOST_RESOURCES or (len(body) > MOST_VALUES and body.count(b",") > MOST_VALUES):
        raise TooManyResourcesError(
            f"The body holds more than {MOST_RESOURCES} resources or {MOST_VALUES} values. Send fewer in one request."
        )
