"""Backups taken while others write, and put back: on both databases, with PostgreSQL's own programs."""

import shutil
import signal
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from threading import Event
from uuid import uuid4

import pytest
from sqlalchemy import Engine, func, insert, select, update

from server.config import ConfigurationError
from server.store.backup import back_up, restore
from server.store.database import connect, downgrade_database, open_database, upgrade_database
from server.store.errors import StoreError
from server.store.restored import CLOCKS_SECONDS
from server.store.revisions import newest_revision, revision_of
from server.store.tables import audit_chains, audit_events, feedback, installation, smart_launches, used_tokens
from server.store.transactions import transaction
from server.store.used_tokens import remember
from tests.postgresql import PostgresqlServer
from tests.server.store.processes import python
from tests.server.store.rows import add, column, count

WRITERS = 4
ISSUER = "https://ehr.example"
NEXT_YEAR = int(time.time()) + 365 * 86_400


@pytest.fixture
def elsewhere(database_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of another database of the same kind, without tables."""
    if database_url.startswith("sqlite"):
        yield f"sqlite:///{tmp_path / 'elsewhere' / 'store.sqlite3'}"
    else:
        server: PostgresqlServer = request.getfixturevalue("postgresql")
        yield server.new_database()


def refusal(url: str, file: Path, *, replace: bool = True) -> str:
    with pytest.raises(ConfigurationError) as caught:
        restore(url, file, replace=replace)
    return str(caught.value)


def write(database: Engine, writer: int, written: list[int], enough: Event, stop: Event) -> None:
    """Tokens, and audit records each with the head of its chain, until told to stop."""
    client, has_begun = f"client-{writer}", False
    while not (has_begun or stop.is_set()):
        with suppress(StoreError):  # as below
            with transaction(database) as connection:
                zero = {"client": client, "sequence": 0, "chain": "", "purged_sequence": 0, "purged_chain": ""}
                connection.execute(insert(audit_chains).values(zero))
            has_begun = True
    while not stop.is_set():
        number = len(written) + 1
        with suppress(StoreError):  # another writer kept it waiting for too long: not acknowledged
            assert remember(database, ISSUER, str(uuid4()), NEXT_YEAR, NEXT_YEAR)
            with transaction(database) as connection:
                same = {"client": client, "sequence": number, "chain": f"{number:064x}"}
                connection.execute(insert(audit_events).values(same | {"recorded_at": number, "entry": "{}"}))
                connection.execute(update(audit_chains).where(audit_chains.c.client == client).values(same))
            written.append(number)
        if number == 10:
            enough.set()


@pytest.mark.requirement("DB-06", "DB-05")
def test_a_backup_taken_while_four_threads_write_has_all_that_was_acknowledged_before(
    database: Engine, database_url: str, elsewhere: str, tmp_path: Path
) -> None:
    written: list[list[int]] = [[] for _ in range(WRITERS)]
    enough, stop = [Event() for _ in range(WRITERS)], Event()
    with ThreadPoolExecutor(WRITERS) as pool, ExitStack() as at_the_end:
        at_the_end.callback(stop.set)
        writing = [pool.submit(write, database, writer, written[writer], enough[writer], stop) for writer in range(WRITERS)]
        assert all(one.wait(30) for one in enough)
        for attempt in range(20):  # on a busy machine a backup may be done before anybody's turn has come
            file, before = tmp_path / f"backup-{attempt}", [len(one) for one in written]
            assert back_up(database_url, file) == newest_revision()
            if is_meanwhile := sum(map(len, written)) > sum(before):
                break
        stop.set()
        for one in writing:
            one.result(30)
    assert is_meanwhile, "they wrote meanwhile"
    assert file.stat().st_mode & 0o777 == 0o600
    assert restore(elsewhere, file, replace=False).revision == newest_revision()
    there = open_database(elsewhere)
    with there.connect() as connection:
        records = select(audit_events.c.client, func.count(), func.max(audit_events.c.sequence)).group_by(audit_events.c.client)
        counted = {client: (many, newest) for client, many, newest in connection.execute(records)}
        heads = dict(map(tuple, connection.execute(select(audit_chains.c.client, audit_chains.c.sequence))))
    for writer in range(WRITERS):
        many, newest = counted[f"client-{writer}"]
        assert before[writer] <= many == newest == heads[f"client-{writer}"] <= len(written[writer]), "one moment, without a gap"
    assert count(there, used_tokens) >= sum(before)
    if there.dialect.name == "sqlite":
        with there.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    there.dispose()


@pytest.mark.requirement("JWT-14", "SM-11")
def test_after_a_restore_tokens_from_before_count_as_used_and_nobody_is_signed_in_again(
    database: Engine, database_url: str, tmp_path: Path
) -> None:
    add(database, smart_launches, {"sealed": "secret"})
    row = {"client": "ehr", "service": "1", "card": "2", "outcome": "accepted", "suggestions": [], "received_at": 0}
    with transaction(database) as connection:
        connection.execute(insert(feedback).values(row | {"outcome_at": "before"}))
    back_up(database_url, tmp_path / "backup")
    now = time.time()
    assert remember(database, ISSUER, "used after the backup", NEXT_YEAR, now)
    database.dispose()
    restore(database_url, tmp_path / "backup", replace=True)
    assert not remember(database, ISSUER, "used after the backup", NEXT_YEAR, now)
    assert not remember(database, ISSUER, "by a clock that is ahead", NEXT_YEAR, now + CLOCKS_SECONDS - 1)
    assert remember(database, ISSUER, "issued afterwards", NEXT_YEAR, time.time() + CLOCKS_SECONDS)
    assert count(database, smart_launches) == 0
    with transaction(database) as connection:
        connection.execute(insert(feedback).values(row | {"outcome_at": "afterwards"}))
    assert column(database, feedback, "id") == {1, 2}, "numbers go on"


def test_a_backup_of_an_older_revision_is_brought_up_to_date(
    database: Engine, database_url: str, elsewhere: str, tmp_path: Path
) -> None:
    upgrade_database(elsewhere, "0001")
    older = connect(elsewhere)
    add(older, used_tokens, {"jti": "old"})
    older.dispose()
    assert back_up(elsewhere, tmp_path / "backup") == "0001"
    add(database, used_tokens, {"jti": "new"})
    add(database, smart_launches, {})
    database.dispose()
    assert "is not empty; to give up what is in it, add --replace" in refusal(database_url, tmp_path / "backup", replace=False)
    restored = restore(database_url, tmp_path / "backup", replace=True)
    assert (restored.revision, revision_of(database)) == ("0001", newest_revision())
    assert column(database, used_tokens, "jti") == {"old"}
    if restored.kept:
        assert column(connect(f"sqlite:///{restored.kept}"), used_tokens, "jti") == {"new"}


def test_a_backup_of_newer_software_is_refused(database: Engine, database_url: str, elsewhere: str, tmp_path: Path) -> None:
    back_up(database_url, tmp_path / "old")
    with database.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(ConfigurationError, match="newer software made it"):
        back_up(database_url, tmp_path / "new")
    assert not (tmp_path / "new").exists()
    if database.dialect.name == "sqlite":
        with closing(sqlite3.connect(tmp_path / "old")) as copy:
            copy.execute("UPDATE alembic_version SET version_num = '9999'")
            copy.commit()
        assert "newer software made it" in refusal(elsewhere, tmp_path / "old")


def test_a_database_in_use_is_not_replaced(database: Engine, database_url: str, tmp_path: Path) -> None:
    back_up(database_url, tmp_path / "backup")
    assert count(database, installation) == 0  # and the connection stays in the pool, as that of an idle service
    assert "is in use; end the service" in refusal(database_url, tmp_path / "backup")
    database.dispose()
    restore(database_url, tmp_path / "backup", replace=False)


def test_a_backup_takes_no_other_files_place(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "backup").write_text("precious")
    with pytest.raises(ConfigurationError, match="is there already"):
        back_up(database_url, tmp_path / "backup")
    with pytest.raises(ConfigurationError, match="cannot be written: No such file"):
        back_up(database_url, tmp_path / "nowhere" / "backup")
    assert (tmp_path / "backup").read_text() == "precious"


def test_what_is_no_backup_is_refused_and_changes_nothing(database: Engine, database_url: str, tmp_path: Path) -> None:
    add(database, used_tokens, *({"jti": f"{number:060}"} for number in range(1000)))
    back_up(database_url, file := tmp_path / "backup")
    database.dispose()
    whole = file.read_bytes()
    for content in (b"", b"text", whole[: len(whole) // 2], whole[:200], whole[:16] + b"\0" * 4000):
        file.write_bytes(content)
        refusal(database_url, file)
    refusal(database_url, tmp_path / "nowhere")
    assert count(database, used_tokens) == 1000


def test_a_backup_of_the_other_kind_is_refused(postgresql: PostgresqlServer, tmp_path: Path) -> None:
    lite, other = f"sqlite:///{tmp_path}/store.sqlite3", postgresql.new_database()
    for url, name in ((lite, "lite"), (other, "other")):
        upgrade_database(url)
        back_up(url, tmp_path / name)
    assert "is of another kind of database than SQLite" in refusal(lite, tmp_path / "other")
    assert "is of another kind of database than PostgreSQL" in refusal(other, tmp_path / "lite")


def test_a_damaged_sqlite_file_is_neither_backed_up_nor_lost(tmp_path: Path) -> None:
    url, file = f"sqlite:///{tmp_path}/store.sqlite3", tmp_path / "store.sqlite3"
    engine = open_database(url)
    back_up(url, tmp_path / "backup")
    add(engine, used_tokens, *({"jti": f"{number:060}"} for number in range(1000)))
    engine.dispose()
    damaged = bytearray(file.read_bytes())
    damaged[8 * 4096 : 20 * 4096] = b"\xff" * 12 * 4096
    file.write_bytes(damaged)
    with pytest.raises(ConfigurationError, match="cannot be backed up"):
        back_up(url, tmp_path / "another")
    assert not (tmp_path / "another").exists()
    assert "is not empty" in refusal(url, tmp_path / "backup", replace=False)
    kept = restore(url, tmp_path / "backup", replace=True).kept
    assert kept is not None
    assert kept.read_bytes()[100:] == damaged[100:], "behind the header, which says that nobody is using it"
    open_database(url).dispose()


KILLED = """
import os, signal, sys, pathlib
from server.store import backup, sqlite_backup
sqlite_backup.put_in_place = lambda *of: os.kill(os.getpid(), signal.SIGKILL)
backup.restore(sys.argv[1], pathlib.Path(sys.argv[2]), replace=True)
"""


def test_a_restore_that_is_killed_leaves_the_database_as_it_was(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.sqlite3"
    engine = open_database(url)
    back_up(url, tmp_path / "backup")
    add(engine, used_tokens, {"jti": "kept"})
    engine.dispose()
    assert python("-c", KILLED, url, str(tmp_path / "backup")).returncode == -signal.SIGKILL
    assert column(open_database(url), used_tokens, "jti") == {"kept"}


# --- PostgreSQL's programs


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the PATH; in it PostgreSQL's own programs, and in front of each one a note of its command line."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in ("pg_dump", "pg_restore", "psql"):
        (folder / name).write_text(f'#!/bin/sh\necho "$0 $@" >> {tmp_path}/commands\nexec {shutil.which(name)} "$@"\n')
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


@pytest.mark.requirement("PR-06")
@pytest.mark.parametrize(
    "form", ["postgresql+psycopg://postgres:secret@/{}?host={}", "postgresql://postgres@/{}?host={}&password=secret"]
)
def test_no_command_line_shows_the_password(postgresql: PostgresqlServer, programs: Path, tmp_path: Path, form: str) -> None:
    url = form.format(postgresql.new_database().partition("@/")[2].partition("?")[0], postgresql.folder)
    upgrade_database(url)
    back_up(url, tmp_path / "backup")
    restore(url, tmp_path / "backup", replace=True)
    commands = (tmp_path / "commands").read_text()
    assert all(f"{name} " in commands for name in ("pg_dump", "pg_restore", "psql"))
    assert "secret" not in commands


def test_without_the_programs_it_is_said_what_to_install(
    postgresql: PostgresqlServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgresql.new_database()
    upgrade_database(url)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigurationError, match=r"pg_dump is not installed here.*postgresql-client"):
        back_up(url, tmp_path / "backup")
    assert list(tmp_path.iterdir()) == []


def test_a_dump_that_cannot_be_put_back_changes_nothing(postgresql: PostgresqlServer, tmp_path: Path) -> None:
    url = postgresql.new_database()
    upgrade_database(url)
    engine = connect(url)
    back_up(url, tmp_path / "backup")
    add(engine, used_tokens, {"jti": "kept"})
    with engine.begin() as connection:  # whoever depends on us is in the way of what the dump makes
        connection.exec_driver_sql("CREATE TABLE theirs (id INT)")
        connection.exec_driver_sql("CREATE INDEX snoozes_until_2 ON theirs (id)")
        connection.exec_driver_sql("ALTER INDEX snoozes_until RENAME TO snoozes_until_3")
        connection.exec_driver_sql("ALTER INDEX snoozes_until_2 RENAME TO snoozes_until")
    engine.dispose()
    assert "psql failed: " in refusal(url, tmp_path / "backup")
    assert column(engine, used_tokens, "jti") == {"kept"}
    engine.dispose()


def test_a_downgraded_database_can_be_put_back_as_it_was(database: Engine, database_url: str, tmp_path: Path) -> None:
    add(database, used_tokens, {"jti": "kept"})
    database.dispose()
    back_up(database_url, tmp_path / "backup")
    downgrade_database(database_url, "0001")
    restore(database_url, tmp_path / "backup", replace=True)
    assert (revision_of(database), column(database, used_tokens, "jti")) == (newest_revision(), {"kept"})
