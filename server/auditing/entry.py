"""One line of the audit trail: who called which service when, and with which advice it was answered; nothing clinical."""

from dataclasses import dataclass

import orjson

PURGE = "purge"
"""The action of the record that says which ones retention deletes."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """What happened in one call, after its caller was let in.

    Args:
        id: of this record, ours; no two have the same.
        recorded_at: milliseconds since 1970.
        client: name of the registered client.
        service: id of the CDS service, or `assess`, `smart-app`, `retention`.
        action: `hook`, `feedback`, `assess`, `read`, or `purge`.
        outcome: `answered`, `shadow`, `purged`, or the number of the refusal (`MYO-1201`).
        instance: hook instance, where it is a UUID.
        tenant: keyed hash, where the token named one.
        user: keyed hash.
        patient: pseudonym.
        recommendations: ids of what was said.
        cards: uuids of what was shown, or of what feedback was about.
        withheld: ids of what held and was not shown.
        inputs: state of each kind of input, by resource type.
        knowledge_version: of the knowledge.
        milliseconds: from when the caller was let in to this record.
        purged_through: sequence of the newest record that retention deletes with this one as its witness.
    """

    id: str
    recorded_at: int
    client: str
    service: str
    action: str
    outcome: str
    instance: str | None = None
    tenant: str | None = None
    user: str | None = None
    patient: str | None = None
    recommendations: tuple[str, ...] = ()
    cards: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()
    inputs: tuple[tuple[str, str], ...] = ()
    knowledge_version: str | None = None
    milliseconds: int = 0
    purged_through: int | None = None


def text_of(entry: AuditEntry) -> str:
    """The entry as JSON on one line, always the same way: members in the order of their names, none that says nothing."""
    members = {
        "id": entry.id,
        "recordedAt": entry.recorded_at,
        "client": entry.client,
        "service": entry.service,
        "action": entry.action,
        "outcome": entry.outcome,
        "instance": entry.instance,
        "tenant": entry.tenant,
        "user": entry.user,
        "patient": entry.patient,
        "recommendations": entry.recommendations,
        "cards": entry.cards,
        "withheld": entry.withheld,
        "inputs": dict(entry.inputs),
        "knowledgeVersion": entry.knowledge_version,
        "milliseconds": entry.milliseconds,
        "purgedThrough": entry.purged_through,
    }
    said = {name: value for name, value in members.items() if value not in (None, (), {})}
    return orjson.dumps(said, option=orjson.OPT_SORT_KEYS).decode()
