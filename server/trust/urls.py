"""Which URLs a client may be registered with."""

from ipaddress import IPv6Address, ip_address
from urllib.parse import SplitResult, urlsplit


def is_loopback(host: str) -> bool:
    """Whether a host name or literal address is this machine."""
    if host == "localhost":
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


def is_secure_url(text: str) -> bool:
    """Whether it is an absolute https URL without user, query and fragment; on this machine http will do (threat OUT-02)."""
    url = _split(text)
    return url is not None and (url.scheme == "https" or (url.scheme == "http" and is_loopback(url.hostname or "")))


def is_loopback_url(text: str) -> bool:
    """Whether it is a URL of this machine."""
    url = _split(text)
    return url is not None and is_loopback(url.hostname or "")


def is_origin(text: str) -> bool:
    """Whether it is a web origin as browsers write it: scheme, host and perhaps a port, in lower case (RFC 6454)."""
    url = _split(text)
    return url is not None and is_secure_url(text) and text == f"{url.scheme}://{url.netloc}".lower()


def _split(text: str) -> SplitResult | None:
    """The parts of a URL that has nothing in it that two readers could read in two ways."""
    if not text.isascii() or not text.isprintable() or any(character in text for character in ' \\"<>@?#*'):
        return None
    try:
        url = urlsplit(text)
        return url if url.hostname and url.port != 0 else None
    except ValueError:
        return None
