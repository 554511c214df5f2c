"""A service at work, with canaries for everything that is a patient's, a user's or a secret, and its log at its most talkative;
then every place where something could have been left is searched: not one canary is there (LOG-01, LOG-02, OUT-17).

What may hold which canaries is said where it is searched, by the kinds after `but`; a new sink is one more line in `SINKS`.
"""

import sqlite3
import subprocess
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import quote

import orjson
import pytest
import requests
from click.testing import CliRunner

from server.command_line import main
from tests.canary import Canaries
from tests.end_to_end.canary_ehr import CanaryEhr
from tests.end_to_end.canary_visit import Witness, in_trouble, launched, refused, work
from tests.end_to_end.conftest import COMMAND, end, wait_for_line
from tests.ports import held_port
from tests.server.smart.ehr import running

ROOT = Path(__file__).parents[2]
COMMANDS = ("doctor", "db check", "clients check clients.toml", "report feedback --least 1")
"""What people run beside the service; its output is a sink."""


def looked_at(one: Witness) -> None:
    """What anybody may read, and what those who run it do read."""
    for path in ("/", "/cds-services", "/health/live", "/health/ready", "/connect", "/openapi.json", "/.well-known/jwks.json"):
        one.heard("public pages", requests.get(f"{one.url}{path}", timeout=20))
    token = {"Authorization": f"Bearer {METRICS_TOKEN}"}
    one.heard("metrics", requests.get(f"{one.url}/metrics", headers=token, timeout=20))
    with pytest.MonkeyPatch.context() as here:
        here.chdir(one.folder)
        for command in COMMANDS:
            done = CliRunner().invoke(main, command.split(), env=dict(environment_of(one.folder, one.url)))
            assert "No such command" not in done.output
            one.sinks[f"output of {command}"] = [done.output]
    with (
        closing(sqlite3.connect(database_of(one.folder))) as database,
        closing(sqlite3.connect(one.folder / "backup.sqlite3")) as copy,
    ):
        database.backup(copy)


# --- where it happens

METRICS_TOKEN = "a-token-for-figures-of-operation"


def database_of(folder: Path) -> Path:
    return folder / "state" / "myositis-cds" / "myositis-cds.sqlite3"


def environment_of(folder: Path, url: str, **more: str) -> Mapping[str, str]:
    return {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": f"{ROOT}:{Path(__file__).parent / 'canary_fault'}",
        "TMPDIR": str(folder / "temporary"),
        "XDG_STATE_HOME": str(folder / "state"),
        "MYOSITIS_CDS_CLIENTS": str(folder / "clients.toml"),
        "MYOSITIS_CDS_PUBLIC_URL": url,
        "MYOSITIS_CDS_METRICS_TOKEN_FILE": str(folder / "metrics-token"),
        "MYOSITIS_CDS_MAX_BODY_MIB": "1",
    } | more


class Collector(BaseHTTPRequestHandler):
    """Where traces are sent to; keeps every one."""

    received: list[bytes]

    def do_POST(self) -> None:
        """Take what is sent."""
        self.received.append(str(self.headers).encode() + self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test output quiet."""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Of the service: it has to know its address before it starts."""
    with held_port() as port:
        yield port


@pytest.fixture(scope="module")
def witness(port: int, tmp_path_factory: pytest.TempPathFactory) -> Witness:
    """A service that has been through all of it, and has ended."""
    folder = tmp_path_factory.mktemp("canary")
    (folder / "temporary").mkdir()
    (folder / "metrics-token").write_text(METRICS_TOKEN)
    (folder / "metrics-token").chmod(0o600)
    url, handler = f"http://127.0.0.1:{port}", type("Traces", (Collector,), {"received": []})
    collector = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=collector.serve_forever, args=(0.01,), daemon=True).start()
    traces = {"MYOSITIS_CDS_TRACE_ENDPOINT": f"http://127.0.0.1:{collector.server_port}/v1/traces"}
    with running(CanaryEhr()) as one:
        ehr = one if isinstance(one, CanaryEhr) else CanaryEhr()
        ehr.sign_in()
        ehr.trust_keys_of(url)
        (folder / "clients.toml").write_text(ehr.clients_toml())
        seen = Witness(folder, ehr, url)
        command = [COMMAND, "serve", "--port", str(port)]
        environment = environment_of(folder, url, **traces)
        with (
            (folder / "stderr").open("w") as stderr,
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True, env=environment, cwd=folder) as process,
        ):
            try:
                wait_for_line(process, "myositis-cds serves")
                for part in (work, refused, launched, in_trouble, looked_at):
                    part(seen)
                seen.sinks["database while serving"] = [*rows_of(folder)]
                seen.sinks["files while serving"] = seen.canaries.found_below(folder) or []
            finally:
                end(process)
            assert process.stdout
            (folder / "stdout").write_text(process.stdout.read())
    collector.shutdown()
    collector.server_close()
    seen.sinks["traces"] = [one.decode("latin-1") for one in handler.received]
    return seen


def rows_of(folder: Path, but: str = "") -> Iterator[str]:
    """Every row of every table, as text."""
    with closing(sqlite3.connect(database_of(folder))) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        assert {"audit_events", "cards_shown", "feedback", "smart_launches", "used_tokens"} <= set(tables)
        for table in set(tables) - {but}:
            yield from (f"{table}: {row!r}" for row in database.execute(f"SELECT * FROM {table}"))  # noqa: S608 - our own names


# --- what is left of it

SINKS: Mapping[str, Callable[[Witness], list[str]]] = {
    "files: log, state, write-ahead log, backup, temporary files": lambda one: one.canaries.found_below(one.folder),
    "rows of the database": lambda one: one.canaries.found_in("\n".join(one.sinks["database while serving"])),
    "what lay in the folder while it served": lambda one: one.sinks["files while serving"],
    "addresses of our pages": lambda one: one.canaries.found_in(" ".join(one.sinks["addresses of pages"])),
    # an EHR is asked for the patient by id, and is handed back its own launch; both go over TLS to the EHR alone
    "addresses that the EHR was asked for": lambda one: [
        kind
        for kind in one.canaries.found_in(" ".join(one.ehr.asked), but={"patient", "launch"})
        if not kind.startswith(("state", "nonce", "code_challenge"))
    ],
    **{
        where: lambda one, where=where: one.canaries.found_in("\n".join(one.sinks[where]))  # type: ignore[misc]
        for where in ("refusals", "feedback", "public pages", "metrics", "open launches", "left", "traces")
    },
    **{
        where: lambda one, where=where: one.canaries.found_in("\n".join(one.sinks[where]))  # type: ignore[misc]
        for where in (f"output of {command}" for command in COMMANDS)
    },
}


@pytest.mark.requirement("LOG-01", "LOG-02", "OUT-17", "ERR-01", "SM-07", "JWT-15", "CARD-06")
@pytest.mark.parametrize("sink", SINKS)
def test_no_canary_is_left_anywhere(sink: str, witness: Witness) -> None:
    assert SINKS[sink](witness) == []


@pytest.mark.requirement("LOG-07")
def test_what_clinicians_comment_is_in_its_column_and_nowhere_else(witness: Witness) -> None:
    with closing(sqlite3.connect(database_of(witness.folder))) as database:
        comments = [comment for (comment,) in database.execute("SELECT comment FROM feedback_comments")]
    assert comments
    assert all(witness.words.found_in(comment) == ["comment"] for comment in comments)
    assert witness.words.found_in("\n".join(rows_of(witness.folder, but="feedback_comments"))) == []
    files = {one.partition(":")[0] for one in witness.words.found_below(witness.folder)}
    assert files <= {"backup.sqlite3", "myositis-cds.sqlite3", "myositis-cds.sqlite3-wal"}


def test_where_they_may_be_canaries_are_found(witness: Witness) -> None:
    """Else the search would show nothing: the cards and the pages of a patient, and what we asked the EHR for."""
    marked = witness.canaries
    assert "id" in marked.found_in(orjson.dumps(witness.cards))
    assert "name" in marked.found_in("".join(witness.sinks["pages"]))
    assert "patient" in marked.found_in(" ".join(witness.ehr.asked))
    assert {"state", "nonce", "code", "code_verifier", "token", "id token"} <= {
        kind.rpartition(" ")[0] for kind in marked.secrets
    }
    assert witness.sinks["database while serving"]


@pytest.mark.parametrize(
    "disguise",
    [
        str.upper,
        lambda word: quote(f"ä {word}"),
        lambda word: orjson.dumps(f"ä\n{word}").decode(),
        lambda word: b64encode(f"a{word}".encode()).decode(),
        lambda word: urlsafe_b64encode(f"ab{word}abc".encode()).decode(),
        lambda word: b64encode(f"abc{word}ab".encode()).decode(),
        lambda word: word.encode().hex(),
    ],
)
def test_a_canary_is_known_in_any_disguise(disguise: Callable[[str], str]) -> None:
    canaries = Canaries()
    assert canaries.found_in(f"…{disguise(canaries.of('name'))}…")
    assert Canaries().found_in(disguise(canaries.of("name"))) == []
