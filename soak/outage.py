"""PostgreSQL is stopped, crashes, and comes back under load ("Must show" 5; threat DB-02)."""

import shutil
import signal
from pathlib import Path
from typing import Any

from server.store.hurried import ANSWER_SECONDS
from server.store.postgresql import CONNECT_SECONDS
from tests.postgresql import PostgresqlServer, new_server
from tests.trials.postgresql_outage import Outage, stop_and_start

_RECOVERY_SECONDS = 30
_LONGEST_SECONDS = ANSWER_SECONDS + CONNECT_SECONDS + 3.0
"""Of an answer while it is down: the deadlines, and what else an answer takes on a machine that has other things to do."""


def run(
    folder: Path,
    *,
    up_seconds: float = 20,
    down_seconds: float = 60,
    pause: float = 0,
    server: PostgresqlServer | None = None,
) -> dict[str, Any]:
    """Once stopped in order, once by a crash.

    Args:
        folder: for the service.
        up_seconds: under load before and after.
        down_seconds: in between.
        pause: seconds between two hook calls of a sender.
        server: that runs, and is running again at the end; one of its own by default.
    """
    if server:
        return _both(folder, server, up_seconds, down_seconds, pause)
    postgresql = new_server()
    try:
        postgresql.start()
        return _both(folder, postgresql, up_seconds, down_seconds, pause)
    finally:
        postgresql.stop(signal.SIGQUIT)
        shutil.rmtree(postgresql.folder)


def _both(folder: Path, postgresql: PostgresqlServer, up_seconds: float, down_seconds: float, pause: float) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for name, how in (("stopped", signal.SIGINT), ("crashed", signal.SIGQUIT)):
        (place := folder / name).mkdir()
        seen = stop_and_start(place, postgresql, up_seconds=up_seconds, down_seconds=down_seconds, pause=pause, how=how)
        figures |= {f"{name}: {what}": figure for what, figure in _figures(seen).items()}
    return figures | {"kept": all(figures[f"{name}: kept"] for name in ("stopped", "crashed"))}


def _figures(seen: Outage) -> dict[str, Any]:
    as_documented = (
        set(seen.before) == set(seen.after) == {200}
        and set(seen.down) == {503}
        and seen.without_retry_after == 0
        and seen.longest_down < _LONGEST_SECONDS
        and (seen.live, seen.ready) == (200, 503)
    )
    is_recovered = max(seen.recovery_seconds, seen.last_trouble_seconds) < _RECOVERY_SECONDS
    return {
        "answers before": dict(seen.before),
        "answers while down": dict(seen.down),
        "answers after": dict(seen.after),
        "longest while down, s": round(seen.longest_down, 2),
        "recovery, s": round(seen.recovery_seconds, 2),
        "last trouble after, s": round(seen.last_trouble_seconds, 2),
        "feedback acknowledged": seen.acknowledged,
        "of it lost": seen.lost,
        "same workers": seen.same_workers,
        "kept": as_documented and is_recovered and seen.acknowledged > 0 and seen.lost == 0 and seen.same_workers,
    }
