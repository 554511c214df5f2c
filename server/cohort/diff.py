"""What changes if: two runs over the same data with different knowledge, patient by patient, and what that comes from."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from server.cohort.errors import CohortError
from server.cohort.knowledge_kept import Change, changes_between, entries_behind
from server.cohort.tables import duckdb

_SAME_DATA = ("asOf", "lines", "badLines", "resources", "data", "kindsNotSent", "kindsIncomplete")
_NOT_CONCERNED = "not concerned"
_CARDS_ARE_FEW = "other statements of these patients changed, and cards are few"
_NOT_KEPT = "of something that runs do not keep: the terminology (ValueSets, ConceptMaps), or the release of the software"


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
class Difference:
    """What changes between two runs.

    Args:
        versions: of the knowledge.
        patients: how many were compared.
        knowledge: what is written otherwise.
        changes: by statement and patient.
    """

    versions: tuple[str, str]
    patients: int
    knowledge: tuple[Change, ...]
    changes: tuple[PatientChange, ...]


def compare(before: Path, after: Path) -> Difference:
    """Compare two runs.

    Args:
        before, after: the folders of their results.

    Raises:
        CohortError: one of them is no finished run, or they read different data.
    """
    old, new = (_account(folder) for folder in (before, after))
    _see_same_data(before, after, old, new)
    kept_old, kept_new = (orjson.loads((folder / "knowledge.json").read_bytes()) for folder in (before, after))
    written = changes_between(kept_old, kept_new)
    reasons = _Reasons(written, kept_old, kept_new)
    with duckdb(after) as database:
        rows = database.execute(_CHANGED, [str(folder / "recommendations.parquet") for folder in (before, after)]).fetchall()
    changes = tuple(_change(row, reasons) for row in rows)
    return Difference((old["knowledgeVersion"], new["knowledgeVersion"]), old["rows"]["patients"], tuple(written), changes)


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


def as_text(difference: Difference, most: int) -> str:
    """The difference in words: what is written otherwise, what follows for how many, and the first patients of each.

    Args:
        difference: what changes.
        most: so many patients of each statement are named.
    """
    return "\n".join(_text(difference, most))


def _text(difference: Difference, most: int) -> Iterator[str]:
    old, new = difference.versions
    yield f"Knowledge {old} → {new}"
    yield from (f"  {change}" for change in difference.knowledge)
    by_statement: dict[str, list[PatientChange]] = {}
    for change in difference.changes:
        by_statement.setdefault(change.statement, []).append(change)
    for statement, changes in by_statement.items():
        yield ""
        yield f"{statement}: {len(changes):,} of {difference.patients:,} patients"
        yield from (f"  {ways}: {number:,}" for ways, number in Counter(map(_way, changes)).most_common())
        reasons = changes[0].because or ()
        yield from (f"  because {reason}" for reason in reasons)
        if not reasons:
            is_card_only = all(change.before == change.after and change.due_before == change.due_after for change in changes)
            yield f"  because {_CARDS_ARE_FEW if is_card_only else _NOT_KEPT}"
        yield from (f"    {_patient(change)}" for change in changes[:most])
        if len(changes) > most:
            yield f"    and {len(changes) - most:,} more"
    if not by_statement:
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


def as_ndjson(difference: Difference) -> bytes:
    """Each change on a line."""
    return b"".join(orjson.dumps(change.as_row(), option=orjson.OPT_APPEND_NEWLINE) for change in difference.changes)
