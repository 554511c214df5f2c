"""A FHIR server on loopback that answers as a test tells it to, and remembers what it was asked."""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from server.config import Config
from server.ehr.callback import Callback
from server.trust.clients import Client
from tests.server.charts import Json


@dataclass
class Ehr:
    """The server: answers by resource type, and what came.

    Args:
        base: its FHIR base URL.
        answers: by resource type, what to say one after the other, the last for ever; each is (status, headers, JSON or bytes).
            `None` breaks the connection off; a function is asked for the JSON.
        asked: path and query of each request, by resource type.
        tokens: the Authorization of each request.
    """

    base: str = ""
    answers: dict[str, list[Any]] = field(default_factory=dict)
    asked: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    tokens: list[str | None] = field(default_factory=list)

    def says(self, resource_type: str, *answers: Any) -> None:
        """What to answer; a plain JSON value stands for 200."""
        self.answers[resource_type] = [one if isinstance(one, tuple) or one is None else (200, {}, one) for one in answers]

    def answer_to(self, path: str) -> Any:
        """The next answer to a path; an empty searchset, or the Patient, where nothing was said."""
        resource_type = urlsplit(path).path.removeprefix("/fhir/").partition("/")[0]
        self.asked[resource_type].append(path)
        said = self.answers.get(resource_type)
        if not said:
            patient = {"resourceType": "Patient", "id": "p1"}
            nothing = {"resourceType": "Bundle", "type": "searchset", "total": 0}
            return 200, {}, patient if resource_type == "Patient" else nothing
        return said.pop(0) if len(said) > 1 else said[0]

    def parameters(self, resource_type: str) -> dict[str, list[str]]:
        """The parameters of the first search for a type."""
        return parse_qs(urlsplit(self.asked[resource_type][0]).query)


@pytest.fixture
def ehr() -> Iterator[Ehr]:
    """An EHR of a patient of whom nothing is on record."""
    stub = Ehr()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            stub.tokens.append(self.headers.get("Authorization"))
            answer = stub.answer_to(self.path)
            if answer is None:
                self.close_connection = True
                return
            status, headers, content = answer
            content = content() if callable(content) else content
            body = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Keep the test output quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    stub.base = f"http://127.0.0.1:{server.server_port}/fhir"
    yield stub
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def client(ehr: Ehr) -> Client:
    """A registered client that may be called back."""
    return Client("hospital", fhir_servers=(ehr.base,))


@pytest.fixture
def callback() -> Callback:
    """For a service that has just started."""
    return Callback(Config(fetch_seconds=3))


def next_page(content: Json, url: str) -> Json:
    """The same Bundle, with a page after it."""
    return content | {"link": [{"relation": "next", "url": url}]}
