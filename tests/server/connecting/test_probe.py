"""The probe: made-up patients through a service that really runs."""

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from click.testing import CliRunner
from werkzeug.serving import make_server

from server.application import create_app
from server.command_line import main
from server.config import Config
from server.connecting.findings import Verdict
from server.connecting.probe import probe_service

Wsgi = Callable[..., Any]


@contextmanager
def served(app: Wsgi) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with served(create_app(Config())) as url:
        yield url


@pytest.mark.requirement("SAF-20")
def test_a_service_that_says_what_it_must_is_found_well_time_and_again(url: str, tmp_path: Path) -> None:
    environment = {"MYOSITIS_CDS_DATABASE_URL": f"sqlite:///{tmp_path / 'state.sqlite3'}"}
    for _ in range(2):
        run = CliRunner().invoke(main, ["doctor", "--probe", url], env=environment)
        assert (run.exit_code, run.output.count("it says what it must (SAF-20)")) == (0, 3)
    assert not list(tmp_path.iterdir())


@pytest.mark.requirement("SAF-20")
def test_a_service_that_reads_codes_otherwise_is_found_out(tmp_path: Path) -> None:
    """An interface that began to send local codes: the service hears of no myositis, and is silent."""
    app = create_app(Config())

    def recoded(environ: dict[str, Any], start: Any) -> Any:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length)
        call = json.loads(body)
        for entry in call["prefetch"]["conditions"]["entry"]:
            entry["resource"]["code"] = {"coding": [{"system": "urn:oid:1.2.3", "code": "LOCAL-1"}]}
        changed = json.dumps(call).encode()
        return app(environ | {"wsgi.input": io.BytesIO(changed), "CONTENT_LENGTH": str(len(changed))}, start)

    with served(recoded) as url:
        findings = list(probe_service(url, Config()))
        run = CliRunner().invoke(main, ["doctor", "--probe", url], env={"XDG_STATE_HOME": str(tmp_path)})
    assert {one.verdict for one in findings} == {Verdict.FAILED}
    assert run.exit_code == 2
    assert "MyositisCdsRuleMoved" in run.output


@pytest.mark.requirement("SAF-20")
def test_a_service_that_is_not_there_or_refuses_is_found_out(url: str) -> None:
    assert {one.what for one in probe_service("http://127.0.0.1:1", Config())} == {
        f"probe of myositis-{hook}: no answer (no-connection)" for hook in ("patient-view", "order-select", "order-sign")
    }
    assert all("status 404" in one.what for one in probe_service(f"{url}/elsewhere", Config()))


def test_a_name_or_a_file_that_is_not_there_is_said(url: str, tmp_path: Path) -> None:
    for arguments, words in ((["--client", "nobody"], "--client"), (["--token", str(tmp_path / "none")], "--token")):
        run = CliRunner().invoke(main, ["doctor", "--probe", url, *arguments], env={"XDG_STATE_HOME": str(tmp_path)})
        assert run.exit_code != 0
        assert words in run.output
