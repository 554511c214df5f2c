"""The one door for connections that we open, against a server that does everything wrong (OUT-02 to OUT-08, OUT-15)."""

import gc
import gzip
import os
import ssl
import threading
import weakref
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool

from server.outbound.http import Answer, OutboundError, get
from server.outbound.leash import Leash
from tests.server.outbound.certificates import self_signed
from tests.server.outbound.peer import Script, answer, peer

MARGIN = 0.4
CAP = 100_000
HEAD = b"HTTP/1.1 200 OK\r\n"


def fetch(url: str, seconds: float = 3, **more: Any) -> Answer:
    return get(url, headers={"Accept": "application/json"}, seconds=seconds, most_bytes=CAP, **more)


def reason(script: Script, seconds: float = 3) -> str:
    """Why there is no answer."""
    with peer(script) as server, pytest.raises(OutboundError) as caught:
        fetch(server.url(), seconds)
    return caught.value.reason


# --- what is well


def test_an_answer_comes_with_status_headers_and_body() -> None:
    with peer([answer(b'{"a": 1}', headers={"X-Some": "thing"})]) as server:
        got = fetch(server.url("/x"))
    assert (got.status, got.headers["x-some"], got.body) == (200, "thing", b'{"a": 1}')


@pytest.mark.parametrize("status", ["404 Not Found", "500 Oops", "429 Slow down", "204 No Content"])
def test_every_other_status_is_an_answer_too(status: str) -> None:
    with peer([answer(b"", status)]) as server:
        assert fetch(server.url()).status == int(status[:3])


def test_a_compressed_body_is_unpacked() -> None:
    with peer([answer(gzip.compress(b"[1, 2]"), headers={"Content-Encoding": "gzip"})]) as server:
        assert fetch(server.url()).body == b"[1, 2]"


def test_a_body_without_a_length_ends_with_the_connection() -> None:
    with peer([HEAD + b"\r\n[1]"]) as server:
        assert fetch(server.url()).body == b"[1]"


# --- what is sent


@pytest.mark.requirement("OUT-04")
def test_nothing_is_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login stolen password secret\n", "utf-8")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with peer([answer()]) as server:
        got = get(server.url(), headers={"Authorization": "Bearer ours"}, seconds=3, most_bytes=CAP)
    assert got.status == 200
    (head,) = server.received
    assert b"Authorization: Bearer ours\r\n" in head
    assert head.count(b"uthorization") == 1


def test_only_what_was_given_and_what_http_needs_is_sent() -> None:
    with peer([answer(headers={"Set-Cookie": "a=b"})]) as server:
        fetch(server.url())
        fetch(server.url())
    for head in server.received:
        names = {line.partition(b":")[0].lower() for line in head.splitlines()[1:] if line}
        assert names == {b"host", b"accept", b"accept-encoding", b"user-agent"}


def test_a_name_and_a_password_in_the_url_are_not_sent() -> None:
    with peer([answer()]) as server:
        fetch(f"http://user:secret@127.0.0.1:{server.port}/")
    assert b"uthorization" not in server.received[0]


# --- where it leads


@pytest.mark.requirement("OUT-03")
@pytest.mark.parametrize(
    "status", ["301 Moved", "302 Found", "303 See", "307 Temporary", "308 Permanent", "304 Same", "300 Many"]
)
def test_no_redirect_is_followed(status: str) -> None:
    with peer([answer()]) as elsewhere:
        assert reason([answer(b"", status, {"Location": elsewhere.url()})]) == "redirect"
    assert elsewhere.received == []


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/", "http://", "http://[::1", "nothing", "http://a\x00b/"])
def test_what_is_no_http_url_is_no_connection(url: str) -> None:
    with pytest.raises(OutboundError, match="no-connection"):
        fetch(url)


def test_a_closed_port_is_no_connection() -> None:
    with pytest.raises(OutboundError, match="no-connection"):
        fetch("http://127.0.0.1:9/")


def test_a_connection_that_breaks_before_the_answer_is_no_connection() -> None:
    assert reason([]) == "no-connection"


# --- time


DRIP: list[bytes | float] = [step for _ in range(100) for step in (b" ", 0.05)]


@pytest.mark.requirement("OUT-05")
@pytest.mark.parametrize(
    "script",
    [
        pytest.param([5.0], id="silence"),
        pytest.param([HEAD, 5.0], id="silence in the headers"),
        pytest.param([HEAD, *(piece for n in range(100) for piece in (b"X: %d\r\n" % n, 0.05))], id="headers drip"),
        pytest.param([step for byte in HEAD * 9 for step in (bytes([byte]), 0.05)], id="status line drips"),
        pytest.param([HEAD + b"Content-Length: 100\r\n\r\n", *DRIP], id="body drips"),
        pytest.param([HEAD + b"\r\n", *DRIP], id="body without a length drips"),
        pytest.param([HEAD + b"Transfer-Encoding: chunked\r\n\r\n", *[b"1\r\n \r\n", 0.05] * 100], id="chunks drip"),
        pytest.param([*[b"HTTP/1.1 100 Continue\r\n\r\n", 0.05] * 100], id="interim answers without end"),
        pytest.param([HEAD + b"Content-Encoding: gzip\r\n\r\n\x1f\x8b", *DRIP], id="compressed body drips"),
    ],
)
def test_the_deadline_holds_to_the_last_byte(script: Script) -> None:
    start = perf_counter()
    assert reason(script, seconds=0.4) == "timeout"
    assert 0.3 < perf_counter() - start < 0.4 + MARGIN


@pytest.mark.requirement("OUT-05", "OUT-15")
def test_the_deadline_holds_in_a_tls_handshake_that_never_ends() -> None:
    start = perf_counter()
    with peer([5.0], reads_request=False) as server, pytest.raises(OutboundError, match="timeout"):
        fetch(server.url(scheme="https"), seconds=0.4)
    assert perf_counter() - start < 0.4 + MARGIN


@pytest.mark.requirement("OUT-05", "OUT-15")
def test_the_deadline_holds_for_a_body_that_drips_through_tls(tmp_path: Path) -> None:
    tls, public = self_signed(tmp_path)
    start = perf_counter()
    with peer([HEAD + b"\r\n", *DRIP], tls) as server, pytest.raises(OutboundError, match="timeout"):
        fetch(server.url(scheme="https"), seconds=0.5, ca_file=public)
    assert perf_counter() - start < 0.5 + MARGIN


def test_without_time_there_is_no_connection_at_all() -> None:
    with peer([answer()]) as server, pytest.raises(OutboundError, match="timeout"):
        fetch(server.url(), seconds=0)
    assert server.received == []


# --- size


@pytest.mark.requirement("OUT-06")
@pytest.mark.parametrize(
    "script",
    [
        pytest.param([answer(b" " * (CAP + 1))], id="with a length"),
        pytest.param([HEAD + b"\r\n" + b" " * (CAP + 1)], id="without a length"),
        pytest.param([HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"20000\r\n" + b" " * 0x20000], id="in chunks"),
        pytest.param([answer(gzip.compress(bytes(50_000_000)), headers={"Content-Encoding": "gzip"})], id="a bomb"),
    ],
)
def test_a_body_that_is_too_long_is_refused(script: Script) -> None:
    assert reason(script) == "too-long"


def test_a_body_as_long_as_allowed_is_read() -> None:
    with peer([answer(b" " * CAP)]) as server:
        assert len(fetch(server.url()).body) == CAP


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        pytest.param([HEAD + b"".join(b"X-%d: %s\r\n" % (n, b"x" * 2000) for n in range(60)) + b"\r\n"], "too-long", id="long"),
        pytest.param([HEAD + b"X: y\r\n" * 200 + b"\r\n"], "no-connection", id="many"),
        pytest.param([HEAD + b"X: " + b"y" * 100_000 + b"\r\n\r\n"], "no-connection", id="one very long"),
        pytest.param([b"SMTP ready\r\n\r\n"], "no-connection", id="not HTTP"),
    ],
)
def test_headers_that_are_too_much_are_refused(script: Script, expected: str) -> None:
    assert reason(script) == expected


@pytest.mark.parametrize(
    "script",
    [
        pytest.param([HEAD + b"Content-Length: 10\r\n\r\nabc"], id="cut short"),
        pytest.param([HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab"], id="chunk cut short"),
        pytest.param([answer(b"abc", headers={"Content-Encoding": "br"})], id="a coding that was not asked for"),
        pytest.param([answer(b"abc", headers={"Content-Encoding": "gzip"})], id="not gzip at all"),
        pytest.param([answer(gzip.compress(os.urandom(999))[:500], headers={"Content-Encoding": "gzip"})], id="half of it"),
        pytest.param([answer(gzip.compress(b"a") + b"b", headers={"Content-Encoding": "gzip"})], id="more after the end"),
    ],
)
def test_a_body_that_is_not_whole_is_refused(script: Script) -> None:
    assert reason(script) == "unreadable"


# --- whom it trusts


@pytest.mark.requirement("OUT-15")
def test_a_certificate_that_nobody_vouches_for_is_refused_unless_its_file_is_given(tmp_path: Path) -> None:
    tls, public = self_signed(tmp_path)
    with peer([answer()], tls) as server:
        with pytest.raises(OutboundError, match="untrusted"):
            fetch(server.url(scheme="https"))
        assert fetch(server.url(scheme="https"), ca_file=public).status == 200
    assert len(server.received) == 1


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_file_of_authorities_that_cannot_be_read_vouches_for_nobody(tmp_path: Path, content: str | None) -> None:
    if content:
        (tmp_path / "authorities.pem").write_text(content, "utf-8")
    with peer([answer()]) as server, pytest.raises(OutboundError, match="untrusted"):
        fetch(server.url(), ca_file=tmp_path / "authorities.pem")
    assert server.received == []


@pytest.mark.requirement("OUT-02", "OUT-15")
@pytest.mark.parametrize("wrong", [{"address": "127.0.0.2"}, {"days": -1}], ids=["another's", "expired"])
def test_a_certificate_of_somebody_else_or_out_of_date_is_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    tls, public = self_signed(tmp_path, **wrong)
    with peer([answer()], tls) as server, pytest.raises(OutboundError, match="untrusted"):
        fetch(server.url(scheme="https"), ca_file=public)
    assert server.received == []


@pytest.mark.requirement("OUT-15")
def test_an_old_version_of_tls_is_refused(tmp_path: Path) -> None:
    tls, public = self_signed(tmp_path)
    tls.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        tls.minimum_version, tls.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with peer([answer()], tls) as server, pytest.raises(OutboundError):
        fetch(server.url(scheme="https"), ca_file=public)
    assert server.received == []


# --- what is left behind


def test_nothing_stays_open(tmp_path: Path) -> None:
    def held() -> int:
        return len(os.listdir("/proc/self/fd"))

    with peer([answer()]) as good, peer([HEAD, 5.0]) as bad:
        fetch(good.url())
        before = held(), threading.active_count()
        for _ in range(5):
            fetch(good.url())
            with pytest.raises(OutboundError):
                fetch(bad.url(), seconds=0.05)
    assert held() <= before[0]
    assert threading.active_count() <= before[1]


def test_an_exchange_leaves_no_classes_behind() -> None:
    """They would be garbage that only the collector finds, and the service lets that run seldom."""
    with peer([answer(b"[]")]) as server:
        fetch(server.url())
        classes = len(HTTPConnection.__subclasses__()), len(HTTPConnectionPool.__subclasses__())
        fetch(server.url())
    assert (len(HTTPConnection.__subclasses__()), len(HTTPConnectionPool.__subclasses__())) == classes


def test_a_leash_that_was_let_go_does_not_wait_for_the_garbage_collector() -> None:
    gc.disable()
    try:
        with Leash(60) as leash:
            kept, timer = weakref.ref(leash), leash._timer
        assert timer
        timer.join(5)
        del leash, timer  # the second holds the first
        assert kept() is None
    finally:
        gc.enable()
