"""Time, bytes, retries and breakers (OUT-06, OUT-08, OUT-14)."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.ehr.breaker import FAILURES_TO_OPEN, MOST_SECONDS_OPEN, SECONDS_OPEN, Breakers
from server.ehr.budget import MOST_BYTES_OF_ANSWER, MOST_BYTES_OF_CALL, Budget
from server.ehr.retry_after import seconds_to_wait
from server.intake import MOST_RESOURCES

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SERVER, OTHER = ("hospital", "https://ehr.example/fhir"), ("hospital", "https://other.example/fhir")


class Clock:
    """A clock that a test moves on."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


# --- Retry-After


@pytest.mark.requirement("OUT-08")
@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0.0),
        (" 120 ", 120.0),
        ("9" * 500, 999_999_999.0),
        ("Sun, 22 Nov 2026 12:00:30 GMT", 30.0),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 0.0),
        ("Sun, 22 Nov 2026 13:00:30 +0100", 30.0),
        ("Sun, 22 Nov 2026 12:00:30", 30.0),
        *((junk, None) for junk in (None, "", "-1", "1.5", "soon", "٣", "Sun, 99 Nov 2026 12:00:30 GMT", "Sun, 22 Nov 99999")),
    ],
)
def test_retry_after_is_seconds_or_a_date_or_nothing(header: str | None, seconds: float | None) -> None:
    assert seconds_to_wait(header, NOW) == seconds


@pytest.mark.requirement("OUT-08")
@given(st.text(max_size=40))
def test_whatever_retry_after_says_it_is_no_negative_time(header: str) -> None:
    seconds = seconds_to_wait(header, NOW)
    assert seconds is None or seconds >= 0


# --- budget


@pytest.mark.requirement("OUT-08", "T-10.a")
def test_there_is_no_waiting_beyond_the_deadline() -> None:
    clock = Clock()
    budget = Budget(4, clock=clock, sleep=clock.sleep)
    assert budget.wait(1)
    assert budget.seconds == 3
    assert not budget.wait(3)
    assert budget.seconds == 3


@pytest.mark.requirement("OUT-06")
def test_bytes_are_counted_per_answer_and_per_call() -> None:
    budget = Budget(4)
    assert budget.bytes == MOST_BYTES_OF_ANSWER == 8 * 1024 * 1024
    assert budget.covers(MOST_BYTES_OF_CALL - 10, 0)
    assert budget.bytes == 10
    assert not budget.covers(11, 0)
    assert budget.bytes == 0


def test_resources_are_counted_per_call() -> None:
    budget = Budget(4)
    assert budget.covers(0, MOST_RESOURCES)
    assert not budget.covers(0, 1)


# --- breaker


def opened(clock: Clock) -> Breakers:
    """A breaker that has just opened."""
    breakers = Breakers(clock)
    for _ in range(FAILURES_TO_OPEN):
        assert breakers.lets_through(SERVER)
        breakers.failed(SERVER)
    return breakers


@pytest.mark.requirement("OUT-14")
def test_failures_in_a_row_open_it_for_a_while_and_for_this_server_only() -> None:
    clock = Clock()
    breakers = opened(clock)
    assert not breakers.lets_through(SERVER)
    assert breakers.lets_through(OTHER)
    clock.seconds += SECONDS_OPEN - 0.1
    assert not breakers.lets_through(SERVER)


@pytest.mark.requirement("OUT-14")
def test_then_one_call_may_try_and_its_success_closes_it() -> None:
    clock = Clock()
    breakers = opened(clock)
    clock.seconds += SECONDS_OPEN
    assert [breakers.lets_through(SERVER) for _ in range(3)] == [True, False, False]
    breakers.succeeded(SERVER)
    assert breakers.lets_through(SERVER)


@pytest.mark.requirement("OUT-14")
def test_a_try_that_fails_opens_it_again() -> None:
    clock = Clock()
    breakers = opened(clock)
    clock.seconds += SECONDS_OPEN
    assert breakers.lets_through(SERVER)
    breakers.failed(SERVER)
    clock.seconds += SECONDS_OPEN - 0.1
    assert not breakers.lets_through(SERVER)


def test_a_success_between_failures_keeps_it_closed() -> None:
    breakers = Breakers(Clock())
    for _ in range(3 * FAILURES_TO_OPEN):
        breakers.failed(SERVER)
        breakers.succeeded(SERVER)
    assert breakers.lets_through(SERVER)


@pytest.mark.requirement("OUT-08")
@pytest.mark.parametrize(("wait", "seconds"), [(5, 5), (3600, MOST_SECONDS_OPEN)])
def test_a_server_that_asks_to_be_left_alone_is_left_alone_but_not_for_ever(wait: float, seconds: float) -> None:
    clock = Clock()
    breakers = Breakers(clock)
    breakers.failed(SERVER, wait)
    breakers.succeeded(SERVER)  # a call that began earlier
    clock.seconds += seconds - 0.1
    assert not breakers.lets_through(SERVER)
    clock.seconds += 0.2
    assert breakers.lets_through(SERVER)
