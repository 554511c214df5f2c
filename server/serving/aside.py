"""Work of which nothing is needed but that it did not fail: in a child, so that what it loads goes with it when it ends."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from server.serving.children import FAULT, start
from server.serving.exits import MACHINE_TROUBLE, said
from server.serving.signals import release

_FIRST_OF_OTHERS = 3  # after standard input, output and error


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
    os.closerange(_FIRST_OF_OTHERS, os.sysconf("SC_OPEN_MAX"))  # the port above all: it ends with whoever serves it
    with said():
        work()
    return 0
