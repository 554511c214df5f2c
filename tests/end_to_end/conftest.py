"""A service that was really started: a process of its own, on a port that was free."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.end_to_end.checked_connection import CheckedConnection

COMMAND = Path(sys.executable).with_name("myositis-cds")
LIMIT = 1024 * 1024
"""Bytes of a body that the service accepts in these tests."""


@dataclass
class Service:
    """A running service."""

    port: int
    process: "subprocess.Popen[str]"

    def request(self, method: str, path: str, value: Any = None) -> tuple[int, Any]:
        """Status and JSON of the answer."""
        with closing(CheckedConnection(self.port, timeout=10)) as connection:
            body = None if value is None else orjson.dumps(value)
            connection.request(method, path, body, {"Content-Type": "application/json"})
            answer = connection.answer()
            return answer.status, orjson.loads(answer.body)


@pytest.fixture(scope="session")
def service() -> Iterator[Service]:
    """Started by `myositis-cds serve`, with a body limit of 1 MiB."""
    state = os.environ["XDG_STATE_HOME"]
    environment = {"PATH": "/usr/bin:/bin", "MYOSITIS_CDS_MAX_BODY_MIB": "1", "XDG_STATE_HOME": state}
    command = [COMMAND, "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment) as process:
        try:
            assert process.stdout
            line = process.stdout.readline()
            yield Service(int(line.rpartition(":")[2].partition("/")[0]), process)
        finally:
            end(process)


def end(process: "subprocess.Popen[str]", how: signal.Signals = signal.SIGINT) -> int:
    """End a process as a person at a terminal does, without time for balancers to turn away, and wait; its exit code."""
    process.send_signal(how)
    try:
        return process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        process.kill()
        raise


def wait_for_line(process: "subprocess.Popen[str]", beginning: str, seconds: float = 60) -> str:
    """The first line of its output that begins so."""
    deadline = time.monotonic() + seconds
    assert process.stdout
    while time.monotonic() < deadline and (line := process.stdout.readline()):
        if line.startswith(beginning):
            return line
    raise AssertionError(f"no line that begins with {beginning!r}")
