"""Which numbers to withhold, so that none is about fewer patients than are wanted, nor can be had by subtraction. Pure."""

from collections.abc import Callable, Collection, Mapping
from typing import TypeVar

_Name = TypeVar("_Name", str, tuple[str, str])
_Part = TypeVar("_Part")

LEAST = 5
"""Fewest patients that a number is about, unless told otherwise."""


def withheld(
    parts: Mapping[_Name, _Part],
    least: int,
    hidden: Collection[_Name] = (),
    *,
    about: Callable[[Collection[_Part]], int],
    choice_is_known: bool = True,
) -> frozenset[_Name]:
    """Which parts of a whole to withhold, where the whole itself is shown.

    A part about fewer patients than are wanted is withheld. What is withheld can be had by subtraction as a sum, and none of it
    is nought, since that is shown; so the next smallest parts go with it, until there are two or more and each of them may, as
    far as the sum tells, be any number from one to the least. That is so too for whoever knows that it is the next smallest that
    go, so that each is less than all that are shown; only one that is not small and is withheld for another reason may be any
    number. Where there are not parts enough, all that are not empty go.

    Args:
        parts: that the whole is the sum of.
        least: fewest patients that a number may be about; nobody at all may be shown.
        hidden: those that are withheld for another reason.
        about: how many patients some of the parts are about together.
        choice_is_known: a reader can tell that parts are withheld for being the next smallest.
    """
    sizes = {name: about([part]) for name, part in parts.items()}
    by_size = sorted((name for name in parts if sizes[name]), key=lambda name: (sizes[name], name))
    gone = [name for name in by_size if sizes[name] < least or name in hidden]
    shown = [name for name in by_size if name not in gone]
    are_the_smallest = choice_is_known and all(sizes[name] < least for name in gone)
    while gone and shown:
        others, together = len(gone) - 1, about([parts[name] for name in gone])
        most = sizes[shown[0]] - 1 if are_the_smallest else together
        if others and least + others <= together <= 1 + others * most:  # each of the others is from one to the most
            break
        gone.append(shown.pop(0))
    return frozenset(gone)
