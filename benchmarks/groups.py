"""The groups of benchmarks, and how one is measured: in a process of its own, so that what one has loaded, and left on the heap,
costs the next one nothing.
"""

import tempfile
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import Any


class CannotMeasureError(RuntimeError):
    """Something is missing that a group needs; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Group:
    """One group.

    Args:
        full: arguments of its `run(folder, **arguments)`, as the goals are stated.
        quick: arguments for a look in seconds; None where that cannot be.
        is_asked_for: it is run where it is named, and not unasked.
    """

    full: Mapping[str, Any]
    quick: Mapping[str, Any] | None
    is_asked_for: bool = field(default=False)


GROUPS: Mapping[str, Group] = {
    "in_process": Group({"rounds": {15: 101, 250: 41, 3_000: 15}}, {"rounds": {15: 3, 250: 2, 3_000: 1}}),
    "rules": Group({"rounds": 31, "loads": 7}, {"rounds": 2, "loads": 1}),
    "over_http": Group({"rounds": 9, "seconds": 2.0}, {"rounds": 1, "seconds": 0.3}),
    "start": Group({"starts": 9, "calls": 40}, {"starts": 1, "calls": 3}),
    "memory": Group({"typical": 2_000, "large": 1_000, "growth": 25_000}, {"typical": 20, "large": 4, "growth": 40}),
    "peers": Group({"rounds": 9, "seconds": 3.0}, None),
    "batch": Group({"patients": 100_000, "rounds": 1}, None, is_asked_for=True),
    "times_ten": Group({"patients": 100_000}, None, is_asked_for=True),
}
"""By the names of their modules."""


def measured(name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What a group measures, with the facts of the machine.

    Args:
        name: of the group.
        arguments: of its `run`.

    Raises:
        CannotMeasureError: something is missing that it needs.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_run, name, arguments).result()


def _run(name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    from benchmarks.machine import facts
    from server.observing.processes import figures_folder

    machine = facts()
    with figures_folder(), tempfile.TemporaryDirectory(prefix=f"myositis-cds-{name}-") as folder:
        found: dict[str, Any] = import_module(f"benchmarks.{name}").run(Path(folder), **arguments)
    return {"machine": machine, **found}
