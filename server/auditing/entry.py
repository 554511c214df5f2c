"""One line of the audit trail: who called which service when, and with which advice it was answered; nothing clinical."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """What happened in one call, after its caller was let in.

    Args:
        recorded_at: milliseconds since 1970.
        client: name of the registered client.
        service: id of the CDS service, or `assess`, `smart-app`.
        action: `hook`, `feedback`, `assess` or `read`.
        outcome: `answered`, `shadow` or the number of the refusal (`MYO-1201`).
        instance: hook instance, where it is a UUID.
        tenant: keyed hash, where the token named one.
        user: keyed hash.
        patient: pseudonym.
        recommendations: ids of what was said.
        cards: uuids of what was shown.
        withheld: ids of what held and was not shown.
        inputs: state of each kind of input, by resource type.
        knowledge_version: of the knowledge.
        milliseconds: from the request to this record.
    """

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
