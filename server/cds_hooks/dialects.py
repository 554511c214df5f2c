"""What single EHRs read differently: the last step before an answer leaves."""

from collections.abc import Sequence
from typing import Any

from server.trust.clients import Client


def in_dialect(cards: Sequence[dict[str, Any]], client: Client) -> list[dict[str, Any]]:
    """The cards as this client reads them.

    Args:
        cards: CDS Hooks 2.0.1 cards; not changed.
        client: who is answered.
    """
    return list(cards)
