"""Services that were really started, with what tests of serving look at: their processes, and clients that count what is lost."""

import os
import re
import signal
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import IO

import orjson

from server.observing.processes import FOLDER
from soak.processes import children_of, is_alive, tree_of
from tests.end_to_end.conftest import COMMAND, wait_for_line
from tests.server.charts import ANTI_TIF1, HEALTHY, chart, hook_call, prefetch_of
from tests.server.observing.scraped import Scraped

VIEW = "/cds-services/myositis-patient-view"
JSON = {"Content-Type": "application/json"}
CALL = orjson.dumps(hook_call(ANTI_TIF1, prefetch_of(chart(ANTI_TIF1))))
SMALL_CALL = orjson.dumps(hook_call(HEALTHY, prefetch_of(chart(HEALTHY))))


@dataclass
class Serving:
    """A service that was started."""

    port: int
    process: "subprocess.Popen[str]"
    folder: Path

    @property
    def log(self) -> Path:
        """What it wrote."""
        return self.folder / "log"

    def connection(self, timeout: float = 120) -> HTTPConnection:
        """A connection that is kept, and opened again where the service closed it."""
        return HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def get(self, path: str) -> int:
        """The status of one answer."""
        with closing(self.connection()) as connection:
            connection.request("GET", path)
            return connection.getresponse().status

    def knowledge(self) -> str:
        """The version of the knowledge that is served."""
        with closing(self.connection()) as connection:
            connection.request("GET", "/health/ready")
            return str(orjson.loads(connection.getresponse().read())["knowledgeVersion"])

    def figures(self) -> Scraped:
        """What `/metrics` says."""
        with closing(self.connection()) as connection:
            connection.request("GET", "/metrics")
            return Scraped(connection.getresponse().read().decode())

    def count_in_files(self) -> set[int]:
        """The processes whose figures are kept in files of their own."""
        environment = Path(f"/proc/{self.generation()}/environ").read_text("utf-8").split("\0")
        (folder,) = (one.partition("=")[2] for one in environment if one.startswith(FOLDER))
        return {int(pid) for file in Path(folder).glob("*.db") if (pid := file.stem.rpartition("_")[2]).isdecimal()}

    def generation(self) -> int:
        """The process that the supervisor started last."""
        return children_of(self.process.pid)[-1]

    def workers(self) -> list[int]:
        """The processes that answer, of the newest generation."""
        return children_of(self.generation())

    def logged(self, event: str) -> int:
        """How often the log has an event."""
        return len(re.findall(rf"\b{event}\b", self.log.read_text("utf-8")))


@contextmanager
def serving(folder: Path, **settings: str) -> Iterator[Serving]:
    """Start a service; at the end it is ended, and nothing of it is left.

    Args:
        folder: for its state and its log.
        settings: without their prefix.
    """
    environment = {
        "PATH": os.defpath,
        "XDG_STATE_HOME": str(folder / "state"),
        "PYTHONUNBUFFERED": "1",
        "MYOSITIS_CDS_DRAIN_SECONDS": "0",
    } | {f"MYOSITIS_CDS_{name}": value for name, value in settings.items()}
    log = folder / "log"
    with log.open("a") as writing:
        process = subprocess.Popen(
            [COMMAND, "serve", "--port", "0"], stdout=subprocess.PIPE, stderr=writing, text=True, env=environment
        )
    try:
        line = wait_for_line(process, "myositis-cds serves", seconds=180)
        assert process.stdout
        threading.Thread(target=_pour, args=(process.stdout, log), daemon=True).start()
        yield Serving(int(line.rpartition(":")[2].partition("/")[0]), process, folder)
    finally:
        tree = tree_of(process.pid)
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=60)
        finally:
            for pid in filter(is_alive, tree):
                os.kill(pid, signal.SIGKILL)


def _pour(stdout: IO[str], log: Path) -> None:
    with stdout, log.open("a", buffering=1) as writing:
        writing.writelines(stdout)


def wait_until(condition: Callable[[], object], seconds: float = 180) -> None:
    """Ask again and again whether something has come about, and fail if it has not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        threading.Event().wait(0.02)


@dataclass
class Load:
    """Clients that call without pause.

    Args:
        answers: how many, by status.
        lost: how many requests got no answer, by the kind of error.
        slowest: seconds that the slowest answer took.
        pause: seconds between an answer and the next request of a client.
    """

    port: int
    body: bytes = SMALL_CALL
    answers: Counter[int] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    pause: float = 0.05
    _stop: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self, kept: int, opened: int) -> Iterator["Load"]:
        """Call from the beginning to the end of a `with` block.

        Args:
            kept: clients that keep their connection.
            opened: clients that open a new one for each request.
        """
        threads = [threading.Thread(target=self._call, args=(number < kept,)) for number in range(kept + opened)]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            for thread in threads:
                thread.join(60)

    def _call(self, is_kept: bool) -> None:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        while not self._stop.is_set():
            begun = time.monotonic()
            try:
                connection.request("POST", VIEW, self.body, JSON)
                answer = connection.getresponse()
                answer.read()
                self.answers[answer.status] += 1
            except (OSError, HTTPException) as error:
                self.lost[type(error).__name__] += 1
                connection.close()
            self.slowest = max(self.slowest, time.monotonic() - begun)
            if not is_kept:
                connection.close()
            self._stop.wait(self.pause)
        connection.close()


def open_slow(port: int, *pieces: bytes) -> socket.socket:
    """A connection on which a request was begun."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    for piece in pieces:
        connection.sendall(piece)
    return connection
