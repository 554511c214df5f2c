"""The service behind the nginx that we ship, and what either makes of requests that two readers could read in two ways."""

import json
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from threading import Thread

import pytest

from tests.end_to_end.nginx import NAME, Proxy, nginx
from tests.end_to_end.serving import CALL, VIEW, Serving, serving

CLIENTS = '[[client]]\nname = "hospital"\nissuer = "https://ehr.example"\njwks_url = "https://ehr.example/jwks.json"\n'

Connect = Callable[[], socket.socket]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("behind")
    (folder / "clients.toml").write_text(CLIENTS)
    with serving(folder, CLIENTS=str(folder / "clients.toml"), PUBLIC_URL=f"https://{NAME}") as running:
        yield running


@pytest.fixture(scope="module")
def proxy(service: Serving, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    with nginx(tmp_path_factory.mktemp("nginx"), [service.port]) as running:
        yield running


@pytest.fixture(params=["alone", "behind nginx"])
def connect(request: pytest.FixtureRequest, service: Serving) -> Connect:
    """Opens a connection to the service, directly or through nginx."""
    if request.param == "alone":
        return lambda: socket.create_connection(("127.0.0.1", service.port), timeout=30)
    connect: Connect = request.getfixturevalue("proxy").connect
    return connect


def exchange(connect: Connect, *pieces: bytes) -> bytes:
    """Everything that comes back until the other side closes, or is silent for a while."""
    received = b""
    with closing(connect()) as connection:
        for piece in pieces:
            connection.sendall(piece)
        connection.settimeout(1.5)
        try:
            while piece := connection.recv(65536):
                received += piece
        except (TimeoutError, ConnectionResetError):
            return received
    return received


def statuses(received: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", received)]


# --- two readers, one reading


POST = f"POST {VIEW} HTTP/1.1\r\nHost: {NAME}\r\nContent-Type: application/json\r\n".encode()
HIDDEN = f"GET /health/live HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode()
SMUGGLED = b"0\r\n\r\n" + HIDDEN

AMBIGUOUS = {
    "length and chunks": b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n" % len(SMUGGLED),
    "chunks and length": b"Transfer-Encoding: chunked\r\nContent-Length: %d\r\n" % len(SMUGGLED),
    "two lengths": b"Content-Length: 5\r\nContent-Length: %d\r\n" % len(SMUGGLED),
    "the same length twice": b"Content-Length: 5\r\nContent-Length: 5\r\n",
    "two lengths in one": b"Content-Length: 5, %d\r\n" % len(SMUGGLED),
    "a signed length": b"Content-Length: +5\r\n",
    "a length in hexadecimal": b"Content-Length: 0x5\r\n",
    "a length with an underscore": b"Content-Length: 1_0\r\n",
    "a folded header": b"X-Any: a\r\n Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
    "a folded coding": b"Transfer-Encoding:\r\n chunked\r\n",
    "a coding twice": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    "two codings": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
    "chunked twice in one": b"Transfer-Encoding: chunked, chunked\r\n",
    "a coding nobody knows": b"Transfer-Encoding: xchunked\r\n",
    "identity": b"Transfer-Encoding: identity\r\nContent-Length: 5\r\n",
    "a space before the colon": b"Transfer-Encoding : chunked\r\n",
    "a tab before the coding": b"Transfer-Encoding:\tchunked\r\nContent-Length: 5\r\n",
    "a vertical tab": b"Transfer-Encoding: \x0bchunked\r\n",
    "a quoted coding": b'Transfer-Encoding: "chunked"\r\n',
    "a bare line feed": b"X-Any: a\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n",
    "a bare carriage return": b"X-Any: a\rTransfer-Encoding: chunked\r\nContent-Length: 5\r\n",
    "a null": b"X-Any: a\x00b\r\nContent-Length: 5\r\n",
}


@pytest.mark.requirement("IN-08")
@pytest.mark.parametrize("headers", AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_a_request_whose_end_can_be_read_in_two_ways_is_refused_and_none_is_found_in_its_body(
    headers: bytes, connect: Connect
) -> None:
    received = exchange(connect, POST + headers + b"\r\n", SMUGGLED)
    assert len(statuses(received)) == 1, received
    assert statuses(received)[0] in (400, 501), received
    assert b'"live"' not in received


@pytest.mark.requirement("IN-08")
@pytest.mark.parametrize(
    "chunks",
    [
        pytest.param(b"5;" + b"a=b;" * 20 + b"\r\n{}   \r\nzz\r\n", id="no length"),
        pytest.param(b"-1\r\n{}\r\n0\r\n\r\n", id="a negative length"),
        pytest.param(b"0x2\r\n{}\r\n0\r\n\r\n", id="a prefix"),
        pytest.param(b"2\r\n{}xx0\r\n\r\n", id="longer than it says"),
        pytest.param(b"ffffffffffffffffff\r\n{}\r\n0\r\n\r\n", id="an endless length"),
    ],
)
def test_chunks_that_are_none_are_refused(chunks: bytes, connect: Connect) -> None:
    received = exchange(connect, POST + b"Transfer-Encoding: chunked\r\n\r\n" + chunks, HIDDEN)
    assert statuses(received)[:1] in ([400], [413], [501], []), received  # none, while an endless chunk is waited for
    assert b'"live"' not in received


@pytest.mark.requirement("IN-08")
def test_after_all_this_everybody_gets_the_answer_to_the_own_question(connect: Connect) -> None:
    """A request left over in a connection that nginx keeps would be answered to the next one."""
    for _ in range(40):
        (path, word) = ("/health/live", b'"live"') if _ % 2 else ("/cds-services", b'"services"')
        received = exchange_one(connect, f"GET {path} HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n".encode())
        assert statuses(received) == [200]
        assert word in received


def exchange_one(connect: Connect, request: bytes) -> bytes:
    received = b""
    with closing(connect()) as connection:
        connection.sendall(request)
        while piece := connection.recv(65536):
            received += piece
    return received


# --- what nginx is for


@pytest.mark.requirement("IN-02")
def test_what_nginx_refuses_is_an_operation_outcome_too(proxy: Proxy) -> None:
    received = exchange(proxy.connect, POST + b"Content-Length: 99999999\r\n\r\n")
    head, _, body = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 413 ")
    assert b"application/fhir+json" in head
    assert json.loads(body)["issue"][0]["diagnostics"].startswith("MYO-1413")


def test_whoever_asks_for_much_without_saying_who_it_is_has_to_wait(proxy: Proxy) -> None:
    request = f"GET /health/live HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode()
    received = exchange(proxy.connect, request * 150)
    found = statuses(received)
    assert set(found) == {200, 429}
    refused = received[received.index(b" 429 ") :]
    assert b"Retry-After: 1" in refused
    assert b"MYO-1429" in refused
    assert received.count(b"Strict-Transport-Security: max-age=") == len(found)


def test_the_wards_of_a_hospital_that_has_one_address_can_use_the_app_at_once(proxy: Proxy) -> None:
    request = f"GET /smart/launch HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode()
    assert set(statuses(exchange(proxy.connect, request * 150))) & {429, 503} == set()


@pytest.mark.requirement("LOG-02")
def test_nginx_writes_down_no_path_no_token_and_nothing_of_a_call(proxy: Proxy) -> None:
    query = f"GET /smart/launch?iss=https://canary.example&launch=canary HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n"
    exchange_one(proxy.connect, query.encode())
    call = POST + b"Authorization: Bearer canary\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(CALL)
    assert statuses(exchange_one(proxy.connect, call + CALL)) == [401]
    log = proxy.log(until="status=401")
    assert "status=401" in log
    assert "canary" not in log
    assert "/cds-services" not in log


def test_the_service_hears_of_the_client_nothing_but_the_scheme(tmp_path: Path) -> None:
    with Upstream(answers=True) as upstream, nginx(tmp_path, [upstream.port]) as proxy:
        forged = "".join(
            f"{name}: forged\r\n" for name in ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-IP", "Via")
        )
        request = f"GET /cds-services HTTP/1.1\r\nHost: {NAME}\r\nForwarded: for=forged\r\n{forged}Connection: close\r\n\r\n"
        assert statuses(exchange_one(proxy.connect, request.encode())) == [200]
    (heard,) = upstream.heard
    assert b"forged" not in heard
    assert b"X-Forwarded-Proto: https\r\n" in heard


# --- nothing is delivered twice


class Upstream:
    """A server that writes down what it hears, and answers, or dies in the middle of each request."""

    def __init__(self, *, answers: bool) -> None:
        self.heard: list[bytes] = []
        self._answers = answers
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._thread = Thread(target=self._serve, daemon=True)

    def __enter__(self) -> "Upstream":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(10)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with connection:
                received = b""
                while not is_whole(received) and (piece := connection.recv(65536)):
                    received += piece
                self.heard.append(received)
                if self._answers:
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")


def is_whole(received: bytes) -> bool:
    head, end, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: *(\d+)", head)
    return bool(end) and len(body) >= (int(length[1]) if length else 0)


@pytest.mark.requirement("JWT-16")
def test_a_call_that_reached_a_service_which_then_died_is_not_sent_to_another_one(tmp_path: Path) -> None:
    with Upstream(answers=False) as dying, Upstream(answers=True) as other, nginx(tmp_path, [dying.port, other.port]) as proxy:
        calls = [CALL.replace(b"d1577c69", b"%08x" % number) for number in range(6)]
        answers = [
            exchange_one(proxy.connect, POST + b"Content-Length: %d\r\nConnection: close\r\n\r\n%b" % (len(call), call))
            for call in calls
        ]
    heard = [one.partition(b"\r\n\r\n")[2] for one in (*dying.heard, *other.heard)]
    assert sorted(heard) == sorted(calls)  # each once
    assert dying.heard
    assert [statuses(answer) for answer in answers].count([503]) == len(dying.heard)
    assert all(b"MYO-1901" in answer for answer in answers if statuses(answer) == [503])
    assert all(b"Strict-Transport-Security: " in answer for answer in answers if statuses(answer) == [503])


@pytest.mark.requirement("SM-03")
def test_the_code_of_a_launch_is_sent_once_though_it_comes_in_a_get(tmp_path: Path) -> None:
    with Upstream(answers=False) as dying, Upstream(answers=True) as other, nginx(tmp_path, [dying.port, other.port]) as proxy:
        codes = [b"code-%d" % number for number in range(6)]
        for code in codes:
            request = b"GET /smart/callback?code=%b&state=s HTTP/1.1\r\nHost: %b\r\nConnection: close\r\n\r\n"
            exchange_one(proxy.connect, request % (code, NAME.encode()))
    heard = [one.partition(b"code=")[2].partition(b"&")[0] for one in (*dying.heard, *other.heard)]
    assert sorted(heard) == codes  # each once
    assert dying.heard
