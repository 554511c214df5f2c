"""The service in this process: for the demo and for tests. `myositis-cds serve` has processes of its own (`supervisor`)."""

import signal
from threading import Event
from types import FrameType

from server.application import create_app
from server.basis import load_basis
from server.config import Config
from server.http_server import Server, create_http_server
from server.interpreter import settle
from server.runtime import open_runtime
from server.serving.watching import watch
from server.warm_up import warm_up


def open_service(config: Config) -> Server:
    """Warm up, then open the port.

    Returns:
        The server; its `run()` answers requests until the process is told to end.

    Raises:
        ConfigurationError: the site's folder, or the file of clients, cannot be used.
        OSError: the port cannot be opened.
    """
    ready = Event()
    runtime = open_runtime(config)
    runtime.gate.warm()
    app = create_app(config, runtime=runtime, ready=ready)
    warm_up(load_basis(config.site, config.terminology))
    settle()
    ready.set()
    server = create_http_server(app, config)
    watch(app, runtime)
    return server


def end_on_signals() -> None:
    """End quietly, and after the requests under way, on SIGTERM and SIGINT."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)
