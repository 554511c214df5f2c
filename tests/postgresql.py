"""A real PostgreSQL server of the tests' own: started on demand, reached through a socket file, gone at the end."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

MISSING = "The tests need PostgreSQL, and none is installed. Install it with: make postgresql"
SECONDS_TO_START = 30
_SETTINGS = ("listen_addresses=", "fsync=off", "full_page_writes=off", "wal_level=minimal", "max_wal_senders=0", "autovacuum=off")
_IN_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
_ROOM = 4 * 1024**3
_numbers = count(1)


@dataclass(eq=False)
class PostgresqlServer:
    """One server, with a folder of its own that only its user can enter."""

    folder: Path
    programs: Path
    user: str | None  # whom it runs as; None for ourselves
    process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    def start(self) -> None:
        """Start, and wait until it answers."""
        # What a killed server has written stays without flushing it; only a machine that loses power would need that.
        settings = [f"-c{setting}" for setting in _SETTINGS]
        command = [self.programs / "postgres", "-D", self.folder / "data", "-k", self.folder, *settings]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log, user=self.user)
        deadline = time.monotonic() + SECONDS_TO_START
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"PostgreSQL did not start: {(self.folder / 'log').read_text('utf-8')[-2000:]}")
            time.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it: SIGINT ends open connections first; SIGQUIT is as hard as a crash, without leaving shared memory behind."""
        if self.process:
            self.process.send_signal(how)
            self.process.wait(timeout=SECONDS_TO_START)
            self.process = None

    def url(self, database: str) -> str:
        """The SQLAlchemy URL of a database."""
        return f"postgresql+psycopg://postgres@/{database}?host={self.folder}"

    def new_database(self, template: str = "template1") -> str:
        """Make a database that holds what its template holds, by default nothing; its URL."""
        name = f"test_{next(_numbers)}_{uuid4().hex[:8]}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return self.url(name)

    def drop(self, url: str) -> None:
        """Delete a database, whoever is still connected to it."""
        if self.process:
            self.run(f"DROP DATABASE IF EXISTS {url.partition('@/')[2].partition('?')[0]} WITH (FORCE)")

    def run(self, statement: str) -> None:
        """Run a statement as the administrator."""
        with self._connect() as connection:
            connection.execute(statement.encode())

    def _connect(self) -> "psycopg.Connection[psycopg.rows.TupleRow]":
        return psycopg.connect(host=str(self.folder), user="postgres", dbname="postgres", autocommit=True, connect_timeout=2)

    def _answers(self) -> bool:
        try:
            self._connect().close()
        except psycopg.OperationalError:
            return False
        return True


def new_server() -> PostgresqlServer:
    """Make a server, not yet started. PostgreSQL refuses to run as root; for root it runs as `nobody`."""
    programs = _programs()
    user = "nobody" if os.geteuid() == 0 else None
    # Not below pytest's folder, which only root may enter; and a short path, since that of a socket is limited.
    folder = Path(tempfile.mkdtemp(prefix="myositis-cds-postgresql-", dir=_fast_place()))
    if user:
        shutil.chown(folder, user)
    subprocess.run(
        [programs / "initdb", "-D", folder / "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
        cwd=folder, stdout=subprocess.DEVNULL, check=True, user=user, env={"PATH": os.defpath, "LC_ALL": "C"},
    )  # fmt: skip
    return PostgresqlServer(folder, programs, user)


def _fast_place() -> Path | None:
    """Memory, where there is room: each new database is a copy of some megabytes."""
    return _IN_MEMORY if _IN_MEMORY.is_dir() and shutil.disk_usage(_IN_MEMORY).free > _ROOM else None


def _programs() -> Path:
    """Where initdb and postgres are: that of the PATH, else the newest of Debian's."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    of_debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not of_debian:
        pytest.fail(MISSING)
    return of_debian[-1].parent


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresqlServer]:
    """A running server, one to a test process. A test that stops it starts it again."""
    server = new_server()
    try:
        server.start()
        yield server
    finally:
        server.stop(signal.SIGQUIT)
        shutil.rmtree(server.folder)
