"""PostgreSQL is stopped, crashes, and comes back under load ("Must show" 5; threat DB-02)."""

import shutil
import signal
from pathlib import Path
from typing import Any

from tests.postgresql import new_server
from tests.trials.postgresql_outage import Outage, stop_and_start

_RECOVERY_SECONDS = 30


def run(folder: Path, *, up_seconds: float = 20, down_seconds: float = 60) -> dict[str, Any]:
    """Once stopped in order, once by a crash.

    Args:
        folder: for the service.
        up_seconds: under load before and after.
        down_seconds: in between.
    """
    postgresql = new_server()
    try:
        postgresql.start()
        figures: dict[str, Any] = {}
        for name, how in (("stopped", signal.SIGINT), ("crashed", signal.SIGQUIT)):
            (place := folder / name).mkdir()
            seen = stop_and_start(place, postgresql, up_seconds=up_seconds, down_seconds=down_seconds, how=how)
            figures |= {f"{name}: {what}": figure for what, figure in _figures(seen).items()}
    finally:
        postgresql.stop(signal.SIGQUIT)
        shutil.rmtree(postgresql.folder)
    return figures | {"kept": all(figures[f"{name}: kept"] for name in ("stopped", "crashed"))}


def _figures(seen: Outage) -> dict[str, Any]:
    as_documented = set(seen.down) == {503} and seen.without_retry_after == 0 and (seen.live, seen.ready) == (200, 503)
    return {
        "answers before": dict(seen.before),
        "answers while down": dict(seen.down),
        "longest while down, s": round(seen.longest_down, 2),
        "recovery, s": round(seen.recovery_seconds, 2),
        "last trouble after, s": round(seen.last_trouble_seconds, 2),
        "feedback acknowledged": seen.acknowledged,
        "of it lost": seen.lost,
        "kept": as_documented and seen.recovery_seconds < _RECOVERY_SECONDS and seen.lost == 0 and seen.same_process,
    }
