"""`myositis-cds db`: what it prints, and with which exit code, mostly called without starting a process."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, time

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine

from server.command_line import main
from server.store.database import connect, open_database, upgrade_database
from server.store.purging import DAY
from server.store.tables import cards_shown, feedback, feedback_comments, installation, smart_launches, snoozes, used_tokens
from tests.postgresql import PostgresqlServer
from tests.server.store.rows import add, column, count

COMMAND = Path(sys.executable).with_name("myositis-cds")


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


def environment(url: str) -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "MYOSITIS_CDS_DATABASE_URL": url}


def run(url: str, *arguments: str) -> Ended:
    result = CliRunner(env=environment(url)).invoke(main, arguments, prog_name="myositis-cds", catch_exceptions=False)
    return Ended(result.exit_code, result.stdout, result.stderr)


def run_process(url: str, *arguments: str) -> Ended:
    command = [COMMAND, *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=environment(url))
    return Ended(result.returncode, result.stdout, result.stderr)


def trouble(result: Ended, code: int) -> str:
    """The one line on stderr."""
    assert (result.returncode, result.stdout) == (code, "")
    (line,) = result.stderr.splitlines()
    return line


def test_upgrade_makes_the_tables_and_may_be_repeated(empty_database_url: str) -> None:
    for _ in range(2):
        result = run(empty_database_url, "db", "upgrade")
        assert (result.returncode, result.stderr) == (0, "")
        assert result.stdout.endswith(": up to date, revision 0005\n")
    open_database(empty_database_url).dispose()


def test_check_tells_the_revision_and_that_it_can_write(database: Engine, database_url: str) -> None:
    result = run_process(database_url, "db", "check")
    assert (result.returncode, result.stderr) == (0, "")
    first, second = result.stdout.splitlines()
    assert first.endswith(": up to date, revision 0005")
    assert second == "It can be written."
    assert count(database, installation) == 0


def test_check_refuses_a_database_without_tables(empty_database_url: str) -> None:
    assert "db upgrade" in trouble(run(empty_database_url, "db", "check"), 2)


@pytest.mark.parametrize("command", [("check",), ("purge",), ("purge", "--launches-only"), ("backup", "copy")], ids=" ".join)
def test_a_file_that_is_not_there_is_looked_after_by_nobody_and_not_made(tmp_path: Path, command: tuple[str, ...]) -> None:
    """A command without the environment of the service would otherwise say that there is nothing to delete."""
    *words, last = command
    line = trouble(run(f"sqlite:///{tmp_path}/store.sqlite3", "db", *words, last.replace("copy", f"{tmp_path}/copy")), 2)
    assert f"{tmp_path}/store.sqlite3: no such file" in line
    assert list(tmp_path.iterdir()) == []


def test_a_database_in_memory_is_not_looked_after() -> None:
    assert "forgotten with its process" in trouble(run("sqlite://", "db", "upgrade"), 2)


@pytest.mark.requirement("DB-01")
@pytest.mark.parametrize("command", [("db", "upgrade"), ("db", "check"), ("db", "purge"), ("serve", "--port", "0")], ids=" ".join)
def test_without_its_database_nothing_starts(tmp_path: Path, command: tuple[str, ...]) -> None:
    called = run_process if command[0] == "serve" else run  # which starts processes
    line = trouble(called(f"postgresql://somebody:secret@/store?host={tmp_path}", *command), 1)  # which systemd tries again
    assert line.startswith(f"myositis-cds: MYOSITIS_CDS_DATABASE_URL: PostgreSQL store on {tmp_path} cannot be used: ")
    assert "secret" not in line


@pytest.mark.requirement("DB-04")
def test_check_tells_that_a_database_cannot_be_written(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.sqlite3"
    with open_database(url).connect() as other:
        other.exec_driver_sql("BEGIN IMMEDIATE")
        result = run_process(url, "db", "check")
    assert (result.returncode, result.stderr) == (1, "myositis-cds: the database cannot be used now (OperationalError)\n")
    assert result.stdout.endswith("up to date, revision 0005\n")


def test_check_tells_that_a_user_may_not_write(postgresql: PostgresqlServer) -> None:
    url = postgresql.new_database()
    upgrade_database(url)
    postgresql.run("CREATE ROLE reader LOGIN")
    owner = connect(url)
    with owner.begin() as connection:
        connection.exec_driver_sql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
    owner.dispose()
    result = run(url.replace("//postgres@", "//reader@"), "db", "check")
    assert (result.returncode, result.stderr) == (1, "myositis-cds: the database cannot be used now (ProgrammingError)\n")


@pytest.mark.requirement("LOG-07")
def test_purge_tells_how_many_rows_went(database: Engine, database_url: str) -> None:
    now = int(time())
    add(database, used_tokens, {"expires_at": now - DAY})
    add(database, snoozes, {"until": now - 1})
    add(database, cards_shown, {"shown_at": now - 3 * DAY})
    add(database, feedback, *({"id": days, "card": f"{days}", "received_at": now - days * DAY} for days in (1, 3, 5)))
    add(database, feedback_comments, *({"feedback": days} for days in (1, 3, 5)))
    result = run(database_url, "db", "purge", "--keep-days", "4", "--keep-comments-days", "2")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        "used_tokens: 1 deleted",
        "snoozes: 1 deleted",
        "cards_shown: 0 deleted",
        "shadow_calls: 0 deleted",
        "feedback_comments: 2 deleted",
        "feedback: 1 deleted",
        "smart_launches: 0 deleted",
        "idle_smart_launches: 0 deleted",
        "audit_events: 0 deleted",
    ]
    assert column(database, feedback, "id") == {1, 3}


@pytest.mark.requirement("LOG-07")
def test_every_quarter_of_an_hour_only_launches_are_purged(database: Engine, database_url: str) -> None:
    add(database, used_tokens, {"expires_at": int(time()) - DAY})
    add(database, smart_launches, {"ends_at": int(time()) - 1})
    result = run(database_url, "db", "purge", "--launches-only")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines() == ["smart_launches: 1 deleted", "idle_smart_launches: 0 deleted"]
    assert count(database, used_tokens) == 1


@pytest.mark.requirement("DB-01")
def test_who_waits_for_a_database_that_never_comes_hears_so(tmp_path: Path) -> None:
    began = monotonic()
    line = trouble(
        run_process(f"postgresql://somebody:secret@/store?host={tmp_path}", "serve", "--port", "0", "--wait-db", "1.5"), 1
    )
    assert monotonic() - began > 1
    assert "cannot be used: " in line
    assert "secret" not in line


@pytest.mark.requirement("DB-01")
def test_nobody_waits_for_a_file(tmp_path: Path) -> None:
    (tmp_path / "store.sqlite3").mkdir()
    began = monotonic()
    trouble(run_process(f"sqlite:///{tmp_path}/store.sqlite3", "serve", "--port", "0", "--wait-db", "60"), 2)
    assert monotonic() - began < 30


def test_backup_downgrade_and_restore_say_what_they_did(database: Engine, database_url: str, tmp_path: Path) -> None:
    add(database, feedback, {})
    database.dispose()
    file = tmp_path / "backup"
    saved = run(database_url, "db", "backup", str(file))
    assert (saved.returncode, saved.stderr) == (0, "")
    assert saved.stdout == f"{file}: {file.stat().st_size} bytes, revision 0005, checked\n"
    assert "is there already" in trouble(run(database_url, "db", "backup", str(file)), 2)
    assert "add --yes" in trouble(run(database_url, "db", "downgrade", "0001"), 2)
    back = run(database_url, "db", "downgrade", "0001", "--yes")
    assert (back.returncode, back.stdout.splitlines()[-1][-23:]) == (0, ": back at revision 0001")
    assert "add --replace" in trouble(run(database_url, "db", "restore", str(file)), 2)
    restored = run(database_url, "db", "restore", str(file), "--replace")
    assert (restored.returncode, restored.stderr) == (0, "")
    assert "restored from revision 0005" in restored.stdout
    assert "Tokens from before now count as used" in restored.stdout
    assert count(database, feedback) == 1


def test_the_commands_explain_themselves() -> None:
    for command in ((), ("upgrade",), ("downgrade",), ("backup",), ("restore",), ("check",), ("purge",)):
        result = run("", "db", *command, "--help")
        assert (result.returncode, result.stderr) == (0, "")
        assert result.stdout.startswith("Usage: myositis-cds db")
