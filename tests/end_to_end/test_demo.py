"""`myositis-cds demo`: the service and the sandbox, side by side."""

import json
import os
import socket
import subprocess
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

from sandbox.dialects import DIALECTS
from scripts.running_demo import two_free_ports
from server.demo import clients_toml
from server.trust.clients_file import load_clients
from tests.end_to_end.conftest import COMMAND, end, wait_for_line


def post(port: int, path: str, body: object) -> int:
    """Status of a call without a token."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        return connection.getresponse().status


def get(port: int, path: str) -> tuple[int, str, str]:
    """Status, Location and text."""
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.headers.get("Location", ""), response.read().decode()
    finally:
        connection.close()


def test_the_file_of_clients_is_one_that_the_service_takes_with_one_client_to_a_dialect(tmp_path: Path) -> None:
    path = tmp_path / "clients.toml"
    path.write_text(clients_toml("http://127.0.0.1:8001"))
    clients = load_clients(path)
    issuers = {client.issuer for client in clients}
    assert issuers == {f"http://127.0.0.1:8001{dialect.issuer}" for dialect in DIALECTS.values()}
    assert {client.issuer.rpartition("/")[2]: client.language for client in clients if client.language} == {"de": "de"}
    assert len({client.issuer for client in clients}) == len(clients)
    assert [client.name for client in clients if client.smart] == ["sandbox"]


@pytest.mark.slow
def test_the_demo_shows_the_patients_and_their_cards_and_ends_with_both(tmp_path: Path) -> None:
    port = two_free_ports()
    log, temporary = tmp_path / "log", tmp_path / "temporary"
    temporary.mkdir()
    environment = os.environ | {
        "TMPDIR": str(temporary),
        "MYOSITIS_CDS_CLIENTS": "/nowhere",
        "MYOSITIS_CDS_PUBLIC_URL": "https://x",
    }
    with (
        log.open("w") as stderr,
        subprocess.Popen(
            [COMMAND, "demo", "--port", str(port)], stdout=subprocess.PIPE, stderr=stderr, text=True, env=environment
        ) as process,
    ):
        try:
            assert f"http://127.0.0.1:{port + 1}/" in wait_for_line(process, "Sandbox")
            assert f"http://127.0.0.1:{port}" in wait_for_line(process, "Service")
            assert get(port, "/sandbox/")[:2] == (302, f"http://127.0.0.1:{port + 1}/")
            status, _, page = get(port + 1, "/patients/anti-tif1-gamma-dermatomyositis")
            assert status == 200
            assert "Tumour screening in" in page
            assert '"service": "myositis-patient-view", "client": "sandbox"' in log.read_text()
            assert post(port, "/assess", {"resourceType": "Patient", "id": "p", "birthDate": "1970"}) == 200
        finally:
            assert end(process) == 0
    assert list(temporary.iterdir()) == []
    with pytest.raises(ConnectionRefusedError):
        get(port + 1, "/")


@pytest.mark.slow
def test_a_service_that_cannot_start_is_one_clear_line_and_leaves_no_sandbox_behind() -> None:
    port = two_free_ports()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        demo = subprocess.run([COMMAND, "demo", "--port", str(port)], capture_output=True, text=True, check=False, timeout=60)
    assert demo.returncode == 1
    assert demo.stderr.splitlines()[-1].startswith(f"myositis-cds: port {port} cannot be opened")
    with pytest.raises(ConnectionRefusedError):
        get(port + 1, "/")


@pytest.mark.slow
def test_a_sandbox_that_cannot_start_is_one_clear_line() -> None:
    port = two_free_ports()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port + 1))
        taken.listen()
        demo = subprocess.run([COMMAND, "demo", "--port", str(port)], capture_output=True, text=True, check=False, timeout=60)
    assert demo.returncode == 1
    assert "the sandbox could not start" in demo.stderr.splitlines()[-1]
