"""Whatever is done to one row of the trail is found, and a noted head shows what the trail alone cannot."""

import tracemalloc
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, and_, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from server.auditing.appending import Head, append
from server.auditing.reading import heads, snapshot
from server.auditing.retention import purge_audit
from server.auditing.verifying import MOST_FAULTS, Verified, verify
from server.store.database import open_database
from server.store.tables import audit_chains, audit_events
from tests.server.auditing.rows import KEY, add, faults, line
from tests.sizes import size

TABLES = {"events": audit_events, "chains": audit_chains}
NUMBERS = {"sequence", "recorded_at", "purged_sequence"}


def fill(engine: Engine) -> None:
    """Two clients; of one, retention has deleted the first two records."""
    add(engine, *(line(at=at) for at in (10, 20, 3_000, 4_000)), *(line("other", at=5_000) for _ in range(3)))
    assert purge_audit(engine, KEY, 1_000) == 2
    add(engine, line(at=6_000))


@pytest.fixture
def filled(database: Engine) -> Engine:
    fill(database)
    return database


@pytest.fixture(scope="module")
def trail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path_factory.mktemp('trail')}/trail.sqlite3")
    fill(engine)
    yield engine
    engine.dispose()


def found(connection: Connection) -> list[str]:
    return [fault for one in verify(connection, KEY) for fault in one.faults]


def key_of(table: Any, row: Any) -> Any:
    return and_(*(column == row._mapping[column.name] for column in table.primary_key.columns))


def change_one(connection: Connection, table: Any, data: st.DataObject) -> None:
    """Change one column of one row."""
    row = data.draw(st.sampled_from(connection.execute(select(table)).all()), label="row")
    name = data.draw(st.sampled_from([column.name for column in table.columns]), label="column")
    values = st.integers(-1, 10) if name in NUMBERS else st.sampled_from(["other", "hospital", "nobody", "0" * 64, "", "{}"])
    value = data.draw(values | st.integers(0, 2**40) if name in NUMBERS else values | st.text(max_size=64), label="value")
    assume(value != row._mapping[name])
    connection.execute(update(table).where(key_of(table, row)).values({name: value}))


def take_one(connection: Connection, table: Any, data: st.DataObject) -> None:
    """Delete one row."""
    row = data.draw(st.sampled_from(connection.execute(select(table)).all()), label="row")
    connection.execute(delete(table).where(key_of(table, row)))


def put_one_in(connection: Connection, table: Any, data: st.DataObject) -> None:
    """Insert a row: one that is there, under another number."""
    row = data.draw(st.sampled_from(connection.execute(select(audit_events)).all()), label="row")
    client = data.draw(st.sampled_from(["hospital", "other", "nobody"]), label="client")
    sequence = data.draw(st.integers(0, 12), label="sequence")
    connection.execute(insert(audit_events).values({**row._mapping, "client": client, "sequence": sequence}))


def swap_two(connection: Connection, table: Any, data: st.DataObject) -> None:
    """Change the order of two records, with or without their seals."""
    rows = connection.execute(select(audit_events)).all()
    first, second = data.draw(st.lists(st.sampled_from(rows), min_size=2, max_size=2, unique=True), label="rows")
    moved = ("recorded_at", "entry", "chain") if data.draw(st.booleans(), label="with seals") else ("recorded_at", "entry")
    for one, another in ((first, second), (second, first)):
        values = {name: another._mapping[name] for name in moved}
        connection.execute(update(audit_events).where(key_of(audit_events, one)).values(values))


@pytest.mark.requirement("AUD-01")
@given(
    table=st.sampled_from(["events", "chains"]), do=st.sampled_from([change_one, take_one, put_one_in, swap_two]), data=st.data()
)
@settings(max_examples=size(150, part=60))
def test_any_single_change_of_any_row_is_found(trail: Engine, table: str, do: Any, data: st.DataObject) -> None:
    with trail.connect() as connection:
        assert found(connection) == []
        try:
            do(connection, TABLES[table], data)
        except IntegrityError:
            assume(False)  # there is a row like that already
        assert found(connection) != []
        connection.rollback()
        assert found(connection) == []


@pytest.mark.requirement("AUD-01")
def test_what_was_done_is_told_and_where(filled: Engine) -> None:
    assert faults(filled) == []
    events, of = audit_events, lambda sequence: and_(audit_events.c.client == "hospital", audit_events.c.sequence == sequence)
    told = {}
    for name, statement in {
        "edited": update(events).where(of(4)).values(entry="{}"),
        "deleted": delete(events).where(of(4)),
        "cut off": delete(events).where(of(6)),
        "head moved": update(audit_chains).where(audit_chains.c.client == "hospital").values(sequence=5),
        "beginning deleted": delete(events).where(of(3)),
        "head deleted": delete(audit_chains).where(audit_chains.c.client == "hospital"),
    }.items():
        with filled.connect() as connection:
            connection.execute(statement)
            told[name] = found(connection)[0]
            connection.rollback()
    assert told == {
        "edited": "record 4: is not what was written here: changed, moved, or put in from elsewhere",
        "deleted": "record 4 is missing: deleted or moved",
        "cut off": "record 6 is missing at the end: deleted",
        "head moved": "record 6 is after the head: put in, or the head was changed",
        "beginning deleted": "record 3 is missing: deleted or moved",
        "head deleted": "records 1 to 2 are missing: deleted or moved",
    }


@pytest.mark.requirement("AUD-01")
def test_a_beginning_that_was_deleted_is_no_retention_even_if_the_head_says_so(filled: Engine) -> None:
    with filled.begin() as connection:
        third = connection.execute(
            select(audit_events).where(audit_events.c.client == "other", audit_events.c.sequence == 2)
        ).one()
        connection.execute(delete(audit_events).where(audit_events.c.client == "other", audit_events.c.sequence <= 2))
        connection.execute(
            update(audit_chains)
            .where(audit_chains.c.client == "other")
            .values(purged_sequence=third.sequence, purged_chain=third.chain)
        )
    assert faults(filled) == ["records 1 to 2 are gone, and no record says that retention deleted them"]


@pytest.mark.requirement("AUD-01")
def test_an_end_that_was_cut_off_with_its_head_is_shown_by_a_head_that_was_noted(filled: Engine) -> None:
    def told(noted: list[Head]) -> list[str]:
        with snapshot(filled) as connection:
            return [fault for one in verify(connection, KEY, noted=noted) for fault in one.faults]

    with snapshot(filled) as connection:
        noted = heads(connection)
        fifth = connection.execute(
            select(audit_events).where(audit_events.c.client == "hospital", audit_events.c.sequence == 5)
        ).one()
    with filled.begin() as connection:
        connection.execute(delete(audit_events).where(audit_events.c.client == "hospital", audit_events.c.sequence > 5))
        connection.execute(update(audit_chains).where(audit_chains.c.client == "hospital").values(sequence=5, chain=fifth.chain))
    assert told([]) == []
    assert told(noted) == ["record 6: was there when its seal was noted, and is missing: the end was cut off"]
    add(filled, line(at=7_000), line(at=8_000))
    assert told(noted) == ["record 6: its seal is not the one that was noted: the chain was made anew up to here"]
    assert told([Head("gone", 3, "0" * 64)])[-1].startswith("record 3: was there")


@pytest.mark.requirement("AUD-01")
def test_another_key_fits_no_record_and_words_stay_few(filled: Engine) -> None:
    add(filled, *(line(at=at) for at in range(10_000, 10_000 + MOST_FAULTS)))
    with snapshot(filled) as connection:
        one = verify(connection, b"another key", "hospital")[0]
    assert len(one.faults) == MOST_FAULTS
    assert one.more == one.records + 1 - MOST_FAULTS  # each record, and the retention that nobody witnesses then


@pytest.mark.requirement("AUD-01")
def test_retention_deletes_the_oldest_and_the_rest_stays_verifiable(database: Engine) -> None:
    moments = count(1)
    with database.begin() as connection:
        append(connection, KEY, [line(at=next(moments)) for _ in range(1_200)])
    assert purge_audit(database, KEY, 1_101) == 1_100
    assert purge_audit(database, KEY, 1_101) == 0
    add(database, line(at=next(moments)))
    with snapshot(database) as connection:
        (one,) = verify(connection, KEY)
    assert one == Verified(one.head, 102, 1_101, 1_201, 1_100, (), 0)
    assert one.head.sequence == 1_202
    assert purge_audit(database, KEY, 2**50) == 102
    assert faults(database) == []


@pytest.mark.requirement("AUD-01")
def test_verifying_keeps_few_records_in_memory(tmp_path: Path) -> None:
    engine, peaks = open_database(f"sqlite:///{tmp_path}/long.sqlite3"), []
    for _ in range(2):
        with engine.begin() as connection:
            append(connection, KEY, [line(at=at, cards=("0" * 36,) * 3) for at in range(2_000)])
        tracemalloc.start()
        assert faults(engine) == []
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.2
    engine.dispose()
