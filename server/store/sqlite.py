"""SQLite: for one machine; several processes of it may share the file."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, QueuePool, create_engine, event

from server.config import THREADS
from server.store.errors import StoreError

IN_MEMORY = "sqlite://"
"""Forgets everything at the end; for tests and for `assess`."""

BUSY_SECONDS = 2
"""So long a writer waits for another one (DB-05)."""

TURN_SECONDS = 60.0
"""So long whoever starts waits for another process that makes the same file ready, and perhaps makes a backup before."""

_SETTINGS = (
    "journal_mode=WAL",  # readers and the writer do not wait for each other; a killed process leaves nothing half-written
    "synchronous=FULL",  # what was committed survives loss of power, at the price of one flush to disk
    "foreign_keys=ON",
    "secure_delete=ON",  # purged comments are overwritten, not just forgotten
    "cache_size=-512",  # KiB for each connection, of which there are many; another process that writes makes it void anyway
)


def file_of(url: URL) -> Path | None:
    """The file of an SQLite database; None for one in memory."""
    return Path(url.database) if url.database and url.database != ":memory:" else None


def turn_file(file: Path) -> Path:
    """The file beside a database that its writers lock in turns (`server.store.turns`), and that nothing is ever written into."""
    return file.with_name(f"{file.name}-turn")


def sqlite_engine(url: URL) -> Engine:
    """Connections to an SQLite database, opened when they are needed."""
    connect_args = {"timeout": BUSY_SECONDS, "isolation_level": "IMMEDIATE", "check_same_thread": False}
    if file_of(url):
        pool: dict[str, Any] = {"pool_size": THREADS, "pool_timeout": BUSY_SECONDS}
    else:
        # One connection, that threads take in turns: each connection to memory would be a database of its own.
        pool = {"poolclass": QueuePool, "pool_size": 1, "max_overflow": 0}
    engine = create_engine(url, connect_args=connect_args, hide_parameters=True, **pool)
    event.listen(engine, "connect", _set_up)
    return engine


@contextmanager
def made_ready(file: Path) -> Iterator[None]:
    """Make the folder, the file and the one that its writers lock, for our user only; others that do so wait until the end.

    The first connections to a new file must not be opened at once: SQLite does not wait when it changes to a write-ahead log.

    Raises:
        OSError: the folder or the file cannot be made.
        StoreError: another process does the same for longer than `TURN_SECONDS`.
    """
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _take_turn(folder, file)
        if not file.exists():
            os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        _make_turn_file(file)
        yield
    finally:
        os.close(folder)


def _make_turn_file(file: Path) -> None:
    """For the owner of the database, also where root comes before the service. Where it cannot be made, writers say so."""
    with suppress(OSError):  # it is there already, or cannot be made
        descriptor = os.open(turn_file(file), os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)  # follows no link that somebody laid
        try:
            if os.geteuid() == 0:
                owner = file.stat()
                os.fchown(descriptor, owner.st_uid, owner.st_gid)
        finally:
            os.close(descriptor)


def _take_turn(folder: int, file: Path) -> None:
    """Not by waiting in the kernel, which knows no limit."""
    until = time.monotonic() + TURN_SECONDS
    while True:
        try:
            return fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise StoreError(
                    f"another process has kept the folder of {file} locked for {TURN_SECONDS:.0f} s: an upgrade or a restore is "
                    "under way, or hangs; wait for its end, or end it (it is shown by: fuser -v on the folder)"
                ) from None
        time.sleep(0.05)


def _set_up(connection: Any, record: Any) -> None:
    cursor = connection.cursor()
    for setting in _SETTINGS:
        cursor.execute(f"PRAGMA {setting}")
    cursor.close()
