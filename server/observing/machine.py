"""Figures that are looked up instead of counted: the process, its HTTP server, keys and breakers."""

import os
from contextlib import suppress
from pathlib import Path

from flask import Flask
from waitress.server import BaseWSGIServer

from server.build_information import git_commit, software_version
from server.observing import figures
from server.observing.counting import pass_on
from server.runtime import Runtime

HTTP_SERVER = "myositis-cds-http-server"
"""Where the application keeps the server that it runs in."""

_PAGE = os.sysconf("SC_PAGE_SIZE")


def look(app: Flask, runtime: Runtime) -> None:
    """Look everything up now.

    Args:
        app: which may run in waitress.
        runtime: its keys and breakers.
    """
    pass_on()
    figures.PROCESSES.set(1)
    with suppress(OSError):  # a process that has no file left to open must not fail a call for its figures
        figures.MEMORY.set(int(Path("/proc/self/statm").read_text("ascii").split()[1]) * _PAGE)
        figures.FILES.set(len(os.listdir("/proc/self/fd")))
    known = runtime.basis.knowledge
    figures.BUILD.labels(software_version(), git_commit() or "unknown", known.version, known.digest).set(1)
    figures.CLIENTS_IN_SHADOW.set(runtime.clients_in_shadow)
    figures.CLIENTS_WITHOUT_KEYS.set(runtime.gate.clients_without_keys)
    for name, keys in runtime.gate.keys.items():
        figures.JWK_SET_AGE.labels(name).set(keys.age)
    for client in runtime.clients:
        figures.BREAKERS_OPEN.labels(client.name).set(runtime.callback.breakers.open_for(client.name))
    server: BaseWSGIServer | None = app.extensions.get(HTTP_SERVER)
    if server is not None:
        _look_at(server)


def _look_at(server: BaseWSGIServer) -> None:
    work = server.task_dispatcher
    figures.QUEUE.set(len(work.queue))
    figures.BUSY.set(work.active_count)
    figures.THREADS.set(len(work.threads))
    figures.CONNECTIONS.set(len(server.active_channels))  # type: ignore[arg-type]  # a dict; the stubs say channel
