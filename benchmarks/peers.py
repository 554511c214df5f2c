"""The same bodies sent to HealthChain, in an environment of its own (`make peers`), and to the service; by CPU time of the
servers."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import orjson

from benchmarks.calls import SMALL, TYPICAL, Sent, patient_view
from benchmarks.groups import CannotMeasureError
from benchmarks.load import loader
from benchmarks.over_http import Target, in_turns
from benchmarks.processes import ROOT, server, service

PYTHON = ROOT / "benchmarks" / ".peers" / "bin" / "python"
_PATH = "/cds/cds-services/myositis"
_HANDLERS = {
    "HealthChain, a fixed card": "minimal",
    "HealthChain, our engine": "engine",
    "HealthChain, FHIR objects and our engine": "FHIR objects and engine",
}
_OURS = "myositis-cds"
_SECONDS = 60


def run(folder: Path, *, rounds: int, seconds: float) -> dict[str, Any]:
    """Measure.

    Args:
        folder: for logs.
        rounds: in each of which every server is loaded once.
        seconds: of one load.

    Raises:
        CannotMeasureError: `make peers` was not done, or did not succeed.
    """
    if not PYTHON.exists():
        raise CannotMeasureError("there is no benchmarks/.peers; `make peers` makes it, with a network")
    with ExitStack() as stack:
        load = stack.enter_context(loader())
        servers = {_OURS: stack.enter_context(service(folder / "ours"))}
        for name, handler in _HANDLERS.items():
            command = [str(PYTHON), "-m", "benchmarks.peer_service", "--handler", handler]
            servers[name] = stack.enter_context(server(command, folder / f"{handler}.log", {}))
        sizes: dict[str, Any] = {}
        goals: dict[str, float] = {}
        for size in (SMALL, TYPICAL):
            targets = {name: Target(one, _sent(name, size)) for name, one in servers.items()}
            cards = {name: _cards(target) for name, target in targets.items()}
            in_turns(targets.values(), load, 1, rounds, seconds)
            sizes[str(size)] = {name: target.figures | {"cards": cards[name]} for name, target in targets.items()}
            if size == TYPICAL:
                goals = _goals(targets)
    return {"rounds": rounds, "version": _version(), "sizes": sizes, "goals": goals}


def _sent(name: str, size: int) -> Sent:
    sent = patient_view(size)
    return sent if name == _OURS else replace(sent, path=_PATH)


def _cards(target: Target) -> int:
    """How many cards are answered: HealthChain answers a fault of its handler with 200 and none."""
    connection = HTTPConnection("127.0.0.1", target.serving.port, timeout=_SECONDS)
    connection.request("POST", target.sent.path, target.sent.body, {"Content-Type": "application/json"})
    answer = orjson.loads(connection.getresponse().read())
    connection.close()
    return len(answer["cards"])


def _goals(targets: Mapping[str, Target]) -> dict[str, float]:
    ours, fixed, engine, objects = (targets[name] for name in (_OURS, *_HANDLERS))
    return {
        "G13": ours.ratio(engine, "CPU ms"),
        "G13 against FHIR objects": ours.ratio(objects, "CPU ms"),
        "G13 against a fixed card": ours.ratio(fixed, "CPU ms"),
    }


def _version() -> str:
    lines = (ROOT / "benchmarks" / "peers.lock").read_text("utf-8").splitlines()
    return next(line.partition("==")[2].split()[0] for line in lines if line.startswith("healthchain=="))
