"""However many write at the same time, each chain is one chain without a gap."""

import pytest
from sqlalchemy import Engine

from server.auditing.appending import append, seal
from server.auditing.reading import heads, snapshot
from tests.server.auditing.processes import CLIENTS, EACH, PROCESSES, THREADS
from tests.server.auditing.rows import KEY, add, faults, line
from tests.server.store.processes import python


@pytest.mark.requirement("AUD-01", "DB-05")
def test_many_processes_and_threads_make_one_chain_of_each_client_without_a_gap(database: Engine, database_url: str) -> None:
    result = python("-m", "tests.server.auditing.processes", "append", database_url)
    assert (result.returncode, result.stderr) == (0, "")
    with snapshot(database) as connection:
        found = heads(connection)
    assert [(head.client, head.sequence) for head in found] == [(name, PROCESSES * THREADS * EACH // 2) for name in CLIENTS]
    assert faults(database) == []


@pytest.mark.requirement("AUD-01")
def test_a_record_that_is_there_is_not_put_in_twice(database: Engine) -> None:
    lines = [line(at=at) for at in (1, 1, 2)]
    add(database, *lines[:2])
    with database.begin() as connection:
        assert append(connection, KEY, lines, unless_there=True).sequence == 3
    with database.begin() as connection:
        assert append(connection, KEY, lines, unless_there=True).sequence == 3
    assert faults(database) == []


@pytest.mark.requirement("AUD-01")
def test_a_transaction_that_fails_leaves_the_chain_as_it_was(memory: Engine) -> None:
    add(memory, line())
    with memory.connect() as connection:
        append(connection, KEY, [line()])
        connection.rollback()
    add(memory, line())
    with snapshot(memory) as connection:
        assert [head.sequence for head in heads(connection)] == [2]
    assert faults(memory) == []


def test_a_seal_depends_on_everything() -> None:
    one = line(at=1)
    seals = {
        seal(KEY, "", 1, one), seal(KEY, "0", 1, one), seal(KEY, "", 2, one), seal(b"", "", 1, one), seal(KEY, "", 1, line(at=1)),
        seal(KEY, "", 1, line("other", at=1)), seal(KEY, "", 1, line(at=2)),
    }  # fmt: skip
    assert len(seals) == 7
