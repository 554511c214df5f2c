"""On which server is it? Base URLs, as far as they tell servers apart."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from fhir_profiles.resources import LONGEST_REFERENCE, segments_of


def base_of(server: str) -> str:
    """A base URL without what does not tell servers apart; empty for what is none.

    Left out are the scheme, since a proxy may speak TLS for a server that does not know of it, capitals of the host, a port that
    goes without saying, and slashes that are doubled.

    Args:
        server: base URL of a FHIR server.
    """
    try:
        url = urlsplit(server.strip())
        host = f"{url.hostname}:{url.port}" if url.port not in (None, 80, 443) else url.hostname or ""
    except ValueError:
        return ""
    path = "".join(f"/{segment}" for segment in url.path.split("/") if segment)
    return f"{host}{path}" if url.scheme in ("http", "https") and host else ""


def server_of(url: str) -> str | None:
    """The server at which an absolute URL addresses a resource, as `base_of` writes it; None for what addresses none."""
    scheme, *path = (segments_of(url) if "://" in url else []) or [""]
    return base_of(f"{scheme}//{'/'.join(path[:-2])}") if path else None


def servers_of(urls: Iterable[str]) -> dict[str, str | None]:
    """What `server_of` says of each of the addresses of a chart: hundreds, and nearly all of them on one server.

    What stands before the id is the same for all resources of one type, and is looked at once.
    """
    bases: dict[str, str | None] = {}
    servers: dict[str, str | None] = {}
    for url in urls:
        head, _, name = url.rpartition("/")
        if head not in bases:
            bases[head] = _base_before(head)
        base = bases[head]
        is_plain = base is not None and "?" not in name and "#" not in name and name.strip() and len(url) <= LONGEST_REFERENCE
        servers[url] = base if is_plain else server_of(url)
    return servers


def _base_before(head: str) -> str | None:
    """What `base_of` says of the URL before a resource type; None for what is more than a base URL and a type."""
    base, _, kind = head.rpartition("/")
    is_plain = base.startswith(("https://", "http://")) and kind.isalpha() and "?" not in base and "#" not in base
    return base_of(base) if is_plain else None
