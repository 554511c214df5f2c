"""Request bodies: how much, said to be what, and how packed."""

from collections.abc import Callable
from io import BytesIO

import pytest
from flask import Flask, Request
from werkzeug.test import EnvironBuilder

from server.errors import (
    BodyTooLongError,
    ContentEncodingError,
    ContentTypeError,
    EmptyBodyError,
    RequestRefusedError,
    TooManyResourcesError,
)
from server.intake import MOST_RESOURCES, MOST_VALUES, read_json

LIMIT = 2_000_000


def request(body: bytes, content_type: str | None = "application/json", **headers: str) -> Request:
    builder = EnvironBuilder(method="POST", data=body, content_type=content_type, headers=headers)
    return Request(builder.get_environ())


def chunked(body: bytes) -> Request:
    """A request without Content-Length, as a server hands it on that has put the chunks together itself."""
    environ = EnvironBuilder(method="POST", content_type="application/json").get_environ()
    environ |= {"wsgi.input": Trickle(body), "wsgi.input_terminated": True}
    return Request(environ)


class Trickle(BytesIO):
    """A stream that never gives more than a thousand bytes at once, as a socket may."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(1000 if size is None or size < 0 else min(size, 1000))


@pytest.mark.parametrize("content_type", ["application/json", "application/fhir+json", "Application/JSON; charset=UTF-8"])
def test_json_is_read_under_either_name(content_type: str) -> None:
    assert read_json(request(b'{"a": 1}', content_type), LIMIT) == {"a": 1}


@pytest.mark.requirement("IN-06", "H-4")
@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/xml", "application/x-www-form-urlencoded", None, "application/json; charset=utf-16"],
)
def test_anything_else_is_refused(content_type: str | None) -> None:
    with pytest.raises(ContentTypeError, match="application/json"):
        read_json(request(b'{"a": 1}', content_type), LIMIT)


@pytest.mark.parametrize("body", [b"", b"  \n"])
@pytest.mark.parametrize("content_type", ["application/json", None])
def test_an_empty_body_is_named_as_what_it_is(body: bytes, content_type: str | None) -> None:
    with pytest.raises(EmptyBodyError):
        read_json(request(body, content_type), LIMIT)


@pytest.mark.requirement("IN-05")
def test_a_compressed_body_is_refused_and_not_unpacked() -> None:
    with pytest.raises(ContentEncodingError):
        read_json(request(b'{"a": 1}', **{"Content-Encoding": "gzip"}), LIMIT)


def test_no_encoding_at_all_may_be_said_aloud() -> None:
    assert read_json(request(b'{"a": 1}', **{"Content-Encoding": "identity"}), LIMIT) == {"a": 1}


@pytest.mark.requirement("IN-01", "IN-02")
@pytest.mark.parametrize("make", [request, chunked])
def test_a_body_is_read_up_to_the_limit_and_refused_one_byte_beyond(make: Callable[[bytes], Request]) -> None:
    body = b'"' + b"a" * 9_998 + b'"'
    assert read_json(make(body), 10_000) == "a" * 9_998
    with pytest.raises(BodyTooLongError, match="9999 bytes"):
        read_json(make(body), 9_999)


@pytest.mark.requirement("IN-01")
def test_a_body_that_is_said_to_be_too_long_is_not_even_read() -> None:
    environ = EnvironBuilder(method="POST", content_type="application/json").get_environ()
    environ |= {"CONTENT_LENGTH": "100000001", "wsgi.input": Unreadable()}
    with pytest.raises(BodyTooLongError):
        read_json(Request(environ), LIMIT)


class Unreadable(BytesIO):
    def read(self, size: int | None = -1) -> bytes:
        raise AssertionError("was read")


@pytest.mark.requirement("IN-09")
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"[" + b'{"resourceType":"Basic"},' * MOST_RESOURCES + b'{"resourceType":"Basic"}]', id="resources"),
        pytest.param(b"[" + b"1," * (MOST_VALUES + 1) + b"1]", id="values"),
    ],
)
def test_a_flood_of_tiny_things_is_refused(body: bytes) -> None:
    with pytest.raises(TooManyResourcesError):
        read_json(request(body), LIMIT)


def test_as_many_resources_as_allowed_are_read() -> None:
    body = b"[" + b'{"resourceType":"Basic"},' * (MOST_RESOURCES - 1) + b'{"resourceType":"Basic"}]'
    assert len(read_json(request(body), LIMIT)) == MOST_RESOURCES


@pytest.mark.requirement("ERR-01")
def test_no_refusal_repeats_what_was_sent() -> None:
    for body in (b"{Mustermann", b"[" * 80 + b'"Mustermann"' + b"]" * 80):
        with pytest.raises(RequestRefusedError) as refusal:
            read_json(request(body), LIMIT)
        assert "Mustermann" not in refusal.value.text


def test_the_application_can_be_asked_within_flask_too() -> None:
    app = Flask(__name__)
    with app.test_request_context("/", method="POST", data=b"[1]", content_type="application/json") as context:
        assert read_json(context.request, LIMIT) == [1]
