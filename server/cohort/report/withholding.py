"""Which numbers to withhold, so that none is about fewer patients than are wanted, nor can be had by subtraction. Pure."""

from collections.abc import Mapping
from typing import TypeVar

_Name = TypeVar("_Name", bound=str)

LEAST = 5
"""Patients that a number is about, at least."""


def withheld(parts: Mapping[_Name, int], least: int) -> frozenset[_Name]:
    """Which parts of a whole to withhold, where the whole itself is shown and nobody is in two parts.

    What is withheld can be had by subtraction as a sum; so the next smallest parts go with it, until it is the sum of two or more
    and about enough patients.

    Args:
        parts: patients in each.
        least: fewest patients that a number may be about; nobody at all may be shown.
    """
    by_size = sorted((name for name in parts if parts[name]), key=lambda name: (parts[name], name))
    hidden = [name for name in by_size if parts[name] < least]
    if not hidden:
        return frozenset()
    for name in by_size[len(hidden) :]:
        if len(hidden) > 1 and sum(parts[one] for one in hidden) >= least:
            break
        hidden.append(name)
    return frozenset(hidden)
