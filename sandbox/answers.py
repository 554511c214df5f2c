"""What services answered, as the desk keeps it."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from sandbox.cards import Card
from sandbox.fhir_parts import Json


@dataclass(frozen=True, slots=True)
class Decision:
    """What the clinician did with a card.

    Args:
        outcome: what.
        reason: of an override, in words; empty where none was given.
        taken: places of the suggestions that were applied, from 0.
        orders: references of the orders that this put on the chart.
        told: what became of the feedback: `sent`, or why it was not, in a sentence; empty where none was due.
    """

    outcome: Literal["accepted", "overridden"]
    reason: str = ""
    taken: frozenset[int] = frozenset()
    orders: tuple[str, ...] = ()
    told: str = ""


def _new_id() -> str:
    return uuid.uuid4().hex


@dataclass(frozen=True, slots=True)
class Answer:
    """What one service answered to one hook.

    Args:
        service: title of the service, and its id.
        service_id: as discovery has it.
        hook: `patient-view`, `order-select` or `order-sign`.
        request, response: the JSON of both, the access token shortened; the response is None where there was trouble, the request
            empty where none was sent.
        headers: that were sent, the token shortened.
        milliseconds: between the two.
        server_timing: phases and milliseconds, from the header of that name.
        prefetch: state of each key: sent, empty, left out and why.
        trouble: why there is no answer, in a sentence; empty where there is one.
        cards: in their order; their place in it names them, since services may send any uuids.
        decisions: what the clinician did, by place of the card.
        url: the address that was called.
        dialect: in which this EHR spoke.
        id: our own name of this answer.
    """

    service: str
    service_id: str
    hook: str
    request: Json
    response: Json | None
    headers: Mapping[str, str] = field(default_factory=dict)
    milliseconds: float = 0.0
    server_timing: Mapping[str, float] = field(default_factory=dict)
    prefetch: Mapping[str, str] = field(default_factory=dict)
    trouble: str = ""
    cards: tuple[Card, ...] = ()
    decisions: Mapping[int, Decision] = field(default_factory=dict)
    url: str = ""
    dialect: str = "standard"
    id: str = field(default_factory=_new_id)
