"""Rows of tables, without the numbers that are withheld. Pure."""

from collections.abc import Collection, Mapping

from server.cohort.report.shapes import Row
from server.cohort.report.withholding import place, withheld, withheld_in_table

CANNOT_TELL = "cannot be told"
"""The column of those of whom a datum is missing, or was not sent."""

_ALL_SITES = ""
"""A row that no site can be taken for, whatever it is called."""


def row_of_parts(
    label: str, counted: Mapping[str, int], hidden: Collection[str], detail: str = "", *, is_hidden: bool = False
) -> Row:
    """A row that makes up a whole.

    Args:
        label: its name.
        counted: patients by column.
        hidden: columns that are withheld.
        detail: more about it.
        is_hidden: it is withheld all.
    """
    if is_hidden:
        return Row(label, None, (None,) * len(counted), (), detail)
    of = sum(counted.values())
    cells = tuple(None if name in hidden else number for name, number in counted.items())
    return Row(label, of, cells, tuple((number or 0) / of for number in cells), detail)


def rows_of_sites(by_site: Mapping[str, Mapping[str, int]], least: int) -> tuple[Row, ...]:
    """A row for each site, the largest first and those that are withheld last, and below them their sums.

    The sums are cells like others: with the sites above they make up a table whose sums of rows and of columns are known, which
    is what `withheld_in_table` protects; so that neither can be had from the other.

    Args:
        by_site: patients by site and column; each site has all columns.
        least: fewest patients that a number may be about.
    """
    totals = {site: sum(numbers.values()) for site, numbers in by_site.items()}
    hidden_sites = withheld(totals, least)
    order = sorted(totals, key=lambda one: place(None if one in hidden_sites else totals[one], one))
    counted = by_site
    if len(by_site) > 1:
        sums = {column: sum(numbers[column] for numbers in by_site.values()) for column in by_site[order[0]]}
        counted = {_ALL_SITES: sums, **by_site}  # first, so that a sum that is withheld anyway spares a cell of a site
        order.append(_ALL_SITES)
        hidden_sites |= {_ALL_SITES} if sum(totals.values()) < least else frozenset()
    hidden = withheld_in_table(counted, least, hidden_sites, _ALL_SITES)
    return tuple(
        row_of_parts(
            site or "all sites",
            counted[site],
            {column for row, column in hidden if row == site},
            is_hidden=site in hidden_sites,
        )
        for site in order
    )
