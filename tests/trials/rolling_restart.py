"""Restarts under load (PR-02): how many requests are lost, which should be none."""

import signal
import time
from dataclasses import dataclass

from soak.processes import is_alive
from tests.end_to_end.serving import Load, Serving, wait_until


@dataclass(frozen=True, slots=True)
class RollingRestart:
    """What the trial came to.

    Args:
        answered: requests that were answered with 200.
        refused: requests that were answered otherwise.
        lost: requests without an answer.
        seconds: that the slowest answer took.
        restarts: how many there were.
        each: seconds from the signal to the end of the last old worker, on average.
    """

    answered: int
    refused: int
    lost: int
    seconds: float
    restarts: int
    each: float


def rolling_restart(service: Serving, restarts: int = 10, requests: int = 0, kept: int = 4, opened: int = 4) -> RollingRestart:
    """Send SIGHUP again and again while clients call without pause.

    Args:
        service: that is open, in processes of its own.
        restarts: how often at least.
        requests: how many are answered at least; there are more restarts until they are.
        kept: clients that keep their connection.
        opened: clients that open a new one for each request.
    """
    begun = time.monotonic()
    with Load(service.port).running(kept, opened) as load:
        done = 0
        while done < restarts or load.answers[200] < requests:
            done += 1
            before = service.workers()
            service.process.send_signal(signal.SIGHUP)
            wait_until(lambda before=before: not any(map(is_alive, before)), seconds=300)
    answered = load.answers.pop(200, 0)
    each = (time.monotonic() - begun) / done
    return RollingRestart(answered, load.answers.total(), load.lost.total(), load.slowest, done, each)
