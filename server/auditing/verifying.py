"""Whether a trail is as it was written: every edit, deletion, insertion and change of order is found, and where it is (AUD-01).

What a trail cannot tell by itself is that its end was cut off, or that all of it was taken away; a head noted before can.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hmac import compare_digest
from typing import Any

import orjson
from sqlalchemy import Connection, Row, select

from server.auditing.appending import Head, Line, seal
from server.auditing.entry import PURGE
from server.auditing.reading import Period, clients_of, records
from server.store.tables import audit_chains

MOST_FAULTS = 20
"""So many are told of one client; of the others only the number."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found about the chain of one client.

    Args:
        head: its newest record.
        records: how many there are.
        first, last: when the first and last of them were written, milliseconds since 1970; None if there is none.
        purged: so many records were deleted when their time was over.
        faults: signs of tampering, in words; at most `MOST_FAULTS`.
        more: how many signs there are besides.
    """

    head: Head
    records: int
    first: int | None
    last: int | None
    purged: int
    faults: tuple[str, ...]
    more: int


def verify(connection: Connection, key: bytes, client: str | None = None, noted: Iterable[Head] = ()) -> list[Verified]:
    """Verify the trail.

    Args:
        connection: of a snapshot.
        key: of the chains.
        client: only this one.
        noted: heads as they were at some time; each must still be there.
    """
    known: dict[str, dict[int, str]] = {}
    for head in noted:
        known.setdefault(head.client, {})[head.sequence] = head.chain
    names = [client] if client is not None else sorted({*clients_of(connection), *known})
    return [_verify(connection, key, name, known.get(name, {})) for name in names]


def _verify(connection: Connection, key: bytes, client: str, noted: Mapping[int, str]) -> Verified:
    head = connection.execute(select(audit_chains).where(audit_chains.c.client == client)).one_or_none()
    walk = _Walk(key, client, noted, head.purged_sequence if head else 0, head.purged_chain if head else "")
    for row in records(connection, Period(client=client)):
        walk.see(row)
    walk.end(Head(client, head.sequence, head.chain) if head else None)
    newest = Head(client, head.sequence if head else walk.sequence, head.chain if head else walk.chain or "")
    return Verified(newest, walk.count, walk.first, walk.last, walk.purged, tuple(walk.faults), walk.more)


@dataclass(slots=True)
class _Walk:
    """From the first record of a client to its last.

    Args:
        key: of the chain.
        client: whose.
        noted: seals that were noted before, by sequence.
        purged: sequence of the newest record that retention deleted, as the head says.
        chain: seal of the record before the next one; None where it is not known, because that record is missing.
    """

    key: bytes
    client: str
    noted: Mapping[int, str]
    purged: int
    chain: str | None
    sequence: int = 0
    witnessed: int = 0
    count: int = 0
    first: int | None = None
    last: int | None = None
    faults: list[str] = field(default_factory=list)
    more: int = 0

    def __post_init__(self) -> None:
        """Begin behind what was purged."""
        self.sequence = self.purged
        self._compare_noted(self.purged, self.chain or "")

    def see(self, row: "Row[Any]") -> None:
        """The next record."""
        self.count += 1
        self.first = row.recorded_at if self.first is None else self.first
        self.last = row.recorded_at
        if row.sequence <= self.sequence:
            return self._fault(f"record {row.sequence}: was inserted, or the number of purged records was changed")
        if row.sequence > self.sequence + 1:
            self._fault(f"{_numbers(self.sequence + 1, row.sequence - 1)} missing: deleted or moved")
            self.chain = None
        line = Line(self.client, row.recorded_at, row.entry)
        is_sealed = self.chain is None or compare_digest(
            seal(self.key, self.chain, row.sequence, line).encode(), _bytes(row.chain)
        )
        if not is_sealed:
            self._fault(f"record {row.sequence}: is not what was written here: changed, moved, or put in from elsewhere")
        elif self.chain is not None:
            self.witnessed = max(self.witnessed, _purged_through(row.entry))
        self._compare_noted(row.sequence, row.chain)
        self.sequence, self.chain = row.sequence, row.chain

    def end(self, head: Head | None) -> None:
        """Hold the last record against the head, and what is not there against what was deleted rightly."""
        if head is None:
            self._fault("the head of the chain is missing: its row was deleted, or there never was such a client")
        elif head.sequence > self.sequence:
            self._fault(f"{_numbers(self.sequence + 1, head.sequence)} missing at the end: deleted")
        elif head.sequence < self.sequence:
            self._fault(f"{_numbers(head.sequence + 1, self.sequence)} after the head: put in, or the head was changed")
        elif self.chain is not None and head.chain != self.chain:
            self._fault("the head is not the seal of the last record: one of them was changed")
        if self.purged > self.witnessed:
            self._fault(f"{_numbers(self.witnessed + 1, self.purged)} gone, and no record says that retention deleted them")
        for sequence in sorted(self.noted):
            if sequence > self.sequence:
                self._fault(f"record {sequence}: was there when its seal was noted, and is missing: the end was cut off")

    def _compare_noted(self, sequence: int, chain: str) -> None:
        if sequence in self.noted and self.noted[sequence] != chain:
            self._fault(f"record {sequence}: its seal is not the one that was noted: the chain was made anew up to here")

    def _fault(self, text: str) -> None:
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(text)
        else:
            self.more += 1


def _purged_through(text: str) -> int:
    """Up to which record retention deleted, if that is what this record says."""
    if f'"action":"{PURGE}"' not in text:
        return 0
    return int(orjson.loads(text)["purgedThrough"])


def _numbers(first: int, last: int) -> str:
    return f"record {first} is" if first == last else f"records {first} to {last} are"


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
