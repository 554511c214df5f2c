"""A network to the EHR's FHIR server that does whatever networks do; and clocks that jump meanwhile."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from threading import Event
from time import perf_counter
from urllib.parse import urlsplit

import pytest
import time_machine
from flask.testing import FlaskClient

from server.application import create_app
from server.config import Config
from server.ehr.breaker import FAILURES_TO_OPEN, SECONDS_OPEN, Breakers
from server.ehr.callback import Callback
from server.runtime import Runtime, open_runtime
from server.trust.clients import Caller, Client
from server.trust.gate import Gate
from tests.end_to_end.conftest import end
from tests.fault_proxy import BlackHole, Drip, Fault, FaultProxy, Flap, Garbage, HalfClose, Latency, ResetAfter, fault_proxy
from tests.server.answers import check_answer
from tests.server.charts import ANTI_TIF1, AS_OF, Json, chart, hook_call, prefetch_of

TOKEN = "synthetic-token"
PATH = "/fhir"
SECONDS = 0.6
"""For everything that one call fetches."""
MARGIN = 2.0
"""For what else a call does, on a busy machine."""


@pytest.fixture(scope="module")
def proxy() -> Iterator[FaultProxy]:
    """In front of the sandbox's FHIR API, which is a process of its own."""
    command = [sys.executable, "-m", "sandbox.fhir_server", "--port", "0", "--token", TOKEN, "--as-of", f"{AS_OF}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            place = urlsplit(process.stdout.readline().split()[-1])
            assert place.hostname
            assert place.path == PATH
            with fault_proxy(place.hostname, place.port) as running:
                Service(running).call(prefetch_of(chart(ANTI_TIF1)))  # the first call of a process reads the knowledge
                yield running
        finally:
            end(process, signal.SIGTERM)


class _Admits(Gate):
    """A gate that has seen the token of its only client."""

    def admit(self, request: object, audiences: object) -> Caller:
        return Caller(self.clients[0])


class Service:
    """A service that calls back through the proxy, with a clock that only the test moves."""

    def __init__(self, proxy: FaultProxy, seconds: float = SECONDS) -> None:
        self.base = f"http://127.0.0.1:{proxy.port}{PATH}"
        self.now = 0.0
        config = Config(fetch_seconds=seconds, today=lambda: AS_OF)
        client = Client("hospital", fhir_servers=(self.base,))
        runtime: Runtime = open_runtime(config, clients=())
        callback = Callback(config, breakers=Breakers(lambda: self.now))
        ready = Event()
        ready.set()
        self.app: FlaskClient = create_app(
            config, runtime=replace(runtime, gate=_Admits((client,)), callback=callback), ready=ready
        ).test_client()

    def call(self, prefetch: Json | None = None) -> tuple[int, Json, float]:
        """Open a chart; status, answer, seconds."""
        body = hook_call(ANTI_TIF1, prefetch, fhirServer=self.base, fhirAuthorization={"access_token": TOKEN})
        began = perf_counter()
        response = self.app.post("/cds-services/myositis-patient-view", json=body)
        taken = perf_counter() - began
        check_answer(response.status_code, response.headers, response.get_data())
        return response.status_code, response.get_json(), taken

    def topics(self, prefetch: Json | None = None) -> set[str]:
        """What the cards are about."""
        return {card["source"]["topic"]["code"] for card in self.call(prefetch)[1]["cards"]}

    def readiness(self) -> Json:
        """What the health endpoint says."""
        return self.app.get("/health/ready").get_json()


@pytest.mark.requirement("OUT-11", "OUT-12", "OUT-13", "OUT-14")
@pytest.mark.parametrize(
    "fault",
    [Latency(5), Drip(50), ResetAfter(0), ResetAfter(300), BlackHole(), HalfClose(), Garbage(), Flap(0.05, 0.05)],
    ids=lambda fault: type(fault).__name__,
)
def test_a_network_that_fails_costs_no_more_than_its_time_and_claims_nothing(proxy: FaultProxy, fault: Fault) -> None:
    service = Service(proxy)
    proxy.fault = fault
    status, answer, seconds = service.call()
    assert seconds < SECONDS + MARGIN
    assert status in (200, 412)
    if status == 412:
        assert "cards" not in answer
    sent = prefetch_of(chart(ANTI_TIF1))
    assert service.call(sent)[0] == 200, "what was sent is enough"


@pytest.mark.requirement("OUT-14", "OUT-18")
def test_a_server_in_trouble_is_left_alone_and_named_until_it_answers_again(proxy: FaultProxy) -> None:
    service = Service(proxy, seconds=10.0)
    proxy.fault = ResetAfter(0)
    for _ in range(FAILURES_TO_OPEN):
        service.call()
    assert service.readiness()["reasons"] == ["ehr-left-alone"]
    before = proxy.accepted
    assert service.call()[2] < MARGIN
    assert proxy.accepted == before
    proxy.fault = Fault()
    service.now += SECONDS_OPEN
    assert service.topics() >= {"lungFunction", "tumourScreening"}
    assert service.readiness()["status"] == "ready"


@pytest.mark.requirement("PR-05")
@pytest.mark.parametrize("moment", [0, 4_000_000_000], ids=["1970", "2096"])
def test_a_clock_that_stands_still_in_another_year_stops_no_deadline(proxy: FaultProxy, moment: int) -> None:
    service = Service(proxy)
    proxy.fault = BlackHole()
    with time_machine.travel(moment, tick=False):
        _, _, seconds = service.call()
        assert service.app.get("/health/ready").status_code == 200
    assert seconds < SECONDS + MARGIN
