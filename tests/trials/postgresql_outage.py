"""PostgreSQL is stopped under load, and started again (issue 6, Must show 5; threat DB-02)."""

import signal
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from server.store.database import connect, upgrade_database
from server.store.tables import feedback
from soak.processes import ends_of_workers, workers_of
from tests.end_to_end.checked_connection import CheckedConnection
from tests.postgresql import PostgresqlServer
from tests.trials.load import Answered, Load, load
from tests.trials.trusting_service import TrustingService, trusting_service

OK = 200


@dataclass(frozen=True, slots=True)
class Outage:
    """What was seen.

    Args:
        before, down, after: answers by status, of requests wholly within each time.
        without_retry_after: answers while it was down that do not say when to come back.
        longest_before, longest_down, longest_after: seconds that an answer took.
        live, ready: what the health endpoints said while it was down.
        recovery_seconds: from when PostgreSQL took connections again to the first call that was answered as ever.
        last_trouble_seconds: from the same moment to the end of the last request that was not.
        acknowledged: feedback that was answered with 200.
        lost: of it, what is not in the database.
        same_workers: whether those who answered at the end are those who did at the start, and none has ended meanwhile.
    """

    before: Counter[int]
    down: Counter[int]
    after: Counter[int]
    without_retry_after: int
    longest_before: float
    longest_down: float
    longest_after: float
    live: int
    ready: int
    recovery_seconds: float
    last_trouble_seconds: float
    acknowledged: int
    lost: int
    same_workers: bool


def stop_and_start(
    folder: Path,
    postgresql: PostgresqlServer,
    *,
    up_seconds: float,
    down_seconds: float,
    senders: int = 8,
    pause: float = 0.0,
    how: signal.Signals = signal.SIGINT,
) -> Outage:
    """Run a service under load while its PostgreSQL goes and comes back.

    Args:
        folder: for the files of the service.
        postgresql: running; it is again at the end.
        up_seconds: before it is stopped, and after it has recovered.
        down_seconds: in between.
        senders: requests at the same time.
        pause: seconds between two hook calls of a sender.
        how: SIGINT stops it in order, SIGQUIT is a crash.
    """
    url = postgresql.new_database()
    upgrade_database(url)
    with trusting_service(folder, url) as service, load(service, senders, pause) as sending:
        workers = workers_of(service.process.pid)
        began = time.monotonic()
        time.sleep(up_seconds)
        stopping = time.monotonic()
        postgresql.stop(how)
        down = time.monotonic()
        try:
            time.sleep(down_seconds)
            live, ready = (health(service, name) for name in ("live", "ready"))
        finally:
            starting = time.monotonic()
            postgresql.start()
        up = time.monotonic()
        recovered = _first_answer(sending, up)
        time.sleep(up_seconds)
        same_workers = workers_of(service.process.pid) == workers != [] and ends_of_workers(service.log) == []
    end = time.monotonic()
    before, during, after = sending.between(began, stopping), sending.between(down, starting), sending.between(recovered, end)
    acknowledged = {one.card for one in sending.answered if one.card and one.status == OK}
    return Outage(
        before=_by_status(before),
        down=_by_status(during),
        after=_by_status(after),
        without_retry_after=sum(not one.retry_after for one in during),
        longest_before=_longest(before),
        longest_down=_longest(during),
        longest_after=_longest(after),
        live=live,
        ready=ready,
        recovery_seconds=recovered - up,
        last_trouble_seconds=max(
            (one.ended - up for one in sending.answered if one.status != OK and one.ended > up), default=0.0
        ),
        acknowledged=len(acknowledged),
        lost=len(acknowledged - _kept(url)),
        same_workers=same_workers,
    )


def health(service: TrustingService, name: str) -> int:
    """The status of a health endpoint.

    Args:
        service: whose.
        name: `live` or `ready`.
    """
    with closing(CheckedConnection(service.port)) as connection:
        connection.request("GET", f"/health/{name}")
        return connection.answer().status


def _first_answer(sending: Load, since: float, patience: float = 60.0) -> float:
    """When the first call was answered as ever that ended after a moment."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        good = [one.ended for one in sending.answered[-1000:] if one.status == OK and one.ended > since]
        if good:
            return min(good)
        time.sleep(0.02)
    raise AssertionError(f"no call was answered as ever within {patience} seconds")


def _by_status(answered: list[Answered]) -> Counter[int]:
    return Counter(one.status for one in answered)


def _longest(answered: list[Answered]) -> float:
    return max((one.seconds for one in answered), default=0.0)


def _kept(url: str) -> set[str]:
    database = connect(url)
    with closing(database.connect()) as connection:
        cards = set(connection.scalars(select(feedback.c.card)))
    database.dispose()
    return cards
