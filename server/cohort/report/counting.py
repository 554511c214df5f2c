"""Charts out of the tables of a run, without the numbers that are withheld."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cards.knowledge import Knowledge
from server.cohort.report.shapes import Bar, Chart
from server.cohort.report.whole import Whole
from server.cohort.report.withholding import place

MOST_ROWS = 25
"""Of statements or troubles, of which there may be any number."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The tables, and how to speak of them.

    Args:
        database: with the tables of a run.
        known: the knowledge of the run, for names.
        least: fewest patients that a number may be about.
    """

    database: Any
    known: Knowledge
    least: int

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """What a query finds.

        Args:
            query: in SQL.
            values: of its parameters.
        """
        found: list[tuple[Any, ...]] = self.database.execute(query, list(values)).fetchall()
        return found

    def parts(
        self,
        title: str,
        query: str,
        names: Mapping[str, str] | None = None,
        *,
        of: Whole,
        note: str = "",
        by_size: bool = True,
    ) -> Chart:
        """A chart of what a query counts, by a label that everybody has one of.

        Args:
            title: of the chart.
            query: finds labels and numbers.
            names: of labels that are not shown as they are.
            of: the whole, or one that this is a part of.
            note: what must be known to read it.
            by_size: longest first, and what is withheld last; else by label.
        """
        counted = {str(label): int(number) for label, number in self.rows(query)}
        whole = of.part(sum(counted.values()), self.least)
        hidden = whole.withheld(counted, self.least)
        ordered = _by_size(counted, hidden) if by_size else sorted(counted.items())
        return Chart(title, whole.shown, _bars(ordered, names or {}, whole, hidden), note)

    def each(self, title: str, query: str, names: Mapping[str, str], of: Whole, note: str, *values: object) -> Chart:
        """A chart of numbers that may be about the same patients: each stands alone, and so does what it leaves of the whole.

        The longest is first, and what is withheld last.

        Args:
            title: of the chart.
            query: finds labels and numbers.
            names: of labels that are not shown as they are.
            of: the whole.
            note: what must be known to read it.
            values: of the parameters of the query.
        """
        counted = {str(label): int(number) for label, number in self.rows(query, *values)}
        hidden = {label for label, number in counted.items() if number < self.least or 0 < of.number - number < self.least}
        hidden |= {label for label, number in counted.items() if of.is_hidden and number == of.number}
        return Chart(title, of.shown, _bars(_by_size(counted, hidden), names, of, hidden), note)

    def alone(self, number: int) -> Whole:
        """A whole that nothing else tells of.

        Args:
            number: patients.
        """
        return Whole(number, 0 < number < self.least)


def _by_size(counted: Mapping[str, int], hidden: Collection[str]) -> list[tuple[str, int]]:
    return sorted(counted.items(), key=lambda one: place(None if one[0] in hidden else one[1], one[0]))


def _bars(counted: Sequence[tuple[str, int]], names: Mapping[str, str], of: Whole, hidden: Collection[str]) -> tuple[Bar, ...]:
    """The bars of a chart. The longest is one that is shown: from the others a longer one that is withheld could be had.

    Nor does a bar say its share of a whole that is withheld.
    """
    longest = max((number for label, number in counted if label not in hidden), default=1)
    return tuple(
        Bar(names.get(label, label), None, 0.0, None)
        if label in hidden
        else Bar(names.get(label, label), number, number / longest, None if of.is_hidden else 100 * number / of.number)
        for label, number in counted
    )
