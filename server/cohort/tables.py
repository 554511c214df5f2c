"""From rows to tables: Parquet for programs and CSV for people, sorted out of core by DuckDB."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from server.cohort.errors import CohortError, MachineTroubleError, TooLittleMemoryError
from server.cohort.evaluate import folder_of
from server.cohort.plan import Plan
from server.cohort.rows import KEYS, TABLES

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_Made = TypeVar("_Made")

MEMORY, THREADS = "128MB", 1
"""Of DuckDB at most; what does not fit goes to the disk. Each thread holds as much again of what it sorts, and gains little."""

MORE_MEMORY = "512MB"
"""Where that is too little even by way of the disk, as for some million rows."""

BAD_LINES: Mapping[str, str] = {"file": "VARCHAR", "line": "BIGINT", "problem": "VARCHAR"}
"""Columns of the table of lines that cannot be used."""

_TROUBLE = (
    "{place}: DuckDB cannot go on with the tables ({error}). What does not fit into {memory} of memory goes to the disk there: "
    "see that it has room and can be written, and start again in the same way. If it has, and the same is said again, this is a "
    "fault of the software: please report it, with the name in brackets."
)

_FORMULA = r"^[=+@\t\r-]"  # no spreadsheet takes a text for a formula (CSV-01)


@contextmanager
def duckdb(folder: Path, place: str = "", memory: str = "") -> Iterator["DuckDBPyConnection"]:
    """A database in memory that may use a folder for what does not fit.

    Args:
        folder: that exists.
        place: what people know it by, where that is not its path.
        memory: at most, as DuckDB writes it; `MEMORY` by default.

    Raises:
        CohortError: DuckDB is not installed.
        TooLittleMemoryError: it cannot go on with so little.
        MachineTroubleError: it cannot go on, for want of room on the disk most of the time.
    """
    try:
        import duckdb as library
    except ImportError as error:
        raise CohortError("DuckDB is not installed here: install myositis-cds[cohort].") from error
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": memory or MEMORY,
        "threads": THREADS,
        "temp_directory": str(folder / "duckdb"),
        "autoinstall_known_extensions": False,
    }
    try:
        with closing(library.connect(config=settings)) as database:
            yield database
    except library.Error as error:
        trouble = _TROUBLE.format(place=place or folder, error=type(error).__name__, memory=memory or MEMORY)
        kind = TooLittleMemoryError if isinstance(error, library.OutOfMemoryException) else MachineTroubleError
        raise kind(trouble) from None  # its own message may quote a cell, of a patient


def in_enough_memory(make: Callable[[str], _Made]) -> _Made:
    """Make something with DuckDB in little memory, and where that is too little once more, from its beginning, in more.

    Args:
        make: is given how much, as DuckDB writes it.

    Raises:
        TooLittleMemoryError: that was too little, too.
    """
    try:
        return make(MEMORY)
    except TooLittleMemoryError:
        return make(MORE_MEMORY)


def write_tables(plan: Plan, bad_lines: Path) -> dict[str, int]:
    """Write every table of a run, as Parquet and as CSV.

    Args:
        plan: the run, of which every partition is evaluated.
        bad_lines: NDJSON of the lines that cannot be used.

    Returns:
        How many rows each has.
    """
    return in_enough_memory(lambda memory: _written(plan, bad_lines, memory))


def _written(plan: Plan, bad_lines: Path, memory: str) -> dict[str, int]:
    out = Path(plan.out)
    with duckdb(plan.work, memory=memory) as database:
        for name, columns in TABLES.items():
            order = ", ".join(KEYS[name])
            files = [
                folder_of(plan, number) / f"{name}.ndjson" for number in range(plan.partitions)
            ]  # and no draft of one killed
            _write(database, files, columns, f"ORDER BY {order}", out / name)
        _write(database, [bad_lines], BAD_LINES, "ORDER BY file, line, problem", out / "bad_lines")
        return {name: _count(database, out / name) for name in (*TABLES, "bad_lines")}


def _write(database: "DuckDBPyConnection", files: list[Path], columns: Mapping[str, str], order: str, table: Path) -> None:
    parquet, csv = (table.with_suffix(ending) for ending in (".parquet", ".csv"))
    read = "SELECT * FROM read_json($files, format='newline_delimited', columns=$columns)"
    database.execute(f"CREATE OR REPLACE TEMP VIEW rows AS {_quoted(read, files, columns)}")
    database.execute(f"COPY (SELECT * FROM rows {order}) TO {_text(parquet)} (FORMAT parquet, COMPRESSION zstd)")
    cells = ", ".join(_cell(name, kind) for name, kind in columns.items())
    database.execute(f"COPY (SELECT {cells} FROM read_parquet({_text(parquet)})) TO {_text(csv)} (FORMAT csv, HEADER)")
    database.execute("DROP VIEW rows")


def _quoted(query: str, files: list[Path], columns: Mapping[str, str]) -> str:
    """A view takes no parameters, so that they are written into it."""
    listed = f"[{', '.join(map(_text, files))}]"
    described = ", ".join(f"{_text(name)}: {_text(kind)}" for name, kind in columns.items())
    return query.replace("$files", listed).replace("$columns", f"{{{described}}}")


def _cell(name: str, kind: str) -> str:
    if kind != "VARCHAR":
        return f'"{name}"'
    return f"""CASE WHEN regexp_matches("{name}", '{_FORMULA}') THEN '''' || "{name}" ELSE "{name}" END AS "{name}\""""


def _text(value: object) -> str:
    """As a literal of SQL."""
    return "'" + str(value).replace("'", "''") + "'"


def _count(database: "DuckDBPyConnection", table: Path) -> int:
    row = database.execute("SELECT count(*) FROM read_parquet($1)", [str(table.with_suffix(".parquet"))]).fetchone()
    return int(row[0]) if row else 0
