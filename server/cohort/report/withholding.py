"""Numbers of patients of whom nobody counts twice: which to withhold of a chart, and of a table. Pure."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import TypeVar

from server import small_numbers

_Name = TypeVar("_Name", str, tuple[str, str])

Cell = tuple[str, str]
"""Row and column."""

_Table = Mapping[str, Mapping[str, int]]


def withheld(parts: Mapping[_Name, int], least: int, hidden: Collection[_Name] = ()) -> frozenset[_Name]:
    """Which parts of a whole to withhold, where the whole itself is shown and nobody is in two parts.

    Args:
        parts: patients in each.
        least: fewest patients that a number may be about; nobody at all may be shown.
        hidden: those that are withheld for another reason.
    """
    return small_numbers.withheld(parts, least, hidden, about=sum)


def withheld_in_table(table: _Table, least: int, hidden_rows: Collection[str]) -> frozenset[Cell]:
    """Which cells of a table to withhold, where the sums of its rows and of its columns are known and nobody is in two cells.

    In each row and column the rule is that of `withheld`. Several of these sums together could still leave one value only for a
    cell; then a further one beside it goes with it. Nothing can be done for a cell whose row and column are withheld all.

    Args:
        table: patients by row and column; each row has all columns.
        least: fewest patients that a number may be about; nobody at all may be shown.
        hidden_rows: rows that are withheld all.
    """
    numbers = {(row, column): number for row, cells in table.items() for column, number in cells.items()}
    by_line: dict[tuple[str, bool], list[Cell]] = defaultdict(list)
    for row, column in numbers:
        by_line[row, True].append((row, column))
        by_line[column, False].append((row, column))
    hidden = {cell for cell in numbers if cell[0] in hidden_rows}
    while True:
        before = len(hidden)
        for cells in by_line.values():
            hidden |= withheld({cell: numbers[cell] for cell in cells}, least, hidden)
        if len(hidden) == before:
            shown = {cell: number for cell, number in numbers.items() if number and cell not in hidden}
            beside = [cell for row, column in _told_by_sums(hidden) for cell in shown if cell[0] == row or cell[1] == column]
            if not beside:
                return frozenset(hidden)
            hidden.add(min(beside, key=lambda cell: (shown[cell], cell)))


def _told_by_sums(hidden: Collection[Cell]) -> frozenset[Cell]:
    """The cells that the sums of rows and columns leave one value only.

    Let a withheld cell join its row and its column. Along a circle of such cells one may be larger and the next one smaller, and
    every sum stays; a cell in no circle, a bridge, has one value (found all at once: Tarjan 1974, Inf. Process. Lett. 2:160).
    """
    beside: dict[tuple[str, bool], list[tuple[str, bool]]] = defaultdict(list)
    for row, column in sorted(hidden):
        beside[row, True].append((column, False))
        beside[column, False].append((row, True))
    order: dict[tuple[str, bool], int] = {}
    told: set[Cell] = set()

    def visit(line: tuple[str, bool], came_from: tuple[str, bool] | None) -> int:
        """The earliest line that can be reached without going back the same way."""
        earliest = order[line] = len(order)
        for following in beside[line]:
            if following == came_from:
                continue
            if following in order:
                earliest = min(earliest, order[following])
                continue
            reached = visit(following, line)
            if reached > order[line]:
                told.add((line[0], following[0]) if line[1] else (following[0], line[0]))
            earliest = min(earliest, reached)
        return earliest

    for line in sorted(beside):
        if line not in order:
            visit(line, None)
    return frozenset(told)
