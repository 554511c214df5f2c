"""A worker: one process that answers requests, on a port that it shares with others."""

import os
import signal
import socket
from threading import Event

from server.application import create_app
from server.config import Config
from server.http_server import create_http_server
from server.observing.counting import pass_on
from server.observing.traces import TRACES
from server.runtime import open_runtime
from server.serving.children import READY
from server.serving.ending import Ending
from server.serving.exits import said, said_of_port
from server.serving.signals import END, END_NOW, MAKE_PLACE, release
from server.serving.watching import watch

_TURN_SECONDS = 0.1
"""While it ends, so that it ends soon after it may."""


def serve_until_told(config: Config, listening: socket.socket, tell: int, parent: int) -> int:
    """Answer requests until a signal says to end, or whoever started this process is gone.

    Threads, connections to the database and fetches of keys begin here, after the fork.

    Args:
        config: the settings.
        listening: the port.
        tell: told `READY`.
        parent: process id of the generation; when it is gone, this process ends.

    Returns:
        The exit code.

    Raises:
        SystemExit: the database went away since the generation looked at it, or the port cannot be listened to.
    """
    ready = Event()
    with said():
        runtime = open_runtime(config)
        app = create_app(config, runtime=runtime, ready=ready)
    with said_of_port():
        server = create_http_server(app, config, listening)
    ending = Ending(server, ready, config.drain_seconds)
    signal.signal(END, lambda number, frame: ending.drain())
    signal.signal(END_NOW, lambda number, frame: ending.finish())
    signal.signal(MAKE_PLACE, lambda number, frame: ending.make_place())
    ready.set()  # nobody is answered yet; and whoever told this process to end meanwhile has the last word
    release(set())
    runtime.gate.await_keys()
    runtime.trail.bring_home(runtime.database, runtime.pseudonyms.key_for("audit"))
    watch(app, runtime)
    os.write(tell, READY)
    os.close(tell)
    while not ending.is_over():
        if os.getppid() != parent:
            ending.finish()
        server.turn(_TURN_SECONDS if ending.has_begun else None)
    pass_on()
    app.extensions[TRACES].end()
    runtime.database.dispose()
    return 0
