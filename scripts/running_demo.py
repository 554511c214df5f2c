"""The demo, started as `make run` starts it, for whoever looks at its pages with a browser."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import OK, HTTPConnection
from pathlib import Path
from random import sample

COMMAND = str(Path(sys.executable).parent / "myositis-cds")
_HOST = "127.0.0.1"
_SECONDS_TO_START = 90


@contextmanager
def running_demo(settings: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The whole demo on two free ports.

    Args:
        settings: environment variables besides our own.

    Yields:
        The addresses of the service and of the sandbox, without a trailing slash, once both answer.

    Raises:
        RuntimeError: they do not.
    """
    port = two_free_ports()
    process = subprocess.Popen([COMMAND, "demo", "--port", str(port)], env={**os.environ, **settings})
    try:
        for each, path in ((port, "/health/ready"), (port + 1, "/health")):
            _wait_for(each, path, process)
        yield f"http://{_HOST}:{port}", f"http://{_HOST}:{port + 1}"
    finally:
        process.terminate()
        process.wait(timeout=20)


def two_free_ports() -> int:
    """A free port whose successor is free too; of those that no system gives to whoever asks for any port."""
    for port in sample(range(20_000, 32_000, 2), 50):
        with socket.socket() as first, socket.socket() as second:
            try:
                first.bind((_HOST, port))
                second.bind((_HOST, port + 1))
            except OSError:
                continue
            return port
    raise RuntimeError("no two neighbouring free ports")


def _wait_for(port: int, path: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _SECONDS_TO_START
    while time.monotonic() < deadline and process.poll() is None:
        connection = HTTPConnection(_HOST, port, timeout=5)
        try:
            connection.request("GET", path)
            if connection.getresponse().status == OK:
                return
        except OSError:
            pass
        finally:
            connection.close()
        time.sleep(0.1)
    raise RuntimeError(f"nothing answered on port {port}")
