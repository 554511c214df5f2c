"""Adding records to a client's chain: within the transaction of whoever calls, so with it or not at all (AUD-01).

Each record is sealed with an HMAC over the seal of the record before, its own place and its text. Whoever has the database and
not the key can neither change a record, nor leave one out, nor put one in between, without a seal that tells.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from hmac import new as hmac

from sqlalchemy import Connection, bindparam, insert, select, update

from server.feedback.once import insert_once
from server.store.tables import audit_chains, audit_events

# Built once: every call is written down with them.
_OF_CLIENT = update(audit_chains).where(audit_chains.c.client == bindparam("of_client"))
_LOCK = _OF_CLIENT.values(client=bindparam("of_client")).returning(audit_chains.c.sequence, audit_chains.c.chain)
_MOVE = _OF_CLIENT.values(sequence=bindparam("sequence"), chain=bindparam("chain"))
_ADD = insert(audit_events)


@dataclass(frozen=True, slots=True)
class Line:
    """A record that is ready to be written.

    Args:
        client: name of the registered client, whose chain it belongs to.
        recorded_at: milliseconds since 1970.
        text: `entry.text_of`.
    """

    client: str
    recorded_at: int
    text: str


@dataclass(frozen=True, slots=True)
class Head:
    """The newest record of a chain.

    Args:
        client: whose chain.
        sequence: 1 for its first record ever; 0 while there is none.
        chain: seal of the newest record, hexadecimal; empty while there is none.
    """

    client: str
    sequence: int
    chain: str


def seal(key: bytes, previous: str, sequence: int, line: Line) -> str:
    """The seal of a record, 64 hexadecimal digits.

    Args:
        key: `Pseudonyms.key_for("audit")`.
        previous: seal of the record before; empty for the first.
        sequence: its place in the chain of its client.
        line: the record.
    """
    sealed = "\n".join((previous, line.client, str(sequence), str(line.recorded_at), line.text))
    return hmac(key, sealed.encode("utf-8", "surrogatepass"), sha256).hexdigest()


def append(connection: Connection, key: bytes, lines: Sequence[Line], *, unless_there: bool = False) -> Head:
    """Add records of one client to its chain, in their order; other transactions that add to it wait for this one to end.

    Args:
        connection: within a transaction.
        key: of the chain.
        lines: at least one, all of the same client.
        unless_there: leave out those that the chain has already, with the very same text.

    Returns:
        The head after them.
    """
    head = locked_head(connection, lines[0].client)
    there = _texts_there(connection, lines) if unless_there else frozenset[str]()
    rows = []
    for line in lines:
        if line.text not in there:
            sequence = head.sequence + 1
            head = Head(line.client, sequence, seal(key, head.chain, sequence, line))
            rows.append(
                {
                    "client": line.client,
                    "sequence": sequence,
                    "recorded_at": line.recorded_at,
                    "entry": line.text,
                    "chain": head.chain,
                }
            )
    if rows:
        connection.execute(_ADD, rows)
        connection.execute(_MOVE, {"of_client": head.client, "sequence": head.sequence, "chain": head.chain})
    return head


def locked_head(connection: Connection, client: str) -> Head:
    """The head of a chain, which nobody else moves before the end of this transaction.

    An update that changes nothing locks the row on PostgreSQL and the file on SQLite, where reading begins no transaction.
    """
    row = connection.execute(_LOCK, {"of_client": client}).one_or_none()
    if row is None:
        new = {"client": client, "sequence": 0, "chain": "", "purged_sequence": 0, "purged_chain": ""}
        connection.execute(insert_once(connection, audit_chains).values(new))
        row = connection.execute(_LOCK, {"of_client": client}).one()
    return Head(client, row.sequence, row.chain)


def _texts_there(connection: Connection, lines: Iterable[Line]) -> frozenset[str]:
    table, moments = audit_events, {line.recorded_at for line in lines}
    same = select(table.c.entry).where(table.c.recorded_at.in_(moments), table.c.entry.in_({line.text for line in lines}))
    return frozenset(connection.scalars(same))
