"""The demo: the service in this process, and the sandbox, which is an EHR of its own, in another."""

import http.client
import subprocess
import sys
import time
from collections.abc import Callable
from threading import Thread

from server.config import Config
from server.http_server import url_of
from server.serving import open_service

HOST = "127.0.0.1"
SECONDS_TO_START = 60


class DemoError(RuntimeError):
    """The demo cannot go on; the message says why and what to do."""


def run_demo(config: Config, sandbox_port: int, announce: Callable[[str], None]) -> None:
    """Run both until this process is told to end; the sandbox ends with it.

    Args:
        config: of the service; `sandbox_url` says where the sandbox will be.
        sandbox_port: where to start the sandbox.
        announce: told the two addresses once both answer.

    Raises:
        OSError: the port of the service cannot be opened.
        DemoError: the sandbox did not start, or ended by itself.
    """
    server = open_service(config)
    command = [sys.executable, "-m", "sandbox", "--port", str(sandbox_port), "--service-url", url_of(server)]
    sandbox = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        Thread(target=server.run, daemon=True).start()
        _wait_until_it_answers(config.port, "/health/ready", sandbox)
        _wait_until_it_answers(sandbox_port, "/health", sandbox)
        announce(f"Sandbox, an EHR with synthetic patients: {config.sandbox_url}")
        announce(f"Service: {url_of(server)}")
        sandbox.wait()
        raise DemoError("the sandbox has ended by itself.")
    finally:
        _end(sandbox)


def _wait_until_it_answers(port: int, path: str, sandbox: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline:
        if sandbox.poll() is not None:
            raise DemoError(
                "the sandbox could not start. If the port after that of the service is in use, choose another --port."
            )
        if _answers(port, path):
            return
        time.sleep(0.1)
    raise DemoError(f"nothing answers on port {port} after {SECONDS_TO_START} seconds.")


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
