"""Of whom a chart or a row speaks, and what of it would tell of too few others. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from server.cohort.report.withholding import withheld

_OTHERS = ""
"""A part that stands in no chart and no row: who is not among those of whom it speaks."""


@dataclass(frozen=True, slots=True)
class Whole:
    """Of whom a chart or a row speaks.

    Args:
        number: patients.
        is_hidden: the number is withheld wherever it would stand, and whatever it could be had from.
        beside: how many others are withheld with it, which whoever knew this number would know.
    """

    number: int
    is_hidden: bool
    beside: int = 0

    @property
    def shown(self) -> int | None:
        """The number; None where it is withheld."""
        return None if self.is_hidden else self.number

    def part(self, number: int, least: int) -> "Whole":
        """Some of them, as a whole of their own: withheld where they are few, or would tell of the few that they leave.

        Args:
            number: patients.
            least: fewest patients that a number may be about.
        """
        left = self.number - number + (self.beside if self.is_hidden else 0)
        tells = 0 < left < least or (self.is_hidden and number == self.number)
        return Whole(number, tells or 0 < number < least, left if tells else 0)

    def withheld(self, parts: Mapping[str, int], least: int) -> frozenset[str]:
        """Which of its parts to withhold: from all of them the whole could be had, so that of one that is withheld some are, too.

        All are where it is too few, or withheld by itself and not for the sake of others.

        Args:
            parts: that make it up.
            least: fewest patients that a number may be about.
        """
        if self.number < least or (self.is_hidden and not self.beside):
            return frozenset(parts)
        others = {_OTHERS: self.beside} if self.is_hidden else {}
        return withheld({**parts, **others}, least, others) - {_OTHERS}
