"""What one hook call costs without a network, against parsing its JSON, which is the floor; and the phases of it."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
from flask import Flask

from benchmarks.applications import called, calling, environ_of, log_to_nowhere, open_service, service_with_clients
from benchmarks.bodies import AS_OF
from benchmarks.calls import LARGE, SMALL, TYPICAL, Sent, order_select, patient_view
from benchmarks.echo import create_echo
from benchmarks.measuring import FLOOR, Case, side_by_side, timed
from benchmarks.timing import medians, phases_of, with_rest
from server.assessing.chart_input import evaluate_chart
from server.cds_hooks.envelope import read_hook_call
from server.cds_hooks.prefetch import read_prefetch
from server.cds_hooks.services import CHART_OPENED, SERVICES
from server.evaluation import evaluate
from server.interpreter import settle
from server.json_input import parse_json
from server.warm_up import warm_up
from soak.ehr import Ehr

SIZES = (SMALL, TYPICAL, LARGE)


def run(folder: Path, *, rounds: Mapping[int, int]) -> dict[str, Any]:
    """Measure.

    Args:
        folder: for databases.
        rounds: of each size.
    """
    ehr = Ehr("hospital")
    with log_to_nowhere():
        warm_up()
        service, with_tokens, echo = open_service(folder), service_with_clients(folder, ehr), create_echo()
        bodies = {size: patient_view(size) for size in SIZES}
        settle()
        sizes = {str(size): _of_size(bodies[size], service, with_tokens, echo, ehr, rounds[size]) for size in SIZES}
        typical = bodies[TYPICAL]
        small = side_by_side(calling(echo, bodies[SMALL]), {"call": calling(service, bodies[SMALL])}, rounds[SMALL])
        select = _order_select(service, rounds[TYPICAL])
        strict = side_by_side(_parsing(typical.body), {"strict": _strict(typical.body)}, max(7, rounds[TYPICAL] // 4))
    return {
        "rounds": {str(size): rounds[size] for size in SIZES},
        "sizes": sizes,
        "order-select": select,
        "strict": strict["strict"].as_json(),
        "goals": _goals(sizes) | {"G3": round(small["call"].ratio, 2), "G1s": round(strict["strict"].ratio, 1)},
    }


def _of_size(sent: Sent, service: Flask, with_tokens: Flask, echo: Flask, ehr: Ehr, rounds: int) -> dict[str, Any]:
    cases: dict[str, Case] = {
        "checked parse": _doing(parse_json, sent.body),
        "evaluation": _evaluating(sent.body),
        "echo": calling(echo, sent),
        "call": calling(service, sent),
        "call with JWT": calling(with_tokens, sent, ehr.token),
    }
    found = side_by_side(_parsing(sent.body), cases, rounds)
    return {
        "bytes": len(sent.body),
        "cards": len(_cards(service, sent)),
        "cases": {"orjson.loads" if name == FLOOR else name: one.as_json() for name, one in found.items()},
        "phases ms": phases(service, sent, rounds),
    }


def phases(app: Flask, sent: Sent, rounds: int) -> dict[str, float]:
    """Median wall milliseconds of the phases of a call, as `Server-Timing` says them, and the rest of it.

    Args:
        app: the service.
        sent: what it is sent.
        rounds: how often.
    """
    seen = []
    for _ in range(rounds):
        environ = environ_of(sent)
        start = time.perf_counter()
        headers, _ = called(app, environ)
        total = 1000 * (time.perf_counter() - start)
        seen.append(with_rest(phases_of(headers["Server-Timing"]), total))
    return medians(seen)


def _order_select(service: Flask, rounds: int) -> dict[str, Any]:
    sent = order_select(TYPICAL)
    found = side_by_side(_parsing(sent.body), {"call": calling(service, sent)}, rounds)
    return {
        "cards": len(_cards(service, sent)),
        "call": found["call"].as_json(),
        "phases ms": phases(service, sent, rounds),
    }


def _goals(sizes: Mapping[str, Any]) -> dict[str, float]:
    small, typical, large = (sizes[str(size)]["cases"] for size in SIZES)
    loads = _slope(typical["orjson.loads"], large["orjson.loads"])
    return {
        "G1": typical["call"]["ratio"],
        "G1j": typical["call with JWT"]["ratio"],
        "G2": large["call"]["ratio"],
        "G6": round((large["call"]["ms"] / LARGE) / (typical["call"]["ms"] / TYPICAL), 2),
        "G8": round((_slope(typical["call"], large["call"]) - loads) / loads, 2),
        "T-10": round(large["evaluation"]["ms"] / 1000, 4),
        "echo": typical["echo"]["ratio"],
        "echo of the small body": small["echo"]["ratio"],
    }


def _slope(typical: Mapping[str, float], large: Mapping[str, float]) -> float:
    """Milliseconds of one resource more."""
    return (large["ms"] - typical["ms"]) / (LARGE - TYPICAL)


def _cards(service: Flask, sent: Sent) -> list[Any]:
    cards: list[Any] = orjson.loads(called(service, environ_of(sent))[1])["cards"]
    return cards


def _parsing(body: bytes) -> Case:
    return _doing(orjson.loads, body)


def _doing(work: Any, body: bytes) -> Case:
    return lambda times: timed(work, [body] * times)


def _evaluating(body: bytes) -> Case:
    """From the parsed call to cards: what is ours, without HTTP, trust and store."""
    service = SERVICES[CHART_OPENED]

    def work(parsed: Any) -> None:
        call = read_hook_call(parsed, service)
        sent = read_prefetch(call.prefetch)
        evaluate(
            sent.parts,
            as_of=AS_OF,
            seed=call.instance,
            patient_id=call.patient_id,
            inputs=sent.inputs,
            servers=(call.fhir_server,) if call.fhir_server else (),
            issues=sent.issues,
        )

    return lambda times: timed(work, [orjson.loads(body) for _ in range(times)])


def _strict(body: bytes) -> Case:
    """`assess --strict`, which holds every resource against the full models."""

    def work(content: bytes) -> None:
        parts = list(parse_json(content)["prefetch"].values())
        evaluate_chart(parts, as_of=AS_OF, patient_id=None, strict=True)

    return _doing(work, body)
