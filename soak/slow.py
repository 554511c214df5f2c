"""Two hundred slow headers and two hundred slow bodies beside a usual call ("Must show" 2; threat IN-07)."""

from pathlib import Path
from typing import Any

from tests.end_to_end.serving import serving
from tests.trials.slow_clients import slow_clients


def run(folder: Path, *, calls: int = 200) -> dict[str, Any]:
    """Time usual calls, alone and beside the slow clients.

    Args:
        folder: for the service.
        calls: how many are timed, before and beside.
    """
    with serving(folder, WORKERS="1") as service:
        seen = slow_clients(service.port, calls=calls)
    return {
        "slow clients": seen.clients,
        "usual call, median ms": round(1000 * seen.usual, 1),
        "beside them, median ms": round(1000 * seen.beside, 1),
        "times": round(seen.beside / seen.usual, 2),
        "kept": seen.beside <= 2 * seen.usual,
    }
