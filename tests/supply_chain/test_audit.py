"""The search for known holes, with a real pip-audit and a database of holes that is on this machine (SUP-01)."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from scripts.supply_chain.audit import CLEAN, NOT_RUN, VULNERABLE, audit

HASH = "a" * 64
HOLE = {
    "id": "PYSEC-2099-1",
    "summary": "a hole",
    "affected": [{"package": {"name": "leaky", "ecosystem": "PyPI"}, "ranges": []}],
}


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    file = tmp_path / "requirements.lock"
    file.write_text("".join(f"{name}==1.0 \\\n    --hash=sha256:{HASH}\n" for name in ("sound", "leaky")))
    return file


@contextmanager
def database(answers: dict[str, Any], status: int = 200) -> Iterator[str]:
    """A database in the form of OSV, and its address."""

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["package"]["name"]
            body = json.dumps(answers.get(asked, {})).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
        server.shutdown()


def audited(lock: Path, url: str) -> tuple[int, str]:
    return audit(lock, "--vulnerability-service", "osv", "--osv-url", url)


@pytest.mark.requirement("SUP-01")
def test_packages_without_known_holes_are_told_so_with_their_number(lock: Path) -> None:
    with database({}) as url:
        assert audited(lock, url) == (CLEAN, "2 packages looked up, nothing known against them")


@pytest.mark.requirement("SUP-01")
def test_a_known_hole_is_named_and_fails(lock: Path) -> None:
    with database({"leaky": {"vulns": [HOLE]}}) as url:
        assert audited(lock, url) == (VULNERABLE, "known holes:\nleaky 1.0: PYSEC-2099-1")


@pytest.mark.requirement("SUP-01")
def test_where_no_database_answers_it_was_not_run_and_fails(lock: Path) -> None:
    with database({}) as url:
        pass
    for code, sentence in (audited(lock, url), _with_a_failing_database(lock)):
        assert code == NOT_RUN != 0
        assert sentence.startswith("not run: no vulnerability data reachable")


def _with_a_failing_database(lock: Path) -> tuple[int, str]:
    with database({}, status=503) as url:
        return audited(lock, url)


@pytest.mark.requirement("SUP-01")
def test_an_empty_lock_is_no_clean_one(tmp_path: Path) -> None:
    (tmp_path / "requirements.lock").write_text("")
    with database({}) as url:
        assert audited(tmp_path / "requirements.lock", url)[0] == NOT_RUN
