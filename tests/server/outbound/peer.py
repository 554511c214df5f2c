"""The other side of a connection, on loopback: it writes the bytes that a test tells it to, as slowly as it tells it to."""

import socket
import ssl
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread

Script = Iterable[bytes | float]
"""Pieces to write, and seconds to wait between them."""


@dataclass
class Peer:
    """A server that answers every connection with the same script.

    Args:
        port: on 127.0.0.1.
        received: the head of each request that came.
        gone: how many connections the client has closed.
    """

    port: int
    received: list[bytes] = field(default_factory=list)
    gone: int = 0

    def url(self, path: str = "/", scheme: str = "http", host: str = "127.0.0.1") -> str:
        """A URL of this server."""
        return f"{scheme}://{host}:{self.port}{path}"


@contextmanager
def peer(script: Script, tls: ssl.SSLContext | None = None, reads_request: bool = True) -> Iterator[Peer]:
    """Run one.

    Args:
        script: what to answer.
        tls: for HTTPS.
        reads_request: wait for the request first; else write at once.
    """
    script, ended = list(script), Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        running = Peer(listener.getsockname()[1])

        def serve(connection: socket.socket) -> None:
            try:
                with connection, tls.wrap_socket(connection, server_side=True) if tls else connection as plain:
                    if reads_request:
                        running.received.append(_head(plain))
                    _play(plain, script, ended)
            except OSError:
                running.gone += 1

        def accept() -> None:
            while not ended.is_set():
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                connection.settimeout(5)
                threads.append(Thread(target=serve, args=(connection,)))
                threads[-1].start()

        threads = [Thread(target=accept)]
        threads[0].start()
        try:
            yield running
        finally:
            ended.set()
            listener.shutdown(socket.SHUT_RDWR)
            for thread in threads:
                thread.join()


def answer(body: bytes = b"{}", status: str = "200 OK", headers: Mapping[str, str] | None = None) -> bytes:
    """A whole answer."""
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in (headers or {}).items())]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "Connection: close", "", ""]).encode() + body


def _head(connection: socket.socket) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head and (piece := connection.recv(65_536)):
        head += piece
    return head


def _play(connection: socket.socket, script: Script, ended: Event) -> None:
    for step in script:
        if isinstance(step, bytes):
            connection.sendall(step)
        elif ended.wait(step):
            return
