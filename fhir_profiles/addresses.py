"""On which server is it? Base URLs, as far as they tell servers apart."""

from urllib.parse import urlsplit

from fhir_profiles.resources import type_and_id


def base_of(server: str) -> str:
    """A base URL without what does not tell servers apart; empty for what is none.

    Left out are the scheme, since a proxy may speak TLS for a server that does not know of it, capitals of the host, and a port
    that goes without saying.

    Args:
        server: base URL of a FHIR server.
    """
    try:
        url = urlsplit(server.strip())
        host = f"{url.hostname}:{url.port}" if url.port not in (None, 80, 443) else url.hostname or ""
    except ValueError:
        return ""
    return f"{host}{url.path.rstrip('/')}" if url.scheme in ("http", "https") and host else ""


def server_of(url: str) -> str | None:
    """The server at which an absolute URL addresses a resource, as `base_of` writes it; None for what addresses none."""
    named = type_and_id(url) if "://" in url else None
    return base_of(url.strip().rpartition(f"/{named[0]}/{named[1]}")[0]) if named else None
