"""Example payloads: a made-up patient goes the way of a real call, so that the examples cannot say what the service does not."""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from cards.show import Show
from server.basis import Basis
from server.cds_hooks.dialects import in_dialect
from server.cds_hooks.envelope import read_hook_call
from server.cds_hooks.evaluate_call import evaluate_call
from server.cds_hooks.prefetch import TEMPLATES, read_prefetch
from server.cds_hooks.services import Service
from server.trust.clients import Client

Json = dict[str, Any]

DAY = date(2026, 1, 15)
"""The day for which the example is answered."""

_FILE = Path(__file__).with_name("example_patient.json")
_INSTANCE = "1d9f3b52-5a0e-4c1c-9c9c-2f5a4f0f7b11"
_SERVER = "https://ehr.example/fhir"
_ONE_CARD = Show(cap=1)


@dataclass(frozen=True, slots=True)
class Example:
    """What is sent to one service and what it answers.

    Args:
        service: id of the service.
        request: body of the call.
        answer: body of the answer, cut to its first card.
        feedback: body of a feedback on that card; None where the client is sent no `uuid` to give feedback on.
    """

    service: str
    request: Json
    answer: Json
    feedback: Json | None


def example_of(service: Service, client: Client, basis: Basis) -> Example:
    """The example of a service.

    Args:
        service: which.
        client: in whose dialect.
        basis: terminology and knowledge.
    """
    request = request_of(service, client)
    call = read_hook_call(request, service)
    evaluation = evaluate_call(call, read_prefetch(call.prefetch), client, _ONE_CARD, as_of=DAY, basis=basis)
    cards = in_dialect(evaluation.cards, client)
    return Example(service.id, request, {"cards": cards}, _feedback(cards[0]) if cards and "uuid" in cards[0] else None)


def request_of(service: Service, client: Client) -> Json:
    """The body of a call about the made-up patient.

    Args:
        service: which is called.
        client: who calls.
    """
    resources: list[Json] = json.loads(_FILE.read_text("utf-8"))
    patient, order = resources[0]["id"], resources[-1]
    context: Json = {"userId": "Practitioner/example", "patientId": patient}
    if service.hook == "order-select":
        context["selections"] = [f"{order['resourceType']}/{order['id']}"]
    if service.is_about_orders:
        context["draftOrders"] = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": order}]}
    return {
        "hook": service.hook,
        "hookInstance": _INSTANCE,
        "fhirServer": client.fhir_servers[0] if client.fhir_servers else _SERVER,
        "context": context,
        "prefetch": {template.key: _answer(template.resource_type, resources[:-1]) for template in TEMPLATES},
    }


def _answer(resource_type: str, chart: list[Json]) -> Json | None:
    """What an EHR sends under a key: the resource that was read, a Bundle of those that were found, or null for none."""
    found = [resource for resource in chart if resource["resourceType"] == resource_type]
    if resource_type == "Patient" or not found:
        return found[0] if found else None
    entries = [{"resource": resource, "search": {"mode": "match"}} for resource in found]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}


def _feedback(card: Json) -> Json:
    at = f"{DAY.isoformat()}T10:00:00Z"
    reason = card["overrideReasons"][0]
    overridden: Json = {
        "card": card["uuid"],
        "outcome": "overridden",
        "outcomeTimestamp": at,
        "overrideReason": {"reason": reason},
    }
    if not card.get("suggestions"):
        return {"feedback": [overridden]}
    taken = [{"id": card["suggestions"][0]["uuid"]}]
    accepted = {"card": card["uuid"], "outcome": "accepted", "acceptedSuggestions": taken, "outcomeTimestamp": at}
    return {"feedback": [accepted, overridden]}
