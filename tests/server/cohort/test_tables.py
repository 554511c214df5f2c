"""When DuckDB cannot go on: whoever started it reads a sentence, and nothing of a patient."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from traceback import format_exception
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from server.cohort import tables
from server.cohort.commands import cohort
from server.cohort.engines import Here
from server.cohort.errors import CohortError, MachineTroubleError
from server.cohort.inputs import find_inputs
from server.cohort.plan import Plan
from server.cohort.run import run
from server.cohort.tables import MEMORY, MORE_MEMORY, duckdb, write_tables
from tests.server.charts import chart
from tests.server.cohort.registries import Silent, as_bulk_data, planned, results
from tests.server.cohort.test_diff import made_up_run

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

NAME = "Jane Doe"
QUOTES_A_CELL = f"SELECT '{NAME}'::INTEGER"


@pytest.mark.parametrize(
    ("query", "memory", "error"),
    [
        pytest.param("COPY (FROM range(100000)) TO '/dev/full' (FORMAT csv)", "128MB", "IOException", id="a full disk"),
        pytest.param("FROM range(1000000) AS each(n) ORDER BY hash(n)", "1MB", "OutOfMemoryException", id="no memory"),
        pytest.param(QUOTES_A_CELL, "128MB", "ConversionException", id="something else"),
    ],
)
def test_trouble_is_one_of_the_machine_and_says_where_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, query: str, memory: str, error: str
) -> None:
    monkeypatch.setattr("server.cohort.tables.MEMORY", memory)
    with pytest.raises(MachineTroubleError) as raised, duckdb(tmp_path) as database:
        database.execute(query)
    assert str(raised.value).startswith(f"{tmp_path}: DuckDB cannot go on with the tables ({error}).")
    assert f"What does not fit into {memory} of memory goes to the disk there: see that it has room" in str(raised.value)


def test_what_duckdb_quotes_is_not_passed_on(tmp_path: Path) -> None:
    with pytest.raises(MachineTroubleError) as raised, duckdb(tmp_path) as database:
        database.execute(QUOTES_A_CELL)
    assert NAME not in "".join(format_exception(raised.value))


def test_what_else_is_wrong_is_said_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(CohortError, match=r"^of the run$") as raised, duckdb(tmp_path):
        raise CohortError("of the run")
    assert not isinstance(raised.value, MachineTroubleError)


def test_tables_that_do_not_fit_even_by_way_of_the_disk_are_given_more_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[str] = []

    def too_little(plan: Plan, bad_lines: Path, memory: str) -> dict[str, int]:
        given.append(memory)
        with duckdb(tmp_path, memory="1MB") as database:
            database.execute("FROM range(1000000) AS each(n) ORDER BY hash(n)")
        return {}

    monkeypatch.setattr(tables, "_written", too_little)
    plan = planned(as_bulk_data(tmp_path / "in", [chart("healthy")]), tmp_path / "out")
    with pytest.raises(MachineTroubleError, match="OutOfMemoryException"):
        write_tables(plan, tmp_path / "none")
    assert given == [MEMORY, MORE_MEMORY]


def test_tables_are_the_same_whatever_memory_they_were_given(tmp_path: Path) -> None:
    plan = planned(as_bulk_data(tmp_path / "in"), tmp_path / "out")
    run(plan, find_inputs(tmp_path / "in"), Here(), Silent(), keeps_work=True)
    before = results(tmp_path / "out")
    tables._written(plan, plan.work / "bad_lines.ndjson", MORE_MEMORY)
    assert results(tmp_path / "out") == before


def fails(database: "DuckDBPyConnection", *_: object) -> None:
    """What stops in the middle of the tables."""
    database.execute(QUOTES_A_CELL)


def to_run(folder: Path) -> list[str]:
    """Arguments."""
    return ["run", str(as_bulk_data(folder / "in", [chart("healthy")])), "--out", str(folder / "out"), "--workers", "1"]


def to_compare(folder: Path) -> list[str]:
    """Arguments."""
    return ["diff", *(str(made_up_run(folder / outcome, 1, outcome)) for outcome in ("holds", "unknown"))]


@pytest.mark.parametrize(
    ("arguments", "step"),
    [
        pytest.param(to_run, "server.cohort.tables._count", id="tables"),
        pytest.param(to_run, "server.cohort.report.figures.Asked", id="report"),
        pytest.param(to_compare, "server.cohort.diff._changed_rows", id="diff"),
    ],
)
def test_every_command_that_uses_duckdb_says_so_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: Callable[[Path], list[str]], step: str
) -> None:
    monkeypatch.setattr(step, fails)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    done = CliRunner().invoke(cohort, arguments(tmp_path))
    assert done.exit_code == 1
    assert isinstance(done.exception, SystemExit), "given up, and not broken off"
    last = done.output.splitlines()[-1]
    assert last.startswith("myositis-cds: ")
    assert "DuckDB cannot go on with the tables (ConversionException)" in last
    assert NAME not in done.output
    place = last.removeprefix("myositis-cds: ").partition(": ")[0]
    assert Path(place.removesuffix(" (TMPDIR)")).is_dir(), "it is still there to be looked at"
