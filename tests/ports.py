"""A port that nobody else is given while a test needs it."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def held_port() -> Iterator[int]:
    """A port of this machine, for a process that has to be told it.

    It is bound until the end of the context, so that the system gives it to nobody who asks for any free one; but with
    SO_REUSEADDR and not listened to, so that a process which asks for this very one, with that option, may listen (socket(7)).
    """
    with socket.socket() as holding:
        holding.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holding.bind(("127.0.0.1", 0))
        yield holding.getsockname()[1]
