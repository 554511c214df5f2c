"""Sandbox and command as two processes, as somebody who tries it starts them."""

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from joserfc.jwk import ECKey

from sandbox.charts import load_charts
from tests.ports import held_port

RUN = "from server.cohort.fetching.command import fetch; fetch()"


@contextmanager
def sandbox(port: int, keys: Path) -> Iterator[str]:
    """The sandbox; its FHIR base URL once it answers."""
    command = [sys.executable, "-m", "sandbox", "--port", str(port), "--backend-keys", str(keys)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + 60
            while not _answers(port):
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}/fhir"
        finally:
            process.terminate()
            process.wait(timeout=10)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def test_an_export_is_fetched_from_a_sandbox_that_was_started(client_key: ECKey, key_file: Path, tmp_path: Path) -> None:
    public = tmp_path / "public.json"
    public.write_text(json.dumps({"keys": [client_key.as_dict(private=False)]}), "utf-8")
    out = tmp_path / "export"
    with held_port() as port, sandbox(port, public) as base:
        command = [sys.executable, "-c", RUN, base, "--out", str(out), "--client-id", "backend", "--key", str(key_file)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert f"Patient {len(load_charts())}" in done.stdout
    assert len((out / "Patient.0001.ndjson").read_bytes().splitlines()) == len(load_charts())
