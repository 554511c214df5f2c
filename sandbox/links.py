"""Where the links of a card lead (CDS Hooks 2.0.1, "Link"; SMART App Launch, "EHR launch")."""

from urllib.parse import urlencode, urlsplit

from sandbox.errors import DeskError
from sandbox.exchange import has_objects
from sandbox.fhir_parts import Json


def link_of(card: Json, number: int) -> Json:
    """A link of a card, that a browser may follow.

    Args:
        card: the card.
        number: of the link, from 0.

    Raises:
        DeskError: there is none, or it does not lead to a web page.
    """
    links = card["links"] if has_objects(card, "links") else ()
    if not 0 <= number < len(links):
        raise DeskError("This card has no such link.")
    link: Json = links[number]
    if not is_web_page(str(link.get("url"))):
        raise DeskError("This link does not lead to a web page, so it is not opened.")
    return link


def is_web_page(url: str) -> bool:
    """Whether a URL is absolute, and over HTTP."""
    try:
        parts = urlsplit(url)
        return url.isprintable() and " " not in url and parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def with_launch(url: str, issuer: str, launch: str) -> str:
    """The address that opens a SMART app, with `iss` and `launch` after whatever query it has.

    Args:
        url: of the link.
        issuer: base URL of the FHIR server.
        launch: names the launch.
    """
    address, hash_mark, fragment = url.partition("#")
    joint = "&" if "?" in address else "?"
    return f"{address}{joint}{urlencode({'iss': issuer, 'launch': launch})}{hash_mark}{fragment}"
