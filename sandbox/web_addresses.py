"""Which texts are addresses of the web: one answer for links, sources and services."""

from typing import Any
from urllib.parse import urlsplit


def is_web_address(url: Any) -> bool:
    """Whether something is an absolute URL over HTTP, with a host that can be looked up (RFC 3986; labels as in RFC 1035)."""
    if not isinstance(url, str) or not url.isprintable() or " " in url or "\\" in url:
        return False
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").removesuffix(".")
        host.encode("idna")  # refuses labels that are empty or too long
        return parts.scheme in ("http", "https") and bool(host) and parts.port != 0
    except ValueError:
        return False
