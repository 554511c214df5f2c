"""Bodies as they come over the wire: read whole, or refused, never a part taken for the whole (IN-01 to IN-06)."""

import re
import socket
from contextlib import suppress

import orjson
import pytest

from tests.end_to_end.conftest import LIMIT, Service
from tests.end_to_end.test_served import HEADERS, in_chunks, is_complete, of_length, raw
from tests.server.answers import diagnostics
from tests.server.charts import dermatomyositis, hook_call

CALL = orjson.dumps(hook_call("p1", dermatomyositis()))
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"


def length(body: bytes) -> bytes:
    return b"Content-Length: %d\r\n\r\n" % len(body)


@pytest.mark.requirement("IN-02")
@pytest.mark.parametrize("size", [4_093, 65_536, LIMIT + 2])
@pytest.mark.parametrize(("beyond", "status"), [(-1, 200), (0, 200), (1, 413)])
def test_a_body_in_chunks_of_any_size_is_read_up_to_the_limit(service: Service, size: int, beyond: int, status: int) -> None:
    assert raw(service, HEADERS, CHUNKED, *in_chunks(of_length(LIMIT + beyond), size))[0] == status


def test_extensions_of_chunks_and_fields_after_them_change_nothing(service: Service) -> None:
    chunk = b"%x;name=value\r\n%b\r\n0\r\nContent-Length: 1\r\nX-Trailer: y\r\n\r\n" % (len(CALL), CALL)
    assert raw(service, HEADERS, CHUNKED, chunk)[0] == 200


@pytest.mark.requirement("IN-08")
@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", id="two lengths"),
        pytest.param(b"Content-Length: 2\r\nContent-Length: 44\r\n\r\n{}", id="two that differ"),
        pytest.param(b"Content-Length: 2, 2\r\n\r\n{}", id="a list"),
        pytest.param(b"Content-Length: +2\r\n\r\n{}", id="a sign"),
        pytest.param(b"Content-Length: -2\r\n\r\n{}", id="negative"),
        pytest.param(b"Content-Length: 0x2\r\n\r\n{}", id="hexadecimal"),
        pytest.param(b"Content-Length : 2\r\n\r\n{}", id="space before the colon"),
        pytest.param(b"Transfer-Encoding:\x0bchunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", id="another kind of space"),
        pytest.param(b"X: a\rTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n{}", id="a bare CR"),
        pytest.param(b"X: a\nContent-Length: 2\r\n\r\n{}", id="a bare LF"),
        pytest.param(b"X\x00: a\r\nContent-Length: 2\r\n\r\n{}", id="NUL in a name"),
        pytest.param(CHUNKED + b"+2\r\n{}\r\n0\r\n\r\n", id="a chunk with a sign"),
        pytest.param(CHUNKED + b"0x2\r\n{}\r\n0\r\n\r\n", id="a chunk in C"),
        pytest.param(CHUNKED + b"2\n{}\n0\n\n", id="chunks that end with LF"),
        pytest.param(CHUNKED + b"2\r\n{}0\r\n\r\n", id="a chunk that does not end"),
    ],
)
def test_where_it_is_not_clear_where_a_body_ends_nothing_after_it_is_taken_for_a_request(
    service: Service, headers: bytes
) -> None:
    """What comes behind would be another request, for whoever reads the length in another way: one answer, and the end."""
    smuggled = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as connection:
        connection.sendall(HEADERS + headers + smuggled)
        received = b""
        with suppress(ConnectionResetError):  # it does not read what it will not answer
            while piece := connection.recv(65536):
                received += piece
    assert re.findall(rb"HTTP/1\.[01] (\d+) ", received) == [b"400"]


def test_who_asks_whether_to_send_the_body_is_told_to(service: Service) -> None:
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as connection:
        connection.sendall(HEADERS + b"Expect: 100-continue\r\n" + length(CALL))
        assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(CALL)
        received = connection.recv(65536)
        while b"\r\n\r\n" not in received or not is_complete(received):
            received += connection.recv(65536)
    assert received.startswith(b"HTTP/1.1 200 ")


@pytest.mark.requirement("IN-04", "IN-05", "IN-06")
@pytest.mark.parametrize(
    ("headers", "body", "status", "number"),
    [
        pytest.param(b"", CALL.replace(b'"context":{', b'"context":{"patientId":"p2",', 1), 400, "MYO-1008", id="two patients"),
        pytest.param(b"", b"", 400, "MYO-1001", id="nothing"),
        pytest.param(b"", b" \r\n", 400, "MYO-1001", id="white space"),
        pytest.param(b"", CALL.decode().encode("utf-16"), 400, "MYO-1002", id="UTF-16 that nobody named"),
        pytest.param(b"", b"\xef\xbb\xbf" + CALL, 400, "MYO-1002", id="a byte order mark"),
        pytest.param(b"Content-Encoding: gzip\r\n", CALL, 415, "MYO-1007", id="gzip"),
        pytest.param(b"Content-Encoding: identity, gzip\r\n", CALL, 415, "MYO-1007", id="gzip, at last"),
        pytest.param(b"Content-Encoding: br\r\n", CALL, 415, "MYO-1007", id="Brotli"),
    ],
)
def test_what_is_not_json_as_it_is_is_refused(service: Service, headers: bytes, body: bytes, status: int, number: str) -> None:
    answered, answer = raw(service, HEADERS + headers + length(body), body)
    assert (answered, diagnostics(answer)[: len(number)]) == (status, number)


@pytest.mark.requirement("IN-06")
@pytest.mark.parametrize("charset", [b"utf-16", b"latin1", b"utf-8-sig", b"'utf-8'"])
def test_another_charset_is_refused(service: Service, charset: bytes) -> None:
    headers = HEADERS.replace(b"application/json", b"application/json; charset=" + charset)
    assert raw(service, headers + length(CALL), CALL)[0] == 415
