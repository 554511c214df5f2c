"""How `requests` opens connections here: on a leash, and trusting whom we say."""

import logging
import socket
import ssl
from functools import cache, partial
from pathlib import Path
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from server.outbound.leash import Leash

logging.getLogger("urllib3").setLevel(logging.CRITICAL)  # it writes down URLs, and ours name patients


class _PlainConnection(HTTPConnection):
    def __init__(self, *args: Any, leash: Leash, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._leash = leash

    def _new_conn(self) -> socket.socket:
        return self._leash.hold(super()._new_conn())


class _SecureConnection(_PlainConnection, HTTPSConnection):
    """The leash holds the socket before TLS takes it over."""


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class LeashedAdapter(HTTPAdapter):
    """The transport of one exchange.

    Args:
        leash: holds every connection.
        trusted: certificates to trust.
    """

    def __init__(self, leash: Leash, trusted: ssl.SSLContext) -> None:
        """Keep both; the base class then asks for the pool manager."""
        self._leash = leash
        self._trusted = trusted
        super().__init__()

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any) -> None:
        """Make a pool manager whose connections are on the leash."""
        super().init_poolmanager(connections, maxsize, block, ssl_context=self._trusted, **pool_kwargs)
        self.poolmanager.pool_classes_by_scheme = {
            "http": partial(_PlainPool, leash=self._leash),
            "https": partial(_SecurePool, leash=self._leash),
        }

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Leave the connection as it is: its context verifies already, and `requests` would add another list of authorities."""


@cache
def trusted(ca_file: Path | None = None) -> ssl.SSLContext:
    """Whom to trust: the system's authorities, TLS 1.2 or later, and the name must match (OUT-15). Read once per file.

    Args:
        ca_file: PEM file with further authorities.

    Raises:
        OSError: the file cannot be read, or holds no certificate (`ssl.SSLError` is an OSError).
    """
    context = ssl.create_default_context()
    if ca_file:
        context.load_verify_locations(ca_file)
    return context
