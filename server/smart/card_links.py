"""The link on a card that opens the app (conformance C-40, C-41; CARD-06, CARD-07)."""

from collections.abc import Iterable
from typing import Any

from fhir_profiles.sentences import say
from server.trust.clients import Client

Json = dict[str, Any]


def with_app_link(cards: Iterable[Json], client: Client, launch_url: str) -> list[Json]:
    """The cards, each with a link to the app where the client has registered it; the EHR adds `iss` and `launch` to it.

    Nothing about the patient is in it: the context is the uuid of the card, which says something to us only.

    Args:
        cards: CDS Hooks cards; not changed.
        client: who is answered.
        launch_url: the public URL where the app is launched.
    """
    if client.smart is None:
        return list(cards)
    return [{**card, "links": [_link(card, launch_url), *card.get("links", ())]} for card in cards]


def _link(card: Json, launch_url: str) -> Json:
    label = say("Open the whole reasoning for this patient")
    return {"label": label, "url": launch_url, "type": "smart", "appContext": card["uuid"]}
