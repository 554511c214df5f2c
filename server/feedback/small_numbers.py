"""Which numbers to withhold, so that no figure is about fewer patients than are wanted. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

_Name = TypeVar("_Name", bound=str)


@dataclass(slots=True)
class Cell:
    """One number of a table: cards, and the patients that they were about."""

    cards: int = 0
    patients: set[tuple[str, str]] = field(default_factory=set)

    def add(self, patient: tuple[str, str]) -> None:
        """Count one card."""
        self.cards += 1
        self.patients.add(patient)


def withheld(parts: Mapping[_Name, Cell], least: int) -> frozenset[_Name]:
    """Which parts of a whole to withhold, where the whole itself is shown.

    A part about fewer patients than wanted is withheld. What is withheld can be had by subtraction as a sum; so the next smallest
    parts go with it, until it is the sum of two or more parts and about enough patients.

    Args:
        parts: that the whole is the sum of.
        least: fewest patients that a number may be about.
    """
    by_size = sorted((name for name in parts if parts[name].cards), key=lambda name: (len(parts[name].patients), name))
    hidden = [name for name in by_size if len(parts[name].patients) < least]
    if not hidden:
        return frozenset()
    for name in by_size[len(hidden) :]:
        together = set[tuple[str, str]]().union(*(parts[one].patients for one in hidden))
        if len(together) >= least:  # so they are several: alone, each is about too few
            break
        hidden.append(name)
    return frozenset(hidden)
