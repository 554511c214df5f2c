"""One visit of a patient and one reader of it: what they were shown when the chart was opened need not be said again.

Where the EHR names no visit, or no reader, nothing is guessed, and everything is said.
"""

import json
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import new as hmac

from sqlalchemy import Engine, select

from cards.told import Told
from server.cds_hooks.envelope import HookCall
from server.cds_hooks.services import CHART_OPENED, Service
from server.feedback.trouble import log_trouble
from server.store.errors import StoreError
from server.store.pseudonyms import Pseudonyms
from server.store.tables import cards_shown
from server.store.transactions import reading
from server.trust.clients import Caller

MOST_CARDS = 100
"""Of one visit that are looked at, the newest: what was said before is said again, where a chart is opened without end."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit, as one reader sees it.

    Args:
        id: keyed hash.
        key: what marks of the things said in it are made with (`cards.told`).
    """

    id: str
    key: bytes = field(repr=False)


def visit_of(call: HookCall, caller: Caller, patient: str, pseudonyms: Pseudonyms) -> Visit | None:
    """The visit of a call; None if it is not known which it is, or who reads.

    An id of a visit is unique on one FHIR server only, so that client, tenant, server and patient (all in the pseudonym) are part
    of it; and the reader is, since a colleague has read nothing yet.

    Args:
        call: the hook call.
        caller: who sent it.
        patient: pseudonym.
        pseudonyms: with the secret.
    """
    if call.encounter is None or call.user is None:
        return None
    who = json.dumps([caller.client.name, caller.tenant, patient, call.user, call.encounter]).encode()
    name, key = (hmac(pseudonyms.key_for(purpose), who, sha256) for purpose in ("visits", "marks"))
    return Visit(name.hexdigest(), key.digest())


def told_in(visit: Visit | None, database: Engine, caller: Caller, service: Service, patient: str) -> Told | None:
    """What the reader of a visit was shown when the chart was opened, for a hook about orders; None for other hooks.

    None too where the database is in trouble: advice is then repeated, not lost.

    Args:
        visit: of the call.
        database: the store.
        caller: who asks.
        service: that is called.
        patient: pseudonym.
    """
    if visit is None or not service.is_about_orders:
        return None
    shown = (
        select(cards_shown.c.marks)
        .where(
            cards_shown.c.client == caller.client.name,
            cards_shown.c.patient == patient,
            cards_shown.c.encounter == visit.id,
            cards_shown.c.service == CHART_OPENED,
            cards_shown.c.is_shadow == caller.client.is_in_shadow,
        )
        .order_by(cards_shown.c.shown_at.desc(), cards_shown.c.card)
        .limit(MOST_CARDS)
    )
    try:
        with reading(database) as connection:
            return Told(visit.key, frozenset(mark for marks in connection.scalars(shown) for mark in marks or ()))
    except StoreError as error:
        log_trouble(error, "told_in_visit")
        return None
