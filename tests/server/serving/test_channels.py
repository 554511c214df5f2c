"""Connections of slow clients, on real sockets: they keep nobody waiting, and end after their time."""

import gc
import socket
import weakref
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from threading import Event, Thread

import pytest
from flask import Flask

from server import http_server
from server.application import create_app
from server.config import Config
from server.http_server import Server, create_http_server
from server.serving import channels
from tests.end_to_end.serving import wait_until
from tests.trials.slow_clients import HEAD, LINE, crowd

CONFIG = Config(port=0, database_url="sqlite://")


@contextmanager
def running(app: Flask | None = None) -> Iterator[Server]:
    """A server in this process."""
    server = create_http_server(app or create_app(CONFIG), CONFIG)
    stop = Event()
    thread = Thread(target=_turn, args=(server, stop))
    thread.start()
    try:
        yield server
    finally:
        stop.set()
        server.pull_trigger()
        thread.join()
        for channel in server.channels:
            channel.handle_close()
        server.task_dispatcher.shutdown()
        server.close()


def _turn(server: Server, stop: Event) -> None:
    while not stop.is_set():
        server.turn(0.05)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with running() as server:
        yield port_of(server)


def port_of(server: Server) -> int:
    return int(server.socket.getsockname()[1])


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HEAD_SECONDS", "REQUEST_SECONDS", "ANSWER_SECONDS"):
        monkeypatch.setattr(channels, name, 1.0)


def end_of(connection: socket.socket, drip: bytes = b"") -> bytes:
    """What comes until the server closes, while a byte is sent now and then."""
    connection.settimeout(0.2)
    received = b""
    for _ in range(40):
        try:
            piece = connection.recv(65536)
        except TimeoutError:
            if drip:
                connection.sendall(drip)
            continue
        except ConnectionResetError:
            return received
        if not piece:
            return received
        received += piece
    raise AssertionError("the server waits on")


@pytest.mark.requirement("IN-07")
@pytest.mark.parametrize("beginning", [pytest.param(LINE + b"X: ", id="headers"), pytest.param(HEAD, id="body")])
def test_a_request_that_comes_byte_by_byte_is_ended_with_408(beginning: bytes, impatient: None, port: int) -> None:
    with closing(socket.create_connection(("127.0.0.1", port))) as connection:
        connection.sendall(beginning)
        answer = end_of(connection, b"x")
    assert answer.startswith(b"HTTP/1.1 408 ") or answer.startswith(b"HTTP/1.0 408 ")
    assert b"MYO-1408" in answer
    assert answer.lower().count(b"connection: close") == 1


def test_a_crowd_of_slow_clients_comes_back_when_it_was_ended(impatient: None, port: int) -> None:
    with crowd(port, heads=5, bodies=5) as slow:
        assert slow.there() == (5, 5)
        wait_until(lambda: slow.there() == (0, 0), seconds=20)
        slow.fill()
        assert slow.there() == (5, 5)


@pytest.mark.requirement("IN-07")
def test_a_connection_on_which_nothing_is_ever_sent_is_closed(impatient: None, port: int) -> None:
    with closing(socket.create_connection(("127.0.0.1", port))) as connection:
        assert end_of(connection) == b""


@pytest.mark.requirement("IN-07")
def test_a_connection_that_is_kept_may_be_silent_for_longer(impatient: None, port: int) -> None:
    with closing(HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        for _ in range(2):
            connection.request("GET", "/health/live")
            assert connection.getresponse().read()
            assert connection.sock
            connection.sock.settimeout(2.2)
            with pytest.raises(TimeoutError):
                connection.sock.recv(1)


@pytest.mark.requirement("IN-07")
def test_whoever_does_not_take_an_answer_is_not_waited_for(impatient: None) -> None:
    """Nor do its further requests hold a thread, which waits while more than 16 MiB of answers do."""
    app = Flask(__name__)
    app.add_url_rule("/", view_func=lambda: b"x" * 10_000_000)
    with running(app) as server, closing(socket.create_connection(("127.0.0.1", port_of(server)))) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * 4)
        wait_until(lambda: server.channels)
        wait_until(lambda: not server.channels)
        wait_until(lambda: server.task_dispatcher.active_count == 0)


def test_what_waits_for_the_garbage_collector_is_gone_after_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Libraries leave a little of each request in circles; by itself the collector would come after thousands of requests."""
    monkeypatch.setattr(http_server, "_SWEPT_SECONDS", 0.0)
    monkeypatch.setattr(http_server, "_TURN_SECONDS", 0.01)
    gone = Event()

    class Circle:
        def __init__(self) -> None:
            self.itself = self

    with running():
        gc.disable()  # by itself it must not come
        try:
            weakref.finalize(Circle(), gone.set)
            assert gone.wait(5)
        finally:
            gc.enable()


@pytest.mark.requirement("PR-02")
def test_a_connection_just_opened_may_still_ask_when_the_service_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is closed a second later, if it has said nothing by then."""
    monkeypatch.setattr(channels, "FIRST_WORD_SECONDS", 60.0)
    with running() as server, closing(HTTPConnection("127.0.0.1", port_of(server), timeout=10)) as connection:
        connection.connect()
        wait_until(lambda: server.channels)
        server.end_idle_connections()
        server.pull_trigger()
        assert not any(channel.will_close for channel in server.channels)
        connection.request("GET", "/health/live")
        assert connection.getresponse().status == 200
        monkeypatch.setattr(channels, "FIRST_WORD_SECONDS", 0.0)
        wait_until(lambda: all(channel.is_idle for channel in server.channels))
        server.end_idle_connections()
        server.pull_trigger()
        wait_until(lambda: not server.channels)
