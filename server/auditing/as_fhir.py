"""Records as FHIR R4 `AuditEvent` (https://hl7.org/fhir/R4/auditevent.html), for archives that take nothing else."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from fhir_profiles.systems import CANONICAL

_EVENT_TYPES = "http://terminology.hl7.org/CodeSystem/audit-event-type"
_LIFECYCLE = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"
_SOURCE_TYPES = "http://terminology.hl7.org/CodeSystem/security-source-type"
_ENTITY_TYPES = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
_ROLES = "http://terminology.hl7.org/CodeSystem/object-role"
_ACTIONS = {"hook": "E", "assess": "E", "feedback": "C", "read": "R", "purge": "D"}
_DETAILS = ("instance", "knowledgeVersion", "milliseconds", "purgedThrough")
_LISTED = {"recommendations": "recommendation", "cards": "card", "withheld": "withheld"}

Json = dict[str, Any]


def audit_event(entry: Mapping[str, Any], sequence: int, chain: str) -> Json:
    """A record as an AuditEvent; names in it are as in `audit export --format ndjson`.

    Args:
        entry: the parsed text of the record.
        sequence: its place in the chain of its client.
        chain: its seal.
    """
    is_purge = entry["action"] == "purge"
    event_type = {"system": _LIFECYCLE, "code": "destroy"} if is_purge else {"system": _EVENT_TYPES, "code": "rest"}
    return {
        "resourceType": "AuditEvent",
        "id": entry["id"],
        "type": event_type,
        "subtype": [{"system": f"{CANONICAL}/CodeSystem/audit-action", "code": entry["action"]}],
        "action": _ACTIONS[entry["action"]],
        "recorded": datetime.fromtimestamp(entry["recordedAt"] / 1000, UTC).isoformat(timespec="milliseconds"),
        "outcome": _outcome(entry["outcome"]),
        "outcomeDesc": entry["outcome"],
        "agent": _agents(entry),
        "source": {
            "observer": {"display": "myositis-cds"},
            "type": [{"system": _SOURCE_TYPES, "code": "4", "display": "Application Server"}],
        },
        "entity": [*_patient(entry), _call(entry, sequence, chain)],
    }


def _outcome(outcome: str) -> str:
    """0 is success, 4 a refusal that the caller can do something about, 8 a failure of ours
    (https://hl7.org/fhir/R4/valueset-audit-event-outcome.html)."""
    if not outcome.startswith("MYO-"):
        return "0"
    return "8" if outcome.startswith("MYO-19") or outcome == "MYO-1500" else "4"


def _agents(entry: Mapping[str, Any]) -> list[Json]:
    """The user, where the EHR named one, and the EHR, which acts for the user or by itself."""
    user = [{"who": _named("audit-user", entry["user"]), "requestor": True}] if "user" in entry else []
    client: Json = {"who": _named("audit-client", entry["client"]), "requestor": not user}
    if "tenant" in entry:
        client["altId"] = entry["tenant"]
    return [*user, client]


def _patient(entry: Mapping[str, Any]) -> list[Json]:
    if "patient" not in entry:
        return []
    kind, role = {"system": _ENTITY_TYPES, "code": "1"}, {"system": _ROLES, "code": "1"}
    return [{"what": _named("audit-patient", entry["patient"]), "type": kind, "role": role}]


def _call(entry: Mapping[str, Any], sequence: int, chain: str) -> Json:
    details = [*_details(entry), _detail("sequence", str(sequence)), _detail("chain", chain)]
    return {
        "what": _named("audit-service", entry["service"]),
        "type": {"system": _ENTITY_TYPES, "code": "2", "display": "System Object"},
        "detail": details,
    }


def _details(entry: Mapping[str, Any]) -> Iterator[Json]:
    for name in _DETAILS:
        if name in entry:
            yield _detail(name, str(entry[name]))
    for name, one in _LISTED.items():
        for value in entry.get(name, ()):
            yield _detail(one, value)
    for resource_type, state in entry.get("inputs", {}).items():
        yield _detail(f"input.{resource_type}", state)


def _detail(name: str, value: str) -> Json:
    return {"type": name, "valueString": value}


def _named(kind: str, value: str) -> Json:
    return {"identifier": {"system": f"{CANONICAL}/{kind}", "value": value}}


def as_line(text: str, sequence: int, chain: str) -> bytes:
    """A record as one line of NDJSON, ready to be written."""
    return orjson.dumps(audit_event(orjson.loads(text), sequence, chain), option=orjson.OPT_APPEND_NEWLINE)
