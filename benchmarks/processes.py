"""Servers in processes of their own: started, measured from outside, and ended."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from soak.processes import tree_of, workers_of

ROOT = Path(__file__).parents[1]
_COMMAND = Path(sys.executable).with_name("myositis-cds")
_SECONDS_TO_END = 60
_TICKS = os.sysconf("SC_CLK_TCK")
_MEBIBYTE = 1024  # kibibytes


@dataclass(frozen=True, slots=True)
class Serving:
    """A server that answers.

    Args:
        port: on this machine.
        process: the first of its processes.
        log: its standard error.
    """

    port: int
    process: "subprocess.Popen[str]"
    log: Path

    @property
    def cpu_seconds(self) -> float:
        """What all its processes have used so far, in steps of a hundredth."""
        return sum(map(_cpu_seconds, tree_of(self.process.pid)))

    @property
    def memory(self) -> list["Memory"]:
        """Of each process that answers: each worker of the service; of another server, all there are."""
        return [memory_of(process) for process in workers_of(self.process.pid) or tree_of(self.process.pid)]

    @property
    def proportional_mebibytes(self) -> float:
        """Of all its processes: what they share counts once (PSS)."""
        return sum(memory_of(process).proportional for process in tree_of(self.process.pid))


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory of one process, in mebibytes.

    Args:
        resident: what it has in memory, shared or not (RSS).
        proportional: the same, what it shares with others divided by their number (PSS).
    """

    resident: float
    proportional: float


@contextmanager
def service(folder: Path, *, workers: int = 1, clients: str | None = None, public_url: str | None = None) -> Iterator[Serving]:
    """The real service: `myositis-cds serve`.

    Args:
        folder: for its database, its clients and its log.
        workers: processes that answer.
        clients: `clients.toml`; the service is open to this machine by default.
        public_url: what tokens are for.
    """
    folder.mkdir(exist_ok=True)
    settings = {
        "MYOSITIS_CDS_DATABASE_URL": f"sqlite:///{folder / 'measured.sqlite3'}",
        "MYOSITIS_CDS_WORKERS": str(workers),
        "MYOSITIS_CDS_DRAIN_SECONDS": "0",
        "MYOSITIS_CDS_REQUESTS_PER_SECOND": "1000000",
        "XDG_STATE_HOME": str(folder / "state"),
    }
    if clients is not None:
        (folder / "clients.toml").write_text(clients, "utf-8")
        settings["MYOSITIS_CDS_CLIENTS"] = str(folder / "clients.toml")
    if public_url:
        settings["MYOSITIS_CDS_PUBLIC_URL"] = public_url
    with server([str(_COMMAND), "serve", "--port", "0"], folder / "service.log", settings) as serving:
        yield serving


@contextmanager
def echo(folder: Path) -> Iterator[Serving]:
    """The bare echo.

    Args:
        folder: for its log.
    """
    with server([sys.executable, "-m", "benchmarks.echo"], folder / "echo.log", {}) as serving:
        yield serving


@contextmanager
def server(command: Sequence[str], log: Path, settings: Mapping[str, str]) -> Iterator[Serving]:
    """A server, from when it says its address to its end.

    Args:
        command: that starts it; it prints a line that ends with its URL, or that has it before a path.
        log: file for its standard error.
        settings: its variables; it has no others but the paths.
    """
    environment = {"PATH": os.defpath, "PYTHONPATH": str(ROOT)} | dict(settings)
    with (
        log.open("a", encoding="utf-8") as stderr,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True, env=environment, cwd=log.parent) as process,
    ):
        try:
            yield Serving(_port(process, log), process, log)
        finally:
            process.terminate()
            process.wait(_SECONDS_TO_END)


def _port(process: "subprocess.Popen[str]", log: Path) -> int:
    for line in process.stdout or ():
        if "http://127.0.0.1:" in line:
            return int(line.partition("http://127.0.0.1:")[2].partition("/")[0])
    raise RuntimeError(f"the server did not start: {log.read_text('utf-8')[-2000:]}")


def waited_for(text: str, log: Path, seconds: float) -> float:
    """How many seconds it takes until a log has a text.

    Args:
        text: that is to come.
        log: where.
        seconds: after which it is an error.

    Raises:
        TimeoutError: it has not come.
    """
    start = time.monotonic()
    while time.monotonic() < start + seconds:
        if text in log.read_text("utf-8"):
            return time.monotonic() - start
        time.sleep(0.005)
    raise TimeoutError(f"not in the log: {text}")


def memory_of(process: int) -> Memory:
    """Memory of a process.

    Args:
        process: its id; the kernel tells of those of the same user.
    """
    lines = Path(f"/proc/{process}/smaps_rollup").read_text("utf-8").splitlines()
    kibibytes = {line.partition(":")[0]: int(line.split()[1]) for line in lines[1:]}
    return Memory(round(kibibytes["Rss"] / _MEBIBYTE, 1), round(kibibytes["Pss"] / _MEBIBYTE, 1))


def _cpu_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
