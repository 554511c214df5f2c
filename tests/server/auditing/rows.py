"""Records for tests, and what is in the tables."""

from typing import Any
from uuid import uuid4

import orjson
from sqlalchemy import Engine, select

from server.auditing.appending import Line, append
from server.auditing.entry import AuditEntry, text_of
from server.auditing.reading import snapshot
from server.auditing.verifying import verify
from server.store.tables import audit_events

KEY = b"a key of the tests"


def line(client: str = "hospital", at: int = 1_000, **more: Any) -> Line:
    """A record."""
    entry = AuditEntry(
        **{
            "id": str(uuid4()), "recorded_at": at, "client": client, "service": "myositis-patient-view", "action": "hook",
            "outcome": "answered",
        }
        | more
    )  # fmt: skip
    return Line(client, at, text_of(entry))


def add(engine: Engine, *lines: Line, key: bytes = KEY) -> None:
    """Append records, each in a transaction of its own."""
    for one in lines:
        with engine.begin() as connection:
            append(connection, key, [one])


def entries(engine: Engine) -> list[dict[str, Any]]:
    """What was recorded, in order."""
    with engine.connect() as connection:
        texts = connection.scalars(select(audit_events.c.entry).order_by(audit_events.c.client, audit_events.c.sequence))
        return [orjson.loads(text) for text in texts]


def faults(engine: Engine, key: bytes = KEY) -> list[str]:
    """Signs of tampering."""
    with snapshot(engine) as connection:
        return [fault for one in verify(connection, key) for fault in one.faults]
