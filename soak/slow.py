"""Two hundred slow headers and two hundred slow bodies beside a usual call ("Must show" 2; threat IN-07)."""

from pathlib import Path
from typing import Any

from tests.end_to_end.serving import serving
from tests.trials.slow_clients import MISSING, slow_clients

SLOW = 200
_TIMES = 2.0


def run(folder: Path, *, calls: int = 200) -> dict[str, Any]:
    """Time usual calls, alone and beside the slow clients, who are all there meanwhile.

    Args:
        folder: for the service.
        calls: how many are timed, before, beside and after.
    """
    with serving(folder, WORKERS="1") as service:
        seen = slow_clients(service.port, SLOW, SLOW, calls, _TIMES)
    are_there = min(seen.heads, seen.bodies) >= SLOW - MISSING
    return {
        "slow headers, at least": seen.heads,
        "slow bodies, at least": seen.bodies,
        "usual call, median ms": round(1000 * seen.usual, 1),
        "beside them, median ms": round(1000 * seen.beside, 1),
        "times": round(seen.times, 2),
        "kept": are_there and seen.times <= _TIMES,
    }
