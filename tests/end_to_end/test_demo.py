"""`myositis-cds demo`: the service and the sandbox, side by side."""

import socket
import subprocess
from http.client import HTTPConnection

import pytest

from tests.end_to_end.conftest import COMMAND, end, wait_for_line


def two_free_ports() -> int:
    """A port that is free, and so is the next."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port


def get(port: int, path: str) -> tuple[int, str, str]:
    """Status, Location and text."""
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.headers.get("Location", ""), response.read().decode()
    finally:
        connection.close()


@pytest.mark.slow
def test_the_demo_shows_the_patients_and_their_cards_and_ends_with_both() -> None:
    port = two_free_ports()
    with subprocess.Popen(
        [COMMAND, "demo", "--port", str(port)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert f"http://127.0.0.1:{port + 1}/" in wait_for_line(process, "Sandbox")
            assert f"http://127.0.0.1:{port}" in wait_for_line(process, "Service")
            assert get(port, "/sandbox/")[:2] == (302, f"http://127.0.0.1:{port + 1}/")
            status, _, page = get(port + 1, "/patients/anti-tif1-gamma-dermatomyositis")
            assert status == 200
            assert "Tumour screening in" in page
        finally:
            assert end(process) == 0
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
