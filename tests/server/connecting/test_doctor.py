"""The doctor: settings, clients and their servers. The servers are real ones, on this machine."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask, Response
from joserfc.jwk import ECKey
from werkzeug.serving import make_server

from server.command_line import main
from server.config import Config
from server.connecting.doctor import examine
from server.connecting.findings import Finding, Verdict, has_failed
from server.connecting.reach_checks import check_client
from server.connecting.settings_checks import check_settings
from server.store.database import IN_MEMORY, open_database
from server.trust.clients import Client
from tests.server.charts import dermatomyositis, hook_call

Json = dict[str, Any]


def find(findings: Iterator[Finding] | list[Finding], words: str) -> Finding:
    found = [finding for finding in findings if words in finding.what]
    assert len(found) == 1, [finding.what for finding in found]
    return found[0]


# --- settings ---------------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("J-1", "J-13", "D-1")
@pytest.mark.parametrize(
    ("public_url", "verdict", "words"),
    [
        ("https://cds.example/myositis", Verdict.OK, "public URL: https"),
        ("http://127.0.0.1:8000", Verdict.OK, "for this machine only"),
        ("http://cds.example", Verdict.FAILED, "other machines are meant to call"),
        ("cds.example", Verdict.FAILED, "not an address of the form"),
        ("https://user@cds.example", Verdict.FAILED, "not an address of the form"),
        ("https://cds.example/cds-services", Verdict.FAILED, "ends with /cds-services"),
    ],
)
def test_the_public_url_is_judged(public_url: str, verdict: Verdict, words: str) -> None:
    assert find(check_settings(Config(public_url=public_url)), words).verdict is verdict


@pytest.mark.requirement("J-13")
def test_a_service_for_others_must_not_have_an_address_of_this_machine(tmp_path: Path) -> None:
    config = Config(host="192.0.2.1", clients=tmp_path / "clients.toml", public_url="http://127.0.0.1:8000")
    assert find(check_settings(config), "the service listens to others").verdict is Verdict.FAILED


@pytest.mark.requirement("DB-01")
def test_a_database_that_is_none_is_found(tmp_path: Path) -> None:
    file = tmp_path / "no.sqlite3"
    open_database(f"sqlite:///{file}").dispose()
    assert find(check_settings(Config(database_url=f"sqlite:///{file}")), "database: sqlite").verdict is Verdict.OK
    file.write_bytes(b"this is no database" * 100)
    assert find(check_settings(Config(database_url=f"sqlite:///{file}")), "database: ").verdict is Verdict.FAILED
    with pytest.raises(sqlite3.DatabaseError):
        sqlite3.connect(file).execute("SELECT 1 FROM sqlite_master")


@pytest.mark.requirement("DB-01")
def test_the_doctor_makes_no_database_and_changes_none(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "state.sqlite3"
    config = Config(database_url=f"sqlite:///{file}")
    found = find(check_settings(config), "database: sqlite, not there yet")
    assert (found.verdict, list(tmp_path.iterdir())) == (Verdict.WARNING, [])

    file.parent.mkdir()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE theirs (a)")
    found = find(check_settings(config), "is at revision none")
    assert found.verdict is Verdict.FAILED
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("theirs",)]


def test_a_database_in_memory_is_said_to_forget() -> None:
    assert find(check_settings(Config(database_url=IN_MEMORY)), "in memory").verdict is Verdict.WARNING


@pytest.mark.requirement("SAF-22")
def test_a_site_folder_that_cannot_be_used_is_found(tmp_path: Path) -> None:
    (tmp_path / "guidelines").mkdir()
    (tmp_path / "guidelines" / "bad.yaml").write_text("source: [", "utf-8")
    found = find(check_settings(Config(site=tmp_path)), "knowledge: ")
    assert found.verdict is Verdict.FAILED
    assert "bad.yaml" in found.what


# --- a client ---------------------------------------------------------------------------------------------------------------


class Ehr:
    """The side of an EHR: keys and a capability statement, to be changed at will."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.key: Json = dict(ECKey.generate_key("P-384").as_dict(private=False)) | {"kid": "one"}
        self.keys: Any = {"keys": [self.key]}
        self.metadata: Any = {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"}

    @property
    def client(self) -> Client:
        return Client("hospital", issuer="https://h.example", jwks_url=f"{self.url}/keys", fhir_servers=(f"{self.url}/fhir",))


@pytest.fixture
def ehr() -> Iterator[Ehr]:
    app = Flask(__name__)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    side = Ehr(f"http://127.0.0.1:{server.server_port}")

    def answer(content: Any) -> Response:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        return Response(body, content_type="application/json")

    app.add_url_rule("/keys", "keys", lambda: answer(side.keys))
    app.add_url_rule("/fhir/metadata", "metadata", lambda: answer(side.metadata))
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield side
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_client_in_order_has_nothing_to_be_done(ehr: Ehr) -> None:
    found = list(check_client(ehr.client))
    assert [finding.verdict for finding in found] == [Verdict.OK] * len(found)
    assert len(found) == 2
    assert all(finding.what.startswith("hospital: ") for finding in found)


@pytest.mark.requirement("J-15", "J-19", "J-20")
@pytest.mark.parametrize(
    ("keys", "words"),
    [
        (b"<html>", "keys: none (not-json)"),
        ({"keys": []}, "keys: none (no-usable-key)"),
        ([], "keys: none (not-a-jwk-set)"),
        ({"keys": [{"kty": "oct", "kid": "s", "k": "AAAA"}]}, "keys: none (no-usable-key)"),
    ],
)
def test_keys_that_cannot_be_used_are_found(ehr: Ehr, keys: Any, words: str) -> None:
    ehr.keys = keys
    assert find(check_client(ehr.client), words).verdict is Verdict.FAILED


@pytest.mark.requirement("J-15")
def test_a_key_for_an_algorithm_that_is_not_registered_is_found(ehr: Ehr) -> None:
    assert find(check_client(replace(ehr.client, algorithms=("RS384",))), "none that verifies RS384").verdict is Verdict.FAILED


@pytest.mark.requirement("J-20")
def test_a_set_that_shows_a_private_key_is_found(ehr: Ehr) -> None:
    private = dict(ECKey.generate_key("P-384").as_dict(private=True)) | {"kid": "two"}
    ehr.keys = {"keys": [ehr.key, private]}
    found = find(check_client(ehr.client), "shows a private key")
    assert found.verdict is Verdict.FAILED
    assert private["d"] not in str(found)


def test_keys_in_the_file_need_no_server(ehr: Ehr) -> None:
    client = replace(ehr.client, jwks_url=None, jwks=ehr.keys, fhir_servers=())
    assert not has_failed(check_client(client))


@pytest.mark.requirement("R-17", "C-37")
@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        (b"<html>", "is no CapabilityStatement"),
        ({"resourceType": "Patient"}, "is no CapabilityStatement"),
        ({"resourceType": "CapabilityStatement", "fhirVersion": "1.0.2"}, "another version of FHIR"),
    ],
)
def test_a_server_that_is_no_fhir_r4_server_is_found(ehr: Ehr, metadata: Any, words: str) -> None:
    ehr.metadata = metadata
    assert find(check_client(ehr.client), words).verdict is Verdict.FAILED


@pytest.mark.requirement("R-17", "J-19")
def test_a_side_that_is_down_is_found(ehr: Ehr) -> None:
    gone = replace(ehr.client, jwks_url="http://127.0.0.1:9/keys", fhir_servers=("http://127.0.0.1:9/fhir",))
    found = list(check_client(gone))
    assert find(found, "keys: none (no-connection)").verdict is Verdict.FAILED
    assert find(found, "does not answer /metadata (no-connection)").verdict is Verdict.FAILED


@pytest.mark.requirement("JWT-20")
@pytest.mark.parametrize(("seconds", "number"), [(10, 0), (-10, 0), (300, 1), (-300, 1)])
def test_clocks_that_differ_are_found(ehr: Ehr, seconds: int, number: int) -> None:
    def clock() -> datetime:
        return datetime.now(UTC) + timedelta(seconds=seconds)

    found = [finding for finding in check_client(ehr.client, clock=clock) if "clock" in finding.what]
    assert [finding.verdict for finding in found] == [Verdict.WARNING] * number


@pytest.mark.requirement("C-43", "C-32", "X-4", "J-17", "J-18")
@pytest.mark.parametrize(
    ("change", "requirement"),
    [
        ({"dialect": "oracle"}, "C-43"),
        ({"dialect": "epic"}, "C-32"),
        ({"dialect": "sandbox"}, "X-4"),
        ({"longest_life": 900}, "J-17"),
        ({"replay_check": False}, "J-18"),
    ],
)
def test_what_somebody_should_know_of_a_client_is_said(ehr: Ehr, change: Json, requirement: str) -> None:
    found = [finding for finding in check_client(replace(ehr.client, **change)) if finding.requirement == requirement]
    assert [finding.verdict for finding in found] == [Verdict.WARNING]


# --- all together, and the commands ------------------------------------------------------------------------------------------


@pytest.fixture
def registered(ehr: Ehr, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    file = tmp_path / "clients.toml"
    file.write_text(
        f'[[client]]\nname = "hospital"\nissuer = "https://h.example"\njwks_url = "{ehr.url}/keys"\n'
        f'fhir_servers = ["{ehr.url}/fhir"]\ndialect = "oracle"\n',
        "utf-8",
    )
    monkeypatch.setenv("MYOSITIS_CDS_CLIENTS", str(file))
    monkeypatch.setenv("MYOSITIS_CDS_DATABASE_URL", f"sqlite:///{tmp_path / 'state.sqlite3'}")
    monkeypatch.setenv("MYOSITIS_CDS_PUBLIC_URL", "https://cds.example")
    return Config(clients=file, public_url="https://cds.example")


def test_every_client_is_looked_at_unless_one_is_named(registered: Config) -> None:
    assert find(list(examine(registered)), "hospital: keys: 1 that can be used").verdict is Verdict.OK
    assert find(list(examine(registered, "hospital")), "hospital: keys: 1 that can be used").verdict is Verdict.OK
    assert find(list(examine(registered, "clinic")), "there is none of that name").verdict is Verdict.FAILED


def test_a_file_of_clients_that_cannot_be_read_is_found(tmp_path: Path) -> None:
    config = Config(clients=tmp_path / "none.toml", public_url="https://cds.example")
    found = find(list(examine(config)), "clients: ")
    assert (found.verdict, found.requirement) == (Verdict.FAILED, "J-4")


@pytest.mark.usefixtures("registered")
def test_the_command_says_all_is_well(tmp_path: Path) -> None:
    file = tmp_path / "call.json"
    file.write_text(json.dumps(hook_call("p1", dermatomyositis())), "utf-8")
    result = CliRunner().invoke(main, ["doctor", "--client", "hospital", "--request", str(file)])
    assert result.exit_code == 0, result.output
    assert "ok      hospital: FHIR server 1: answers, FHIR R4 (R-17)" in result.output
    assert "the answer would be 200" in result.output


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(lambda folder: ["--client", "clinic"], id="unknown client"),
        pytest.param(lambda folder: ["--request", str(folder / "none.json")], id="no file"),
        pytest.param(lambda folder: ["--request", str(folder / "clients.toml")], id="no JSON"),
    ],
)
def test_the_command_ends_with_2_if_something_failed(tmp_path: Path, arguments: Callable[[Path], list[str]]) -> None:
    result = CliRunner().invoke(main, ["doctor", *arguments(tmp_path)])
    assert result.exit_code == 2
    assert "Traceback" not in result.output


@pytest.mark.usefixtures("registered")
def test_the_sheet_of_a_client_is_printed_in_three_forms() -> None:
    def printed(*arguments: str) -> str:
        result = CliRunner().invoke(main, ["connect", *arguments])
        assert result.exit_code == 0, result.output
        return result.output

    assert printed() == "https://cds.example/connect\n"
    assert "Connection sheet for hospital" in printed("--print", "--client", "hospital")
    assert "Connection sheet for hospital" in printed("--print", "--client", "hospital", "--format", "html")
    assert json.loads(printed("--print", "--client", "hospital", "--format", "json"))["dialect"] == "oracle"
    assert json.loads(printed("--format", "json"))["services"]
    assert "Connection sheet" in printed("--format", "text")
    assert json.loads(printed("--example", "myositis-order-sign"))["hook"] == "order-sign"


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["--client", "clinic"], "no client has the name clinic; registered are hospital"), (["--example", "x"], "no service x")],
)
def test_a_name_that_is_not_known_is_answered_with_those_that_are(arguments: list[str], words: str) -> None:
    result = CliRunner().invoke(main, ["connect", *arguments])
    assert result.exit_code == 2
    assert words in result.output
