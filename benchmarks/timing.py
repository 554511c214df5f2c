"""The header `Server-Timing`, read again."""

from collections.abc import Iterable, Mapping
from statistics import median

REST = "rest"
"""What is no phase: Flask, the log line, the figures, and writing the answer down."""


def phases_of(header: str) -> dict[str, float]:
    """Milliseconds by phase.

    Args:
        header: such as `read;dur=1.20, assess;dur=0.31`.
    """
    parts = (part.partition(";dur=") for part in header.split(", ") if part)
    return {name: float(spent) for name, _, spent in parts}


def with_rest(phases: Mapping[str, float], total: float) -> dict[str, float]:
    """The phases and what is left of the whole.

    Args:
        phases: milliseconds.
        total: milliseconds of the whole request.
    """
    return {**phases, REST: max(0.0, total - sum(phases.values()))}


def medians(seen: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """The median of each phase.

    Args:
        seen: milliseconds by phase, of several requests.
    """
    by_phase: dict[str, list[float]] = {}
    for one in seen:
        for phase, spent in one.items():
            by_phase.setdefault(phase, []).append(spent)
    return {phase: round(median(spent), 4) for phase, spent in by_phase.items()}
