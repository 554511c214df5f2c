"""Signals as messages that are waited for, so that no code runs between two lines of other code."""

import os
import select
import signal
from collections.abc import Iterable

END = signal.SIGTERM
"""Say that the service is not ready, serve on for a while, then end."""

END_NOW = signal.SIGINT
"""End after the requests under way; for a person at a terminal, behind whom no balancer has to turn away."""

MAKE_PLACE = signal.SIGHUP
"""To a service: load everything anew. To one of its processes: another has taken your place."""

_ALL = (END, END_NOW, MAKE_PLACE)


class Signals:
    """What this process has been told, in order; also woken by the end of a child."""

    def __init__(self) -> None:
        """Take the place of all other ways to handle these signals."""
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)
        for number in (*_ALL, signal.SIGCHLD):
            signal.signal(number, lambda number, frame: None)
        signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)

    def wait(self, seconds: float, also: Iterable[int] = ()) -> list[signal.Signals]:
        """What came since the last time.

        Args:
            seconds: waits no longer for it.
            also: file descriptors that end the waiting when there is something to read in them.
        """
        select.select([self._read, *also], [], [], seconds)
        try:
            came = os.read(self._read, 1024)
        except BlockingIOError:
            return []
        return [signal.Signals(number) for number in came if number in _ALL]

    def forget(self) -> None:
        """Leave the signals to somebody else; in a child of this process."""
        signal.set_wakeup_fd(-1)
        os.close(self._read)
        os.close(self._write)
        for number in (*_ALL, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)


def hold() -> set[signal.Signals]:
    """Let these signals wait from now on; the result is what `release` needs. Around a fork."""
    return {signal.Signals(number) for number in signal.pthread_sigmask(signal.SIG_BLOCK, _ALL)}


def release(before: set[signal.Signals]) -> None:
    """Let these signals in again."""
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
