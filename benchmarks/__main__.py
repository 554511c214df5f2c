"""`python -m benchmarks`: what one hook call costs, against parsing its JSON, which is the floor.

CPU time, not wall time, and each figure between two timings of the floor: the machine may be busy with other things. The garbage
collector is set as the service sets it. Writes `benchmarks/results.json`; fails if the goal is not met.
"""

import json
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import orjson

from benchmarks.bodies import AS_OF, hook_call
from cards.show import EVERYTHING
from server.basis import packaged_basis
from server.cds_hooks.dialects import in_dialect
from server.cds_hooks.envelope import read_hook_call
from server.cds_hooks.evaluate_call import evaluate_call
from server.cds_hooks.prefetch import read_prefetch
from server.cds_hooks.services import SERVICES
from server.evaluation import PHASES, evaluate
from server.interpreter import quieten_garbage_collector
from server.json_input import parse_json
from server.trust.clients import OPEN_CLIENT
from server.warm_up import warm_up

SIZES = (15, 250, 3_000)
ROUNDS = {15: 101, 250: 41, 3_000: 15}
GOAL_RESOURCES = 3_000
GOAL_SECONDS = 0.5
RESULTS = Path(__file__).parent / "results.json"

PATIENT_VIEW = SERVICES["myositis-patient-view"]


def main() -> int:
    """Measure, print, write, and say whether the goal is met."""
    warm_up()
    bodies = {size: hook_call(size) for size in SIZES}
    quieten_garbage_collector()
    results = {size: measure(body, ROUNDS[size]) for size, body in bodies.items()}
    print_table(results)
    seconds = results[GOAL_RESOURCES]["seconds"]["evaluation"]
    met = seconds < GOAL_SECONDS
    print(
        f"\nGoal: evaluation of {GOAL_RESOURCES} resources under {GOAL_SECONDS} s. "
        f"{'Met' if met else 'NOT MET'}: {seconds:.3f} s of CPU time."
    )
    RESULTS.write_text(json.dumps({"goalMet": met, "bodies": results}, indent=2) + "\n", encoding="utf-8")
    return 0 if met else 1


def measure(body: bytes, rounds: int) -> dict[str, Any]:
    """Median CPU seconds of each phase, and its median ratio to the floor.

    Args:
        body: a hook call.
        rounds: how often.
    """
    times: dict[str, list[float]] = {}
    ratios: dict[str, list[float]] = {}
    for _ in range(rounds):
        before = parsing_time(body)
        phases = one_round(body)
        floor = (before + parsing_time(body)) / 2
        for phase, seconds in phases.items() | {("orjson.loads", floor)}:
            times.setdefault(phase, []).append(seconds)
            ratios.setdefault(phase, []).append(seconds / floor)
    return {
        "bytes": len(body),
        "seconds": {phase: median(values) for phase, values in times.items()},
        "timesParsing": {phase: median(values) for phase, values in ratios.items()},
    }


def parsing_time(body: bytes) -> float:
    """CPU seconds of the floor."""
    start = time.process_time()
    orjson.loads(body)
    return time.process_time() - start


def one_round(body: bytes) -> dict[str, float]:
    """CPU seconds of the phases of one call, of the evaluation (all phases), and of the whole call from bytes to bytes."""
    call = read_hook_call(parse_json(body), PATIENT_VIEW)
    prefetched = read_prefetch(call.prefetch)
    evaluation = evaluate(
        prefetched.parts,
        as_of=AS_OF,
        seed=call.instance,
        patient_id=call.patient_id,
        inputs=prefetched.inputs,
        timer=time.process_time,
    )
    start = time.process_time()
    call = read_hook_call(parse_json(body), PATIENT_VIEW)
    whole = evaluate_call(call, read_prefetch(call.prefetch), OPEN_CLIENT, EVERYTHING, as_of=AS_OF, basis=packaged_basis())
    orjson.dumps({"cards": in_dialect(whole.cards, OPEN_CLIENT)})
    return {**evaluation.seconds, "evaluation": sum(evaluation.seconds.values()), "whole": time.process_time() - start}


def print_table(results: dict[int, dict[str, Any]]) -> None:
    """Milliseconds, and in brackets how many times the parsing of the same body."""
    columns = ("orjson.loads", *PHASES, "evaluation", "whole")
    print("Median CPU time in milliseconds (times orjson.loads of the same body)\n")
    print(f"{'resources':>9} {'kB':>6} " + " ".join(f"{column:>16}" for column in columns))
    for size, result in results.items():
        cells = (f"{result['seconds'][c] * 1000:.2f} ({result['timesParsing'][c]:.2f})" for c in columns)
        print(f"{size:>9} {result['bytes'] / 1000:>6.0f} " + " ".join(f"{cell:>16}" for cell in cells))


if __name__ == "__main__":
    sys.exit(main())
