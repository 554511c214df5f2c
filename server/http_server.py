"""The HTTP server: waitress, set up for a service behind no other server (reference: ecosystem 2.1, security IN-01 to IN-08)."""

import logging
import resource
import socket
import time
from typing import Any, cast

from flask import Flask
from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher

from server.config import THREADS, Config
from server.interpreter import sweep
from server.observing.machine import HTTP_SERVER
from server.serving.channels import IDLE_SECONDS, Channel
from server.serving.port import bind

MOST_CONNECTIONS = 1000
"""Open connections of one process. Further ones wait in the backlog of the port until one of these ends: slow clients hold
connections, not threads, and each is ended after its deadline."""

MOST_HEADER_BYTES = 64 * 1024
"""Request line and headers: the longest token that is read (16 KiB), and more cookies than we set. nginx.conf takes as much."""

BACKLOG = 1024
_RECEIVED_AT_ONCE = 64 * 1024  # bytes: most charts in one piece, and the interpreter is asked for once
_TURN_SECONDS = 1.0
_SWEPT_SECONDS = 10.0
_HANDLES_FOR_OTHERS = 200  # files, database, EHRs


logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a line for each request that waits; how many do is a figure


class Server(TcpWSGIServer):
    """Waitress on a socket that may be shared, whose turns may be taken one by one."""

    channel_class = Channel
    is_ending = False
    """Whether answers say that the connection ends with them."""

    _looked_at = 0.0
    _swept_at = 0.0

    def __init__(self, app: Flask, listening: socket.socket, settings: Adjustments) -> None:
        """Listen, and start the threads.

        Args:
            app: the application.
            listening: a bound socket.
            settings: of waitress.

        Raises:
            OSError: the port cannot be listened to.
        """
        threads = ThreadedTaskDispatcher()
        threads.set_thread_count(settings.threads)
        where = (listening.family, listening.type, listening.proto, listening.getsockname())
        self._everything: dict[int, Any] = {}
        super().__init__(
            app, self._everything, True, listening, dispatcher=threads, adj=settings, sockinfo=where, bind_socket=False
        )

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The open connections."""
        return tuple(cast(dict[int, Channel], self.active_channels).values())

    def turn(self, seconds: float | None = None) -> None:
        """Do what there is to do, or wait for it; end connections that are overdue.

        Args:
            seconds: to wait at most; one by default.
        """
        wasyncore.loop(timeout=seconds or _TURN_SECONDS, use_poll=True, map=self._everything, count=1)
        now = time.monotonic()
        if now >= self._looked_at + _TURN_SECONDS:
            self._looked_at = now
            for channel in self.channels:
                channel.end_if_overdue()
        if now >= self._swept_at + _SWEPT_SECONDS:
            self._swept_at = now
            sweep()

    def run(self) -> None:
        """Serve until SystemExit or KeyboardInterrupt; requests under way are finished."""
        try:
            while True:
                self.turn()
        except (SystemExit, KeyboardInterrupt):
            self.task_dispatcher.shutdown()

    def stop_accepting(self) -> None:
        """Take in the connections that wait already, then close the port for this process."""
        while self.accepting:
            before = len(self.channels)
            self.handle_accept()
            if len(self.channels) == before:
                wasyncore.dispatcher.close(self)

    def end_idle_connections(self) -> None:
        """Close the connections on which nothing is under way."""
        for channel in self.channels:
            if channel.is_idle:
                channel.will_close = True


def create_http_server(app: Flask, config: Config, listening: socket.socket | None = None) -> Server:
    """Open the port; `run()` of the result then serves until the process is told to end.

    Args:
        app: the application, warmed up.
        config: host, port and body limit.
        listening: the port, where it was taken already.

    Raises:
        OSError: the port cannot be opened.
    """
    settings = Adjustments(
        threads=THREADS,
        connection_limit=_affordable_connections(),
        backlog=BACKLOG,
        recv_bytes=_RECEIVED_AT_ONCE,
        channel_timeout=IDLE_SECONDS,
        cleanup_interval=5,
        asyncore_use_poll=True,  # select() knows no more than 1024 connections
        max_request_header_size=MOST_HEADER_BYTES,
        # Up to twice the limit the application itself refuses, after reading to the end, so that the sender sees the answer.
        max_request_body_size=2 * config.max_body_bytes,
        clear_untrusted_proxy_headers=False,  # none is believed; an open service refuses whoever sends one (server.trust.gate)
        ident=None,
    )
    server = Server(app, listening or bind(config), settings)
    app.extensions[HTTP_SERVER] = server  # whose queue and connections are figures
    return server


def _affordable_connections() -> int:
    """`MOST_CONNECTIONS`, or fewer where the process may not have as many handles, however it asks."""
    wanted = MOST_CONNECTIONS + _HANDLES_FOR_OTHERS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return MOST_CONNECTIONS if soft == resource.RLIM_INFINITY else max(16, min(MOST_CONNECTIONS, soft - _HANDLES_FOR_OTHERS))
