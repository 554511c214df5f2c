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
    """What `server_of` says of each of the addresses of a chart: hundreds, and nearly all of them on one server."""
    bases: dict[str, str] = {}
    servers: dict[str, str | None] = {}
    for url in urls:
        head, *named = url.rsplit("/", 2)
        if _is_plain(url, head, named):
            if head not in bases:
                bases[head] = base_of(head)
            servers[url] = bases[head]
        else:
            servers[url] = server_of(url)
    return servers


def _is_plain(url: str, head: str, named: list[str]) -> bool:
    """Whether it is nothing but a base URL, a resource type and an id."""
    if len(named) != 2 or len(url) > LONGEST_REFERENCE or "?" in url or "#" in url:
        return False
    return head.startswith(("https://", "http://")) and named[0].isalpha() and bool(named[1].strip())
