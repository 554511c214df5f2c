"""On which server is it? Base URLs, as far as they tell servers apart."""

from urllib.parse import urlsplit

from fhir_profiles.resources import segments_of


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
    scheme, *path = segments_of(url) if "://" in url else [""]
    return base_of(f"{scheme}//{'/'.join(path[:-2])}") if path else None
