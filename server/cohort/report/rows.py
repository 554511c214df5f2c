"""Rows of tables, without the numbers that are withheld. Pure."""

from collections.abc import Collection, Mapping

from server.cohort.report.shapes import Row
from server.cohort.report.whole import Whole
from server.cohort.report.withholding import Cell, place, withheld_in_table

CANNOT_TELL = "cannot be told"
"""The column of those of whom a datum is missing, or was not sent."""

_ALL_SITES = ""
"""A row that no site can be taken for, whatever it is called."""


def row_of_parts(label: str, counted: Mapping[str, int], hidden: Collection[str], of: Whole, detail: str = "") -> Row:
    """A row that makes up a whole.

    Args:
        label: its name.
        counted: patients by column.
        hidden: columns that are withheld.
        of: the whole.
        detail: more about it.
    """
    cells = tuple(None if name in hidden else number for name, number in counted.items())
    # From one share and its number the whole could be had.
    shares = () if of.is_hidden else tuple((number or 0) / of.number for number in cells)
    return Row(label, of.shown, cells, shares, detail)


def rows_of_sites(by_site: Mapping[str, Mapping[str, int]], least: int, among: Whole) -> tuple[Row, ...]:
    """A row for each site, the largest first and those that are withheld last, and below several of them their sums.

    Args:
        by_site: patients by site and column; each site has all columns.
        least: fewest patients that a number may be about.
        among: whom these are a part of.
    """
    totals = {site: sum(numbers.values()) for site, numbers in by_site.items()}
    everywhere = among.part(sum(totals.values()), least)
    if len(by_site) < 2:
        return tuple(row_of_parts(site, cells, everywhere.withheld(cells, least), everywhere) for site, cells in by_site.items())
    hidden_sites = everywhere.withheld(totals, least)
    order = sorted(totals, key=lambda one: place(None if one in hidden_sites else totals[one], one))
    wholes = {_ALL_SITES: everywhere, **{site: Whole(totals[site], site in hidden_sites) for site in order}}
    columns = by_site[order[0]]
    sums = {column: sum(numbers[column] for numbers in by_site.values()) for column in columns}
    counted = {_ALL_SITES: sums, **by_site}  # first, so that a sum that is withheld anyway spares a cell of a site
    hidden = _hidden(counted, least, wholes)
    return tuple(
        row_of_parts(site or "all sites", counted[site], {column for row, column in hidden if row == site}, wholes[site])
        for site in (*order, _ALL_SITES)
    )


def _hidden(counted: Mapping[str, Mapping[str, int]], least: int, wholes: Mapping[str, Whole]) -> frozenset[Cell]:
    """Which cells to withhold.

    The sums are cells like others: with the sites they make up a table whose sums of rows and of columns are known, which is
    what `withheld_in_table` protects; so that neither can be had from the other. Where how many there are at all sites is
    withheld, no sum stands there, and each site is alone.
    """
    if wholes[_ALL_SITES].is_hidden:
        alone = {site: of.withheld(counted[site], least) for site, of in wholes.items()} | {_ALL_SITES: counted[_ALL_SITES]}
        return frozenset((site, column) for site, columns in alone.items() for column in columns)
    return withheld_in_table(counted, least, {site for site, of in wholes.items() if of.is_hidden}, _ALL_SITES)
