"""The PostgreSQL role of `deploy/grants.sql` (docs/audit.md): the service answers as it, and cannot change what it recorded."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import ProgrammingError

from server.auditing.retention import purge_audit
from server.store.database import open_database, upgrade_database
from server.store.errors import StoreError
from server.store.tables import metadata
from tests.postgresql import PostgresqlServer
from tests.server.auditing.conftest import Start
from tests.server.auditing.rows import entries, faults
from tests.server.charts import ANTI_TIF1, chart, hook_call, prefetch_of

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
    assert http.get("/health/live").status_code == 200
    for statement in (
        "UPDATE audit_events SET entry = '{}'", "DELETE FROM audit_events", "TRUNCATE audit_events", "DROP TABLE audit_events",
        "DELETE FROM audit_chains", "ALTER TABLE audit_events ADD COLUMN more integer",
    ):  # fmt: skip
        with pytest.raises(ProgrammingError, match="InsufficientPrivilege"), service.connect() as connection:
            connection.exec_driver_sql(statement)
    key = runtime.pseudonyms.key_for("audit")
    with pytest.raises(StoreError):
        purge_audit(service, key, 2**50)
    assert len(entries(owner)) == 2
    assert faults(owner, key) == []
    assert purge_audit(owner, key, 2**50) == 2
    assert faults(owner, key) == []


@pytest.mark.requirement("AUD-01")
def test_the_service_may_write_into_every_table(service: Engine) -> None:
    with service.connect() as connection:
        rights = "has_table_privilege('{0}', 'SELECT') AND has_table_privilege('{0}', 'INSERT')"
        may = {name for name in metadata.tables if connection.exec_driver_sql(f"SELECT {rights.format(name)}").scalar()}
    assert may == set(metadata.tables)
