"""From the journal into the database, in order and exactly once, as soon as the database works again (AUD-02).

Whoever is killed on the way leaves records in both places; they are known again by their text, which has an id of ours in it,
while the chain is locked. So nothing has to be remembered about how far one came.
"""

from itertools import groupby
from threading import Event, Lock, Thread

import orjson
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from server.auditing.appending import Line, append
from server.auditing.journal import Journal, JournalError
from server.observing.logs import logger
from server.store.errors import StoreError
from server.store.transactions import transaction

RETRY_SECONDS = 1.0
_BATCH_BYTES = 256 * 1024

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
    offset = brought = 0
    while batch := journal.read(offset, _BATCH_BYTES):
        brought += _keep(batch, database, key)
        length = sum(map(len, batch))
        offset += length
        if length < _BATCH_BYTES:
            break
    # Others could add a line for every one that is brought. They wait once, for a database that has just answered.
    with journal.closed():
        while batch := journal.read(offset, _BATCH_BYTES):
            brought += _keep(batch, database, key)
            offset += sum(map(len, batch))
    return brought


def _keep(batch: list[bytes], database: Engine, key: bytes) -> int:
    lines = [line for line in map(_line, batch) if line]
    if len(lines) < len(batch):
        _log.error("audit_journal_damaged", entries=len(batch) - len(lines))
    by_client = sorted(lines, key=lambda line: line.client)  # stable; always in this order, so that nobody waits in a circle
    try:
        with transaction(database) as connection:
            for _, of_client in groupby(by_client, key=lambda line: line.client):
                append(connection, key, list(of_client), unless_there=True)
    except IntegrityError as error:
        raise StoreError("the chain of the audit trail is broken") from error
    return len(lines)


def _line(raw: bytes) -> Line | None:
    """A line of the journal; None for one that we did not write, or that the disk has lost."""
    try:
        entry = orjson.loads(raw)
        return Line(str(entry["client"]), int(entry["recordedAt"]), raw.decode().removesuffix("\n"))
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
            if self._thread is None or not self._thread.is_alive():
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
        while self._journal.is_waiting() and not self._stop.is_set():
            try:
                if brought := bring_home(self._journal, database, key):
                    _log.info("audit_brought_home", entries=brought)
            except (StoreError, JournalError) as error:
                _log.warning("audit_waits", error=type(error.__cause__ or error).__name__)
            if self._journal.is_waiting():
                self._stop.wait(RETRY_SECONDS)
