"""The real application and the echo, called in this process as their HTTP server would call them, without one.

The service is as it is deployed: figures are counted in shared files, the log is written (to nowhere), audit records go into an
SQLite file.
"""

import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from itertools import count
from pathlib import Path
from typing import Any
from wsgiref.types import WSGIApplication

from flask import Flask

from benchmarks.bodies import AS_OF
from benchmarks.calls import Sent
from benchmarks.measuring import Case, timed
from server.application import create_app
from server.config import Config
from server.observing.logs import log_to_stderr
from soak.ehr import PUBLIC_URL, Ehr

PLENTY = 1_000_000
"""Requests of one client in a second, so that nobody is refused for measuring."""

_numbers = count(1)


@contextmanager
def log_to_nowhere() -> Iterator[None]:
    """Within, the log is made as in the service, line by line, and thrown away."""
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        with redirect_stderr(nowhere):
            log_to_stderr()
        yield


def open_service(folder: Path, site: Path | None = None) -> Flask:
    """The service that is open to this machine, on the day of the bodies.

    Args:
        folder: for its database.
        site: a knowledge folder; the packaged knowledge by default.
    """
    return create_app(_config(folder, site=site))


def service_with_clients(folder: Path, ehr: Ehr) -> Flask:
    """The service that asks for tokens.

    Args:
        folder: for its database and its clients.
        ehr: the client.
    """
    clients = folder / "clients.toml"
    clients.write_text(ehr.registration, "utf-8")
    return create_app(_config(folder, clients=clients, public_url=PUBLIC_URL))


def _config(folder: Path, **more: Any) -> Config:
    database = f"sqlite:///{folder / f'measured-{next(_numbers)}.sqlite3'}"
    return Config(database_url=database, requests_per_second=PLENTY, today=lambda: AS_OF, **more)


def calling(app: WSGIApplication, sent: Sent, token: Callable[[str], str] | None = None) -> Case:
    """The whole way of a call, from the request in WSGI's form to the last byte of the answer.

    Args:
        app: which is called.
        sent: what it is sent, each time with another hook instance.
        token: makes one for a path; none is sent by default.
    """

    def case(times: int) -> float:
        return timed(lambda environ: called(app, environ), [environ_of(sent, token) for _ in range(times)])

    return case


def environ_of(sent: Sent, token: Callable[[str], str] | None = None) -> dict[str, Any]:
    """A request, as waitress hands it on."""
    body = sent.fresh(next(_numbers))
    return {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": sent.path,
        "QUERY_STRING": "",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_SOFTWARE": "benchmark",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "127.0.0.1:8000",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    } | ({"HTTP_AUTHORIZATION": f"Bearer {token(sent.path)}"} if token else {})


class UnexpectedAnswerError(RuntimeError):
    """Something else than 200 was answered: what would be measured is not what was meant."""


def called(app: WSGIApplication, environ: dict[str, Any]) -> tuple[dict[str, str], bytes]:
    """Call an application.

    Returns:
        The headers of the answer by their names, and its body.

    Raises:
        UnexpectedAnswerError: it is no 200.
    """
    begun: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Callable[[bytes], object]:
        begun.extend((status, headers))
        return io.BytesIO().write

    parts = app(environ, start_response)
    body = b"".join(parts)
    if hasattr(parts, "close"):
        parts.close()
    if begun[0] != "200 OK":
        raise UnexpectedAnswerError(f"{begun[0]}: {body[:300]!r}")
    return dict(begun[1]), body
