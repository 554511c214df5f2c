"""Which numbers to withhold, so that none is about fewer patients than are wanted, nor can be had by subtraction. Pure."""

from collections.abc import Mapping
from typing import TypeVar

_Name = TypeVar("_Name", bound=str)


def withheld_parts(parts: Mapping[_Name, int], least: int) -> frozenset[_Name]:
    """Which parts of a whole to withhold, where the whole itself is shown and nobody is in two parts.

    Args:
        parts: patients in each.
        least: fewest patients that a number may be about; nobody at all may be shown.
    """
    return withheld_rows({name: {"": number} for name, number in parts.items()}, least)


def withheld_rows(rows: Mapping[_Name, Mapping[str, int]], least: int) -> frozenset[_Name]:
    """Which rows of a table to withhold, where the sums of its columns are shown elsewhere.

    A row with a number that is too small is withheld whole. What all withheld rows have together can be had by subtraction; so
    the next smallest rows go with them until they are two or more, and none of their sums is too small.

    Args:
        rows: patients by row and column; nobody is in two cells.
        least: as for `withheld_parts`.
    """
    by_size = sorted((name for name in rows if any(rows[name].values())), key=lambda name: (sum(rows[name].values()), name))
    hidden = [name for name in by_size if any(0 < number < least for number in rows[name].values())]
    if not hidden:
        return frozenset()
    for name in (name for name in by_size if name not in set(hidden)):
        if len(hidden) > 1 and not _shows_too_little(rows, hidden, least):
            break
        hidden.append(name)
    return frozenset(hidden)


def _shows_too_little(rows: Mapping[_Name, Mapping[str, int]], hidden: list[_Name], least: int) -> bool:
    columns = {column for name in hidden for column in rows[name]}
    return any(0 < sum(rows[name].get(column, 0) for name in hidden) < least for column in columns)
