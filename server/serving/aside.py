"""Work of which nothing is needed but that it did not fail: in a child, so that what it loads goes with it when it ends."""

import os
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from server.serving.children import FAULT, start
from server.serving.exits import MACHINE_TROUBLE, said
from server.serving.signals import release

_FIRST_OF_OTHERS = 3  # after standard input, output and error
_LIST = "/proc/self/fd"
_MORE_THAN_A_START_OPENS = 1024


@contextmanager
def aside(work: Callable[[], object]) -> Iterator[None]:
    """Have work done beside what is within; at the end of that, wait for it. Call it where there is one thread.

    Args:
        work: opens what it needs: of its parent's files it has standard input, output and error.

    Raises:
        SystemExit: the work failed, and has said on standard error why.
    """
    child = start(lambda tell: _do(work))
    try:
        yield
    except BaseException:
        child.tell(signal.SIGKILL)
        child.wait()
        raise
    if status := child.wait():
        raise SystemExit(MACHINE_TROUBLE if status == FAULT or status < 0 else status)


def _do(work: Callable[[], object]) -> int:
    release(set())
    _close_files_of_the_parent()
    with said():
        work()
    return 0


def _close_files_of_the_parent() -> None:
    """The port above all: it ends with whoever serves it."""
    for number in _open_files():
        if number >= _FIRST_OF_OTHERS:
            os.closerange(number, number + 1)  # which minds none that is closed already, as the list itself by now


def _open_files() -> Iterable[int]:
    """Those that there are: how many there may be is no guide, since it can be a thousand million, or without a limit."""
    try:
        return [int(name) for name in os.listdir(_LIST)]
    except OSError:  # no /proc
        return range(_MORE_THAN_A_START_OPENS)
