"""Traces, for hospitals that collect them: one span to a request and one to each of its parts, over OTLP/HTTP.

A span has what the line of the log has, and nothing else. Nothing about a trace is sent to an EHR (LOG-05).
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Thread
from typing import TYPE_CHECKING, Any

from server.build_information import software_version
from server.config import PREFIX, ConfigurationError
from server.observing.logs import ALLOWED

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

TRACES = "myositis_cds_traces"
"""Where an application keeps its `Traces`: among its extensions."""

LAST_SECONDS = 5.0
"""So long a process that ends waits for the collector."""

_NANOSECONDS = 1_000_000_000

Trace = Callable[[Mapping[str, Any], Mapping[str, float]], None]
"""Takes the fields of the line of a request, and seconds by part, `total` among them."""


def no_trace(fields: Mapping[str, Any], seconds: Mapping[str, float]) -> None:
    """Of a service that traces nothing."""


@dataclass(frozen=True, slots=True)
class Traces:
    """Of one process.

    Args:
        trace: called for each request.
        end: send what has not been sent yet; nothing more is traced afterwards.
    """

    trace: Trace = no_trace
    end: Callable[[], None] = lambda: None


def open_traces(endpoint: str | None) -> Traces:
    """Where traces go.

    Args:
        endpoint: URL of an OTLP/HTTP collector, such as `http://127.0.0.1:4318/v1/traces`; None to trace nothing.

    Raises:
        ConfigurationError: what is needed for it is not installed.
    """
    if endpoint is None:
        return Traces()
    provider = _provider(endpoint)

    def end() -> None:
        """Not longer than `LAST_SECONDS`: each batch that waits may wait for a collector that is gone."""
        sending = Thread(target=provider.shutdown, name="last-traces", daemon=True)
        sending.start()
        sending.join(LAST_SECONDS)

    return Traces(trace_with(provider), end)


def trace_with(provider: "TracerProvider") -> Trace:
    """Traces by OpenTelemetry; sent in the background, so that no request waits for the collector.

    Args:
        provider: with its exporter.
    """
    from opentelemetry.context import Context
    from opentelemetry.trace import set_span_in_context

    tracer = provider.get_tracer("myositis_cds")

    def trace(fields: Mapping[str, Any], seconds: Mapping[str, float]) -> None:
        end = time.time_ns()
        begin = end - int(seconds["total"] * _NANOSECONDS)
        allowed = {name: value for name, value in fields.items() if name in ALLOWED and value is not None}
        request = tracer.start_span("request", Context(), attributes=allowed, start_time=begin)
        within = set_span_in_context(request, Context())
        # The stopwatch knows how long each part took; it took them one after the other, so that this is about when.
        for part, its_seconds in seconds.items():
            if part != "total":
                span = tracer.start_span(part, within, start_time=begin)
                begin += int(its_seconds * _NANOSECONDS)
                span.end(begin)
        request.end(end)

    return trace


def _provider(endpoint: str) -> "TracerProvider":
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise ConfigurationError(
            f"{PREFIX}TRACE_ENDPOINT: traces need further packages; install myositis-cds[tracing], or leave the setting out"
        ) from error
    from requests import Session

    session = Session()
    session.trust_env = False  # no proxy and no password file of the environment
    # Not `Resource.create`, which adds what it finds in the environment.
    provider = TracerProvider(resource=Resource({"service.name": "myositis-cds", "service.version": software_version()}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint, session=session, timeout=5)))
    return provider
