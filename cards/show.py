"""How much of the advice one reader is shown; what is advised does not depend on it."""

from dataclasses import dataclass

DEFAULT_CAP = 5


@dataclass(frozen=True, slots=True)
class Show:
    """What to leave out of an answer.

    Args:
        cap: at most so many cards.
        topics_off: codes of card topics that this reader is not told about.
        silenced: ids of recommendations that a clinician has asked to be quiet about for this patient. A card is left out if
            all that it says is silenced; never a critical one.
    """

    cap: int = DEFAULT_CAP
    topics_off: frozenset[str] = frozenset()
    silenced: frozenset[str] = frozenset()


EVERYTHING = Show()
"""The usual cap, nothing off."""
