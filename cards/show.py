"""How much of the advice one reader is shown; what is advised does not depend on it."""

from dataclasses import dataclass

from cards.recommendation import Recommendation

DEFAULT_CAP = 5


@dataclass(frozen=True, slots=True)
class Show:
    """What to leave out of an answer.

    Args:
        cap: at most so many cards.
        topics_off: codes of card topics that this reader is not told about.
        silenced: ids of recommendations that a clinician has asked to be quiet about for this patient. A card is left out if
            all that it says is quiet; never a critical one, and no therapy while a critical one stands.
    """

    cap: int = DEFAULT_CAP
    topics_off: frozenset[str] = frozenset()
    silenced: frozenset[str] = frozenset()

    def is_quiet_about(self, recommendation: Recommendation) -> bool:
        """Whether a clinician silenced it. Advice against a treatment cannot be: a reason for not doing something is no reason
        for giving what should not be given (design rule 5).

        Args:
            recommendation: what would be said.
        """
        return recommendation.id in self.silenced and not recommendation.is_against


EVERYTHING = Show()
"""The usual cap, nothing off."""
