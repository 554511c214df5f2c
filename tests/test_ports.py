"""The port that a test holds for a process."""

import socket

import pytest

from tests.ports import held_port


def test_whoever_asks_for_it_may_listen_and_whoever_asks_for_any_gets_another() -> None:
    with held_port() as port:
        with socket.create_server(("127.0.0.1", port)) as listening, socket.create_connection(("127.0.0.1", port)):
            listening.accept()[0].close()
        with socket.socket() as rude, pytest.raises(OSError, match="in use"):
            rude.bind(("127.0.0.1", port))  # without the option, as for any port that is bound
