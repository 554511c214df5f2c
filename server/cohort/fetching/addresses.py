"""Where a fetch may go: the FHIR server that was named, what its configuration names for tokens, and origins that were declared
(threats OUT-01 to OUT-03)."""

from collections.abc import Collection
from urllib.parse import urljoin

from server.config import ConfigurationError
from server.ehr.address import normal_base
from server.urls import origin_of

_TRICKS = frozenset(" #<>\"'\\")


def server_base(text: str) -> str:
    """The base URL of the FHIR server, in one spelling.

    Raises:
        ConfigurationError: it is none, or over http though it is not on this machine.
    """
    base = normal_base(text)
    if base is None:
        raise ConfigurationError(
            "FHIR_BASE: must be the https base URL of a FHIR server (http on this machine only), without a query"
        )
    return base


def declared_origin(text: str) -> str:
    """The origin of a server that was declared.

    Raises:
        ConfigurationError: it is none.
    """
    origin = origin_of(text)
    if origin is None or text.rstrip("/").lower() != origin:
        raise ConfigurationError("--file-origin: must be an origin such as https://files.hospital.example, without a path")
    return origin


def origin_of_base(base: str) -> str:
    """The origin of a base URL that `server_base` gave."""
    scheme, _, rest = base.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}"


def on_origins(link: str, page: str, origins: Collection[str]) -> str | None:
    """Where a link leads, or None if that is on none of the origins, or cannot be told for sure.

    Args:
        link: absolute or relative, as a server wrote it; it may have a query, as signed addresses do.
        page: URL that it was read from.
        origins: as `origin_of` writes them.
    """
    if not link.isascii() or not link.isprintable() or _TRICKS & set(link):
        return None
    try:
        url = urljoin(page, link)
    except ValueError:
        return None
    return url if origin_of(url.partition("?")[0]) in origins else None


def origin_in_words(link: str, page: str) -> str:
    """Where a link leads, for a message: its origin alone, since the rest of it may be a secret."""
    try:
        return origin_of(urljoin(page, link).partition("?")[0]) or "an address that is no https URL"
    except ValueError:
        return "something that is no URL"
