"""What is sent: hook calls of every synthetic patient of the sandbox, drafts among them, long charts, and feedback."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import count, cycle
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

from benchmarks.bodies import hook_call
from server.cds_hooks.prefetch import TEMPLATES

Json = dict[str, Any]

SERVICES = "/cds-services/myositis"
_PATIENTS = Path(__file__).parents[1] / "sandbox" / "patients"
_INSTANCE = "00000000-0000-4000-8000-000000000000"
_VISIT = "visit-0"
_CALLS_OF_A_VISIT = 400
"""Of all patients together, before each of them comes again."""
_METHOTREXATE = "http://www.nlm.nih.gov/research/umls/rxnorm|6851"


@dataclass(frozen=True, slots=True)
class Call:
    """One request, without its token.

    Args:
        kind: what the figures call it.
        path: of the endpoint.
        body: JSON.
    """

    kind: str
    path: str
    body: bytes


def mixed(seed: int) -> Iterator[Call]:
    """Calls without end, in the proportions of a clinic: charts are opened more often than orders are written.

    Args:
        seed: of the order in which they come.
    """
    chance = Random(seed)
    kinds = ["patient-view"] * 66 + ["order-select"] * 10 + ["order-sign"] * 10 + ["long chart"] * 4 + ["feedback"] * 10
    charts = cycle(chance.sample(sorted(bodies()), len(bodies())))
    for number in count():
        kind = chance.choice(kinds)
        if kind == "feedback":
            yield feedback(str(uuid4()))
        elif kind == "long chart":
            yield _fresh(Call(kind, f"{SERVICES}-patient-view", _long_chart()), number)
        else:
            yield _fresh(Call(kind, f"{SERVICES}-{kind}", bodies()[next(charts)][kind]), number)


def feedback(card: str) -> Call:
    """Feedback that a card was accepted.

    Args:
        card: its uuid.
    """
    said = {"card": card, "outcome": "accepted", "acceptedSuggestions": [], "outcomeTimestamp": datetime.now(UTC).isoformat()}
    return Call("feedback", f"{SERVICES}-patient-view/feedback", json.dumps({"feedback": [said]}).encode())


@cache
def bodies() -> Mapping[str, Mapping[str, bytes]]:
    """Bodies by patient and hook."""
    return {file.stem: _of_patient(json.loads(file.read_bytes())) for file in _PATIENTS.glob("*.json")}


def _of_patient(bundle: Json) -> Mapping[str, bytes]:
    found = [entry["resource"] for entry in bundle["entry"]]
    patient = next(one for one in found if one["resourceType"] == "Patient")
    prefetch = {
        template.key: patient
        if template.resource_type == "Patient"
        else _searchset([one for one in found if one["resourceType"] == template.resource_type])
        for template in TEMPLATES
    }
    context = {"userId": "Practitioner/soak", "patientId": patient["id"], "encounterId": _VISIT}
    drafted = context | {
        "draftOrders": {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": _draft(patient)}]}
    }
    contexts = {
        "patient-view": context,
        "order-select": drafted | {"selections": ["MedicationRequest/draft"]},
        "order-sign": drafted,
    }
    return {
        hook: json.dumps({"hook": hook, "hookInstance": _INSTANCE, "context": said, "prefetch": prefetch}).encode()
        for hook, said in contexts.items()
    }


def _draft(patient: Json) -> Json:
    system, _, code = _METHOTREXATE.partition("|")
    return {
        "resourceType": "MedicationRequest",
        "id": "draft",
        "status": "draft",
        "intent": "order",
        "subject": {"reference": f"Patient/{patient['id']}"},
        "medicationCodeableConcept": {"coding": [{"system": system, "code": code}]},
    }


def _searchset(found: list[Json]) -> Json:
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(found),
        "entry": [{"resource": one, "search": {"mode": "match"}} for one in found],
    }


@cache
def _long_chart() -> bytes:
    body = json.loads(hook_call(250))
    del body["fhirServer"]
    return json.dumps(body | {"hookInstance": _INSTANCE}).encode()


def _fresh(call: Call, number: int) -> Call:
    """The same call with a hook instance of its own, in a visit that ends some time."""
    visit = f"visit-{number // _CALLS_OF_A_VISIT}"
    body = call.body.replace(_INSTANCE.encode(), str(uuid4()).encode())
    return Call(call.kind, call.path, body.replace(f'"{_VISIT}"'.encode(), f'"{visit}"'.encode()))
