"""A network to PostgreSQL that does whatever networks do: nobody waits for long, and all is well again by itself."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic

import pytest
from sqlalchemy import Engine, func, select

from server.store.database import connect, upgrade_database
from server.store.deadline import TRANSACTION_SECONDS
from server.store.errors import StoreError
from server.store.outage import ALONE_SECONDS, Outage, outage_of
from server.store.postgresql import IDLE_SECONDS
from server.store.tables import used_tokens
from server.store.transactions import transaction
from tests.fault_proxy import BlackHole, Drip, Fault, FaultProxy, Flap, Garbage, HalfClose, Latency, ResetAfter, fault_proxy
from tests.postgresql import PostgresqlServer

MARGIN = 1.5
"""For what else a transaction does, on a busy machine."""

HEALED_SECONDS = 10.0
"""Until a database that answers is asked again, and asked over a connection that works."""

FAULTS = [Latency(1.0), Latency(5.0), Drip(5), ResetAfter(20), BlackHole(), HalfClose(), Garbage(), Flap(0.3, 0.3)]


@contextmanager
def behind_a_proxy(postgresql: PostgresqlServer, database: str) -> Iterator[tuple[Engine, FaultProxy]]:
    """A database, reached over TCP."""
    with fault_proxy(f"{postgresql.folder}/.s.PGSQL.5432") as proxy:
        engine = connect(f"postgresql+psycopg://postgres@127.0.0.1:{proxy.port}/{database}")
        yield engine, proxy
        engine.dispose()


@pytest.fixture
def name(postgresql: PostgresqlServer) -> str:
    """A database with all tables."""
    url = postgresql.new_database()
    upgrade_database(url)
    return url.partition("@/")[2].partition("?")[0]


def attempt(engine: Engine) -> tuple[bool, float]:
    """Whether the database could be asked, and how long it took to tell."""
    began = monotonic()
    try:
        with transaction(engine) as connection:
            connection.execute(select(func.count()).select_from(used_tokens))
    except StoreError:
        return False, monotonic() - began
    return True, monotonic() - began


@dataclass(frozen=True)
class Seen:
    """How a fault was met with."""

    fault: Fault
    longest: float
    healed: float


def meet(fault: Fault, postgresql: PostgresqlServer, name: str) -> Seen:
    """Ask through a fault for a while, with connections from before and with new ones, and then without it."""
    with behind_a_proxy(postgresql, name) as (engine, proxy):
        assert attempt(engine)[0]
        proxy.fault = fault
        began, longest = monotonic(), 0.0
        while monotonic() < began + TRANSACTION_SECONDS:
            longest = max(longest, attempt(engine)[1])
        proxy.fault = Fault()
        began = monotonic()
        while not attempt(engine)[0] and monotonic() < began + HEALED_SECONDS:
            pass
        return Seen(fault, longest, monotonic() - began)


@pytest.mark.requirement("DB-02", "DB-03")
def test_whatever_the_network_does_nobody_waits_for_long_and_it_heals_by_itself(postgresql: PostgresqlServer, name: str) -> None:
    with ThreadPoolExecutor(len(FAULTS)) as pool:
        seen = list(pool.map(lambda fault: meet(fault, postgresql, name), FAULTS))
    assert [one for one in seen if one.longest > TRANSACTION_SECONDS + MARGIN] == []
    assert [one for one in seen if one.healed > HEALED_SECONDS] == []


@pytest.mark.requirement("DB-02")
def test_what_a_vanished_caller_had_locked_is_soon_free(postgresql: PostgresqlServer, name: str) -> None:
    with behind_a_proxy(postgresql, name) as (vanishing, proxy), behind_a_proxy(postgresql, name) as (engine, _):
        connection = vanishing.connect()
        connection.exec_driver_sql("LOCK TABLE used_tokens IN ACCESS EXCLUSIVE MODE")
        proxy.fault = BlackHole()
        assert not attempt(engine)[0], "the server does not know yet"
        deadline = monotonic() + IDLE_SECONDS + MARGIN
        while not (is_free := attempt(engine)[0]) and monotonic() < deadline:
            pass
        assert is_free
        connection.invalidate()
        connection.close()


@pytest.mark.requirement("DB-02")
def test_who_finds_no_database_spares_the_others_the_wait(postgresql: PostgresqlServer, name: str) -> None:
    with behind_a_proxy(postgresql, name) as (engine, proxy):
        assert attempt(engine)[0]
        proxy.fault = BlackHole()
        assert not attempt(engine)[0]
        before = proxy.accepted
        waits = [attempt(engine) for _ in range(20)]
        assert not any(could for could, _ in waits)
        assert sum(seconds for _, seconds in waits) < ALONE_SECONDS
        assert proxy.accepted == before, "it was left alone"


def test_after_a_failure_one_caller_at_a_time_tries() -> None:
    now = [0.0]
    outage = Outage(clock=lambda: now[0])
    assert outage.lets_through()
    assert outage.lets_through()
    outage.noticed()
    assert not outage.lets_through()
    now[0] += ALONE_SECONDS
    assert [outage.lets_through() for _ in range(3)] == [True, False, False]
    outage.noticed()
    now[0] += ALONE_SECONDS
    assert outage.lets_through()
    outage.is_over()
    assert [outage.lets_through() for _ in range(3)] == [True] * 3


def test_a_caller_that_fails_by_itself_says_nothing_about_the_database(database: Engine) -> None:
    with pytest.raises(ZeroDivisionError), transaction(database):
        _ = 1 / 0
    assert outage_of(database).lets_through()


@pytest.mark.requirement("DB-03")
def test_a_statement_that_is_refused_or_slow_does_not_stop_the_others(database: Engine) -> None:
    for statement in ("SELECT * FROM nowhere", "SELECT pg_sleep(9)"):
        with pytest.raises(StoreError), transaction(database) as connection:
            connection.exec_driver_sql(statement)
        assert attempt(database)[0]
