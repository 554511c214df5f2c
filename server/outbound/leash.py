"""A connection that ends when its time is over, whatever the other side does (threat OUT-05).

The timeout of a socket starts again with every byte that arrives, so a server that drips holds a reader for as long as it likes.
Here a timer shuts the connection down. It does so through a duplicate of the socket, because TLS takes the original over.
"""

import socket
from threading import Lock, Timer
from types import TracebackType
from typing import Self


class Leash:
    """Shuts the connections that it holds down once its time is over; a context manager."""

    def __init__(self, seconds: float) -> None:
        """Get ready.

        Args:
            seconds: from entering the context to the end of every connection.
        """
        self._seconds = seconds
        self._timer: Timer | None = None
        self._held: list[socket.socket] = []
        self._lock = Lock()
        self.is_cut = False

    def hold(self, connection: socket.socket) -> socket.socket:
        """Take a new connection on; it is given back unchanged."""
        with self._lock:
            self._held.append(connection.dup())
            if self.is_cut:
                _shut_down(self._held[-1])
        return connection

    def _cut(self) -> None:
        with self._lock:
            self.is_cut = True
            for held in self._held:
                _shut_down(held)

    def __enter__(self) -> Self:
        """Start the clock."""
        self._timer = Timer(self._seconds, self._cut)
        self._timer.daemon = True
        self._timer.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Let go of everything."""
        if self._timer:
            self._timer.cancel()
            self._timer = None  # each holds the other: apart, neither waits for the garbage collector
        with self._lock:
            for held in self._held:
                held.close()
            self._held.clear()


def _shut_down(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the other side was quicker
