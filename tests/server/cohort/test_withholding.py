"""No number of a table about too few patients is shown, nor can be had by subtraction."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.cohort.report.withholding import Cell, withheld, withheld_in_table

Table = dict[str, dict[str, int]]
NUMBERS = st.integers(0, 12) | st.integers(20, 90)
TABLES = st.lists(st.tuples(*[NUMBERS] * 4), max_size=5).map(
    lambda rows: {f"site {number}": dict(zip("abcd", row, strict=True)) for number, row in enumerate(rows)}
)


def told_by_sums(table: Table, hidden: frozenset[Cell]) -> list[Cell]:
    """Which withheld cells the sums of rows and columns determine: by Gauss, and not by a graph."""
    cells = sorted(hidden)
    lines = {("row", row) for row, _ in cells} | {("column", column) for _, column in cells}
    matrix = [[Fraction(name in (("row", row), ("column", column))) for row, column in cells] for name in sorted(lines)]
    determined, done = [], 0
    for column in range(len(cells)):
        pivot = next((row for row in range(done, len(matrix)) if matrix[row][column]), None)
        if pivot is None:
            continue
        matrix[done], matrix[pivot] = matrix[pivot], [value / matrix[pivot][column] for value in matrix[done]]
        matrix[done] = [value / matrix[done][column] for value in matrix[done]]
        for row in range(len(matrix)):
            if row != done and matrix[row][column]:
                factor = matrix[row][column]
                matrix[row] = [value - factor * own for value, own in zip(matrix[row], matrix[done], strict=True)]
        done += 1
    for row in matrix:
        with_value = [number for number, value in enumerate(row) if value]
        if len(with_value) == 1:
            determined.append(cells[with_value[0]])
    return determined


@given(TABLES, st.integers(1, 6))
def test_no_cell_of_a_table_can_be_had_from_the_sums_of_rows_and_columns(table: Table, least: int) -> None:
    totals = {row: sum(cells.values()) for row, cells in table.items()}
    hidden = withheld_in_table(table, least, withheld(totals, least))
    assert not any(
        0 < number < least for row, cells in table.items() for name, number in cells.items() if (row, name) not in hidden
    )
    for row, column in told_by_sums(table, hidden):
        beside = {(row, name) for name in "abcd"} | {(name, column) for name in table}
        assert all(table[cell[0]][cell[1]] == 0 for cell in beside - hidden), "nothing more could be withheld beside it"


@given(TABLES, st.integers(1, 6))
def test_of_each_row_and_column_what_is_withheld_is_large_enough_together(table: Table, least: int) -> None:
    hidden = withheld_in_table(table, least, ())
    lines = [[(row, name) for name in "abcd"] for row in table] + [[(row, name) for row in table] for name in "abcd"]
    for line in lines:
        of_it = [cell for cell in line if cell in hidden]
        shown = [cell for cell in line if cell not in hidden and table[cell[0]][cell[1]]]
        assert not of_it or not shown or (len(of_it) > 1 and sum(table[row][name] for row, name in of_it) >= least)


def test_a_cell_that_is_small_is_not_had_from_the_sum_over_sites() -> None:
    table = {"North": {"due": 3, "done": 40}, "South": {"due": 30, "done": 50}, "East": {"due": 60, "done": 70}}
    assert withheld_in_table(table, 5, ()) == {(site, state) for site in ("North", "South") for state in ("due", "done")}


def test_two_blocks_that_one_cell_joins_do_not_tell_that_cell() -> None:
    """In each row and column there are two withheld, and yet the sums of four rows and columns leave one value to one of them."""
    blocks = {(f"r{row}", f"c{column}") for block in (0, 2) for row in (block, block + 1) for column in (block, block + 1)}
    table = {f"r{row}": {f"c{column}": 50 for column in range(4)} for row in range(4)}
    for row, column in {*blocks, ("r0", "c2")}:
        table[row][column] = 4
    assert ("r0", "c2") in told_by_sums(table, frozenset({*blocks, ("r0", "c2")}))
    assert told_by_sums(table, withheld_in_table(table, 5, ())) == []


@pytest.mark.parametrize("sites", [1, 400])
def test_large_tables_end_too(sites: int) -> None:
    table = {f"{site:03}": {name: (site * 7 + place * 13 + 2) % 40 for place, name in enumerate("abcd")} for site in range(sites)}
    assert withheld_in_table(table, 5, ())
