"""What a URL, an origin and a host may be: this machine, another one over https, or neither."""

import re
from contextlib import suppress
from ipaddress import IPv6Address, ip_address
from socket import inet_aton, inet_ntoa
from urllib.parse import SplitResult, urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[a-z0-9.-]+|[0-9a-f:.]+")


def is_loopback(host: str) -> bool:
    """Whether a host name or literal address is this machine."""
    return host == "localhost" or is_loopback_address(host)


def is_loopback_address(host: str) -> bool:
    """Whether a literal address is of this machine, also where IPv6 carries IPv4 (RFC 4291, 2.5.5.2)."""
    try:
        address = ip_address(host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


def may_be_this_machine(host: str) -> bool:
    """Whether any resolver could take a host for this machine: also names and spellings that we do not accept for it.

    Names below `localhost` (RFC 6761, 6.3), a dot at the end, the unspecified address, and IPv4 as the C library reads it
    (`127.1`, `0x7f000001`).

    Args:
        host: name or literal address, as in a URL.
    """
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    with suppress(OSError):  # a name, or IPv6
        name = inet_ntoa(inet_aton(name))
    try:
        address = ip_address(name)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback or (mapped or address).is_unspecified


def is_secure_url(text: str) -> bool:
    """Whether it is an absolute https URL without user, query and fragment; on this machine http will do (threat OUT-02)."""
    url = _split(text)
    return url is not None and (url.scheme == "https" or (url.scheme == "http" and is_loopback(url.hostname or "")))


def is_loopback_url(text: str) -> bool:
    """Whether it is a URL of this machine."""
    url = _split(text)
    return url is not None and is_loopback(url.hostname or "")


def is_loopback_host_header(text: str) -> bool:
    """Whether a `Host` header names this machine: host and perhaps a port (RFC 9110, 7.2)."""
    return "/" not in text and is_loopback_url(f"http://{text}")


def is_origin(text: str) -> bool:
    """Whether it is a secure web origin as browsers write it; nothing in it could end a word of a policy (CSP)."""
    return text == origin_of(text)


def origin_of(text: str) -> str | None:
    """The origin of a secure URL as browsers write it: scheme, host, and the port unless it is the scheme's own, in lower case
    (RFC 6454, 6.2); None where there is none."""
    url = _split(text)
    if url is None or not is_secure_url(text) or not _HOST.fullmatch(host := url.hostname or ""):
        return None
    host = f"[{host}]" if ":" in host else host
    port = "" if url.port in (None, _DEFAULT_PORTS[url.scheme]) else f":{url.port}"
    return f"{url.scheme}://{host}{port}"


def _split(text: str) -> SplitResult | None:
    """The parts of a URL that has nothing in it that two readers could read in two ways."""
    if not text.isascii() or not text.isprintable() or any(character in text for character in ' \\"<>@?#*'):
        return None
    try:
        url = urlsplit(text)
        return url if url.hostname and url.port != 0 else None
    except ValueError:
        return None
