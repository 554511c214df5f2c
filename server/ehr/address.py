"""Which URLs may be called: exactly the registered base URLs, and what lies below them (threats OUT-01, OUT-02, OUT-07)."""

import re
from urllib.parse import SplitResult, urljoin, urlsplit

from server.urls import is_loopback as is_loopback_host

_DEFAULT_PORTS = {"http": 80, "https": 443}
_PLAIN = re.compile(r"[\x21-\x7e]{1,2048}")
_TRICKS = re.compile(r"[\\^`{}|<>\"]|%(?:2e|2f|5c|00)|/\.{1,2}(?:/|$)", re.IGNORECASE)
"""What URL parsers disagree about, and ways to climb out of a path."""


def normal_base(url: str) -> str | None:
    """A FHIR base URL in one spelling, or None for what cannot be one, or may not.

    Scheme and host in lower case, no default port, no slash at the end. Plain HTTP is for this machine only, since an access
    token would go over the wire.

    Args:
        url: as registered, or as sent.
    """
    parts = _split(url)
    if parts is None or parts.query or parts.fragment or "?" in url or "#" in url:
        return None
    if parts.scheme != "https" and not is_loopback(url):
        return None
    return f"{_origin(parts)}{parts.path.rstrip('/')}"


def is_loopback(url: str) -> bool:
    """Whether a URL names this machine by its address, or by `localhost`."""
    parts = _split(url)
    return parts is not None and is_loopback_host(parts.hostname or "")


def below(base: str, link: str, page: str) -> str | None:
    """Where a link leads, or None if that is not below the base.

    Args:
        base: a base URL, as `normal_base` gives it.
        link: absolute or relative, as a server wrote it.
        page: URL of the page that holds the link.
    """
    parts = _split(link, page)
    if parts is None or parts.fragment or _origin(parts) != _origin(urlsplit(base)):
        return None
    path = urlsplit(base).path
    if parts.path.rstrip("/") != path and not parts.path.startswith(f"{path}/"):
        return None
    return f"{_origin(parts)}{parts.path}" + (f"?{parts.query}" if parts.query else "")


def _split(url: str, page: str = "") -> SplitResult | None:
    """The parts of a URL over HTTP without a user and without tricks; absolute, or as it stands on a page."""
    if not _PLAIN.fullmatch(url) or _TRICKS.search(url.partition("?")[0]):
        return None
    try:
        parts = urlsplit(urljoin(page, url))
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or not host or host.endswith(".") or "%" in host or port == 0 or "@" in parts.netloc:
        return None
    return parts


def _origin(parts: SplitResult) -> str:
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    port = parts.port or _DEFAULT_PORTS[parts.scheme]
    return f"{parts.scheme}://{host}" + ("" if port == _DEFAULT_PORTS[parts.scheme] else f":{port}")
