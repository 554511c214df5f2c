"""Memory of the workers after thousands of requests, and whether it goes on growing."""

from pathlib import Path
from typing import Any

from benchmarks.calls import LARGE, TYPICAL, patient_view
from benchmarks.load import Loader, Order, loader
from benchmarks.processes import Serving, service

WORKERS = 2
_CONNECTIONS = 16


def run(folder: Path, *, typical: int, large: int, growth: int) -> dict[str, Any]:
    """Measure.

    Args:
        folder: for databases and logs.
        typical: number of typical requests after which memory is looked at.
        large: the same of large ones, to a service that has answered nothing else.
        growth: memory after so many typical requests is compared with that after twice as many; 0 for not at all.
    """
    with loader() as load:
        with service(folder / "typical", workers=WORKERS) as serving:
            at_start = _memory(serving)
            _send(load, serving, TYPICAL, typical)
            after_typical = _memory(serving)
            grown = _growth(load, serving, typical, growth)
        with service(folder / "one at a time", workers=WORKERS) as serving:
            _send(load, serving, LARGE, large // 4, connections=WORKERS)
            one_at_a_time = _memory(serving)
        with service(folder / "large", workers=WORKERS) as serving:
            _send(load, serving, LARGE, large)
            after_large = _memory(serving)
    return {
        "workers": WORKERS,
        "connections": _CONNECTIONS,
        "requests": {"typical": typical, "large": large, "growth": growth},
        "at start": at_start,
        "after typical": after_typical,
        "after large, as many at once as workers": one_at_a_time,
        "after large": after_large,
        **grown,
        "goals": {
            "G11": after_typical["largest worker RSS MB"],
            "G11 large": after_large["largest worker RSS MB"],
        }
        | ({"G12": grown["growth"]} if grown else {}),
    }


def _memory(serving: Serving) -> dict[str, float]:
    workers = serving.memory
    return {
        "largest worker RSS MB": max(one.resident for one in workers),
        "largest worker PSS MB": max(one.proportional for one in workers),
        "all processes PSS MB": round(serving.proportional_mebibytes, 1),
    }


def _send(load: Loader, serving: Serving, resources: int, requests: int, connections: int = _CONNECTIONS) -> None:
    load.load(Order(serving.port, patient_view(resources), connections, requests=requests))


def _growth(load: Loader, serving: Serving, already: int, requests: int) -> dict[str, Any]:
    """All processes together after so many requests and after twice as many."""
    if not requests:
        return {}
    _send(load, serving, TYPICAL, requests - already)
    once = serving.proportional_mebibytes
    _send(load, serving, TYPICAL, requests)
    twice = serving.proportional_mebibytes
    return {"PSS MB": {str(requests): round(once, 1), str(2 * requests): round(twice, 1)}, "growth": round(twice / once, 3)}
