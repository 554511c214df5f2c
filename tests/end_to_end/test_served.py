"""The running service, as EHRs and as attackers meet it."""

import socket
import subprocess
from contextlib import ExitStack, closing
from pathlib import Path
from time import perf_counter

import orjson
import pytest

from server.http_server import MOST_HEADER_BYTES
from tests.end_to_end.checked_connection import CheckedConnection
from tests.end_to_end.conftest import COMMAND, LIMIT, Service, end
from tests.server.answers import check_answer, diagnostics
from tests.server.charts import ANTI_TIF1, Json, chart, dermatomyositis, hook_call, prefetch_of
from tests.server.observing.scraped import Scraped

DOCS = Path(__file__).parents[2] / "docs"
HEADERS = b"POST /cds-services/myositis-patient-view HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


def raw(service: Service, *pieces: bytes) -> tuple[int, Json]:
    """Send bytes as they are; status and JSON of the first answer."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as connection:
        for piece in pieces:
            connection.sendall(piece)
        received = b""
        while b"\r\n\r\n" not in received or not is_complete(received):
            piece = connection.recv(65536)
            if not piece:
                break
            received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines[1:])
    status = int(lines[0].split(" ")[1])
    check_answer(status, headers, body)
    assert "Server" not in headers
    return status, orjson.loads(body)


def is_complete(received: bytes) -> bool:
    head, _, body = received.partition(b"\r\n\r\n")
    length = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
    return len(body) >= int(length.partition(b":")[2])


def in_chunks(body: bytes, size: int = 50_000) -> list[bytes]:
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces] + [b"0\r\n\r\n"]


def of_length(length: int) -> bytes:
    """A hook call of exactly so many bytes."""
    call = orjson.dumps(hook_call("p1", dermatomyositis(), padding=""))
    return call.replace(b'"padding":""', b'"padding":"%b"' % (b"a" * (length - len(call))))


def test_it_is_ready_as_soon_as_it_says_where_it_is(service: Service) -> None:
    status, answer = service.request("GET", "/health/ready")
    assert (status, answer["status"]) == (200, "ready")


@pytest.mark.requirement("D-1", "R-10")
def test_an_ehr_discovers_it_sends_what_it_asks_for_and_gets_cards(service: Service) -> None:
    _, discovery = service.request("GET", "/cds-services")
    asked = discovery["services"][0]["prefetch"]
    prefetch = {key: value for key, value in prefetch_of(chart(ANTI_TIF1)).items() if key in asked}
    status, answer = service.request("POST", "/cds-services/myositis-patient-view", hook_call(ANTI_TIF1, prefetch))
    assert status == 200
    assert {"lungFunction", "tumourScreening"} <= {card["source"]["topic"]["code"] for card in answer["cards"]}


def test_the_connection_is_kept_for_the_next_call(service: Service) -> None:
    with closing(CheckedConnection(service.port, timeout=10)) as connection:
        connection.request("GET", "/cds-services")
        assert connection.answer().status == 200
        opened = connection.sock
        connection.request("POST", "/cds-services/myositis-patient-view", b"{}", {"Content-Type": "application/json"})
        assert connection.answer().status == 400
        assert connection.sock is opened


# --- too long


def test_a_body_of_exactly_the_limit_is_read(service: Service) -> None:
    body = of_length(LIMIT)
    assert raw(service, HEADERS, b"Content-Length: %d\r\n\r\n" % len(body), body)[0] == 200
    assert raw(service, HEADERS, b"Transfer-Encoding: chunked\r\n\r\n", *in_chunks(body))[0] == 200


@pytest.mark.requirement("IN-02")
def test_a_body_one_byte_longer_is_refused_whether_its_length_is_said_or_not(service: Service) -> None:
    body = of_length(LIMIT + 1)
    for status, answer in (
        raw(service, HEADERS, b"Content-Length: %d\r\n\r\n" % len(body), body),
        raw(service, HEADERS, b"Transfer-Encoding: chunked\r\n\r\n", *in_chunks(body)),
    ):
        assert status == 413
        assert diagnostics(answer).startswith("MYO-1004")


@pytest.mark.requirement("IN-01")
def test_a_body_that_is_said_to_be_far_too_long_is_not_waited_for(service: Service) -> None:
    start = perf_counter()
    status, answer = raw(service, HEADERS, b"Content-Length: 99999999999\r\n\r\n")
    assert status == 413
    assert diagnostics(answer).startswith("MYO-1413")
    assert perf_counter() - start < 2


def test_a_chunked_body_without_an_end_is_refused_on_the_way(service: Service) -> None:
    beginning = b"%x\r\n" % (100 * LIMIT)
    endless = beginning + b"a" * (2 * LIMIT - len(beginning))
    status, answer = raw(service, HEADERS, b"Transfer-Encoding: chunked\r\n\r\n", endless)
    assert status == 413
    assert diagnostics(answer).startswith("MYO-1413")


# --- not HTTP as it should be


@pytest.mark.requirement("IN-08", "H-5")
@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        pytest.param(b"BAD\r\n\r\n", 400, id="no request line"),
        pytest.param(b"GET / HTTP/1.1\r\nbad header\r\n\r\n", 400, id="no header"),
        pytest.param(HEADERS + b"Content-Length: two\r\n\r\n{}", 400, id="length in words"),
        pytest.param(HEADERS + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400, id="broken chunk"),
        pytest.param(HEADERS + b"Transfer-Encoding: gzip\r\n\r\n", 501, id="unknown coding"),
    ],
)
def test_malformed_http_is_refused_with_an_operation_outcome_too(service: Service, request_bytes: bytes, status: int) -> None:
    assert raw(service, request_bytes)[0] == status


def test_as_many_headers_are_taken_as_the_pages_say(service: Service) -> None:
    begin = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    field = b"X: " + b"a" * 995 + b"\r\n"
    assert raw(service, begin + 60 * field + b"\r\n")[0] == 200
    status, answer = raw(service, begin + 80 * field + b"\r\n")
    assert status == 431
    assert diagnostics(answer).startswith("MYO-1431")
    for page in ("operating.md", "security/promises.yaml"):
        assert f" {MOST_HEADER_BYTES // 1024} KiB" in (DOCS / page).read_text("utf-8")


@pytest.mark.requirement("IN-07")
def test_many_slow_clients_do_not_keep_others_waiting(service: Service) -> None:
    with ExitStack() as slow_clients:
        for number in range(200):
            connection = socket.create_connection(("127.0.0.1", service.port), timeout=10)
            slow_clients.enter_context(connection)
            connection.sendall(HEADERS if number % 2 else HEADERS + b"Content-Length: 1000\r\n\r\n{")
        start = perf_counter()
        assert service.request("GET", "/health/live")[0] == 200
        assert perf_counter() - start < 2


def test_after_all_this_it_still_answers(service: Service) -> None:
    assert service.request("POST", "/cds-services/myositis-patient-view", hook_call("p1", dermatomyositis()))[0] == 200


# --- open, but to this machine only


@pytest.mark.requirement("JWT-19")
@pytest.mark.parametrize(
    ("header", "status"),
    [
        pytest.param("Host: localhost", 200, id="by its name"),
        pytest.param("Host: LOCALHOST:8000", 200, id="by its name, and a port"),
        pytest.param("Host: 127.0.0.1:8000", 200, id="by its address"),
        pytest.param("Host: [::1]:8000", 200, id="by its IPv6 address"),
        pytest.param("Host: cds.hospital.example", 401, id="another name: DNS rebinding"),
        pytest.param("Host: 127.0.0.1.evil.example", 401, id="another name that looks like it"),
        pytest.param("Host: localhost@evil.example", 401, id="with a user"),
        pytest.param("Host: localhost\r\nHost: evil.example", 401, id="two hosts"),
        pytest.param("X: y", 401, id="no host"),
        pytest.param("Host: localhost\r\nX-Forwarded-For: 203.0.113.9", 401, id="X-Forwarded-For"),
        pytest.param("Host: localhost\r\nX-Forwarded-For: 127.0.0.1", 401, id="a proxy, whoever it calls for"),
        pytest.param("Host: localhost\r\nX-Forwarded-Host: cds.hospital.example", 401, id="X-Forwarded-Host"),
        pytest.param("Host: localhost\r\nX-Forwarded-Proto: https", 401, id="X-Forwarded-Proto"),
        pytest.param("Host: localhost\r\nForwarded: for=203.0.113.9", 401, id="Forwarded"),
        pytest.param("Host: localhost\r\nX-Real-IP: 203.0.113.9", 401, id="X-Real-IP"),
        pytest.param("Host: localhost\r\nVia: 1.1 proxy", 401, id="Via"),
    ],
)
def test_without_clients_it_answers_nobody_elsewhere_not_even_through_this_machine(
    header: str, status: int, service: Service
) -> None:
    body = orjson.dumps(hook_call("p1", dermatomyositis()))
    head = HEADERS.replace(b"Host: localhost", header.encode()) + b"Content-Length: %d\r\n\r\n" % len(body)
    assert raw(service, head, body)[0] == status


# --- start and end


def test_a_port_in_use_is_one_clear_line(service: Service) -> None:
    second = subprocess.run(
        [COMMAND, "serve", "--port", str(service.port)], capture_output=True, text=True, check=False, timeout=60
    )
    assert second.returncode == 1
    (line,) = second.stderr.splitlines()
    assert f"port {service.port} cannot be opened" in line
    assert "--port" in line


@pytest.mark.requirement("PR-02")
def test_it_ends_quietly_when_it_is_told_to() -> None:
    with subprocess.Popen(
        [COMMAND, "serve", "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stderr
        assert "http://127.0.0.1:" in process.stdout.readline()
        assert end(process) == 0
        assert process.stderr.read() == ""


# --- its figures


def test_its_figures_tell_of_the_server_it_runs_in(service: Service) -> None:
    with closing(CheckedConnection(service.port)) as connection:
        connection.request("GET", "/metrics")
        answer = connection.answer()
    told = Scraped(answer.body.decode())
    assert answer.status == 200
    assert (told("threads"), told("processes")) == (16, 1)
    assert told("threads_busy") >= 1
    assert told("connections") >= 1
