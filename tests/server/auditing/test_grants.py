"""The PostgreSQL role of `deploy/grants.sql` (docs/audit.md): the service answers as it, and cannot change what it recorded."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import ProgrammingError

from server.auditing.retention import purge_audit
from server.store.database import open_database, upgrade_database
from server.store.errors import StoreError
from server.store.tables import metadata, shadow_calls
from tests.postgresql import PostgresqlServer
from tests.server.auditing.conftest import Start
from tests.server.auditing.rows import entries, faults
from tests.server.charts import ANTI_TIF1, chart, hook_call, prefetch_of
from tests.server.store.rows import count as rows

GRANTS = Path(__file__).parents[3] / "deploy" / "grants.sql"
VIEW = "/cds-services/myositis-patient-view"


@pytest.fixture
def owner(postgresql: PostgresqlServer) -> Iterator[Engine]:
    """The owner of a database, after the grants."""
    url = postgresql.new_database()
    upgrade_database(url)
    engine = open_database(url)
    for _ in range(2):  # after each upgrade
        with engine.begin() as connection:
            connection.exec_driver_sql(GRANTS.read_text("utf-8"))
    yield engine
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP OWNED BY myositis_cds; DROP ROLE myositis_cds")
    engine.dispose()


@pytest.fixture
def service(owner: Engine) -> Iterator[Engine]:
    """The same database for the role of the service."""
    engine = open_database(owner.url.set(username="myositis_cds").render_as_string(hide_password=False))
    yield engine
    engine.dispose()


@pytest.mark.requirement("AUD-01")
def test_the_service_answers_as_a_role_that_cannot_change_a_record(start: Start, service: Engine, owner: Engine) -> None:
    runtime, http = start(service)
    call = hook_call(ANTI_TIF1, prefetch_of(chart(ANTI_TIF1)))
    (card, *_) = http.post(VIEW, json=call).get_json()["cards"]
    said = {"card": card["uuid"], "outcome": "overridden", "outcomeTimestamp": "2026-11-22T10:00:00Z"}
    assert http.post(f"{VIEW}/feedback", json={"feedback": [said]}).status_code == 200
    assert http.post(VIEW, json=call, headers={"X-Client": "in-shadow"}).get_json() == {"cards": []}
    assert rows(owner, shadow_calls) == 1
    for statement in (
        "UPDATE audit_events SET entry = '{}'", "DELETE FROM audit_events", "TRUNCATE audit_events", "DROP TABLE audit_events",
        "DELETE FROM audit_chains", "ALTER TABLE audit_events ADD COLUMN more integer",
    ):  # fmt: skip
        with pytest.raises(ProgrammingError, match="InsufficientPrivilege"), service.connect() as connection:
            connection.exec_driver_sql(statement)
    key = runtime.pseudonyms.key_for("audit")
    with pytest.raises(StoreError):
        purge_audit(service, key, 2**50)
    assert len(entries(owner)) == 3
    assert faults(owner, key) == []
    assert purge_audit(owner, key, 2**50) == 3
    assert faults(owner, key) == []


def test_the_service_may_write_every_table_but_what_it_recorded(service: Engine) -> None:
    granted = {
        (table.name, right)
        for table in metadata.sorted_tables
        for right in ("SELECT", "INSERT", "UPDATE", "DELETE")
        if may(service, table.name, right)
    }
    every = {(table.name, right) for table in metadata.sorted_tables for right in ("SELECT", "INSERT", "UPDATE", "DELETE")}
    assert every - granted == {("audit_events", "UPDATE"), ("audit_events", "DELETE"), ("audit_chains", "DELETE")}
    assert may(service, "alembic_version", "SELECT")


def may(engine: Engine, table: str, right: str) -> bool:
    with engine.connect() as connection:
        return bool(connection.execute(select(func.has_table_privilege(table, right))).scalar())
