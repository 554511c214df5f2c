"""A generation: everything was loaded and tried once (`preparing`), and workers are forked out of the warm memory, which they
share. A reload starts another generation, so nothing is ever loaded twice.
"""

import os
import signal
import socket
import time
from dataclasses import dataclass, field

from server.config import Config
from server.observing.logs import logger
from server.observing.processes import forget_ended_processes
from server.serving.back_off import BackOff
from server.serving.children import NO_PROCESS, READY, Child, start
from server.serving.ending import FINISH_SECONDS
from server.serving.exits import MACHINE_TROUBLE
from server.serving.signals import END_NOW, Signals
from server.serving.worker import serve_until_told

_TURN_SECONDS = 1.0
_TIDY_SECONDS = 30.0
_LAST_SECONDS = 10.0

_log = logger("process")


@dataclass(slots=True)
class _Place:
    """A place that one worker after the other takes.

    Args:
        number: from 1.
        worker: who has it.
        back_off: how soon the next one takes it.
        start_at: a moment of the monotonic clock.
    """

    number: int
    worker: Child | None = None
    back_off: BackOff = field(default_factory=BackOff)
    start_at: float = 0.0


class Generation:
    """The workers of one generation."""

    def __init__(self, config: Config, listening: socket.socket, tell: int, supervisor: int, signals: Signals) -> None:
        """No worker yet.

        Args:
            config: the settings.
            listening: the port.
            tell: told `READY`, once.
            supervisor: process id; when it is gone, this process ends.
            signals: what this process is told.
        """
        self._config, self._listening, self._signals = config, listening, signals
        self._tell: int | None = tell
        self._places = [_Place(number) for number in range(1, config.workers + 1)]
        self._supervisor, self._process = supervisor, os.getpid()
        self._kill_at: float | None = None
        self._tidy_at = 0.0
        self._status = 0

    def run(self) -> int:
        """Keep the workers alive until told to end.

        Returns:
            The exit code: 0, or that of a worker that could not begin.
        """
        while self._kill_at is None or self._workers:
            if self._kill_at is None:
                self._fill_places()
            unread = [worker.news for worker in self._workers if worker.is_starting]
            for number in self._signals.wait(_TURN_SECONDS, unread):
                self._end(number)
            if os.getppid() != self._supervisor and self._kill_at is None:
                self._end(END_NOW)
            for place in self._places:
                self._look_after(place)
            self._say_when_ready()
            self._tidy()
            if self._kill_at is not None and time.monotonic() > self._kill_at:
                self._tell_all(signal.SIGKILL)
        return self._status

    @property
    def _workers(self) -> list[Child]:
        return [place.worker for place in self._places if place.worker]

    def _fill_places(self) -> None:
        for place in self._places:
            if place.worker is None and time.monotonic() >= place.start_at:
                place.worker = start(self._work)

    def _work(self, tell: int) -> int:
        self._signals.forget()
        return serve_until_told(self._config, self._listening, tell, self._process)

    def _look_after(self, place: _Place) -> None:
        worker = place.worker
        if worker is None:
            return
        worker.look()
        if worker.status is None:
            return
        place.worker = None
        self._tidy_at = 0.0
        if self._kill_at is not None:
            return
        if self._tell is not None and worker.status != NO_PROCESS:  # a first worker that cannot begin: neither could the next one
            self._status = worker.status if worker.status > 0 else MACHINE_TROUBLE
            self._end(END_NOW)
            return
        place.back_off = place.back_off.after(worker.life)
        place.start_at = time.monotonic() + place.back_off.seconds
        _log.error("worker_ended", number=place.number, process=worker.pid, status=worker.status, seconds=place.back_off.seconds)

    def _tidy(self) -> None:
        """Also now and then: of a generation that was killed, nobody is told when its workers have ended."""
        if time.monotonic() >= self._tidy_at:
            forget_ended_processes()
            self._tidy_at = time.monotonic() + _TIDY_SECONDS

    def _say_when_ready(self) -> None:
        if (
            self._tell is not None
            and self._kill_at is None
            and all(place.worker and place.worker.is_ready for place in self._places)
        ):
            os.write(self._tell, READY)
            os.close(self._tell)
            self._tell = None

    def _end(self, number: int) -> None:
        self._listening.close()  # the workers keep it open, and each closes it in its time
        self._kill_at = time.monotonic() + self._config.drain_seconds + FINISH_SECONDS + _LAST_SECONDS
        self._tell_all(number)

    def _tell_all(self, number: int) -> None:
        for worker in self._workers:
            worker.tell(number)
