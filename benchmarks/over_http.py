"""The real service over HTTP beside the bare echo under the same server: throughput, waits, tokens, and calling back for the
data."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.calls import TYPICAL, Sent, patient_view, with_server, without_prefetch
from benchmarks.fhir_stub import fhir_server
from benchmarks.load import Answers, Loader, Order, loader
from benchmarks.processes import Serving, echo, service
from benchmarks.timing import medians, phases_of, with_rest
from soak.ehr import PUBLIC_URL, Ehr, clients_toml

MANY = 16
"""Connections at once: as many as the service has threads."""

_PERCENTILES = {"p50 ms": 0.50, "p95 ms": 0.95, "p99 ms": 0.99}

Tokens = Callable[[], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Target:
    """What is called, and what came of it.

    Args:
        serving: who answers.
        sent: what it is sent.
        tokens: for one round; none by default.
        rounds: figures of each round so far.
        phases: those of every answer so far, in milliseconds.
    """

    serving: Serving
    sent: Sent
    tokens: Tokens = tuple
    rounds: list[dict[str, float]] = field(default_factory=list)
    phases: list[dict[str, float]] = field(default_factory=list)

    def round(self, load: Loader, connections: int, seconds: float) -> None:
        """Load it once.

        Args:
            load: that does so.
            connections: at the same time.
            seconds: how long requests begin.
        """
        order = Order(self.serving.port, self.sent, connections, seconds=seconds, tokens=self.tokens())
        before = self.serving.cpu_seconds
        answers = load.load(order)
        used = self.serving.cpu_seconds - before
        self.rounds.append(
            {
                "per second": answers.per_second,
                "CPU ms": 1000 * used / len(answers.waits),
                **{name: answers.percentile(share) for name, share in _PERCENTILES.items()},
            }
        )
        self.phases.extend(_phases(answers))

    @property
    def figures(self) -> dict[str, Any]:
        """Medians of the rounds, and of the phases of the answers."""
        found: dict[str, Any] = {name: round(median(one[name] for one in self.rounds), 2) for name in self.rounds[0]}
        return found | ({"phases ms": medians(self.phases)} if self.phases else {})

    def ratio(self, other: "Target", figure: str) -> float:
        """Of this one to another one, round by round; the median.

        Args:
            other: was loaded in the same rounds.
            figure: of a round.
        """
        return round(median(ours[figure] / its[figure] for ours, its in zip(self.rounds, other.rounds, strict=True)), 2)


def run(folder: Path, *, rounds: int, seconds: float) -> dict[str, Any]:
    """Measure.

    Args:
        folder: for databases and logs.
        rounds: in each of which every server is loaded once.
        seconds: of one load.
    """
    ehr = Ehr("hospital")
    sent = patient_view(TYPICAL)
    with ExitStack() as stack:
        load = stack.enter_context(loader())
        fhir = stack.enter_context(fhir_server(folder, TYPICAL))
        calling_back = clients_toml([ehr]) + f'fhir_servers = ["{fhir}"]\nfhir_without_token = true\n'
        servers = {
            "echo": stack.enter_context(echo(folder)),
            "service": stack.enter_context(service(folder / "open")),
            "with tokens": stack.enter_context(service(folder / "tokens", clients=calling_back, public_url=PUBLIC_URL)),
        }

        def tokens() -> tuple[str, ...]:
            return tuple(ehr.token(sent.path) for _ in range(int(400 * seconds)))

        found: dict[str, Any] = {}
        goals: dict[str, float] = {}
        for connections in (1, MANY):
            targets = {
                "echo": Target(servers["echo"], sent),
                "service": Target(servers["service"], sent),
                "service with JWT": Target(servers["with tokens"], sent, tokens),
            }
            in_turns(targets.values(), load, connections, rounds, seconds)
            found[str(connections)] = {name: target.figures for name, target in targets.items()}
            goals |= _goals(targets, connections)
        fetching = {
            "prefetch": Target(servers["with tokens"], with_server(TYPICAL, fhir), tokens),
            "callback": Target(servers["with tokens"], without_prefetch(TYPICAL, fhir), tokens),
        }
        in_turns(fetching.values(), load, 1, rounds, seconds)
    return {
        "rounds": rounds,
        "seconds of a round": seconds,
        "connections": found,
        "fetching": {name: target.figures for name, target in fetching.items()},
        "callback to prefetch": fetching["callback"].ratio(fetching["prefetch"], "p50 ms"),
        "goals": goals,
    }


def in_turns(targets: Iterable[Target], load: Loader, connections: int, rounds: int, seconds: float) -> None:
    """Load servers one after the other, round by round, after a few requests that do not count.

    Args:
        targets: what is loaded; they keep the figures.
        load: that does so.
        connections: at the same time.
        rounds: how many.
        seconds: of each load.
    """
    every = list(targets)
    for target in every:
        few = 2 * connections
        load.load(Order(target.serving.port, target.sent, connections, requests=few, tokens=target.tokens()[:few]))
    for _ in range(rounds):
        for target in every:
            target.round(load, connections, seconds)


def _goals(targets: Mapping[str, Target], connections: int) -> dict[str, float]:
    ours, floor = targets["service"], targets["echo"]
    if connections == 1:
        return {"G5": round(median(one["p99 ms"] / one["p50 ms"] for one in ours.rounds), 2)}
    return {"G4": ours.ratio(floor, "per second"), "G4 by CPU": ours.ratio(floor, "CPU ms")}


def _phases(answers: Answers) -> list[dict[str, float]]:
    if not answers.timings:
        return []
    waits: Sequence[float] = answers.waits
    return [with_rest(phases_of(header), 1000 * wait) for header, wait in zip(answers.timings, waits, strict=True)]
