"""The HTTP server: waitress, set up for a service behind no other server (reference: ecosystem 2.1, security IN-01 to IN-08)."""

import gc

from flask import Flask
from waitress.channel import HTTPChannel
from waitress.server import BaseWSGIServer, MultiSocketServer, create_server
from waitress.task import ErrorTask
from waitress.utilities import Error

from server.config import THREADS, Config
from server.error_answers import FHIR_JSON, outcome_of_status
from server.observing.machine import HTTP_SERVER


class _OutcomeTask(ErrorTask):
    """Answers what waitress refuses by itself (malformed HTTP, far too long) as the application would: an OperationOutcome."""

    def execute(self) -> None:
        """Write the answer and close the connection."""
        refusal: Error = self.request.error  # type: ignore[attr-defined]  # the stubs take the request for an Error
        body = outcome_of_status(refusal.code)
        self.status = f"{refusal.code} {refusal.reason}"
        self.response_headers = [("Content-Type", FHIR_JSON), ("Cache-Control", "no-store")]
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class _Channel(HTTPChannel):
    error_task_class = _OutcomeTask


def create_http_server(app: Flask, config: Config) -> BaseWSGIServer:
    """Open the port; `run()` of the result then serves until the process is told to end.

    Args:
        app: the application, warmed up.
        config: host, port and body limit.

    Raises:
        OSError: the port cannot be opened.
    """
    server = create_server(
        app,
        host=config.host,
        port=config.port,
        threads=THREADS,
        connection_limit=1000,  # slow clients hold connections, not threads; the default of 100 is soon used up
        asyncore_use_poll=True,  # select() knows no more than 1024 connections
        # Up to twice the limit the application itself refuses, after reading to the end, so that the sender sees the answer.
        max_request_body_size=2 * config.max_body_bytes,
        clear_untrusted_proxy_headers=False,  # none is believed; an open service refuses whoever sends one (server.trust.gate)
        ident=None,
    )
    if isinstance(server, MultiSocketServer):
        raise TypeError("one literal address opens one socket")
    server.channel_class = _Channel
    app.extensions[HTTP_SERVER] = server  # whose queue and connections are figures
    return server


def quieten_garbage_collector() -> None:
    """Take everything that lives as long as the process out of garbage collection: without it, parsing one chart now and then
    stops for tens of milliseconds (reference: performance, trap 1). Call after the warm-up."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)


def url_of(server: BaseWSGIServer) -> str:
    """The address to open in a browser."""
    host, port = server.getsockname()
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
