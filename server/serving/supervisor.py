"""The supervisor: keeps the port, and sees that a generation serves it. It loads next to nothing: so little can go wrong in it.

SIGTERM drains and ends, SIGINT ends after the requests under way. SIGHUP starts another generation, and once that one serves
tells the old one to make place; one that cannot begin leaves everything as it was.
"""

import os
import socket
import sys
import time
from collections.abc import Callable

from server.config import PREFIX, Config
from server.observing.logs import logger
from server.serving.back_off import BackOff
from server.serving.children import Child, start
from server.serving.service_manager import READY, RELOADING, STOPPING, notify
from server.serving.signals import MAKE_PLACE, Signals

_TURN_SECONDS = 1.0

_log = logger("process")


class Supervisor:
    """Generations, at most one of which is being started, and one serves."""

    def __init__(self, config: Config, listening: socket.socket, announce: Callable[[], None]) -> None:
        """Nothing is started yet.

        Args:
            config: the settings; a generation reads them again, with this host and port.
            listening: the port, bound.
            announce: called when the first generation serves.
        """
        self._listening, self._announce = listening, announce
        self._environment = {**os.environ, f"{PREFIX}HOST": config.host, f"{PREFIX}PORT": str(config.port)}
        self._serving: Child | None = None
        self._coming: Child | None = None
        self._leaving: list[Child] = []
        self._signals = Signals()
        self._process = os.getpid()
        self._back_off = BackOff()
        self._start_at = 0.0
        self._has_served = self._ends = self._starts_another = False

    def run(self) -> int:
        """Serve until told to end.

        Returns:
            The exit code: 0, or that of a first generation that could not begin.
        """
        while not self._ends or self._children:
            if not self._ends and self._coming is None and self._is_wanted():
                self._coming = start(self._become_a_generation)
                self._starts_another = False
            unread = [self._coming.news] if self._coming and self._coming.is_starting else []
            for number in self._signals.wait(_TURN_SECONDS, unread):
                self._obey(number)
            for child in self._children:
                child.look()
            self._leaving = [child for child in self._leaving if child.status is None]
            self._look_after_serving()
            if (status := self._look_after_coming()) is not None:
                return status
        return 0

    @property
    def _children(self) -> list[Child]:
        return [child for child in (self._serving, self._coming, *self._leaving) if child]

    def _is_wanted(self) -> bool:
        return self._starts_another or (self._serving is None and time.monotonic() >= self._start_at)

    def _become_a_generation(self, tell: int) -> int:
        """Another program: what the supervisor has loaded may be older software by now."""
        for number in (self._listening.fileno(), tell):
            os.set_inheritable(number, True)
        numbers = (self._listening.fileno(), tell, self._process)
        command = [sys.executable, "-P", "-m", "server.serving.program", *map(str, numbers)]
        os.execve(sys.executable, command, self._environment)  # noqa: S606 - our own module, by its full name

    def _obey(self, number: int) -> None:
        if number == MAKE_PLACE:
            if not self._ends:
                self._starts_another = True
                notify(RELOADING)
            return
        if not self._ends:
            notify(STOPPING)
            self._listening.close()  # from here on the workers keep it open, and each closes it in its time
        self._ends = True
        for child in self._children:
            child.tell(number)

    def _look_after_serving(self) -> None:
        child = self._serving
        if child is None or child.status is None:
            return
        self._serving = None
        if not self._ends:
            self._wait_after(child)
            _log.error("generation_ended", process=child.pid, status=child.status, seconds=self._back_off.seconds)

    def _look_after_coming(self) -> int | None:
        """The exit code, where there never was a generation that served."""
        child = self._coming
        if child is None or not (child.is_ready or child.status is not None):
            return None
        self._coming = None
        if child.status is not None:
            return self._give_up(child)
        if self._serving:
            self._serving.tell(MAKE_PLACE)
            self._leaving.append(self._serving)
        self._serving = child
        if not self._has_served:
            self._announce()
        else:
            _log.info("generation_serves", process=child.pid)
        self._has_served = True
        notify(READY)
        return None

    def _give_up(self, child: Child) -> int | None:
        """What could not begin leaves what serves as it is."""
        if self._ends:
            return None
        if not self._has_served:
            return child.status if child.status is not None and child.status > 0 else 1
        self._wait_after(child)
        _log.error("generation_not_started", process=child.pid, status=child.status)
        notify(READY)
        return None

    def _wait_after(self, child: Child) -> None:
        self._back_off = self._back_off.after(child.life)
        self._start_at = time.monotonic() + self._back_off.seconds
