"""Fuzzing: requests that are nearly right against a service that runs, and its readers by coverage (threats IN-01 to IN-13).

Kept is: no fault of the service (a status of 500 or more, or none to a request in good HTTP), no worker that ended, no request
without an end within five seconds, memory that stays where it was after the first quarter, and no exception that its reader
does not promise.
"""

import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from statistics import linear_regression
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from soak.calls import Call
from soak.described import cases, send_case
from soak.ehr import Ehr, ehrs
from soak.mutations import mutated
from soak.processes import ends_of_workers
from soak.raw_requests import raw_requests
from soak.seen import SECONDS, Seen
from soak.service import Service, running

GROWTH = 1.1
"""Of its memory after the first quarter, at the end."""
NO_FAULT = "no fault"
READERS = ("json", "chart", "token", "markdown", "retry-after", "address")
RUNS_FOR_EACH_REQUEST = 4
"""By coverage, since a run of a reader costs a fraction of a request."""

_PATIENCE = 0.2  # seconds to wait for an answer before saying that no more will be sent
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})")
_SENDERS = 8
_SAMPLES = 40


def run(folder: Path, requests: int, readers: Sequence[str] = READERS) -> dict[str, Any]:
    """A tenth of them made from `/openapi.json`; of the others, half with wrong bodies, half in wrong HTTP. And readers.

    Args:
        folder: empty; also for what the fuzzer by coverage collects.
        requests: how many.
        readers: of `READERS`, or `all`.
    """
    start = time.monotonic()
    found = over_http(folder, requests)
    read = {name: fuzz_reader(folder, name, requests * RUNS_FOR_EACH_REQUEST) for name in readers}
    is_kept = found["kept"] and set(read.values()) == {NO_FAULT}
    return found | {"kept": is_kept, "readers": read, "seconds": round(time.monotonic() - start)}


# --- over HTTP


def over_http(folder: Path, requests: int) -> dict[str, Any]:
    """The requests alone; for arguments see `run`."""
    seen, (ehr,) = Seen(), ehrs(1)
    described = max(1, requests // 10)
    each = max(1, (requests - described) // 2)
    with running(folder, [ehr], workers=1, settings={"MYOSITIS_CDS_REQUESTS_PER_SECOND": "1000"}) as service:
        workers = service.workers

        def weigh() -> None:
            seen.mebibytes.append((seen.statuses.total(), service.mebibytes))

        _send(each, mutated(), lambda call: _send_call(service, ehr, call, seen), weigh)
        _send(each, raw_requests(), lambda sent: _send_raw(service, sent, seen), weigh)
        _send(described, cases(service), lambda case: send_case(service, ehr, case, seen), weigh)
        same_workers = service.workers == workers and not ends_of_workers(service.log)
    quarter, end = seen.mebibytes[len(seen.mebibytes) // 4][1], seen.mebibytes[-1][1]
    return {
        "kept": not seen.faults and not seen.hangs and end <= quarter * GROWTH and same_workers,
        "requests": seen.statuses.total(),
        "madeFromOpenApi": described,
        "sameWorkers": same_workers,
        "statuses": dict(sorted(seen.statuses.items())),
        "faults": seen.faults,
        "hangs": seen.hangs,
        "mebibytesAfterAQuarter": round(quarter, 1),
        "mebibytesAtTheEnd": round(end, 1),
        "kibibytesPerThousandRequests": round(_slope(seen.mebibytes[len(seen.mebibytes) // 4 :]) * 1024 * 1000, 1),
    }


def _slope(weighed: list[tuple[int, float]]) -> float:
    """Mebibytes for each request."""
    numbers, mebibytes = zip(*weighed, strict=True)
    return linear_regression(numbers, mebibytes).slope if len(set(numbers)) > 1 else 0.0


def _send(number: int, made: st.SearchStrategy[Any], send: Callable[[Any], None], weigh: Callable[[], None]) -> None:
    """Make so many, and send each while the next ones are made."""
    sent: list[Any] = []
    with ThreadPoolExecutor(_SENDERS) as pool:

        @settings(
            max_examples=number, phases=[Phase.generate], database=None, deadline=None, suppress_health_check=list(HealthCheck)
        )
        @given(made)
        def make(one: Any) -> None:
            sent.append(pool.submit(send, one))
            if len(sent) % max(1, number * 2 // _SAMPLES) == 0:
                sent[-1].result()
                weigh()

        make()
    for one in sent:
        one.result()
    weigh()


def _send_call(service: Service, ehr: Ehr, call: Call, seen: Seen) -> None:
    connection = HTTPConnection("127.0.0.1", service.port, timeout=SECONDS)
    headers = {"Authorization": f"Bearer {ehr.token(call.path)}", "Content-Type": "application/json"}
    try:
        connection.request("POST", call.path, call.body, headers)
        response = connection.getresponse()
        response.read()
        seen.count(response.status, call.body)
    except TimeoutError:
        seen.hangs += 1
    except (OSError, HTTPException):
        seen.count(0, call.body)
    finally:
        connection.close()


def _send_raw(service: Service, sent: bytes, seen: Seen) -> None:
    """Send, wait a little, say that this was all, and wait for the end."""
    received = b""
    with socket.create_connection(("127.0.0.1", service.port), timeout=_PATIENCE) as connection:
        with suppress(OSError):
            connection.sendall(sent)
            received += _received(connection)
        try:
            connection.shutdown(socket.SHUT_WR)
            connection.settimeout(SECONDS)
            received += _received(connection)
        except TimeoutError:
            seen.hangs += 1
        except OSError:
            pass  # it was closed before we were
    for status in _STATUS.findall(received) or [b"0"]:
        seen.count(int(status), sent, must_be_answered=False)  # what is no HTTP may just be left


def _received(connection: socket.socket) -> bytes:
    """Everything until the end, or until there is nothing for a while."""
    received = b""
    try:
        while piece := connection.recv(65536):
            received += piece
    except TimeoutError:
        if connection.gettimeout() == SECONDS:
            raise
    return received


# --- by coverage

_CHART_COSTS = 200
"""Times what another run costs."""
_RUNS_TAKE = 3600  # seconds at most


def fuzz_reader(folder: Path, name: str, runs: int) -> str:
    """Let atheris look for inputs that a reader fails at.

    Args:
        folder: for the inputs that it finds worth keeping; they are forgotten afterwards.
        name: one of `READERS`, or `all`.
        runs: how many inputs.

    Returns:
        `no fault`, or how it failed, with the input.
    """
    corpus = folder / f"corpus-{name}"
    corpus.mkdir()
    runs = max(1, runs // _CHART_COSTS) if name == "chart" else runs
    command = [sys.executable, "-m", "soak.readers", name, f"-runs={runs}", f"-artifact_prefix={folder}/", str(corpus)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_RUNS_TAKE)
    return NO_FAULT if done.returncode == 0 else f"{done.stdout[-1500:]}{done.stderr[-1500:]}"
