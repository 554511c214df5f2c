"""The port that the service is reached at."""

import socket
from typing import Protocol

from server.config import Config


class _Named(Protocol):
    def getsockname(self) -> tuple[object, ...]: ...


def bind(config: Config) -> socket.socket:
    """Take the port; nothing listens yet, so callers are refused until the service is warm.

    Raises:
        OSError: the port is taken, or the address is none of this machine.
    """
    found = socket.getaddrinfo(config.host, config.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, address = found[0]
    taken = socket.socket(family, kind, protocol)
    try:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            taken.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        taken.bind(address)
    except OSError:
        taken.close()
        raise
    return taken


def url_of(listening: _Named) -> str:
    """The address to open in a browser.

    Args:
        listening: a socket, or a server on it.
    """
    host, port = (str(part) for part in listening.getsockname()[:2])
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
