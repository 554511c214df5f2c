"""From the journal into the database, in order and exactly once, as soon as the database works again (AUD-02).

Whoever is killed on the way leaves records in both places; they are known again by their text, which has an id of ours in it,
while the chain is locked. So nothing has to be remembered about how far one came.

What cannot be brought home, because it cannot be read or because somebody has changed the chain that it belongs to, is put aside,
so that it is not lost and the others need not wait for it.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby
from threading import Event, Lock, Thread, current_thread

import orjson
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from server.auditing.appending import Line, append
from server.auditing.journal import Journal, JournalError, Piece
from server.observing.logs import logger
from server.store.errors import StoreError
from server.store.transactions import transaction

RETRY_SECONDS = 1.0
_BATCH_BYTES = 256 * 1024
_LONGEST_NAME = 64
_LAST_MOMENT = 2**63 - 1  # that a database can keep

_log = logger("audit")


def bring_home(journal: Journal, database: Engine, key: bytes) -> int:
    """Move what waits in the journal into the database.

    Args:
        journal: from where.
        database: to where.
        key: of the chains.

    Returns:
        How many records were brought; 0 also while another process does it.

    Raises:
        StoreError: the database does not take them; what was taken so far stays in the journal, too, and is known again.
        JournalError: the journal cannot be read or emptied.
    """
    with journal.carried() as is_ours:
        return _bring(journal, database, key) if is_ours else 0


def _bring(journal: Journal, database: Engine, key: bytes) -> int:
    way = _Way(database, key)
    while batch := journal.read(way.offset, _BATCH_BYTES):
        if way.take(batch) < _BATCH_BYTES:
            break
    # Others could add a line for every one that is brought. They wait once, for a database that has just answered.
    with journal.closed() as length:
        while batch := journal.read(way.offset, _BATCH_BYTES):
            way.take(batch)
        if way.offset < length:
            way.put_aside(Piece(way.offset, length - way.offset))
        if way.aside:
            journal.put_aside(way.aside)
    way.say_what_is_aside()
    return way.brought


@dataclass(frozen=True, slots=True)
class _Found:
    """A line of ours, and where it was found."""

    line: Line
    piece: Piece


@dataclass(slots=True)
class _Way:
    """How far one has come on one way home.

    Args:
        database: to where.
        key: of the chains.
        offset: up to where the journal was read.
        brought: how many records.
        aside: what could not be brought.
        unreadable: how many pieces of it.
        broken: how many records of it, by the client whose chain does not take them.
    """

    database: Engine
    key: bytes
    offset: int = 0
    brought: int = 0
    aside: list[Piece] = field(default_factory=list)
    unreadable: int = 0
    broken: Counter[str] = field(default_factory=Counter)

    def take(self, batch: Iterable[bytes]) -> int:
        """Bring a batch; how many bytes it has."""
        begin, found = self.offset, []
        for raw in batch:
            piece = Piece(self.offset, len(raw))
            if line := _line(raw):
                found.append(_Found(line, piece))
            else:
                self.put_aside(piece)
            self.offset += len(raw)
        found.sort(key=lambda one: one.line.client)  # stable
        for client, of_client in groupby(found, key=lambda one: one.line.client):
            self._bring(client, list(of_client))
        return self.offset - begin

    def put_aside(self, piece: Piece) -> None:
        """Of something that cannot be read."""
        self.aside.append(piece)
        self.unreadable += 1

    def say_what_is_aside(self) -> None:
        """To be said once it is there."""
        if self.unreadable:
            _log.error("audit_journal_damaged", entries=self.unreadable)
        for client, entries in self.broken.items():
            _log.error("audit_chain_broken", client=client, entries=entries)

    def _bring(self, client: str, found: list[_Found]) -> None:
        """One transaction, so that a client whose chain is broken stops nobody else."""
        try:
            if client not in self.broken:  # its later records must not come before the earlier ones
                with transaction(self.database) as connection:
                    append(connection, self.key, [one.line for one in found], unless_there=True)
                self.brought += len(found)
                return
        except IntegrityError:
            pass
        self.aside += [one.piece for one in found]
        self.broken[client] += len(found)


def _line(raw: bytes) -> Line | None:
    """A line of the journal; None for one that we did not write, or that the disk has lost."""
    try:
        entry = orjson.loads(raw)
        client, moment = entry["client"], entry["recordedAt"]
        if not isinstance(client, str) or type(moment) is not int:  # True is an int, too
            return None
        if not (0 < len(client) <= _LONGEST_NAME and client.isprintable() and 0 <= moment <= _LAST_MOMENT):
            return None
        return Line(client, moment, raw.decode().removesuffix("\n"))
    except (ValueError, KeyError, TypeError):
        return None


class Carrier:
    """Brings a journal home in the background, trying again until it is empty."""

    def __init__(self, journal: Journal) -> None:
        """Nothing is done yet.

        Args:
            journal: what to bring home.
        """
        self._journal = journal
        self._lock = Lock()
        self._thread: Thread | None = None
        self._stop = Event()

    def start(self, database: Engine, key: bytes) -> None:
        """Begin, unless it is being done already.

        Args:
            database: where to.
            key: of the chains.
        """
        with self._lock:
            if self._thread is None or not self._thread.is_alive():  # one that failed could not say that it ends
                self._thread = Thread(target=self._carry, args=(database, key), name="audit-journal", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """End after the batch under way; what still waits is brought home by the next process that finds it."""
        self._stop.set()
        with self._lock:
            thread, self._thread = self._thread, None
        if thread:
            thread.join()
        self._stop.clear()

    def _carry(self, database: Engine, key: bytes) -> None:
        while self._goes_on():
            try:
                if brought := bring_home(self._journal, database, key):
                    _log.info("audit_brought_home", entries=brought)
            except (StoreError, JournalError) as error:
                _log.warning("audit_waits", error=type(error.__cause__ or error).__name__)
            if self._journal.is_waiting():
                self._stop.wait(RETRY_SECONDS)

    def _goes_on(self) -> bool:
        """Whether there is more to do; if not, whoever adds a record after this last look begins another thread."""
        with self._lock:
            if self._journal.is_waiting() and not self._stop.is_set():
                return True
            if self._thread is current_thread():
                self._thread = None
            return False
