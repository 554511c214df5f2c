"""A process that nobody asks about its health."""

import subprocess
import sys
from pathlib import Path

import pytest

PROCESS = """
import sys
from threading import Event
from server.observing.logs import log_to_stderr
from server.application import create_app
from server.config import Config
from server.observing import figures
from server.runtime import open_runtime
from server.serving import watching
from server.trust.clients import Client

log_to_stderr()
nobody_there = Client("north", issuer="https://north.example", jwks_url="http://127.0.0.1:9/jwks.json")
config = Config(public_url="https://cds.example")
runtime = open_runtime(config, clients=[nobody_there])
ready, turn = Event(), Event()
ready.set()

def wait(seconds):
    told.append(figures.DEGRADED.labels("clock-differs")._value.get())
    for _ in range(20):
        runtime.gate.clock_watch.see("north", 1000.0, 1000.0 if sum(told) else 1045.0)
    if len(told) == 3:
        turn.set()
        Event().wait()

told = []
watching.time.sleep = wait
watching.watch(create_app(config, runtime=runtime, ready=ready), runtime)
assert turn.wait(60)
assert runtime.gate.keys["north"]._flight.end.wait(60)
print(watching.LOOK_SECONDS, *told)
"""


@pytest.mark.requirement("JWT-20", "JWT-06")
def test_it_fetches_keys_and_says_what_is_wrong_and_what_is_well_again() -> None:
    run = subprocess.run([sys.executable, "-c", PROCESS], capture_output=True, text=True, check=True, cwd=Path.cwd())
    assert run.stdout.split() == ["30.0", "0.0", "1.0", "0.0"]
    assert '"event": "jwk_set_not_fetched"' in run.stderr
    assert '"event": "degraded", "reason": "clients-without-keys"' in run.stderr
    assert '"event": "degraded", "reason": "clock-differs"' in run.stderr
    assert '"event": "recovered", "reason": "clock-differs"' in run.stderr
