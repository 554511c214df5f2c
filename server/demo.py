"""The demo: the service in this process, and the sandbox, which is an EHR of its own, in another.

They know each other by URL only, as a service and a hospital do: the sandbox is registered with the service in a file of clients,
the service with the sandbox by its discovery URL.
"""

import http.client
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

from server.basis import load_basis
from server.cds_hooks.dialects import DIALECTS
from server.config import Config
from server.serving.in_process import open_service
from server.serving.port import url_of
from server.warm_up import warm_up

HOST = "127.0.0.1"
SECONDS_TO_START = 60
_LIFE = {"epic": 900}
"""Seconds that a token of a dialect lives for, where they are more than usual (conformance J-17)."""


class DemoError(RuntimeError):
    """The demo cannot go on; the message says why and what to do."""


@contextmanager
def demo_config(environment: Mapping[str, str], port: int) -> Iterator[Config]:
    """The settings of a demo: with the sandbox as its registered clients, and open to this machine besides.

    Args:
        environment: `os.environ`; unless it names a database, what is tried is forgotten afterwards.
        port: of the service; the sandbox has the next.
    """
    sandbox_url = f"http://{HOST}:{port + 1}/"
    forgetful = {"MYOSITIS_CDS_DATABASE_URL": "sqlite://", **environment}
    with TemporaryDirectory(prefix="myositis-cds-demo-") as folder:
        clients = Path(folder) / "clients.toml"
        clients.write_text(clients_toml(sandbox_url.rstrip("/")), "utf-8")
        given = Config.from_environment(forgetful, host=HOST, port=port, sandbox_url=sandbox_url)
        yield replace(given, clients=clients, public_url=f"http://{HOST}:{port}", open_beside_clients=True)


def clients_toml(sandbox: str) -> str:
    """The file of clients: the sandbox once for each dialect that it speaks and once for readers of German, told apart by `iss`.

    The first has our app.

    Args:
        sandbox: its address, without a trailing slash.
    """
    german = _client(sandbox, "standard", called="de", language="de")
    return "\n".join((*(_client(sandbox, dialect, called=dialect) for dialect in DIALECTS), german))


def _client(sandbox: str, dialect: str, *, called: str, language: str | None = None) -> str:
    is_standard = called == "standard"
    lines = [
        "[[client]]",
        f'name = "{"sandbox" if is_standard else "sandbox-" + called.replace(".", "-")}"',
        f'issuer = "{sandbox if is_standard else f"{sandbox}/{called}"}"',
        f'jwks_url = "{sandbox}/.well-known/jwks.json"',
        f'fhir_servers = ["{sandbox}/fhir"]',
        f'dialect = "{dialect}"',
        f"longest_life = {_LIFE.get(dialect, 300)}",
    ]
    if language:  # otherwise the app speaks the language of the browser
        lines.append(f'language = "{language}"')
    if is_standard:  # a launch names its FHIR server, so one client to a server can have the app
        lines += ["[client.smart]", 'client_id = "myositis-cds"', 'authentication = "private_key_jwt"']
    return "\n".join((*lines, ""))


def run_demo(config: Config, announce: Callable[[str], None]) -> None:
    """Run both until this process is told to end; the sandbox ends with it.

    The sandbox comes first: the service fetches its keys when it starts.

    Args:
        config: of the service, from `demo_config`.
        announce: told the two addresses once both answer.

    Raises:
        OSError: the port of the service cannot be opened.
        DemoError: the sandbox did not start, or ended by itself.
    """
    socket.create_server((HOST, config.port)).close()  # a port in use is said at once, and not after everything else
    sandbox_port = config.port + 1
    command = [sys.executable, "-m", "sandbox", "--port", str(sandbox_port), "--service-url", config.public_url]
    sandbox = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        warming = Thread(target=lambda: warm_up(load_basis(config.site, config.terminology)), daemon=True)
        warming.start()  # while the sandbox starts
        _wait_until_it_answers(sandbox_port, "/health", sandbox)
        warming.join()
        server = open_service(config)
        Thread(target=server.run, daemon=True).start()
        _wait_until_it_answers(config.port, "/health/ready", sandbox)
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
    except (OSError, http.client.HTTPException):  # the latter where another program has the port
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
