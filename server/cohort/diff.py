"""What changes if: two runs over the same data with different knowledge, patient by patient, and what that comes from."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from server.cohort.errors import CohortError
from server.cohort.knowledge_kept import Change, changes_between, entries_behind
from server.cohort.tables import duckdb

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_SAME_DATA = ("asOf", "lines", "badLines", "resources", "data", "kindsNotSent", "kindsIncomplete")
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
        before, after: `holds`, `satisfied`, `unknown`, or `not concerned`.
        card: `gained`, `lost`, or empty where the cards of the patient speak of it in both, or in neither.
        due_before, due_after: from when it is due, where it has a calendar.
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
    because: tuple[Change, ...]

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
        CohortError: one of them is no finished run, or they read different data.
    """
    old, new = (_account(folder) for folder in (before, after))
    _see_same_data(before, after, old, new)
    kept_old, kept_new = (orjson.loads((folder / "knowledge.json").read_bytes()) for folder in (before, after))
    written = changes_between(kept_old, kept_new)
    reasons = _Reasons(written, kept_old, kept_new)
    with duckdb(after) as database:
        changes = (_change(row, reasons) for row in _changed_rows(database, before, after))
        by_statement = groupby(changes, key=lambda change: change.statement)
        statements = tuple(_summed(statement, of_it, most, keep) for statement, of_it in by_statement)
    versions, software = ((old[name], new[name]) for name in ("knowledgeVersion", "software"))
    # What is written otherwise explains the rest: cards are few, and what one loses another one gains.
    explained_first = sorted(statements, key=lambda one: (not one.because, one.statement))
    return Difference(versions, software, old["rows"]["patients"], tuple(written), tuple(explained_first))


def _changed_rows(database: "DuckDBPyConnection", before: Path, after: Path) -> Iterator[tuple[Any, ...]]:
    found = database.execute(_CHANGED, [str(folder / "recommendations.parquet") for folder in (before, after)])
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
        is_on_cards_only &= change.before == change.after and change.due_before == change.due_after
        if len(first) < most:
            first.append(change)
    most_first = sorted(ways.items(), key=lambda way: (-way[1], way[0]))
    return StatementChange(statement, ways.total(), tuple(most_first), because, is_on_cards_only, tuple(first))


_CHANGED = f"""
    SELECT patient, coalesce(b.site, a.site), recommendation, coalesce(b.outcome, '{_NOT_CONCERNED}'),
        coalesce(a.outcome, '{_NOT_CONCERNED}'), coalesce(b.on_card, false), coalesce(a.on_card, false),
        b.due_from::VARCHAR, a.due_from::VARCHAR
    FROM read_parquet($1) AS b FULL JOIN read_parquet($2) AS a USING (patient, recommendation)
    WHERE b.outcome IS DISTINCT FROM a.outcome OR b.on_card IS DISTINCT FROM a.on_card OR b.due_from IS DISTINCT FROM a.due_from
        OR b.orders IS DISTINCT FROM a.orders
    ORDER BY recommendation, patient"""


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
    patient, site, statement, before, after, was_on_card, is_on_card, due_before, due_after = row
    card = "" if was_on_card == is_on_card else "gained" if is_on_card else "lost"
    return PatientChange(patient, site, statement, before, after, card, due_before, due_after, reasons.of(statement))


def _account(folder: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = orjson.loads((folder / "run.json").read_bytes())
    except OSError as error:
        raise CohortError(f"{folder}: holds no finished run (`run.json`: {error.strerror}).") from error
    return found


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
    outcome = (
        f"{change.before} → {change.after}"
        if change.before != change.after
        else f"{change.after}, with other orders, or at another time or place"
    )
    return f"{outcome}, card {change.card}" if change.card else outcome


def _patient(change: PatientChange) -> str:
    due = (
        f", due from {change.due_before or 'no day'} → {change.due_after or 'no day'}"
        if change.due_before != change.due_after
        else ""
    )
    return f"{change.patient}: {_way(change)}{due}"


def as_line(change: PatientChange) -> bytes:
    """A change as a line of NDJSON."""
    return orjson.dumps(change.as_row(), option=orjson.OPT_APPEND_NEWLINE)
