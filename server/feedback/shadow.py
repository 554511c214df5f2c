"""What a client in shadow mode would have been answered, one row to a call, also where there would have been no card."""

import json
import time
from collections import Counter
from hashlib import sha256
from hmac import new as hmac

from sqlalchemy import Connection

from cards.choosing import choose
from cards.show import Show
from server.cds_hooks.envelope import HookCall
from server.evaluation import Evaluation
from server.feedback.once import Row, insert_once
from server.store.pseudonyms import Pseudonyms
from server.store.tables import shadow_calls


def remember_shadow_call(connection: Connection, row: Row) -> None:
    """Write down one call; the same hook instance again counts once.

    Args:
        connection: within a transaction.
        row: `row_of_shadow_call`, made before: others wait for the transaction.
    """
    connection.execute(insert_once(connection, shadow_calls), [row])


def row_of_shadow_call(
    client: str, service: str, call: HookCall, patient: str, evaluation: Evaluation, show: Show, pseudonyms: Pseudonyms
) -> Row:
    """What is to be written down of one call.

    Args:
        client: name of the client.
        service: id of the service.
        call: the hook call.
        patient: pseudonym.
        evaluation: what was found out.
        show: what would have been left out.
        pseudonyms: with the secret.
    """
    name = json.dumps([client, service, patient, call.instance]).encode()
    left_out = Counter(reason.value for _, reason in choose(evaluation.recommendations, show, evaluation.knowledge).left_out)
    return {
        "client": client,
        "call": hmac(pseudonyms.key_for("shadow"), name, sha256).hexdigest(),
        "service": service,
        "patient": patient,
        "called_at": int(time.time()),
        "cards": len(evaluation.cards),
        "left_out": dict(left_out),
    }
