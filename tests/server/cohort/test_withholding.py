"""No number of a table about too few patients is shown, nor can be had by subtraction."""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.cohort.report.rows import rows_of_sites
from server.cohort.report.shapes import Row
from server.cohort.report.whole import Whole
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


SMALL_TABLES = st.lists(st.tuples(*[st.integers(0, 3) | st.integers(0, 8)] * 3), max_size=4).map(
    lambda rows: {f"site {number}": dict(zip("abc", row, strict=True)) for number, row in enumerate(rows)}
)


def of_one_value(table: Table, hidden: Collection[Cell], hidden_rows: Collection[str]) -> set[Cell]:
    """Which withheld cells have the same number in every table with these sums of rows and columns: by trying all of them.

    A cell that is withheld is not nought, since that is shown; only in rows that are withheld all it may be.
    """
    order = sorted(hidden)
    fewest = {cell: int(cell[0] not in hidden_rows) for cell in order}
    sums = Counter({("row", row): 0 for row, _ in order})
    for row, column in order:
        sums["row", row] += table[row][column]
        sums["column", column] += table[row][column]
    last = {line: cell for cell in order for line in (("row", cell[0]), ("column", cell[1]))}

    def solved(place: int) -> bool:
        """Whether the cells from this one on can be filled."""
        if place == len(order):
            return True
        cell = order[place]
        lines = (("row", cell[0]), ("column", cell[1]))
        most = min(sums[line] for line in lines)
        for number in wanted.get(cell) or range(fewest[cell], most + 1):
            if number <= most and all(last[line] != cell or sums[line] == number for line in lines):
                sums.subtract(dict.fromkeys(lines, number))
                found = solved(place + 1)
                sums.update(dict.fromkeys(lines, number))
                if found:
                    return True
        return False

    told = set()
    for cell in order:
        sum_of_row = sums["row", cell[0]]
        others = [number for number in range(fewest[cell], sum_of_row + 1) if number != table[cell[0]][cell[1]]]
        wanted = {cell: others}
        if not others or not solved(0):
            told.add(cell)
    return told


@settings(deadline=None)
@given(SMALL_TABLES, st.integers(1, 6))
def test_who_knows_that_no_cell_withheld_is_nought_has_none_that_could_be_withheld_at_all(table: Table, least: int) -> None:
    hidden_rows = withheld({row: sum(cells.values()) for row, cells in table.items()}, least)
    hidden = withheld_in_table(table, least, hidden_rows)
    everything = hidden | {(row, name) for row, cells in table.items() for name, number in cells.items() if number}
    assert of_one_value(table, hidden, hidden_rows) <= of_one_value(table, everything, hidden_rows)


FEW_SITES = st.lists(st.tuples(*[st.integers(0, 2)] * 3).filter(any), min_size=2, max_size=3).map(
    lambda rows: {f"site {number}": dict(zip("abc", row, strict=True)) for number, row in enumerate(rows)}
)


def of_all(table: Table, least: int) -> Whole:
    """Everybody in it, and nobody else."""
    number = sum(sum(cells.values()) for cells in table.values())
    return Whole(number, 0 < number < least)


def left_open(rows: Sequence[Row]) -> dict[tuple[str, int], set[int]]:
    """What a reader of a table cannot exclude of each number that is withheld, by trying: the last row holds the sums.

    In a row all numbers up to its sum are tried; where that is withheld, those up to three.
    """
    *sites, sums = rows

    def is_possible(row: Row, numbers: tuple[int, ...]) -> bool:
        if row.of is None:
            return True
        return sum(numbers) == row.of and all(cell is not None or n for cell, n in zip(row.cells, numbers, strict=True))

    def ways(row: Row) -> list[tuple[int, ...]]:
        any_number = range(1 + (3 if row.of is None else row.of))
        each = product(*(any_number if cell is None else (cell,) for cell in row.cells))
        return [one for one in each if is_possible(row, one)]

    found: dict[tuple[str, int], set[int]] = defaultdict(set)
    for numbers in product(*map(ways, sites)):
        together = tuple(map(sum, zip(*numbers, strict=True)))
        agrees = all(cell in (None, number) for cell, number in zip(sums.cells, together, strict=True))
        if agrees and is_possible(sums, together):
            for row, of_it in zip(rows, (*numbers, together), strict=True):
                for column, cell in enumerate(row.cells):
                    if cell is None:
                        found[row.label, column].add(of_it[column])
    return found


@settings(deadline=None, max_examples=25)
@given(FEW_SITES, st.integers(2, 3))
def test_neither_the_sites_nor_their_sums_tell_of_each_other_what_could_be_withheld(table: Table, least: int) -> None:
    rows = rows_of_sites(table, least, of_all(table, least))
    numbers = {**table, "all sites": {name: sum(cells[name] for cells in table.values()) for name in "abc"}}
    most = {row.label: tuple(None if number else 0 for number in numbers[row.label].values()) for row in rows}
    whole = [row if row.of is None else replace(row, cells=most[row.label]) for row in rows]
    told, beyond_help = ({cell for cell, of_it in left_open(each).items() if len(of_it) == 1} for each in (rows, whole))
    assert told <= beyond_help


def test_of_one_site_no_more_is_withheld_than_its_own_sum_asks_for() -> None:
    one_site = {"north": {"a": 2, "b": 50, "c": 100, "d": 400}}
    (row,) = rows_of_sites(one_site, 5, of_all(one_site, 5))
    assert (row.of, row.cells) == (552, (None, None, 100, 400))


def test_ones_that_sums_of_two_lines_tell_take_a_further_cell_with_them() -> None:
    """Each row and column could be of other numbers; but a one cannot become less, and so no cell of the first row more."""
    table = {
        "north": {"a": 1, "b": 5, "c": 40, "d": 50},
        "south": {"a": 1, "b": 5, "c": 60, "d": 70},
        "east": {"a": 5, "b": 80, "c": 5, "d": 90},
        "west": {"a": 30, "b": 31, "c": 5, "d": 32},
    }
    told = frozenset({("north", "a"), ("north", "b"), ("south", "a"), ("south", "b")})
    assert of_one_value(table, told, ()) == told
    assert told_by_sums(table, told) == []
    assert of_one_value(table, withheld_in_table(table, 5, ()), ()) == set()


def test_a_row_of_ones_does_not_make_all_others_be_withheld() -> None:
    """Its sum tells them, whatever else is withheld."""
    table = {"small": dict.fromkeys("abcde", 1)} | {f"large {number}": dict.fromkeys("abcde", 20) for number in range(50)}
    assert len(withheld_in_table(table, 5, ())) < 20


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
        left = sum(table[row][name] for row, name in of_it)
        assert not of_it or not shown or (len(of_it) > 1 and left >= least + len(of_it) - 1)


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


def test_a_sum_of_one_and_the_one_it_is_of_may_be_more_together() -> None:
    """South has nothing but ones, which its sum tells; then 3 less 1 in column b tell those of north, were the 3 shown."""
    sites = {"north": {"a": 0, "b": 2, "c": 1}, "south": {"a": 1, "b": 1, "c": 0}, "east": {"a": 2, "b": 0, "c": 0}}
    hidden = withheld_in_table({"": {"a": 3, "b": 3, "c": 1}, **sites}, 2, (), "")
    assert {("north", "c"), ("", "c"), ("", "b")} <= hidden


def test_each_of_many_rows_may_want_a_further_cell_of_its_own() -> None:
    """All ones of a column are told by its sum, and then the five beside each by the sum of its row."""
    table = {f"{site:03}": {"a": 1, "b": 5, "c": 50, "d": 60, "e": 70, "f": 80} for site in range(400)}
    assert withheld_in_table(table, 5, ()) == {(row, column) for row in table for column in "abc"}


@pytest.mark.parametrize("sites", [1, 400])
def test_large_tables_end_too(sites: int) -> None:
    table = {f"{site:03}": {name: (site * 7 + place * 13 + 2) % 40 for place, name in enumerate("abcd")} for site in range(sites)}
    assert withheld_in_table(table, 5, ())
