"""Rolling restarts under load ("Must show" 4; threat PR-02): no request fails."""

from pathlib import Path
from typing import Any

from tests.end_to_end.serving import serving
from tests.trials.rolling_restart import rolling_restart


def run(folder: Path, *, restarts: int = 10, requests: int = 10_000) -> dict[str, Any]:
    """Restart again and again while clients call, some on kept connections and some on new ones.

    Args:
        folder: for the service.
        restarts: how often at least.
        requests: how many are answered at least.
    """
    with serving(folder, WORKERS="2", REQUESTS_PER_SECOND="1000", DRAIN_SECONDS="2") as service:
        seen = rolling_restart(service, restarts, requests)
    return {
        "restarts": seen.restarts,
        "seconds each": round(seen.each, 1),
        "answered": seen.answered,
        "refused": seen.refused,
        "lost": seen.lost,
        "slowest ms": round(1000 * seen.seconds),
        "kept": seen.answered >= requests and seen.refused == seen.lost == 0,
    }
