"""Figures as a table of text, for a terminal."""

from collections.abc import Sequence
from typing import Any

from server.feedback.cells import as_cell


def text_table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Columns as wide as their widest cell; numbers to the right.

    Args:
        head: a title for each column.
        rows: a value for each column; None is one that is withheld.
    """
    cells = [[str(title) for title in head], *([_words(value) for value in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    is_number = [all(isinstance(value, int | float | None) for value in column) for column in zip(*rows, strict=True)]
    is_number = is_number or [False] * len(head)
    return "\n".join(
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width) for cell, width, right in zip(line, widths, is_number, strict=True)
        ).rstrip()
        for line in cells
    )


def _words(value: Any) -> str:
    """Without a character that a terminal would obey."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in str(as_cell(value)))
