"""Backups of an SQLite file, taken while the service goes on writing to it, and put back."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

from server.store.new_files import complete_or_absent
from server.store.restored import MARK
from server.store.sqlite import BUSY_SECONDS, made_ready

MAGIC = b"SQLite format 3\0"
_BESIDE = ("", "-wal", "-shm")
"""A database is a file, and while it is in use two more that hold a part of it."""

_IN_USE = ("SQLITE_BUSY", "SQLITE_LOCKED")


def keep_beside(file: Path, revision: str) -> None:
    """Back a database up beside itself, before its tables change (DB-06).

    There is one such file to a revision, the newest: a service that fails again and again must not fill the disk.

    Args:
        file: the database.
        revision: of its tables.

    Raises:
        OSError, sqlite3.Error: no backup was made.
    """
    with complete_or_absent(file.with_name(f"{file.name}.revision-{revision}"), replace=True) as partial:
        take(file, partial)


def take(file: Path, target: Path) -> None:
    """Copy a database as it is at one moment, and see that the copy is whole. Writers do not wait for it.

    Launches of the SMART app are left out: who has signed out since must not be signed in again by a restore.

    Args:
        file: the database.
        target: an empty file.

    Raises:
        sqlite3.Error: it cannot be read or copied, or is damaged.
    """
    with _opened(file, "ro") as source, _opened(target, "rw") as copy:
        source.backup(copy)  # in one step, since in several each writer would make it begin again
        copy.execute("PRAGMA journal_mode=DELETE")  # so that the copy is one file
        copy.execute("PRAGMA secure_delete=ON")
        if "smart_launches" in _tables(copy):
            copy.execute("DELETE FROM smart_launches")
            copy.commit()
        _refuse_damaged(copy)


def revision_in(file: Path) -> str | None:
    """The revision of a backup; None for a file that is none of ours.

    Raises:
        sqlite3.Error: it cannot be read, or is damaged.
    """
    with _opened(file, "ro") as connection:
        if "alembic_version" not in _tables(connection):
            return None
        _refuse_damaged(connection)
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None


def is_empty(file: Path) -> bool:
    """Whether there is nothing to lose: no file, or tables without a row. What cannot be read may be worth something."""
    if not file.exists() or not file.stat().st_size:
        return True
    try:
        with _opened(file, "rw") as connection:
            names = _tables(connection) - {"alembic_version", "sqlite_sequence"}
            return not any(connection.execute(f'SELECT 1 FROM "{name}" LIMIT 1').fetchone() for name in names)  # noqa: S608
    except sqlite3.Error:
        return False


def is_in_use(file: Path) -> bool:
    """Whether any other connection to a database is open."""
    try:
        with _opened(file, "rw", seconds=0) as connection:
            connection.execute("PRAGMA journal_mode=DELETE")  # only whoever is alone with it may
    except sqlite3.Error as error:
        return getattr(error, "sqlite_errorname", "") in _IN_USE
    return False


@contextmanager
def prepared(backup: Path, file: Path, restored_at: int) -> Iterator[Path]:
    """A copy of a backup, on the disk of the database it is to become; in a folder of its own, gone at the end.

    Args:
        backup: as `take` made it.
        file: the database.
        restored_at: seconds since 1970.

    Raises:
        OSError, sqlite3.Error: it cannot be copied, or is damaged.
    """
    with TemporaryDirectory(prefix=f"{file.name}.restore-", dir=file.parent) as folder:
        copy = Path(folder) / file.name
        copy.touch(0o600)
        take(backup, copy)
        with _opened(copy, "rw") as connection:
            connection.execute("INSERT OR REPLACE INTO installation (name, value) VALUES (?, ?)", (MARK, str(restored_at)))
            connection.commit()
        yield copy


def put_in_place(copy: Path, file: Path) -> Path | None:
    """Let a prepared copy become the database; services that start wait meanwhile.

    Returns:
        Where the database is now that was there before, unless it was empty.

    Raises:
        FileExistsError: the database is in use.
        OSError: it cannot be done.
    """
    with made_ready(file):
        if is_in_use(file):
            raise FileExistsError
        kept = None if is_empty(file) else file.with_name(f"{file.name}.replaced-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
        for ending in _BESIDE[::-1]:
            if (old := Path(f"{file}{ending}")).exists():
                old.rename(f"{kept}{ending}") if kept else old.unlink()
        copy.replace(file)
    return kept


@contextmanager
def _opened(file: Path, mode: str, seconds: float = BUSY_SECONDS) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(f"file:{quote(str(file))}?mode={mode}", uri=True, timeout=seconds)) as connection:
        yield connection


def _tables(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def _refuse_damaged(connection: sqlite3.Connection) -> None:
    (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if found != "ok" or connection.execute("PRAGMA foreign_key_check").fetchone():
        raise sqlite3.DatabaseError("the file is damaged")
