"""From the command to the first answer, to the first card, and through a reload."""

import os
import resource
import signal
import subprocess
import sys
import time
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.calls import TYPICAL, Sent, patient_view
from benchmarks.processes import Serving, service, waited_for

_RELOADED = "generation_serves"
_SECONDS = 60


def run(folder: Path, *, starts: int, calls: int) -> dict[str, Any]:
    """Measure.

    Args:
        folder: for databases and logs.
        starts: how often the service is started.
        calls: after the first one, by which that one is judged.
    """
    sent = patient_view(TYPICAL)
    seen = [_started(folder / str(number), sent, calls) for number in range(starts)]
    found = {name: round(median(one[name] for one in seen), 3) for name in seen[0]}
    return {
        "starts": starts,
        **found,
        "goals": {"G9": found["ready to import flask"], "ready": found["ready s"], "G10": found["first card to steady"]},
    }


def _started(folder: Path, sent: Sent, calls: int) -> dict[str, float]:
    flask_seconds, flask_cpu = _import_flask()
    began = time.monotonic()
    with service(folder) as serving:
        _wait_until_ready(serving.port)
        ready, cpu = time.monotonic() - began, serving.cpu_seconds
        waits = _waits(serving.port, sent, 1 + calls)
        steady = median(waits[1:])
        reload = _reload(serving)
    return {
        "import flask s": flask_seconds,
        "import flask CPU s": flask_cpu,
        "ready s": ready,
        "ready CPU s": cpu,
        "ready to import flask": ready / flask_seconds,
        "CPU to import flask": cpu / flask_cpu,
        "first card ms": 1000 * waits[0],
        "steady card ms": 1000 * steady,
        "first card to steady": waits[0] / steady,
        "reload s": reload,
    }


def _import_flask() -> tuple[float, float]:
    """Seconds that a fresh process takes for it, and of CPU time."""
    before, began = _cpu_of_children(), time.monotonic()
    subprocess.run([sys.executable, "-c", "import flask"], check=True)
    return time.monotonic() - began, _cpu_of_children() - before


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _wait_until_ready(port: int) -> None:
    """Until `/health/ready` answers 200; the service has said by now that it serves."""
    until = time.monotonic() + _SECONDS
    while time.monotonic() < until:
        connection = HTTPConnection("127.0.0.1", port, timeout=_SECONDS)
        connection.request("GET", "/health/ready")
        status = connection.getresponse().status
        connection.close()
        if status == 200:
            return
        time.sleep(0.005)
    raise TimeoutError("the service is not ready")


def _waits(port: int, sent: Sent, calls: int) -> list[float]:
    """Seconds that each call waits for its cards, on one connection."""
    connection = HTTPConnection("127.0.0.1", port, timeout=_SECONDS)
    waits = []
    for number in range(calls):
        body = sent.fresh(number)
        began = time.monotonic()
        connection.request("POST", sent.path, body, {"Content-Type": "application/json"})
        connection.getresponse().read()
        waits.append(time.monotonic() - began)
    connection.close()
    return waits


def _reload(serving: Serving) -> float:
    """Seconds from SIGHUP until another generation serves."""
    os.kill(serving.process.pid, signal.SIGHUP)
    return waited_for(_RELOADED, serving.log, _SECONDS)
