"""How often somebody may ask: four seconds' worth at once, then the average; nobody at the cost of another (IN-14)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.application import create_app
from server.errors import TooManyRequestsError
from server.runtime import open_runtime
from server.trust.clients import OPEN_CLIENT, Client
from server.trust.rate_limit import MOST_KEYS, THIS_MACHINE, Buckets, Rates
from tests.server.answers import check_answer, diagnostics
from tests.server.conftest import CONFIG as OPEN
from tests.server.logged import lines
from tests.server.trust.conftest import Service, Web
from tests.server.trust.ehrs import Ehr, bearer

ELSEWHERE = "203.0.113.9"
HERE = "127.0.0.1"


@dataclass
class Clock:
    """Time that passes when it is told to."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def rates(clock: Clock, per_second: int = 5, **more: Any) -> Rates:
    return Rates(per_second, clients=Buckets(clock), addresses=Buckets(clock), **more)


def admitted(count: Callable[[], None], times: int) -> int:
    """How many of so many requests, all at the same moment, are let in."""

    def is_let_in() -> bool:
        try:
            count()
        except TooManyRequestsError:
            return False
        return True

    return sum(is_let_in() for _ in range(times))


HOSPITAL = Client("hospital", tenants=("north", "south"))


# --- the bucket


@pytest.mark.requirement("IN-14")
def test_four_seconds_worth_may_come_at_once_and_then_the_average_for_ever(clock: Clock) -> None:
    buckets = Buckets(clock)
    at_once = sum(not buckets.take("key", 50) for _ in range(1000))
    within_a_minute = 0
    for _ in range(600):
        clock.now += 0.1
        within_a_minute += sum(not buckets.take("key", 50) for _ in range(50))
    assert at_once == 200
    assert within_a_minute == pytest.approx(3000, abs=1)


@given(st.floats(0.02, 1000), st.lists(st.floats(0, 5), min_size=1, max_size=60))
def test_whoever_waits_as_long_as_they_are_told_is_let_in_and_never_a_moment_sooner(rate: float, pauses: list[float]) -> None:
    clock = Clock()
    buckets = Buckets(clock)
    for pause in pauses:
        clock.now += pause
        while not (wait := buckets.take("key", rate)):
            pass
        assert 0 < wait <= 1 / rate + 1e-5
        clock.now += wait / 2
        assert buckets.take("key", rate) == pytest.approx(wait / 2, abs=1e-5)
        clock.now += wait / 2 + 1e-5
        assert buckets.take("key", rate) == 0


@pytest.mark.requirement("IN-14")
def test_of_a_hundred_thousand_addresses_only_the_last_are_remembered(clock: Clock) -> None:
    counting = rates(clock)
    for number in range(100_000):
        counting.count_address(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", "page")
    assert len(counting.addresses) == MOST_KEYS
    assert admitted(lambda: counting.count_address("10.1.134.159", "page"), 100) == 19  # the last of them


# --- who is counted with whom


@pytest.mark.requirement("IN-14")
def test_each_client_and_each_tenant_that_it_lists_has_a_bucket_of_its_own(clock: Clock) -> None:
    counting = rates(clock)
    assert admitted(lambda: counting.count_client(HOSPITAL, "north"), 100) == 20
    assert admitted(lambda: counting.count_client(HOSPITAL, "south"), 100) == 20
    assert admitted(lambda: counting.count_client(Client("clinic"), None), 100) == 20
    assert admitted(lambda: counting.count_client(Client("fast", requests_per_second=50), None), 1000) == 200


@pytest.mark.requirement("IN-14")
def test_tenants_that_nobody_listed_give_no_bucket_more(clock: Clock) -> None:
    counting, names = rates(clock), iter(range(1000))
    assert admitted(lambda: counting.count_client(Client("clinic"), f"made-up-{next(names)}"), 100) == 20


def test_worker_processes_share_what_one_client_may_send(clock: Clock) -> None:
    four = [rates(clock, workers=4) for _ in range(4)]
    assert [admitted(lambda one=one: one.count_client(HOSPITAL, None), 100) for one in four] == [5] * 4  # type: ignore[misc]
    one_of_many = rates(clock, 1, workers=64)
    assert admitted(lambda: one_of_many.count_client(HOSPITAL, None), 100) == 1


@pytest.mark.requirement("IN-14")
def test_of_ipv6_a_network_is_one_address_and_this_machine_may_ask_more_often(clock: Clock) -> None:
    counting, numbers = rates(clock), iter(range(100_000))
    assert admitted(lambda: counting.count_address(f"2001:db8:1:2::{next(numbers):x}", "page"), 1000) == 20
    assert admitted(lambda: counting.count_address("2001:db8:1:3::1", "page"), 1000) == 20
    for here in (HERE, "::1", None):
        assert admitted(lambda here=here: counting.count_address(here, "page"), 1000) == 20 * THIS_MACHINE  # type: ignore[misc]
    assert admitted(lambda: counting.count_client(OPEN_CLIENT, None), 1000) == 20 * THIS_MACHINE


# --- as callers meet it


@pytest.fixture
def counted(serve: Callable[..., Service], ehrs: dict[str, Ehr], web: Web, clock: Clock) -> Service:
    """A service for two EHRs at one address, each of which may send four calls at once."""
    for ehr in ehrs.values():
        web.publish(ehr.jwks_url, ehr.jwks())
    clients = [ehr.client(requests_per_second=1) for ehr in ehrs.values()]
    return serve(*clients, rates=rates(clock, 1))


@pytest.mark.requirement("IN-14")
def test_too_many_calls_are_told_when_to_come_back_and_the_neighbour_is_not_told_anything(
    counted: Service, ehrs: dict[str, Ehr], clock: Clock
) -> None:
    hospital, clinic = ehrs.values()
    assert [counted.status(hospital.token()) for _ in range(6)] == [200] * 4 + [429] * 2
    token = hospital.token()
    refused = counted.call(bearer(token))
    check_answer(refused.status_code, refused.headers, refused.data)
    assert diagnostics(refused.get_json()).startswith("MYO-1253")
    said = {"Retry-After": "1", "RateLimit-Limit": "1", "RateLimit-Remaining": "0", "RateLimit-Reset": "1"}
    assert {name: refused.headers[name] for name in said} == said
    assert counted.status(clinic.token()) == 200
    clock.now += 1
    assert counted.status(token) == 200  # a token that was not let in is not used up


@pytest.mark.requirement("IN-14", "JWT-15", "JWT-17")
def test_wrong_tokens_are_counted_by_address_and_good_ones_from_there_are_still_let_in(
    counted: Service, ehrs: dict[str, Ehr]
) -> None:
    (hospital, _) = ehrs.values()
    path, elsewhere = "/cds-services/myositis-patient-view", {"REMOTE_ADDR": ELSEWHERE}
    forged = {"Authorization": "Bearer a.b.c"}
    statuses = [counted.client.post(path, json={}, headers=forged, environ_base=elsewhere).status_code for _ in range(8)]
    assert statuses == [401] * 4 + [429] * 4
    assert counted.client.post(path, json={}, headers=bearer(hospital.token()), environ_base=elsewhere).status_code == 400
    assert counted.used[-1][0] == hospital.issuer
    assert len(counted.used) == 1


@pytest.mark.requirement("IN-14", "JWT-14", "JWT-17")
def test_whoever_sends_a_used_token_again_and_again_pays_by_address_and_the_client_notices_nothing(
    counted: Service, ehrs: dict[str, Ehr]
) -> None:
    (hospital, _) = ehrs.values()
    path, elsewhere = "/cds-services/myositis-patient-view", {"REMOTE_ADDR": ELSEWHERE}
    captured = bearer(hospital.token())
    assert counted.call(captured).status_code == 200
    statuses = [counted.client.post(path, json={}, headers=captured, environ_base=elsewhere).status_code for _ in range(40)]
    assert statuses == [401] * 4 + [429] * 36
    assert [counted.status(hospital.token()) for _ in range(4)] == [200] * 3 + [429]


@pytest.mark.requirement("IN-14", "JWT-17")
def test_refused_tokens_write_no_more_lines_than_their_address_may_ask(
    counted: Service, caplog: pytest.LogCaptureFixture
) -> None:
    elsewhere = {"REMOTE_ADDR": ELSEWHERE}
    for _ in range(40):
        counted.client.post("/assess", json={}, headers={"Authorization": "Bearer a.b.c"}, environ_base=elsewhere)
    assert lines(caplog, "security") == ["event=refused reason=header client=unknown"] * 4


@pytest.mark.requirement("IN-14")
def test_pages_are_counted_by_address_and_whoever_watches_over_the_service_is_not(clock: Clock) -> None:
    runtime = open_runtime(OPEN)
    client = create_app(OPEN, runtime=replace(runtime, gate=replace(runtime.gate, rates=rates(clock)))).test_client()

    def statuses(path: str, address: str = ELSEWHERE) -> list[int]:
        return [client.get(path, environ_base={"REMOTE_ADDR": address}).status_code for _ in range(30)]

    assert statuses("/nothing/here") == [404] * 20 + [429] * 10
    assert statuses("/cds-services") == [429] * 30
    assert statuses("/cds-services", HERE) == [200] * 30
    assert statuses("/health/live") == [200] * 30
    runtime.database.dispose()


ORIGIN = "https://ehr.example"


@pytest.mark.requirement("IN-14", "O-2")
@pytest.mark.parametrize(
    ("method", "path", "answered"),
    [
        ("POST", "/cds-services/nothing", 404),
        ("POST", "/cds-services/nothing/feedback", 404),
        ("OPTIONS", "/cds-services/myositis-patient-view", 200),
        ("OPTIONS", "/assess", 200),
        ("PUT", "/assess", 405),
        ("preflight", "/cds-services/myositis-patient-view", 204),
    ],
)
def test_what_is_answered_before_the_gate_is_counted_by_address(
    serve: Callable[..., Service], ehrs: dict[str, Ehr], clock: Clock, method: str, path: str, answered: int
) -> None:
    client = serve(*(ehr.client(origins=(ORIGIN,)) for ehr in ehrs.values()), rates=rates(clock)).client
    headers = {"Origin": ORIGIN} if method == "preflight" else {}

    def status() -> int:
        http_method = "OPTIONS" if method == "preflight" else method
        return client.open(path, method=http_method, headers=headers, environ_base={"REMOTE_ADDR": ELSEWHERE}).status_code

    assert [status() for _ in range(30)] == [answered] * 20 + [429] * 10
