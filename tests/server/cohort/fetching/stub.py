"""A server that answers what a test tells it to, and keeps what it was asked: an EHR that does what no sandbox would."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

Answer = tuple[int, dict[str, str], Any]
"""Status, headers, and a body: bytes, or what becomes JSON."""

PATIENTS = b'{"resourceType":"Patient","id":"one"}\n{"resourceType":"Patient","id":"two"}\n'


@dataclass
class Asked:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    form: dict[str, str]

    @property
    def token(self) -> str | None:
        """The access token that came with it."""
        return self.headers["Authorization"].removeprefix("Bearer ") if "Authorization" in self.headers else None


@dataclass
class Stub:
    """The server.

    Args:
        origin: where it is.
        answers: by method and path without its query; of several the last is repeated.
        asked: in order.
    """

    origin: str = ""
    answers: dict[tuple[str, str], list[Answer]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    @property
    def base(self) -> str:
        """FHIR base URL."""
        return f"{self.origin}/fhir"

    def say(self, method: str, path: str, *answers: Answer) -> None:
        """Answer requests for a path with these, one after the other."""
        self.answers[method, path] = list(answers)

    def to(self, path: str) -> list[Asked]:
        """The requests for a path."""
        return [one for one in self.asked if one.path.partition("?")[0] == path]

    def answer(self, asked: Asked) -> Answer:
        """What it says to a request."""
        self.asked.append(asked)
        said = self.answers.get((asked.method, asked.path.partition("?")[0]), [(404, {}, {})])
        return said.pop(0) if len(said) > 1 else said[0]


def sound(stub: Stub) -> None:
    """Make it an EHR that exports two patients without any trouble."""
    stub.say("GET", "/fhir/.well-known/smart-configuration", (200, {}, {"token_endpoint": f"{stub.origin}/token"}))
    stub.say("POST", "/token", token("one"))
    stub.say("GET", "/fhir/metadata", (200, {}, {"rest": [{"resource": [{"type": "Patient"}, {"type": "Basic"}]}]}))
    stub.say("GET", "/fhir/Patient/$export", (202, {"Content-Location": f"{stub.origin}/status"}, {}))
    stub.say("GET", "/status", manifest(f"{stub.origin}/files/1"))
    stub.say("GET", "/files/1", (200, {}, PATIENTS))
    stub.say("DELETE", "/status", (202, {}, b""))


def token(name: str, **more: Any) -> Answer:
    """An answer of a token endpoint."""
    return 200, {}, {"access_token": f"canary-{name}", "token_type": "bearer", "expires_in": 300, "scope": "system/*.rs"} | more


def manifest(*urls: str, **more: Any) -> Answer:
    """A complete status."""
    output = [{"type": "Patient", "url": url, "count": 2} for url in urls]
    said = {"transactionTime": "2026-11-22T08:00:00Z", "requiresAccessToken": True, "output": output, "error": []}
    return 200, {}, said | more


def outcome(*codes: str) -> Any:
    """An OperationOutcome."""
    issues = [{"severity": "error", "code": code, "diagnostics": "Patient Jane Canary"} for code in codes]
    return {"resourceType": "OperationOutcome", "issue": issues}


@contextmanager
def serving() -> Iterator[Stub]:
    """Run one, that knows no path yet."""
    stub = Stub()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length", "0"))
            form = {name: values[0] for name, values in parse_qs(self.rfile.read(length).decode()).items()}
            status, headers, said = stub.answer(Asked(self.command, self.path, dict(self.headers), form))
            body = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(body))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.do_GET()

        def do_DELETE(self) -> None:
            self.do_GET()

        def log_message(self, format: str, *args: object) -> None:
            """Keep the test output quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    stub.origin = f"http://127.0.0.1:{server.server_port}"
    sound(stub)
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
