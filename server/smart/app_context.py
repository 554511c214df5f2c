"""From which card the app was opened: the EHR brings our card's uuid back, and nothing is believed but what we remember (A-11).

It chooses what the page shows first, and never whose page it is.
"""

import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, Row, select

from server.feedback.trouble import log_trouble
from server.observing.logs import logger
from server.store.errors import StoreError
from server.store.tables import cards_shown
from server.store.transactions import reading
from server.trust.clients import Client

LONGEST_SECONDS = 24 * 3600
_security = logger("security")


def focus_of(
    app_context: str, client: Client, patients: frozenset[str], database: Engine, clock: Callable[[], float] = time.time
) -> tuple[str, ...]:
    """The recommendations of the card that the user came from; none without such a card.

    Args:
        app_context: as it came back; empty where none did.
        client: that the app was launched from.
        patients: what its patient may be called in our tables.
        database: which cards were shown.
        clock: seconds since 1970.
    """
    if not app_context:
        return ()
    try:
        row = _shown(app_context, client, database)
    except StoreError as error:
        log_trouble(error, "find_card")
        return ()
    if row is None:
        reason = "unknown-card"
    elif row.patient not in patients:
        reason = "another-patient"
    elif row.shown_at < clock() - LONGEST_SECONDS:
        reason = "old"
    else:
        return tuple(dict.fromkeys(one.removesuffix("?") for one in row.recommendations))
    _security.warning("app_context_ignored", reason=reason, client=client.name)
    return ()


def _shown(app_context: str, client: Client, database: Engine) -> "Row[Any] | None":
    try:
        card = str(UUID(app_context))
    except ValueError:
        return None
    of_card = (cards_shown.c.client == client.name, cards_shown.c.card == card)
    with reading(database) as connection:
        return connection.execute(select(cards_shown).where(*of_card)).one_or_none()
