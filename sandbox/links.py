"""Where the links of a card lead (CDS Hooks 2.0.1, "Link"; SMART App Launch, "EHR launch")."""

from urllib.parse import urlencode

from sandbox.cards import Card, Link
from sandbox.errors import DeskError


def link_of(card: Card, number: int) -> Link:
    """A link of a card, that a browser may follow.

    Args:
        card: the card.
        number: of the link, from 0.

    Raises:
        DeskError: there is none, or it does not lead to a web page.
    """
    if not 0 <= number < len(card.links):
        raise DeskError("This card has no such link.")
    if not card.links[number].url:
        raise DeskError("This link does not lead to a web page, so it is not opened.")
    return card.links[number]


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
