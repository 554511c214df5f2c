"""HTTP requests that are nearly right, byte by byte: lengths that contradict, broken chunks, headers that one reader ends where
another goes on (threats IN-01, IN-02, IN-08)."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from soak.calls import SERVICES

Draw = Callable[[st.SearchStrategy[Any]], Any]

_LINES = (
    "POST {path} HTTP/1.1",
    "POST {path} HTTP/1.0",
    "GET {path} HTTP/1.1",
    "post {path} HTTP/1.1",
    "POST http://x{path} HTTP/1.1",
    "POST  {path}  HTTP/1.1",
    "POST {path}",
    "POST {path} HTTP/9.9",
    "POST {path}%00 HTTP/1.1",
    "POST /{path}/../ HTTP/1.1",
    "",
    "OPTIONS * HTTP/1.1",
    "CONNECT x:1 HTTP/1.1",
    "TRACE {path} HTTP/1.1",
    "PRI * HTTP/2.0",
    "{path}",
    "POST {path}?a=%zz HTTP/1.1",
)
_HEADERS = (
    "Host: localhost",
    "Content-Type: application/json",
    "Content-Length: {length}",
    "Content-Length: {length}, {length}",
    "Content-Length: 0",
    "Content-Length: +{length}",
    "Content-Length: -1",
    "Content-Length: 0x5",
    "Content-Length: 99999999999999",
    "Content-Length : {length}",
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: Chunked",
    "Transfer-Encoding: chunked, chunked",
    "Transfer-Encoding: identity",
    "Transfer-Encoding:\x0bchunked",
    "Transfer-Encoding: xchunked",
    "Transfer-Encoding: gzip, chunked",
    " Transfer-Encoding: chunked",
    "X: a\r\n b",
    "X: a\r\n\tContent-Length: 3",
    "X: a\nY: b",
    "X: a\rY: b",
    "X\x00: y",
    "X: \xff\xfe",
    "Expect: 100-continue",
    "Expect: nothing",
    "Connection: close",
    "Connection: keep-alive, upgrade",
    "Upgrade: h2c",
    ": empty",
    "Authorization: Bearer a.b.c",
    "Authorization: Bearer",
    "Content-Encoding: gzip",
    "Host: a\r\nHost: b",
    "X-Forwarded-For: 1.2.3.4",
    "Range: bytes=0-",
    "Cookie: " + "a=b; " * 300,
    "Origin: null",
    "traceparent: 00-zz-zz-01",
    "Accept: " + "*/*," * 500,
)
_BODIES = (
    b"",
    b"{}",
    b"null",
    b"0\r\n\r\n",
    b"2\r\n{}\r\n0\r\n\r\n",
    b"2;x=y\r\n{}\r\n0\r\nX: y\r\n\r\n",
    b"zz\r\n{}\r\n",
    b"-2\r\n{}\r\n0\r\n\r\n",
    b"ffffffffffffffff\r\n{}",
    b"2\r\n{}0\r\n\r\n",
    b"2\n{}\n0\n\n",
    b"0\r\n\r\nGET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"{}GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    b"\xff" * 100,
    b"1" + b"0" * 30 + b"\r\n",
)
_PATHS = (
    f"{SERVICES}-patient-view",
    f"{SERVICES}-order-sign/feedback",
    "/assess",
    "/cds-services",
    "/smart/launch?iss=x",
    "/",
    "/%2e%2e/%00",
)


@st.composite
def raw_requests(draw: Draw) -> bytes:
    """One request as it goes over the wire, or what somebody takes for one."""
    path, body = draw(st.sampled_from(_PATHS)), draw(st.sampled_from(_BODIES))
    line = draw(st.sampled_from((*_LINES[:1] * 12, *_LINES))).format(path=path)
    headers = draw(st.lists(st.sampled_from(_HEADERS), max_size=6))
    head = "\r\n".join((line, "Host: localhost", *headers)).format(length=len(body))
    sent = head.encode("latin-1") + b"\r\n\r\n" + body
    if draw(st.integers(0, 4)) == 0:
        place = draw(st.integers(0, len(sent)))
        sent = sent[:place] + draw(st.binary(max_size=8)) + sent[place + draw(st.integers(0, 4)) :]
    return bytes(sent)
