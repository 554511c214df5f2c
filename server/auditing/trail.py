"""Where records go, and what becomes of a call whose record cannot be written (`config.audit`; AUD-01, AUD-02)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

from server.auditing.appending import Head, Line, append
from server.auditing.bringing_home import Carrier
from server.auditing.journal import Journal, JournalError
from server.config import PREFIX, ConfigurationError
from server.errors import AuditUnavailableError
from server.feedback.trouble import log_trouble
from server.observing.figures import AUDIT_TROUBLE
from server.observing.logs import logger
from server.store.errors import StoreError
from server.store.row_turns import row_turn
from server.store.transactions import transaction

ANCHORED = 100
"""After so many records of a client the log names the head of its chain: logs that are kept elsewhere can be held against it."""

Beside = Callable[[Connection], None]

_log = logger("audit")


@dataclass(frozen=True, slots=True, eq=False)
class Trail:
    """The audit trail of a service.

    Args:
        mode: `config.audit`.
        journal: of mode `spill`.
        carrier: brings the journal home.
    """

    mode: str
    journal: Journal | None = None
    carrier: Carrier | None = field(default=None, repr=False)

    @property
    def is_waiting(self) -> bool:
        """Whether records wait in the journal for the database."""
        return bool(self.journal and self.journal.is_waiting())

    @property
    def answers_without_database(self) -> bool:
        """Whether calls are answered also where the database does not take their records."""
        return self.mode == "open" or bool(self.journal and self.journal.has_room())

    def keep(self, database: Engine, key: bytes, line: Line, beside: Beside | None = None) -> None:
        """Write a record down; when this returns, it is committed, or the service was set to answer without it.

        Args:
            database: the store.
            key: of the chains.
            line: the record.
            beside: what else is written in the same transaction, because a flush to disk is dear. The call can do without it.

        Raises:
            AuditUnavailableError: it could not be written, and the call must not be answered.
        """
        if self.is_waiting:
            if beside:
                _try_beside(database, beside)
            return self._spill(database, key, line)
        try:
            head = _write_both(database, key, line, beside)
        except (StoreError, IntegrityError) as error:  # a chain that was tampered with may have the place taken
            return self._without_database(database, key, line, type(error.__cause__ or error).__name__)
        if head.sequence % ANCHORED == 0:
            _log.info("audit_head", client=head.client, sequence=head.sequence, chain=head.chain)

    def bring_home(self, database: Engine, key: bytes) -> None:
        """Begin to bring home what an earlier process left in the journal."""
        if self.carrier and self.is_waiting:
            self.carrier.start(database, key)

    def _without_database(self, database: Engine, key: bytes, line: Line, error: str) -> None:
        if self.mode == "spill":
            return self._spill(database, key, line)
        _trouble(self.mode, line, error)
        if self.mode == "closed":
            raise AuditUnavailableError

    def _spill(self, database: Engine, key: bytes, line: Line) -> None:
        if self.journal is None or self.carrier is None:
            raise AuditUnavailableError
        try:
            self.journal.append(line.text)
        except JournalError as trouble:
            _trouble(self.mode, line, trouble.reason)
            raise AuditUnavailableError from None
        self.carrier.start(database, key)


def open_trail(mode: str, spill_file: Path | None) -> Trail:
    """The trail that the settings ask for.

    Args:
        mode: `config.audit`.
        spill_file: `config.audit_spill_file`.

    Raises:
        ConfigurationError: the journal cannot be written.
    """
    AUDIT_TROUBLE.labels(mode)  # from 0 on: Prometheus takes the first value of a series for no growth
    if spill_file is None:
        return Trail(mode)
    journal = Journal(spill_file)
    try:
        journal.check()
    except JournalError as error:
        raise ConfigurationError(
            f"{PREFIX}AUDIT_SPILL_FILE: {spill_file} cannot be written ({error.reason}); name a file in a folder of the service's"
        ) from None
    return Trail(mode, journal, Carrier(journal))


def _trouble(mode: str, line: Line, error: str) -> None:
    AUDIT_TROUBLE.labels(mode).inc()
    _log.error("audit_trouble", action=mode, client=line.client, error=error)


def _write_both(database: Engine, key: bytes, line: Line, beside: Beside | None) -> Head:
    """One transaction for both; where that fails, another one for the record alone."""
    with row_turn(database, line.client) as turn:
        if beside:
            try:
                with transaction(database) as connection:
                    beside(connection)
                    turn.take()
                    return append(connection, key, [line])
            except StoreError as error:
                log_trouble(error, "remember_cards")
        with transaction(database) as connection:
            turn.take()
            return append(connection, key, [line], unless_there=beside is not None)


def _try_beside(database: Engine, beside: Beside) -> None:
    try:
        with transaction(database) as connection:
            beside(connection)
    except StoreError as error:
        log_trouble(error, "remember_cards")
