"""A child process: forked, and known by two things: that it is ready, and that it has ended."""

import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from server.observing.logs import logger
from server.serving.signals import hold, release

FAULT = 70
"""Exit code of a child that ended with an exception (sysexits: EX_SOFTWARE)."""

NO_PROCESS = 71
"""Status of a child that the machine would not start (sysexits: EX_OSERR)."""

READY = b"+"

_log = logger("process")


@dataclass(slots=True)
class Child:
    """A child that was started.

    Args:
        pid: its number; 0 if the machine would not start it.
        news: where it writes `READY`; open while it lives.
        started: a moment of the monotonic clock.
        is_ready: whether it has said so.
        status: exit code, or minus the number of the signal that ended it; None while it lives.
    """

    pid: int
    news: int
    started: float = field(default_factory=time.monotonic)
    is_ready: bool = False
    status: int | None = None

    def look(self) -> None:
        """Find out what has become of it."""
        if self.status is not None:
            return
        if not self.is_ready:
            with suppress(BlockingIOError):
                self.is_ready = os.read(self.news, 1) == READY
        self._ask(os.WNOHANG)

    def wait(self) -> int:
        """Wait for its end.

        Returns:
            Its status.
        """
        while self.status is None:
            self._ask(0)
        return self.status

    def _ask(self, how: int) -> None:
        ended, status = os.waitpid(self.pid, how)
        if ended:
            self.status = os.waitstatus_to_exitcode(status)
            os.close(self.news)

    @property
    def is_starting(self) -> bool:
        """Whether news may come of it."""
        return not self.is_ready and self.status is None

    def tell(self, number: int) -> None:
        """Send it a signal; it is still ours, even if it has ended and was not looked at since."""
        if self.status is None:
            os.kill(self.pid, number)

    @property
    def life(self) -> float:
        """Seconds since its start."""
        return time.monotonic() - self.started


def start(work: Callable[[int], int]) -> Child:
    """Start a child.

    Args:
        work: what it does; given a file descriptor to say `READY` in, returns an exit code. Signals that are waited for
            (`signals.hold`) are let in again by itself, once it knows what to do with them.

    Returns:
        The child; one that has ended with `NO_PROCESS`, where the machine has no room for another process.
    """
    news, tell = os.pipe()
    os.set_blocking(news, False)
    sys.stdout.flush()
    sys.stderr.flush()
    before = hold()
    try:
        pid = os.fork()
        if pid == 0:
            os.close(news)
            _be_a_child(work, tell)
    except OSError as error:
        os.close(news)
        _log.error("process_not_started", error=type(error).__name__)
        return Child(0, -1, status=NO_PROCESS)
    finally:
        os.close(tell)
        release(before)
    return Child(pid, news)


def _be_a_child(work: Callable[[int], int], tell: int) -> None:
    """Do the work and end, whatever happens, without going back to where the parent goes on."""
    status = FAULT
    try:
        status = work(tell)
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else FAULT
    finally:
        if (fault := sys.exc_info())[1] is not None:
            sys.excepthook(*fault)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
