"""Which numbers to withhold, so that none is about fewer patients than are wanted, nor can be had by subtraction. Pure."""

from collections.abc import Callable, Collection, Mapping
from typing import TypeVar

_Name = TypeVar("_Name", str, tuple[str, str])
_Part = TypeVar("_Part")

LEAST = 5
"""Fewest patients that a number is about, unless told otherwise."""


def withheld(
    parts: Mapping[_Name, _Part], least: int, hidden: Collection[_Name] = (), *, about: Callable[[Collection[_Part]], int]
) -> frozenset[_Name]:
    """Which parts of a whole to withhold, where the whole itself is shown.

    A part about fewer patients than are wanted is withheld. What is withheld can be had by subtraction as a sum, and none of it
    is nought, since that is shown; so the next smallest parts go with it, until there are two or more and each of them may, as
    far as the sum tells, be any number from one to the least. Where there are not parts enough, all that are not empty go.

    Args:
        parts: that the whole is the sum of.
        least: fewest patients that a number may be about; nobody at all may be shown.
        hidden: those that are withheld for another reason.
        about: how many patients some of the parts are about together.
    """
    sizes = {name: about([part]) for name, part in parts.items()}
    by_size = sorted((name for name in parts if sizes[name]), key=lambda name: (sizes[name], name))
    gone = [name for name in by_size if sizes[name] < least or name in hidden]
    if not gone:
        return frozenset()
    for name in by_size:
        others = len(gone) - 1
        if others and about([parts[one] for one in gone]) >= least + others:  # of whom each of the others has one at least
            break
        if name not in gone:
            gone.append(name)
    return frozenset(gone)
