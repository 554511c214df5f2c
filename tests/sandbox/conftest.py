"""A stand-in for the decision support service, on loopback, that says what a test tells it to say."""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from time import sleep
from typing import Any

import pytest
from flask.testing import FlaskClient

from sandbox.application import create_sandbox
from sandbox.charts import Chart, load_charts
from tests.sandbox.desks import KEYS

AS_OF = date(2026, 11, 22)

PREFETCH = {
    "patient": "Patient/{{context.patientId}}",
    "conditions": "Condition?patient={{context.patientId}}&_count=200",
    "medications": "MedicationRequest?patient={{context.patientId}}&_sort=-authoredon&_count=200",
    "results": "Observation?patient={{context.patientId}}&category=laboratory,exam&_sort=-date&_count=200",
    "immunizations": "Immunization?patient={{context.patientId}}",
}

CARD = {
    "uuid": "11111111-1111-4111-8111-111111111111",
    "summary": "No lung function test on record",
    "indicator": "warning",
    "detail": "Because:\n\n- **dermatomyositis** on the problem list\n\n| Source | Year |\n|---|---|\n| Sunderkötter | 2016 |\n",
    "source": {
        "label": "Sunderkötter et al. 2016",
        "url": "https://example.org/sunderkoetter",
        "topic": {"code": "lungFunction"},
    },
    "suggestions": [
        {
            "label": "Order pulmonary function test",
            "actions": [
                {
                    "type": "create",
                    "description": "Draft an order for a pulmonary function test",
                    "resource": {"resourceType": "ServiceRequest", "status": "draft", "intent": "proposal"},
                }
            ],
        }
    ],
    "selectionBehavior": "any",
    "overrideReasons": [{"code": "patient-refuses", "display": "Patient refuses"}],
    "links": [{"label": "Connect", "url": "https://example.org/connect", "type": "absolute"}],
}


@dataclass
class StubService:
    """What the stand-in answers, and what it was asked."""

    url: str = ""
    status: int = 200
    seconds_to_think: float = 0
    seconds_per_byte: float = 0
    discovery: Any = field(
        default_factory=lambda: {
            "services": [{"hook": "patient-view", "id": "myositis-patient-view", "description": "", "prefetch": PREFETCH}]
        }
    )
    answer: Any = field(default_factory=lambda: {"cards": [CARD]})
    asked: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    timing: str = ""

    @property
    def feedback(self) -> list[dict[str, Any]]:
        """What it was told about its cards."""
        return [item for asked in self.asked for item in asked.get("feedback", ())]

    @property
    def calls(self) -> list[dict[str, Any]]:
        """The hooks that it was called with."""
        return [asked for asked in self.asked if "hook" in asked]

    def offer(self, *hooks: str) -> None:
        """Discovery lists a service for each of these hooks."""
        self.discovery = {
            "services": [{"hook": hook, "id": f"myositis-{hook}", "description": "", "prefetch": PREFETCH} for hook in hooks]
        }


@pytest.fixture
def service() -> Iterator[StubService]:
    """A service that answers with one card, until a test changes what it says."""
    stub = StubService()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._say(200, stub.discovery)

        def do_POST(self) -> None:
            sleep(stub.seconds_to_think)
            stub.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            stub.paths.append(self.path)
            stub.headers.append(dict(self.headers))
            self._say(stub.status, stub.answer)

        def _say(self, status: int, said: Any) -> None:
            body = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            if stub.timing:
                self.send_header("Server-Timing", stub.timing)
            self.end_headers()
            with suppress(ConnectionError):
                self._write(body)

        def _write(self, body: bytes) -> None:
            if not stub.seconds_per_byte:
                self.wfile.write(body)
                return
            for byte in body:
                self.wfile.write(bytes([byte]))
                sleep(stub.seconds_per_byte)

        def log_message(self, format: str, *args: object) -> None:
            """Keep the test output quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    stub.url = f"http://127.0.0.1:{server.server_port}"
    yield stub
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def browser_of_pages(service: StubService) -> FlaskClient:
    """Someone who opens the pages of the sandbox on the day of the stories."""
    return create_sandbox(service.url, today=lambda: AS_OF, keys=KEYS).test_client()


@pytest.fixture
def tif1_gamma_chart() -> Chart:
    """The chart of the woman with anti-TIF1-gamma dermatomyositis, as told."""
    return load_charts()["anti-tif1-gamma-dermatomyositis"]
