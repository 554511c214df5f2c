"""How long the parts of an answer took, as a bar that is read in words as well."""

from collections.abc import Mapping
from dataclasses import dataclass

WIDTH = 200
"""Of the bar, in its own units (`viewBox`)."""


@dataclass(frozen=True, slots=True)
class Phase:
    """One part of the time: where it stands in the bar, and how long it took."""

    name: str
    milliseconds: float
    start: float
    width: float


def phases(milliseconds: float, server_timing: Mapping[str, float]) -> tuple[Phase, ...]:
    """The phases that the service names, one after the other, and the remainder, which is the way there and back.

    Args:
        milliseconds: between request and answer, as the EHR measured it.
        server_timing: milliseconds by phase, from the header of that name; `total` is their sum and no phase.
    """
    named = {name: value for name, value in server_timing.items() if name != "total"}
    rest = milliseconds - sum(named.values())
    parts = {**named, "network and the rest": rest} if rest > 0 else named
    whole, start, laid_out = sum(parts.values()) or 1, 0.0, []
    for name, value in parts.items():
        width = round(value / whole * WIDTH, 1)
        laid_out.append(Phase(name, value, round(start, 1), width))
        start += width
    return tuple(laid_out)
