"""Parts of a fetch by themselves: tokens by the clock, pauses, scopes, lines, and a stream on its leash."""

import json
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest

from server.cohort.fetching import wire
from server.cohort.fetching.backend_token import BackendTokens
from server.cohort.fetching.discovery import Discovered
from server.cohort.fetching.download import count_lines, problem_of
from server.cohort.fetching.errors import FetchError
from server.cohort.fetching.export_job import Waiting
from server.cohort.fetching.scopes import not_granted, scopes_for
from server.cohort.fetching.wire import Wire
from server.outbound.http import Answer, OutboundError
from tests.server.cohort.fetching.stub import token
from tests.server.outbound.peer import answer, peer


class Keys:
    """Signs with its name."""

    def assertion(self, *_: object) -> str:
        return "signed"


class Endpoint:
    """A token endpoint, and a clock."""

    def __init__(self, expires_in: Any) -> None:
        self.now, self.expires_in, self.asked = 0.0, expires_in, 0

    def post(self, *_: object) -> Answer:
        self.asked += 1
        status, headers, said = token(str(self.asked), expires_in=self.expires_in)
        return Answer(status, headers, json.dumps(said).encode())


# --- tokens


@pytest.mark.parametrize(
    ("expires_in", "used_until"),
    [
        (300, 270),
        (3600, 3570),
        (40, 20),
        (1, 0.5),
        ("300", 270),
        (None, 270),
        (0, 270),
        (-5, 270),
        ("inf", 270),
        (True, 270),
        ("soon", 270),
    ],
)
def test_a_token_is_used_until_shortly_before_its_end(expires_in: Any, used_until: float) -> None:
    endpoint: Any = Endpoint(expires_in)
    keys: Any = Keys()
    tokens = BackendTokens(Discovered("https://ehr.example/token"), "we", keys, endpoint, lambda: endpoint.now)
    tokens.ask_for("system/Patient.rs")
    first = tokens.current()
    endpoint.now = used_until - 0.01
    assert tokens.current() is first
    endpoint.now = used_until
    second = tokens.current()
    assert (second is first, endpoint.asked) == (False, 2)
    tokens.forget(first)
    assert tokens.current() is second
    tokens.forget(second)
    assert tokens.current() is not second
    assert "canary" not in repr(first)


# --- waiting


def paused(*answers: Answer | None) -> list[float]:
    """Seconds waited after each of these answers."""
    waited: list[float] = []
    waiting = Waiting(36_000, waited.append, lambda: sum(waited), lambda: datetime(2026, 11, 22, 8, tzinfo=UTC))
    for number, one in enumerate(answers):
        waiting.pause(one, number, 36_000)
    return waited


def said(retry_after: str) -> Answer:
    return Answer(202, {"retry-after": retry_after}, b"")


def test_pauses_double_up_to_a_minute_where_the_ehr_does_not_say() -> None:
    assert paused(*[None] * 10) == [0.5, 1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert paused(said("soon")) == [0.5]


def test_pauses_are_as_long_as_the_ehr_asks_for_within_an_hour() -> None:
    answers = [said(text) for text in ("120", "0", "99999", "Sun, 22 Nov 2026 08:00:30 GMT", "Sat, 21 Nov 2026 08:00:00 GMT")]
    assert paused(*answers) == [120, 0.5, 3600, 30, 0.5]


def test_a_pause_that_ends_too_late_is_not_made() -> None:
    waiting = Waiting(60, lambda seconds: None, lambda: 0.0)
    with pytest.raises(FetchError, match="1 minutes"):
        waiting.pause(said("61"), 0, 60)


# --- scopes


def test_scopes_are_as_narrow_as_what_is_exported() -> None:
    assert scopes_for(("Patient", "Condition"), is_v1=False) == "system/Patient.rs system/Condition.rs"
    assert scopes_for(("Patient",), is_v1=True) == "system/Patient.read"


@pytest.mark.parametrize(
    ("granted", "missing"),
    [
        (None, ()),
        ("system/*.rs", ()),
        ("system/*.read", ()),
        ("system/*.*", ()),
        ("system/*.cruds", ()),
        ("system/Patient.rs system/Condition.r", ()),
        ("system/Patient.rs", ("Condition",)),
        ("system/*.cud", ("Patient", "Condition")),
        ("system/*.", ("Patient", "Condition")),
        ("system/Patient.rs system/Condition.rs?category=encounter-diagnosis", ("Condition",)),
        ("user/*.rs patient/*.rs openid", ("Patient", "Condition")),
        ("", ("Patient", "Condition")),
    ],
)
def test_what_was_not_granted_is_told(granted: str | None, missing: tuple[str, ...]) -> None:
    assert not_granted(("Patient", "Condition"), granted) == missing


# --- lines


@pytest.mark.parametrize(
    ("content", "lines"),
    [(b"", 0), (b"\n \n", 0), (b"{}", 1), (b"{}\n", 1), (b"{}\r\n{}\r\n", 2), (b"\n{}\n\n{}\n\n", 2), (b'{"a":\n1}', 2)],
)
@pytest.mark.parametrize("piece", [1, 3, 1000])
def test_lines_are_counted_however_a_file_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, lines: int, piece: int
) -> None:
    monkeypatch.setattr("server.cohort.fetching.download._PIECE", piece)
    path = tmp_path / "file"
    path.write_bytes(content)
    assert count_lines(path) == lines


def test_a_file_of_nothing_is_in_order_if_nothing_was_promised(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"")
    assert problem_of(path, 0) is None
    assert problem_of(path, None) is None
    assert problem_of(path, 1)


# --- the stream

HEAD = b"HTTP/1.1 200 OK\r\n"


def streamed(url: str, way: Wire | None = None, **headers: str) -> bytes:
    with (way or Wire()).stream(url, headers) as incoming:
        return b"".join(incoming.decoded())


@pytest.mark.parametrize(
    "script",
    [
        pytest.param([answer(b"[1, 2]")], id="with a length"),
        pytest.param([HEAD + b"\r\n[1, ", 0.05, b"2]"], id="without a length"),
        pytest.param([HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\n[1,\r\n", 0.05, b"3\r\n 2]\r\n0\r\n\r\n"], id="in chunks"),
    ],
)
def test_a_stream_brings_the_body(script: Any) -> None:
    with peer(script) as server:
        assert streamed(server.url()) == b"[1, 2]"


@pytest.mark.parametrize(
    "script",
    [
        pytest.param([HEAD + b"Content-Length: 10\r\n\r\nabc"], id="with a length"),
        pytest.param([HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab"], id="in a chunk"),
        pytest.param([HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n"], id="between chunks"),
        pytest.param([answer(b"abc", headers={"Content-Encoding": "br"})], id="a coding that was not asked for"),
    ],
)
def test_a_stream_that_breaks_off_is_noticed(script: Any) -> None:
    with peer(script) as server, pytest.raises(OutboundError, match="unreadable"):
        streamed(server.url())


def test_a_stream_that_is_silent_or_never_ends_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    begun = perf_counter()
    with peer([HEAD + b"Content-Length: 10\r\n\r\nabc", 9.0]) as server, pytest.raises(OutboundError, match="timeout"):
        streamed(server.url(), Wire(silent_seconds=0.2))
    monkeypatch.setattr(wire, "FILE_SECONDS", 0.3)
    drip: list[Any] = [step for _ in range(100) for step in (b" ", 0.05)]
    with peer([HEAD + b"\r\n", *drip]) as server, pytest.raises(OutboundError, match="timeout"):
        streamed(server.url())
    assert perf_counter() - begun < 3


def test_a_stream_goes_where_it_is_sent_only(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with peer([answer(b"", "302 Found", {"Location": "http://127.0.0.1:9/"})]) as server:
        with pytest.raises(OutboundError, match="redirect"):
            streamed(server.url(), Authorization="Bearer ours")
        with pytest.raises(OutboundError, match="redirect"):
            Wire().delete(server.url(), {})
    assert b"Authorization: Bearer ours\r\n" in server.received[0]


@pytest.mark.parametrize("url", ["file:///etc/passwd", "http://", "http://127.0.0.1:9/"])
def test_without_a_server_there_is_no_stream(url: str) -> None:
    with pytest.raises(OutboundError, match="no-connection"):
        streamed(url)


def test_a_file_of_authorities_that_cannot_be_read_vouches_for_nobody(tmp_path: Path) -> None:
    with pytest.raises(OutboundError, match="untrusted"):
        streamed("https://127.0.0.1:9/", Wire(tmp_path / "none.pem"))
