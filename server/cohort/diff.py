"""What changes if: two runs over the same data with different knowledge, patient by patient, and what that comes from."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import TYPE_CHECKING, Any

import orjson

from server.cohort.errors import CohortError
from server.cohort.knowledge_kept import Change, changes_between, entries_behind
from server.cohort.tables import MORE_MEMORY, duckdb

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_SAME_DATA = ("asOf", "lines", "badLines", "resources", "data", "kindsNotSent", "kindsIncomplete")
_MEMBERS = (*_SAME_DATA, "knowledgeVersion", "software", "rows.patients")
"""Of `run.json`, by their paths: what is read of it here."""

_AGAIN = "Do that run again with this release."
_NOT_CONCERNED = "not concerned"
_CARDS_ARE_FEW = "other statements of these patients changed, and cards are few"
_AT_A_TIME = 1_000
_NOT_NAMED = "of something that the statement does not name: what is written otherwise above, or the release of the software"


@dataclass(frozen=True, slots=True)
class PatientChange:
    """A statement that comes to something else for a patient.

    Args:
        patient: FHIR id.
        site: where the patient is looked after.
        statement: its id.
        before, after: `holds`, `satisfied`, `unknown`, `ended`, or `not concerned`.
        card: `gained`, `lost`, or empty where the cards of the patient speak of it in both, or in neither.
        due_before, due_after: from when it is due, where it has a calendar.
        orders_before, orders_after: what of it is still to be done, parted by blanks; None where it did not concern the patient.
        because: what is written otherwise.
    """

    patient: str
    site: str | None
    statement: str
    before: str
    after: str
    card: str
    due_before: str | None
    due_after: str | None
    orders_before: str | None
    orders_after: str | None
    because: tuple[Change, ...]

    @property
    def has_another_day(self) -> bool:
        """It is due from another day."""
        return self.due_before != self.due_after

    @property
    def has_other_orders(self) -> bool:
        """Something else of it is still to be done."""
        return self.orders_before != self.orders_after

    @property
    def is_on_cards_only(self) -> bool:
        """It says the same as before, and only whether a card speaks of it is another."""
        return self.before == self.after and not (self.has_another_day or self.has_other_orders)

    def as_row(self) -> dict[str, Any]:
        """For machines."""
        return {
            "patient": self.patient,
            "site": self.site,
            "recommendation": self.statement,
            "before": self.before,
            "after": self.after,
            "card": self.card,
            "dueBefore": self.due_before,
            "dueAfter": self.due_after,
            "ordersBefore": self.orders_before,
            "ordersAfter": self.orders_after,
            "because": [str(change) for change in self.because],
        }


@dataclass(frozen=True, slots=True)
class StatementChange:
    """What a change of knowledge does to one statement.

    Args:
        statement: its id.
        patients: for how many something changes.
        ways: what becomes of what, and for how many; most first, and of equals by name.
        because: what is written otherwise.
        is_on_cards_only: it says the same as before, and only the cards speak of it to others.
        first: the first of the patients, by id.
    """

    statement: str
    patients: int
    ways: tuple[tuple[str, int], ...]
    because: tuple[Change, ...]
    is_on_cards_only: bool
    first: tuple[PatientChange, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """What changes between two runs.

    Args:
        versions: of the knowledge.
        software: its releases.
        patients: how many were compared.
        knowledge: what is written otherwise.
        statements: that come to something else for somebody, by id.
    """

    versions: tuple[str, str]
    software: tuple[str, str]
    patients: int
    knowledge: tuple[Change, ...]
    statements: tuple[StatementChange, ...]


def _keep_none(change: PatientChange) -> None:
    """Nobody wants every change."""


def compare(before: Path, after: Path, most: int, keep: Callable[[PatientChange], object] = _keep_none) -> Difference:
    """Compare two runs. The changes are read one after the other, so that memory does not grow with their number.

    Args:
        before, after: the folders of their results.
        most: so many patients of each statement are named.
        keep: is given every change, by statement and patient.

    Raises:
        CohortError: one of them is no finished run, is damaged or of another release, or they read different data.
        MachineTroubleError: no room for what does not fit into memory.
    """
    old, new = (_account(folder) for folder in (before, after))
    _see_same_data(before, after, old, new)
    kept_old, kept_new = (_read(folder, "knowledge.json") for folder in (before, after))
    written = changes_between(kept_old, kept_new)
    reasons = _Reasons(written, kept_old, kept_new)
    # A folder of its own: a finished run stays as it is.
    with TemporaryDirectory(prefix="myositis-cds-diff-") as spill, _database(Path(spill)) as database:
        for folder in (before, after):
            _see_table(database, folder)
        changes = (_change(row, reasons) for row in _changed_rows(database, before, after))
        by_statement = groupby(changes, key=lambda change: change.statement)
        statements = tuple(_summed(statement, of_it, most, keep) for statement, of_it in by_statement)
    versions, software = ((old[name], new[name]) for name in ("knowledgeVersion", "software"))
    # What is written otherwise explains the rest: cards are few, and what one loses another one gains.
    explained_first = sorted(statements, key=lambda one: (not one.because, one.statement))
    return Difference(versions, software, old["rows"]["patients"], tuple(written), tuple(explained_first))


def _database(spill: Path) -> AbstractContextManager["DuckDBPyConnection"]:
    # At once what tables and report are given at a second try: of the changes some are given away before all are read, so that
    # nobody can begin again.
    return duckdb(spill, f"{gettempdir()} (TMPDIR)", MORE_MEMORY)


def _changed_rows(database: "DuckDBPyConnection", before: Path, after: Path) -> Iterator[tuple[Any, ...]]:
    # One after the other, so that the joining and the sorting each have all of the memory that DuckDB may take.
    database.execute(_CHANGED, [str(folder / _TABLE) for folder in (before, after)])
    found = database.execute("FROM changed ORDER BY recommendation, patient")
    while rows := found.fetchmany(_AT_A_TIME):
        yield from rows


def _summed(
    statement: str, changes: Iterable[PatientChange], most: int, keep: Callable[[PatientChange], object]
) -> StatementChange:
    ways, first = Counter[str](), list[PatientChange]()
    because: tuple[Change, ...] = ()
    is_on_cards_only = True
    for change in changes:
        keep(change)
        ways[_way(change)] += 1
        because = change.because
        is_on_cards_only &= change.is_on_cards_only
        if len(first) < most:
            first.append(change)
    most_first = sorted(ways.items(), key=lambda way: (-way[1], way[0]))
    return StatementChange(statement, ways.total(), tuple(most_first), because, is_on_cards_only, tuple(first))


_TABLE = "recommendations.parquet"
_COLUMNS = "SELECT patient, site, recommendation, outcome, on_card, due_from, orders FROM read_parquet($1) LIMIT 0"
_CHANGED = f"""
    CREATE TEMP TABLE changed AS
    SELECT patient, coalesce(b.site, a.site) AS site, recommendation,
        coalesce(b.outcome, '{_NOT_CONCERNED}') AS outcome_before, coalesce(a.outcome, '{_NOT_CONCERNED}') AS outcome_after,
        coalesce(b.on_card, false) AS on_card_before, coalesce(a.on_card, false) AS on_card_after,
        b.due_from::VARCHAR AS due_before, a.due_from::VARCHAR AS due_after, b.orders AS orders_before, a.orders AS orders_after
    FROM read_parquet($1) AS b FULL JOIN read_parquet($2) AS a USING (patient, recommendation)
    WHERE b.outcome IS DISTINCT FROM a.outcome OR b.on_card IS DISTINCT FROM a.on_card OR b.due_from IS DISTINCT FROM a.due_from
        OR b.orders IS DISTINCT FROM a.orders"""


class _Reasons:
    """What is written otherwise in whatever a statement is made of."""

    def __init__(self, written: list[Change], old: dict[str, Any], new: dict[str, Any]) -> None:
        self._written, self._old, self._new = written, old, new
        self._found: dict[str, tuple[Change, ...]] = {}

    def of(self, statement: str) -> tuple[Change, ...]:
        if statement not in self._found:
            behind = entries_behind(statement, self._old) | entries_behind(statement, self._new)
            self._found[statement] = tuple(change for change in self._written if change.entry in behind)
        return self._found[statement]


def _change(row: tuple[Any, ...], reasons: _Reasons) -> PatientChange:
    patient, site, statement, before, after, was_on_card, is_on_card, due_before, due_after, orders_before, orders_after = row
    card = "" if was_on_card == is_on_card else "gained" if is_on_card else "lost"
    because = reasons.of(statement)
    return PatientChange(
        patient, site, statement, before, after, card, due_before, due_after, orders_before, orders_after, because
    )


def _account(folder: Path) -> dict[str, Any]:
    found = _read(folder, "run.json")
    if lacking := [path for path in _MEMBERS if _member(found, path) is None]:
        raise CohortError(f"{folder}: `run.json` lacks {', '.join(lacking)}, as one of another release may. {_AGAIN}")
    return found


def _member(found: Any, path: str) -> Any:
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _read(folder: Path, name: str) -> dict[str, Any]:
    """A file of a run that stands beside its tables.

    Raises:
        CohortError: it is not there, or damaged.
    """
    try:
        found = orjson.loads((folder / name).read_bytes())
    except OSError as error:
        raise CohortError(f"{folder}: holds no finished run (`{name}`: {error.strerror}).") from error
    except orjson.JSONDecodeError as error:
        raise CohortError(f"{folder}: `{name}` is damaged: it is no JSON. {_AGAIN}") from error
    if not isinstance(found, dict):
        raise CohortError(f"{folder}: `{name}` is damaged: it is no JSON object. {_AGAIN}")
    return found


def _see_table(database: "DuckDBPyConnection", folder: Path) -> None:
    """Else it would be the machine that is blamed for it.

    Raises:
        CohortError: the table is not there, is damaged, or is one of another release.
    """
    from duckdb import Error

    try:
        database.execute(_COLUMNS, [str(folder / _TABLE)])
    except Error as error:
        problem = f"is missing, damaged or of another release (DuckDB: {type(error).__name__})"
        raise CohortError(f"{folder}: `{_TABLE}` {problem}. {_AGAIN}") from None  # as in `tables.duckdb`


def _see_same_data(before: Path, after: Path, old: dict[str, Any], new: dict[str, Any]) -> None:
    differs = [name for name in _SAME_DATA if old[name] != new[name]]
    if differs:
        raise CohortError(
            f"{before} and {after} were not run over the same data for the same day ({', '.join(differs)} differ): what "
            "changes then does not come from the knowledge alone."
        )


# --- for people and for machines --------------------------------------------------------------------------------------------


def as_text(difference: Difference) -> str:
    """The difference in words: what is written otherwise, what follows for how many, and the first patients of each.

    Args:
        difference: what changes.
    """
    return "\n".join(_text(difference))


def _text(difference: Difference) -> Iterator[str]:
    old, new = difference.versions
    yield f"Knowledge {old} → {new}"
    if difference.software[0] != difference.software[1]:
        yield f"Software {' → '.join(difference.software)}: what changes may come from it, too"
    yield from (f"  {change}" for change in difference.knowledge)
    for statement in difference.statements:
        yield ""
        yield f"{statement.statement}: {statement.patients:,} of {difference.patients:,} patients"
        yield from (f"  {way}: {number:,}" for way, number in statement.ways)
        yield from (f"  because {reason}" for reason in statement.because)
        if not statement.because:
            yield f"  because {_CARDS_ARE_FEW if statement.is_on_cards_only else _NOT_NAMED}"
        yield from (f"    {_patient(change)}" for change in statement.first)
        if statement.patients > len(statement.first):
            yield f"    and {statement.patients - len(statement.first):,} more"
    if not difference.statements:
        yield "Nothing changes for anybody."


def _way(change: PatientChange) -> str:
    return ", ".join(_what_becomes(change))


def _what_becomes(change: PatientChange) -> Iterator[str]:
    if change.before != change.after:
        yield f"{change.before} → {change.after}"
    else:  # of another outcome the orders and the day are others anyway
        yield change.after
        if change.has_other_orders:
            yield "with other orders"
        if change.has_another_day:
            yield "due from another day"
    if change.card:
        yield f"card {change.card}"


def _patient(change: PatientChange) -> str:
    due = f", due from {change.due_before or 'no day'} → {change.due_after or 'no day'}" if change.has_another_day else ""
    return f"{change.patient}: {_way(change)}{due}"


def as_line(change: PatientChange) -> bytes:
    """A change as a line of NDJSON."""
    return orjson.dumps(change.as_row(), option=orjson.OPT_APPEND_NEWLINE)
