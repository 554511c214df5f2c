"""Recording a call: what is known about it is noted while it is answered, and written before the answer leaves (AUD-01)."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from hmac import new as hmac
from typing import Any
from uuid import UUID, uuid4

from werkzeug.exceptions import HTTPException

from server.auditing.appending import Line
from server.auditing.entry import AuditEntry, text_of
from server.auditing.trail import Beside
from server.cds_hooks.envelope import HookCall
from server.error_answers import number_of_status
from server.errors import RequestRefusedError
from server.runtime import Runtime
from server.stopwatch import Stopwatch
from server.trust.clients import Caller

ANSWERED, SHADOW = "answered", "shadow"


@dataclass(slots=True)
class Record:
    """What is noted about one call so far.

    Args:
        entry: without an outcome as long as there is none.
        beside: what else is to be written in the same transaction.
    """

    entry: AuditEntry
    beside: Beside | None = None

    def note(self, **facts: Any) -> None:
        """Note members of the entry."""
        self.entry = replace(self.entry, **facts)


@contextmanager
def recording(runtime: Runtime, caller: Caller, service: str, action: str, watch: Stopwatch | None = None) -> Iterator[Record]:
    """Write one record about what is done within, however it ends; to be used once the caller was let in (JWT-15).

    Args:
        runtime: the parts of the service.
        caller: who was let in.
        service: id of the service, as in `AuditEntry`.
        action: as in `AuditEntry`.
        watch: times the writing, as `audit`.

    Raises:
        AuditUnavailableError: the record cannot be written, so nothing may be answered.
    """
    began = time.perf_counter()
    record = Record(_begun(runtime, caller, service, action))
    try:
        yield record
        record.note(outcome=record.entry.outcome or ANSWERED)
    except RequestRefusedError as refusal:
        record.note(outcome=refusal.number)
        raise
    except HTTPException as refusal:
        record.note(outcome=number_of_status(refusal.code or 500))
        raise
    finally:
        record.note(
            outcome=record.entry.outcome or number_of_status(500),
            recorded_at=time.time_ns() // 1_000_000,
            milliseconds=round((time.perf_counter() - began) * 1000),
        )
        line = Line(record.entry.client, record.entry.recorded_at, text_of(record.entry))
        with (watch or Stopwatch()).time("audit"):
            runtime.trail.keep(runtime.database, runtime.pseudonyms.key_for("audit"), line, record.beside)


def facts_of_call(call: HookCall, caller: Caller, runtime: Runtime) -> dict[str, Any]:
    """Who called and for which visit to a chart, as far as the request of a hook says it; the user as a keyed hash.

    Args:
        call: the request.
        caller: who sent it.
        runtime: has the key.
    """
    return {
        "instance": _uuid_or_none(call.instance),
        "user": call.user and _hashed(runtime, "user", caller.client.name, caller.tenant or "", call.user),
    }


def uuids_among(texts: Iterator[str]) -> tuple[str, ...]:
    """Those that are UUIDs: whatever else a client chose is not written into the trail."""
    return tuple(uuid for text in texts if (uuid := _uuid_or_none(text)))


def _begun(runtime: Runtime, caller: Caller, service: str, action: str) -> AuditEntry:
    tenant = caller.tenant and _hashed(runtime, "tenant", caller.client.name, caller.tenant)
    return AuditEntry(str(uuid4()), 0, caller.client.name, service, action, "", tenant=tenant or None)


def _hashed(runtime: Runtime, purpose: str, *parts: str) -> str:
    """With a key for this purpose only, so that it matches nothing in another table."""
    text = "\n".join(parts).encode("utf-8", "surrogatepass")
    return hmac(runtime.pseudonyms.key_for(f"audit {purpose}"), text, sha256).hexdigest()


def _uuid_or_none(text: str) -> str | None:
    try:
        return str(UUID(text))
    except ValueError:
        return None
