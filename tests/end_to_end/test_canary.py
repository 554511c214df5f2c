"""A service at work, with canaries for everything that is a patient's, a user's or a secret, and its log at its most talkative;
then every place where something could have been left is searched: not one canary is there (LOG-01, LOG-02, OUT-17).

What may hold which canaries is said where it is searched, by the kinds after `but`; a new sink is one more line in `SINKS`.
"""

import re
import socket
import sqlite3
import subprocess
import sys
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import orjson
import pytest
import requests

from tests.canary import Canaries
from tests.end_to_end.canary_ehr import CanaryEhr
from tests.end_to_end.canary_service import FAULT
from tests.end_to_end.conftest import COMMAND, end, wait_for_line
from tests.server.charts import Json, hook_call, prefetch_of
from tests.server.smart.ehr import running

ROOT = Path(__file__).parents[2]
HOOKS = ("patient-view", "order-select", "order-sign")
COMMANDS = (["doctor"], ["db", "check"], ["clients", "check", "clients.toml"], ["report", "feedback", "--least", "1"])
"""What people run beside the service; its output is a sink."""


@dataclass
class Witness:
    """Everything that came out of the service.

    Args:
        folder: in which it ran, with its state, its temporary files and its output.
        ehr: that it worked with.
        words: the canaries of comments, which are kept in one place.
        sinks: what it said, by where.
        cards: its answers to calls that are allowed to name the patient of the call.
    """

    folder: Path
    ehr: CanaryEhr
    url: str
    words: Canaries = field(default_factory=Canaries)
    sinks: dict[str, list[str]] = field(default_factory=dict)
    cards: list[Json] = field(default_factory=list)

    @property
    def canaries(self) -> Canaries:
        """Those of the EHR."""
        return self.ehr.canaries

    def heard(self, where: str, answer: requests.Response) -> requests.Response:
        """Keep an answer, with its headers."""
        self.sinks.setdefault(where, []).append(f"{answer.headers}\n{answer.text}")
        return answer

    def send(self, path: str, body: Any, status: int, **more: Any) -> requests.Response:
        """Call a service as the EHR does; what is refused is a sink."""
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.ehr.token(self.url + path)}", **more}
        answer = requests.post(f"{self.url}{path}", content, headers=headers, params=more.pop("query", None), timeout=20)
        assert answer.status_code == status, answer.text
        return answer if status == 200 else self.heard("refusals", answer)

    def call(self, hook: str, **changes: Any) -> Json:
        """A hook call full of canaries, with a prefetch that leaves some to fetch."""
        marked = self.canaries.of
        prefetch = prefetch_of(self.ehr.chart, only=("Patient", "Condition"))
        context: Json = {
            "userId": f"Practitioner/{marked('user')}",
            "patientId": marked("patient"),
            "encounterId": marked("encounter"),
        }
        if hook != "patient-view":
            drug = {"text": f"methotrexate {marked('drug')}"}
            order = {"resourceType": "MedicationRequest", "id": marked("order"), "status": "draft", "intent": "order"}
            order |= {"medicationCodeableConcept": drug, "subject": {"reference": f"Patient/{marked('patient')}"}}
            context["draftOrders"] = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": order}]}
            context["selections"] = [f"MedicationRequest/{marked('order')}"]
        grant = {
            "access_token": marked("hookaccess"),
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": "x",
            "subject": marked("subject"),
        }
        more = {"fhirServer": self.ehr.base, "fhirAuthorization": grant, "extension": {"x": marked("extension")}}
        return hook_call(marked("patient"), prefetch, hook=hook, context=context, **more) | changes


# --- what happens


def work(one: Witness) -> None:
    """Every hook with a callback, feedback with comments, and `/assess`."""
    for number, hook in enumerate(HOOKS):
        path = f"/cds-services/myositis-{hook}"
        cards = one.send(path, one.call(hook, hookInstance=f"0fa01700-0000-4000-8000-00000000000{number + 1}"), 200).json()[
            "cards"
        ]
        one.cards += cards
        said = [{"card": card["uuid"], "outcome": "overridden", "outcomeTimestamp": "2026-11-22T10:00:00Z"} for card in cards]
        for item in said:
            reason = {"code": "patient-refused", "system": "https://ehr.example/reasons", "display": one.canaries.of("reason")}
            item["overrideReason"] = {"reason": reason, "userComment": f"{one.words.of('comment')} ä"}
        if said:
            one.heard("feedback", one.send(f"{path}/feedback", {"feedback": said}, 200))
    assert one.cards
    one.send("/assess", one.ehr.chart, 200)


def refused(one: Witness) -> None:
    """Whatever is wrong with a call, and every fault of ours."""
    path, call, marked = "/cds-services/myositis-patient-view", one.call("patient-view"), one.canaries.of
    whole = orjson.dumps(call)
    one.send(path, whole[:-9], 400)
    one.send(path, whole.replace(b'"hook":', b'"hook":"%b","hook":' % marked("twice").encode(), 1), 400)
    one.send(path, call | {"hook": marked("hook")}, 400)
    one.send(path, call | {"context": {marked("member"): marked("value")}}, 400)
    one.send(path, whole, 415, **{"Content-Type": f"text/{marked('type')}"})
    one.send(path, whole, 415, **{"Content-Encoding": marked("encoding")})
    foreign = orjson.loads(whole.replace(b"Patient/" + marked("patient").encode(), b"Patient/" + marked("another").encode()))
    one.send(path, foreign, 412)
    one.send(path, call, 401, Authorization=f"Bearer {one.ehr.token(one.url)}")
    one.send(path, call, 401, Authorization=f"Basic {marked('basic')}")
    one.send(f"/cds-services/{marked('service')}", call, 404)
    one.send(
        f"/{marked('path')}?name={marked('query')}",
        call,
        404,
        Cookie=f"a={marked('cookie')}",
        Referer=f"http://x/{marked('referer')}",
    )
    one.send(f"/assess?patient={marked('nobody')}", one.ehr.chart, 401)
    one.send(path, call | {"hookInstance": FAULT}, 500, traceparent=f"00-{marked('trace')}-01", baggage=f"a={marked('baggage')}")
    one.send(f"{path}/feedback", {"feedback": [{"card": marked("card"), "outcome": marked("outcome")}]}, 400)
    one.send(path, b'"%b"' % (marked("long").encode() * 100_000), 413)
    with socket.create_connection(("127.0.0.1", urlsplit(one.url).port or 0), timeout=10) as connection:
        connection.sendall(f"BAD {marked('line')}\r\n{marked('header')}\r\n\r\n".encode())
        one.sinks["refusals"].append(connection.recv(65536).decode())


def in_trouble(one: Witness) -> None:
    """An EHR that answers with errors, which are full of canaries too."""
    one.ehr.spoilt = True
    path = "/cds-services/myositis-patient-view"
    one.cards += one.send(path, one.call("patient-view"), 200).json()["cards"]
    one.ehr.valid.discard(one.canaries.of("hookaccess"))
    one.cards += one.send(path, one.call("patient-view"), 200).json()["cards"]
    one.ehr.spoilt = False
    one.ehr.errors = {"error": "access_denied", "error_description": one.canaries.of("description")}
    launched(one)
    one.ehr.errors = {}


def launched(one: Witness) -> None:
    """The app, from the launch over its page and a question to leaving; every address on the way is a sink."""
    with requests.Session() as browser:
        browser.trust_env = False
        query = {"iss": one.ehr.base, "launch": one.canaries.of("launch")}
        page = browser.get(f"{one.url}/smart/launch", params=query, timeout=20)
        for step in page.history[:-1]:
            for name, (value, *_) in parse_qs(urlsplit(step.headers["Location"]).query).items():
                if name in ("state", "nonce", "code", "code_challenge"):
                    one.canaries.keep(name, value)
        for cookie in browser.cookies:
            one.canaries.keep("browser's cookie", cookie.value or "")
        if page.status_code != 200:
            return
        one.sinks.setdefault("addresses of pages", []).append(page.url)
        one.sinks.setdefault("pages", []).append(page.text)
        assert one.canaries.of("name") in page.text
        asked = browser.get(page.url, params={"suppose": one.canaries.of("supposed")}, timeout=20)
        summary = browser.get(f"{page.url}/summary", timeout=20)
        assert {asked.status_code, summary.status_code} <= {200, 400}
        one.sinks["pages"] += [asked.text, summary.text]
        one.heard("open launches", browser.get(f"{one.url}/smart/patient", timeout=20))
        (token,) = re.findall(r'name="form_token" value="([0-9a-f]{64})"', page.text)
        one.heard("left", browser.post(f"{page.url}/logout", {"form_token": token}, headers={"Origin": one.url}, timeout=20))


def looked_at(one: Witness) -> None:
    """What anybody may read, and what those who run it do read."""
    for path in ("/", "/cds-services", "/health/live", "/health/ready", "/connect", "/openapi.json", "/.well-known/jwks.json"):
        one.heard("public pages", requests.get(f"{one.url}{path}", timeout=20))
    token = {"Authorization": f"Bearer {METRICS_TOKEN}"}
    one.heard("metrics", requests.get(f"{one.url}/metrics", headers=token, timeout=20))
    environment = environment_of(one.folder, one.url)
    for command in COMMANDS:
        done = subprocess.run(
            [COMMAND, *command], capture_output=True, text=True, check=False, timeout=120, env=environment, cwd=one.folder
        )
        one.sinks[f"output of {' '.join(command)}"] = [done.stdout, done.stderr]
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
        "PYTHONPATH": str(ROOT),
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
def witness(tmp_path_factory: pytest.TempPathFactory) -> Witness:
    """A service that has been through all of it, and has ended."""
    folder = tmp_path_factory.mktemp("canary")
    (folder / "temporary").mkdir()
    (folder / "metrics-token").write_text(METRICS_TOKEN)
    (folder / "metrics-token").chmod(0o600)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
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
        command = [sys.executable, "-m", "tests.end_to_end.canary_service", "serve", "--port", str(port)]
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
        f"output of {' '.join(command)}": lambda one, command=command: one.canaries.found_in(  # type: ignore[misc]
            "\n".join(one.sinks[f"output of {' '.join(command)}"])
        )
        for command in COMMANDS
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
