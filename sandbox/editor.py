"""The patient editor: facts of a chart changed with one click, taken back one by one, or all at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from threading import Lock

from sandbox.changes import MOST_LETTERS, NUMBER, Change, changes_for
from sandbox.chart_store import ChartStore, Key, VersionConflictError
from sandbox.charts import Chart
from sandbox.errors import DeskError

_CHANGED_SINCE = "this is not taken back, because somebody has changed it since. Reset this chart to begin anew."


@dataclass(frozen=True, slots=True)
class Made:
    """A change that was made.

    Args:
        title: in words, with what was typed.
        writes: type and id of the resources that it wrote, each with the version that it has since.
    """

    title: str
    writes: tuple[tuple[Key, str], ...] = ()


class Editor:
    """See the module. Threads may use it at the same time."""

    def __init__(self, store: ChartStore, today: Callable[[], date]) -> None:
        """Start with nothing changed.

        Args:
            store: the charts.
            today: the clock, a day in UTC.
        """
        self._store, self._today = store, today
        self._made: dict[str, list[Made]] = {}
        self._lock = Lock()

    def changes(self, patient_id: str) -> Sequence[Change]:
        """What can be changed now.

        Raises:
            DeskError: there is no such patient.
        """
        return changes_for(self._chart(patient_id))

    def made(self, patient_id: str) -> Sequence[Made]:
        """What was changed, the last first."""
        return tuple(reversed(self._made.get(patient_id, ())))

    def make(self, patient_id: str, key: str, typed: str = "") -> Made:
        """Change something.

        Args:
            patient_id: whose chart.
            key: of the change.
            typed: what it asks for.

        Raises:
            DeskError: there is no such patient or change, or what was typed cannot be used.
        """
        with self._lock:
            chart = self._chart(patient_id)
            change = next((one for one in changes_for(chart) if one.key == key), None)
            if change is None:
                raise DeskError("This cannot be changed in this chart, or was changed already.")
            words = _check(change, typed.strip())
            made = self._write(change, chart, words)
            self._made.setdefault(patient_id, []).append(made)
        return made

    def undo(self, patient_id: str) -> Made:
        """Take back the last change.

        Raises:
            DeskError: there is no such patient, none was made, or somebody has changed the same resource since.
        """
        self._chart(patient_id)
        with self._lock:
            if not self._made.get(patient_id):
                raise DeskError("Nothing was changed in this chart.")
            made = self._made[patient_id][-1]
            try:
                self._store.take_back(made.writes)
            except VersionConflictError as error:
                raise DeskError(f"{made.title}: {_CHANGED_SINCE}") from error
            return self._made[patient_id].pop()

    def reset(self, patient_id: str) -> None:
        """Take back everything, orders too: the chart is as the story tells it.

        Raises:
            DeskError: there is no such patient.
        """
        self._chart(patient_id)
        with self._lock:
            self._made.pop(patient_id, None)
            self._store.reset(patient_id)

    def _chart(self, patient_id: str) -> Chart:
        chart = self._store.chart(patient_id)
        if chart is None:
            raise DeskError("There is no such patient here.")
        return chart

    def _write(self, change: Change, chart: Chart, typed: str) -> Made:
        resources = change.write(chart, self._today(), typed)
        written = [self._store.update(one) if "id" in one else self._store.create(one) for one in resources]
        title = f"{change.title}: {typed} {change.asks if change.needs_number else ''}".rstrip() if typed else change.title
        return Made(title, tuple(((one["resourceType"], one["id"]), one["meta"]["versionId"]) for one in written))


def _check(change: Change, typed: str) -> str:
    """What was typed, if the change can use it."""
    if not change.asks:
        return ""
    if change.needs_number and not NUMBER.fullmatch(typed):
        raise DeskError(f"Write a number ({change.asks}), such as 55 or 4.5.")
    if len(typed) > MOST_LETTERS or not typed.isprintable():
        raise DeskError(f"Write at most {MOST_LETTERS} letters, in one line.")
    return typed
