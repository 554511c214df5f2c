"""Which addresses are this EHR's: the one that it was given, and the other names of this machine.

The sandbox listens on the machine of whoever tries it. A web site can give a name of its own the address 127.0.0.1 (DNS
rebinding); the browser then takes the sandbox for a part of that site, shows it the tokens of our forms, and says that its posts
are ours. Only the name in `Host` tells the two apart (RFC 9110, section 7.2).
"""

from typing import NamedTuple
from urllib.parse import urlsplit

from flask import Flask, Response, request

_LOOPBACK = frozenset(("127.0.0.1", "localhost", "::1"))
_WRONG_HOST = "This address does not name the sandbox. Open it by the address that it printed when it was started.\n"
_MISDIRECTED = 421
"""Misdirected Request (RFC 9110, section 15.5.20)."""


class _Origin(NamedTuple):
    scheme: str
    host: str | None
    port: int | None


def refuse_other_hosts(app: Flask, url: str) -> None:
    """Answer requests to `url`, or to this machine by name, and refuse any other before anything else looks at it.

    Args:
        app: with nothing registered yet that could look earlier.
        url: where this EHR is reached.
    """

    @app.before_request
    def refuse() -> Response | None:
        if _read(request.host_url).host in (_read(url).host, *_LOOPBACK):
            return None
        return Response(_WRONG_HOST, _MISDIRECTED, content_type="text/plain")


def is_ours(origin: str | None, url: str) -> bool:
    """Whether a form was sent from a page of this EHR.

    Args:
        origin: what the browser says of where the form was; None where it says nothing, as no browser does of a foreign form.
        url: where this EHR is reached; a browser may know this machine by another name, at the same port.
    """
    if origin is None:
        return True
    said, own = _read(origin), _read(url)
    return said.host in (own.host, *_LOOPBACK) and said._replace(host=own.host) == own


def _read(address: str) -> _Origin:
    """An address in its parts; without a host where it is none."""
    try:
        parts = urlsplit(address)
        return _Origin(parts.scheme, parts.hostname, parts.port)
    except ValueError:
        return _Origin("", None, None)
