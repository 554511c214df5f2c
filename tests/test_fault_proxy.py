"""The proxy spoils what it should, so that what is tried through it is tried."""

import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from threading import Thread

import pytest

from tests.fault_proxy import BlackHole, Drip, Fault, FaultProxy, Flap, Garbage, HalfClose, Latency, ResetAfter, fault_proxy

ANSWER = b"0123456789"


@pytest.fixture(scope="module")
def proxy() -> Iterator[FaultProxy]:
    """In front of a server that answers each piece with ten bytes."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        host, port = listening.getsockname()

        def serve() -> None:
            with suppress(OSError):  # at the end
                while True:
                    connection, _ = listening.accept()
                    Thread(target=answer, args=(connection,), daemon=True).start()

        Thread(target=serve, daemon=True).start()
        with fault_proxy(host, port) as running:
            yield running
        listening.shutdown(socket.SHUT_RDWR)


def answer(connection: socket.socket) -> None:
    with connection, suppress(ConnectionResetError):
        while connection.recv(100):
            connection.sendall(ANSWER)


def asked(proxy: FaultProxy, fault: Fault, seconds: float = 5.0) -> tuple[bytes, float]:
    """What comes within a time, until the connection ends or ten bytes are there; and how long that took."""
    proxy.fault = fault
    began, received = time.monotonic(), b""
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=seconds) as connection:
        connection.sendall(b"?")
        while len(received) < len(ANSWER) and (piece := connection.recv(100)):
            received += piece
    return received, time.monotonic() - began


def test_without_a_fault_everything_passes(proxy: FaultProxy) -> None:
    assert asked(proxy, Fault())[0] == ANSWER


def test_answers_come_late(proxy: FaultProxy) -> None:
    received, seconds = asked(proxy, Latency(0.2))
    assert received == ANSWER
    assert seconds >= 0.2


def test_answers_drip(proxy: FaultProxy) -> None:
    received, seconds = asked(proxy, Drip(100))
    assert received == ANSWER
    assert seconds >= len(ANSWER) / 100


def test_a_connection_is_reset_within_an_answer(proxy: FaultProxy) -> None:
    with pytest.raises(ConnectionResetError):
        asked(proxy, ResetAfter(4))


def test_nothing_comes_out_of_a_black_hole(proxy: FaultProxy) -> None:
    with pytest.raises(TimeoutError):
        asked(proxy, BlackHole(), seconds=0.3)


def test_garbage_is_as_long_as_the_answer_and_another(proxy: FaultProxy) -> None:
    received, _ = asked(proxy, Garbage())
    assert len(received) == len(ANSWER)
    assert received != ANSWER


def test_after_half_a_close_nothing_more_comes(proxy: FaultProxy) -> None:
    proxy.fault = HalfClose()
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as connection:
        connection.sendall(b"?")
        assert connection.recv(100) == ANSWER
        connection.sendall(b"?")
        assert connection.recv(100) == b""


def test_it_flaps(proxy: FaultProxy) -> None:
    seen, deadline = set(), time.monotonic() + 10
    while len(seen) < 2 and time.monotonic() < deadline:
        try:
            seen.add(asked(proxy, Flap(0.1, 0.1))[0])
        except ConnectionError:
            seen.add(b"down")
    assert seen == {ANSWER, b"down"}
