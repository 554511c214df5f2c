"""A service under trial: `myositis-cds serve` in processes of its own, with registered clients and a database that stays."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from soak.ehr import PUBLIC_URL, Ehr, clients_toml
from soak.processes import tree_of, workers_of

COMMAND = Path(sys.executable).with_name("myositis-cds")
_SECONDS_TO_END = 60


@dataclass(frozen=True, slots=True)
class Service:
    """A running service.

    Args:
        port: on this machine.
        process: the supervisor.
        log: its standard error.
        database: SQLAlchemy URL.
    """

    port: int
    process: "subprocess.Popen[str]"
    log: Path
    database: str

    @property
    def workers(self) -> list[int]:
        """Ids of the processes that answer."""
        return workers_of(self.process.pid)

    @property
    def mebibytes(self) -> float:
        """Memory of all its processes; what they share counts once.

        Without the pages of files: of a library that other programs use too each of these bears a part, so that a service would
        seem to grow when another one on the machine ends.
        """
        return sum(map(_own_memory, tree_of(self.process.pid))) / 1024

    @property
    def allocated_mebibytes(self) -> float:
        """What all its processes have allocated; a page counts for each that has it.

        Of what a worker was forked with, each page that it writes to becomes a copy of its own, be it only to count a reference.
        That costs memory once, and no more than there was to inherit; it is no growth.
        """
        return sum(map(_allocated, tree_of(self.process.pid))) / 1024

    def logged(self, event: str) -> int:
        """How many lines of the log name an event."""
        return sum(f'"event": "{event}"' in line for line in self.log.read_text("utf-8").splitlines())


@contextmanager
def running(
    folder: Path, ehrs: Sequence[Ehr], *, workers: int = 2, database: str | None = None, settings: Mapping[str, str] | None = None
) -> Iterator[Service]:
    """Start the service, and end it as a supervisor does.

    Args:
        folder: for the clients, the log and the database.
        ehrs: who may call.
        workers: processes that answer.
        database: SQLAlchemy URL; an SQLite file in the folder by default.
        settings: further variables.
    """
    clients, log = folder / "clients.toml", folder / "service.log"
    clients.write_text(clients_toml(ehrs, requests_per_second=1000), "utf-8")
    url = database or f"sqlite:///{folder / 'state' / 'myositis-cds.sqlite3'}"
    environment = {
        "PATH": os.defpath,
        "MYOSITIS_CDS_CLIENTS": str(clients),
        "MYOSITIS_CDS_PUBLIC_URL": PUBLIC_URL,
        "MYOSITIS_CDS_DATABASE_URL": url,
        "MYOSITIS_CDS_WORKERS": str(workers),
        "MYOSITIS_CDS_DRAIN_SECONDS": "1",
        "XDG_STATE_HOME": str(folder / "state"),
    } | dict(settings or {})
    command = [str(COMMAND), "serve", "--port", "0"]
    with (
        log.open("a", encoding="utf-8") as stderr,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True, env=environment) as process,
    ):
        try:
            yield Service(_port(process), process, log, url)
        finally:
            process.terminate()
            process.wait(_SECONDS_TO_END)


def _port(process: "subprocess.Popen[str]") -> int:
    for line in process.stdout or ():
        if line.startswith("myositis-cds serves"):
            return int(line.rpartition(":")[2].partition("/")[0])
    raise RuntimeError("the service did not start; its log says why")


def _own_memory(process: int) -> int:
    """Kibibytes of memory that is no file's, as far as it is this process's."""
    return _kibibytes(process, "smaps_rollup", "Pss_Anon:", "Pss_Shmem:")


def _allocated(process: int) -> int:
    """Kibibytes of memory that is no file's, shared with other processes or not."""
    return _kibibytes(process, "status", "RssAnon:", "RssShmem:")


def _kibibytes(process: int, file: str, *names: str) -> int:
    """What the system says of a process; nothing of one that is gone."""
    try:
        lines = Path(f"/proc/{process}/{file}").read_text("utf-8").splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    found = {line.split()[0]: line.split()[1] for line in lines if line.startswith(names)}
    return sum(int(found.get(name, 0)) for name in names)  # one that has just ended has none
