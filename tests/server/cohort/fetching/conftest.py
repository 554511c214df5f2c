"""The sandbox's EHR on loopback, with a system registered that may export, and the command as somebody types it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from socket import create_server
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask import Flask, request
from joserfc.jwk import ECKey

from sandbox.authorization.authorization import Authorization
from sandbox.authorization.misbehaviour import Misbehaviour
from sandbox.authorization.smart_apps import SmartApp, backend_with_keys
from sandbox.chart_store import ChartStore
from sandbox.ehr import ehr_blueprints
from sandbox.faults import Fault
from sandbox.keys import EhrKeys
from server.cohort.fetching import export_job
from server.cohort.fetching.command import fetch
from tests.sandbox.service_and_ehr import running
from tests.server.charts import AS_OF

CLIENT_ID = "backend"
Json = dict[str, Any]


@dataclass
class Ehr:
    """The EHR, what it was asked, and what goes wrong with it."""

    base: str
    authorization: Authorization
    faults: dict[str, Fault]
    misbehaviour: Misbehaviour = field(default_factory=Misbehaviour)
    asked: list[tuple[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def times(self, method: str, part: str) -> int:
        """How often something was asked for."""
        return sum(one == method and part in path for one, path in self.asked)

    def times_a_token_was_given(self) -> int:
        """How often the token endpoint was asked."""
        return self.times("POST", "/auth/token")


@dataclass(frozen=True)
class Command:
    """The command, with what it needs to know of the EHR.

    Args:
        ehr: whom it asks.
        key: file with the private key.
        out: folder that it fetches into.
    """

    ehr: Ehr
    key: Path
    out: Path

    def arguments(self, *more: str, **changed: str) -> list[str]:
        """What somebody types."""
        given = {"out": str(self.out), "client_id": CLIENT_ID, "key": str(self.key)} | changed
        options = [word for name, value in given.items() for word in (f"--{name.replace('_', '-')}", value)]
        return [self.ehr.base, *options, *more]

    def __call__(self, *more: str, **changed: str) -> Result:
        """Run it here."""
        return CliRunner().invoke(fetch, self.arguments(*more, **changed))

    def done(self, *more: str, **changed: str) -> Result:
        """Run it here, and see that it brought everything."""
        result = self(*more, **changed)
        assert (result.exit_code, result.exception) == (0, None), result.output
        return result

    def files(self, out: Path | None = None) -> dict[str, bytes]:
        """What is in the folder, but for `export.json`."""
        folder = out or self.out
        paths = (path for path in folder.rglob("*") if path.is_file() and path.name != "export.json")
        return {str(path.relative_to(folder)): path.read_bytes() for path in paths}

    def kept(self) -> Json:
        """What `export.json` says."""
        said: Json = json.loads((self.out / "export.json").read_text("utf-8"))
        return said


@pytest.fixture(scope="session")
def client_key() -> ECKey:
    """The key of the system."""
    return ECKey.generate_key("P-384", auto_kid=True)


@pytest.fixture(scope="session")
def ehr_keys() -> EhrKeys:
    """The keys of the EHR."""
    return EhrKeys()


@pytest.fixture
def key_file(client_key: ECKey, tmp_path: Path) -> Path:
    """The private key in a file, for its owner only."""
    return write_private(tmp_path / "key.json", json.dumps(client_key.as_dict(private=True)))


def write_private(path: Path, text: str) -> Path:
    """A file for its owner only."""
    path.touch(mode=0o600)
    path.write_text(text, "utf-8")
    return path


@pytest.fixture
def ehr(client_key: ECKey, ehr_keys: EhrKeys) -> Iterator[Ehr]:
    """An EHR with nothing wrong, until a test says so."""
    listener = create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    faults: dict[str, Fault] = {}
    authorization = Authorization(ChartStore(lambda: AS_OF), ehr_keys, url, misbehaviour=lambda: made.misbehaviour)
    made = Ehr(f"{url}/fhir", authorization, faults)
    authorization.register(backend_with_keys({"keys": [client_key.as_dict(private=False)]}))
    web = Flask("sandbox")
    for blueprint in ehr_blueprints(authorization, faults=lambda: faults):
        web.register_blueprint(blueprint)

    @web.before_request
    def note() -> None:
        made.asked.append((request.method, request.full_path))
        made.headers.append(dict(request.headers))

    with running(web, listener):
        yield made


@pytest.fixture
def command(ehr: Ehr, key_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command, which waits less long than it would."""
    monkeypatch.setattr(export_job, "_SHORTEST_PAUSE", 0.01)
    return Command(ehr, key_file, tmp_path / "export")


def register(ehr: Ehr, key: ECKey, *scopes: str) -> None:
    """Register the system with other scopes."""
    jwks = {"keys": [key.as_dict(private=False)]}
    ehr.authorization.register(SmartApp(CLIENT_ID, "A system", (), "", scopes, jwks=jwks))
