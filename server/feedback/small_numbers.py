"""Cards, and the patients that they were about: which of their numbers to withhold. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from server import small_numbers


@dataclass(slots=True)
class Cell:
    """One number of a table: cards, and the patients that they were about."""

    cards: int = 0
    patients: set[tuple[str, str]] = field(default_factory=set)

    def add(self, patient: tuple[str, str]) -> None:
        """Count one card."""
        self.cards += 1
        self.patients.add(patient)


def patients_of(cells: Iterable[Cell]) -> int:
    """How many patients cells are about together; the same may be in several.

    Args:
        cells: of a table.
    """
    return len({patient for cell in cells for patient in cell.patients})


def withheld(parts: Mapping[str, Cell], least: int) -> frozenset[str]:
    """Which parts of a whole to withhold, where the whole itself is shown: the rule of `server.small_numbers`.

    Args:
        parts: that the whole is the sum of.
        least: fewest patients that a number may be about.
    """
    return small_numbers.withheld(parts, least, about=patients_of)
