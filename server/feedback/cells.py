"""One figure as a cell of a table."""

from typing import Any

WITHHELD = "withheld"

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_cell(value: Any) -> Any:
    """A number, a word, or a text that no spreadsheet takes for a formula (CSV-01).

    Args:
        value: a figure; None is one that is withheld.
    """
    if value is None:
        return WITHHELD
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
