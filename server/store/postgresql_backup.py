"""Backups of a PostgreSQL database by PostgreSQL's own programs: pg_dump, pg_restore and psql."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO

from sqlalchemy import Engine, inspect, select

from server.config import ConfigurationError
from server.store.engines import SETTING, connect
from server.store.restored import MARK
from server.store.tables import metadata

MAGIC = b"PGDMP"
_TABLES = ("alembic_version", *metadata.tables)
_SERVICE = "myositis-cds"


def take(url: str, target: Path) -> None:
    """Dump our tables as they are at one moment, in PostgreSQL's custom format. Writers do not wait for it.

    Launches of the SMART app are left out: who has signed out since must not be signed in again by a restore.

    Args:
        url: the database.
        target: an empty file.

    Raises:
        ConfigurationError: a program is missing, or says that it failed.
    """
    tables = [f"--table={name}" for name in _TABLES]
    launches = "--exclude-table-data=smart_launches"
    _run(url, "pg_dump", "--format=custom", "--no-owner", "--no-privileges", launches, *tables, f"--file={target}")
    revision_in(target)


def revision_in(file: Path) -> str | None:
    """The revision of a backup; None for a dump that is none of ours.

    Raises:
        ConfigurationError: pg_restore is missing, or cannot read the file.
    """
    with TemporaryFile("w+", encoding="utf-8") as script:
        _write_script(file, script, "--data-only", "--table=alembic_version")
        found = re.search(r"^COPY \S*alembic_version .*\n(\w+)$", script.read(), re.MULTILINE)
    return found[1] if found else None


def is_empty(engine: Engine) -> bool:
    """Whether no table of ours has a row."""
    there = set(inspect(engine).get_table_names()) & metadata.tables.keys()
    with engine.connect() as connection:
        return not any(connection.execute(select(1).select_from(metadata.tables[name]).limit(1)).first() for name in there)


def is_in_use(engine: Engine) -> bool:
    """Whether anybody else is connected to the database."""
    others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND usesysid IS NOT NULL"
    with engine.connect() as connection:
        return bool(connection.exec_driver_sql(f"SELECT count(*) {others}").scalar())


def put_back(url: str, file: Path, restored_at: int) -> None:
    """Replace our tables by those of a backup: in one transaction, so all of them or, on any trouble, none.

    Args:
        url: the database.
        file: as `take` made it.
        restored_at: seconds since 1970.

    Raises:
        ConfigurationError: a program is missing, or says that it failed.
    """
    gone = f"DROP TABLE IF EXISTS {', '.join(_TABLES)} CASCADE"
    mark = f"DELETE FROM installation WHERE name = '{MARK}'; INSERT INTO installation VALUES ('{MARK}', '{restored_at:d}')"  # noqa: S608
    with TemporaryFile("w+", encoding="utf-8") as script:  # read to its end before anything is changed: it may be cut short
        _write_script(file, script, "--no-owner", "--no-privileges")
        script.write(f"\nRESET search_path; {mark};\n")  # which the script has emptied
        script.seek(0)
        steps = ("--command", gone, "--file=-")
        _run(url, "psql", "--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", *steps, source=script)


def _write_script(file: Path, script: IO[str], *options: str) -> None:
    _run(None, "pg_restore", *options, "--file=-", str(file), target=script)
    script.seek(0, os.SEEK_SET if "--data-only" in options else os.SEEK_END)


def _run(url: str | None, program: str, *arguments: str, source: IO[str] | None = None, target: IO[str] | None = None) -> None:
    found = shutil.which(program)
    if found is None:
        raise ConfigurationError(
            f"{SETTING}: {program} is not installed here; it comes with PostgreSQL's client programs (Debian: postgresql-client)"
        )
    with _service_file(url) as environment:
        named = () if url is None else (f"--dbname=service={_SERVICE}",)
        result = subprocess.run(
            [found, *named, *arguments], env=os.environ | environment, check=False, text=True,
            stdin=source or subprocess.DEVNULL, stdout=target or subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
    if result.returncode:
        raise ConfigurationError(f"{program} failed: {' '.join(result.stderr.split()) or 'it does not say why'}")


@contextmanager
def _service_file(url: str | None) -> Iterator[dict[str, str]]:
    """Where to connect, in a file that only our user can read: a command line is for everybody on the machine to see (PR-06)."""
    if url is None:
        yield {}
        return
    engine = connect(url, hurried=False)
    parameters = {name: value for name, value in engine.dialect.create_connect_args(engine.url)[1].items() if name != "context"}
    with TemporaryDirectory(prefix="myositis-cds-") as folder:
        file = Path(folder) / "service"
        file.touch(0o600)
        file.write_text("".join([f"[{_SERVICE}]\n", *(f"{name}={value}\n" for name, value in parameters.items())]), "utf-8")
        yield {"PGSERVICEFILE": str(file)}
