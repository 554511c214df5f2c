"""Traces, as a real collector on this machine receives them."""

import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider

from server.application import create_app
from server.config import ConfigurationError
from server.observing import traces
from server.observing.logs import ALLOWED
from tests.server.charts import ANTI_TIF1, INSTANCE, chart, hook_call, prefetch_of
from tests.server.conftest import CONFIG

CANARY = "Canary7391"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


class Collector:
    """Keeps what was sent."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                collector.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1/traces"

    @property
    def spans(self) -> list[object]:
        requests = [ExportTraceServiceRequest.FromString(body) for body in self.bodies]
        return [span for one in requests for r in one.resource_spans for scope in r.scope_spans for span in scope.spans]


@contextmanager
def collecting() -> Iterator[Collector]:
    collector = Collector()
    thread = threading.Thread(target=collector.server.serve_forever)
    thread.start()
    try:
        yield collector
    finally:
        collector.server.shutdown()
        thread.join()
        collector.server.server_close()


@pytest.fixture(autouse=True)
def providers(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[TracerProvider]]:
    """Those that a test opens, and none goes on sending after it: with each attempt an exporter draws from `random`, of which
    Hypothesis finds in another test that somebody else has drawn."""
    opened: list[TracerProvider] = []
    make = traces._provider
    monkeypatch.setattr(traces, "_provider", lambda endpoint: opened.append(make(endpoint)) or opened[-1])
    yield opened
    for one in opened:
        one.shutdown()


@pytest.mark.requirement("LOG-05", "LOG-02", "LOG-01")
def test_a_call_is_one_span_with_one_for_each_part_and_nothing_of_the_patient(
    monkeypatch: pytest.MonkeyPatch, providers: list[TracerProvider]
) -> None:
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", f"host.name={CANARY}")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with collecting() as collector:
        client = create_app(replace(CONFIG, trace_endpoint=collector.url)).test_client()
        prefetch = prefetch_of(chart(ANTI_TIF1))
        prefetch["patient"]["name"] = [{"family": CANARY}]
        headers = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01", "baggage": f"patient={CANARY}"}
        answer = client.post("/cds-services/myositis-patient-view", json=hook_call(ANTI_TIF1, prefetch), headers=headers)
        client.get(f"/{CANARY}?{CANARY}", headers={"Authorization": f"Bearer {CANARY}"})
        providers[0].shutdown()
    assert answer.status_code == 200
    call, other = (one for one in collector.spans if not one.parent_span_id)  # type: ignore[attr-defined]
    parts = [one for one in collector.spans if one.parent_span_id]  # type: ignore[attr-defined]
    assert [one.name for one in parts] == [
        "trust",
        "request",
        "fetch",
        "store",
        "turn",
        "read",
        "assess",
        "recommend",
        "cards",
        "audit",
    ]  # type: ignore[attr-defined]
    for one in parts:
        assert one.parent_span_id == call.span_id  # type: ignore[attr-defined]
        assert call.start_time_unix_nano <= one.start_time_unix_nano <= one.end_time_unix_nano <= call.end_time_unix_nano  # type: ignore[attr-defined]
        assert not one.attributes  # type: ignore[attr-defined]
    attributes = {one.key: one.value for span in (call, other) for one in span.attributes}  # type: ignore[attr-defined]
    assert set(attributes) <= ALLOWED
    told = {one.key: one.value.string_value for one in call.attributes}  # type: ignore[attr-defined]
    assert (told["trace"], told["instance"], told["endpoint"]) == (TRACE, INSTANCE, "hooks.call")
    sent = b"".join(collector.bodies)
    assert CANARY.encode() not in sent
    assert ANTI_TIF1.encode() not in sent


def test_without_the_extra_the_setting_stops_the_start_and_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(ConfigurationError, match=r"TRACE_ENDPOINT.*myositis-cds\[tracing\]"):
        create_app(replace(CONFIG, trace_endpoint="http://127.0.0.1:4318/v1/traces"))


def test_a_collector_that_is_down_costs_no_call() -> None:
    client = create_app(replace(CONFIG, trace_endpoint="http://127.0.0.1:1/v1/traces")).test_client()
    assert client.post("/cds-services/myositis-patient-view", json=hook_call(ANTI_TIF1, prefetch_of(chart(ANTI_TIF1)))).json


def test_a_process_that_ends_does_not_wait_long_for_a_collector_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traces, "LAST_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        app = create_app(replace(CONFIG, trace_endpoint=f"http://127.0.0.1:{silent.getsockname()[1]}/v1/traces"))
        app.test_client().get("/cds-services")
        begun = time.monotonic()
        app.extensions[traces.TRACES].end()
        assert time.monotonic() < begun + 2
