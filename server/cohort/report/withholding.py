"""Numbers of patients of whom nobody counts twice: which to withhold of a chart, and of a table. Pure."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from functools import cache
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


def place(shown: int | None, name: str) -> tuple[bool, int, str]:
    """A key to sort by: the largest first; what is withheld last and by name, since its place would tell how large it is.

    Args:
        shown: the number; None where it is withheld.
        name: what it is of.
    """
    return shown is None, -(shown or 0), name


def withheld_in_table(table: _Table, least: int, hidden_rows: Collection[str], row_of_sums: str | None = None) -> frozenset[Cell]:
    """Which cells of a table to withhold, where the sums of its rows and of its columns are known and nobody is in two cells.

    In each row and column the rule is that of `withheld`, but for what the choice of the smallest tells. Several of these sums
    together could still leave one value only for a cell; then a further one beside it goes with it. Ones of a row or column of
    nothing but ones, and other cells that have one value even if all are withheld, are beyond help.

    Args:
        table: patients by row and column; each row has all columns.
        least: fewest patients that a number may be about; nobody at all may be shown.
        hidden_rows: rows that are withheld all.
        row_of_sums: the one that holds the sums of the others, if one does.
    """
    numbers = {(row, column): number for row, cells in table.items() for column, number in cells.items()}
    hidden = {cell for cell in numbers if cell[0] in hidden_rows}
    filled = {cell for cell, number in numbers.items() if number}
    # Only a row that is withheld all may hide that nobody is in a cell: any other cell that is withheld has one patient at least.
    falling = {cell for cell in filled if numbers[cell] > 1 or cell in hidden}
    beyond_help = _told_by_sums(hidden | filled, falling, row_of_sums)
    while True:
        hidden |= _withheld_in_lines(numbers, least, hidden)
        can_be_helped = _told_by_sums(hidden, falling, row_of_sums) - beyond_help
        # Beside a cell that any sums tell, whoever is in it, nothing is shown either.
        told = can_be_helped | _told_by_sums(hidden, hidden, row_of_sums)
        shown = sorted(filled - hidden, key=lambda cell: (numbers[cell], cell))
        further = _beside(told, shown) or (shown[:1] if can_be_helped else ())
        if not further:
            return frozenset(hidden)
        hidden.update(further)


def _beside(told: Collection[Cell], shown: Iterable[Cell]) -> set[Cell]:
    """For each of some cells the first of those shown that is in its row or column; one may do for several."""
    found, left = set(), set(told)
    for cell in shown:
        if of_it := {one for one in left if one[0] == cell[0] or one[1] == cell[1]}:
            found.add(cell)
            left -= of_it
    return found


def _withheld_in_lines(numbers: Mapping[Cell, int], least: int, hidden: Collection[Cell]) -> set[Cell]:
    """What the sum of each single row and column asks for, given what is withheld already.

    A cell may be withheld for the sake of its row, of its column or of another cell, so that the choice tells little of it.
    """
    lines: dict[tuple[str, bool], dict[Cell, int]] = defaultdict(dict)
    for cell, number in numbers.items():
        lines[cell[0], True][cell] = lines[cell[1], False][cell] = number
    found = set(hidden)
    while True:
        before = len(found)
        for line in lines.values():
            found |= small_numbers.withheld(line, least, found, about=sum, choice_is_known=False)
        if len(found) == before:
            return found


def _told_by_sums(hidden: Collection[Cell], falling: Collection[Cell], row_of_sums: str | None) -> set[Cell]:
    """The withheld cells that the sums of rows and columns leave one value only.

    Sums of rows stay where patients move from one column to another within a row; sums of columns stay too if other rows move
    one back, in one step or in several. A cell that takes part in no such circle has one value (circles of the residual network:
    Ahuja, Magnanti, Orlin 1993, Network Flows; for tables: Gusfield 1988, SIAM J. Comput. 17).

    Args:
        hidden: cells that are withheld.
        falling: those that may be smaller, as far as a reader knows.
        row_of_sums: more in it is less in the others: what moves in it counts as moving the other way.
    """
    columns: dict[str, list[str]] = defaultdict(list)
    for row, column in hidden:
        columns[row].append(column)
    moves = {
        row: {(one, other) for one in of_row if (row, one) in falling for other in of_row if one != other}
        for row, of_row in columns.items()
    }
    if row_of_sums in moves:
        moves[row_of_sums] = {(other, one) for one, other in moves[row_of_sums]}
    times = Counter(move for of_row in moves.values() for move in of_row)
    ways_without = cache(lambda alone: _ways(times.keys() - alone))
    told = set(hidden)
    for row, of_row in moves.items():
        ways = ways_without(frozenset(move for move in of_row if times[move] == 1))  # of the other rows
        told -= {(row, column) for one, other in of_row if (other, one) in ways for column in (one, other)}
    return told


def _ways(steps: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """From where to where steps lead, one after the other (Warshall 1962)."""
    ways = set(steps)
    for middle in {one for one, _ in steps}:
        ends = [other for one, other in ways if one == middle]
        ways |= {(one, end) for one, other in ways if other == middle for end in ends}
    return ways
