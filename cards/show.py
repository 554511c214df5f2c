"""How much of the advice one reader is shown; what is advised does not depend on it."""

from dataclasses import dataclass

from cards.recommendation import Recommendation
from cards.told import Told
from fhir_profiles.findings import Answer

DEFAULT_CAP = 5
INDICATORS = ("critical", "warning", "info")
"""Of a card, the weightiest first."""

_DRUG_SAFETY = "drugSafety"


@dataclass(frozen=True, slots=True)
class Show:
    """What to leave out of an answer.

    Args:
        cap: at most so many cards.
        topics_off: codes of card topics that this reader is not told about; advice against a treatment is shown all the same.
        silenced: names (`word_on`) of what a clinician has asked to be quiet about for this patient. A card is left out if
            all that it says is quiet; never a critical one, and no therapy while a critical one stands.
        least_indicator: cards below it are left out, but for advice against a treatment: `info` leaves out none.
        told: what this reader was shown in this visit already; None where that is not known, or makes no difference.
    """

    cap: int = DEFAULT_CAP
    topics_off: frozenset[str] = frozenset()
    silenced: frozenset[str] = frozenset()
    least_indicator: str = "info"
    told: Told | None = None

    def is_quiet_about(self, recommendation: Recommendation) -> bool:
        """Whether a clinician silenced it. Advice against a treatment cannot be: a reason for not doing something is no reason
        for giving what should not be given (design rule 5).

        Args:
            recommendation: what would be said.
        """
        return word_on(recommendation) in self.silenced and not recommendation.is_against

    def has_told(self, recommendation: Recommendation) -> bool:
        """Whether this reader has read it in this visit, in the same words. What is about a drug counts as new with each draft.

        Args:
            recommendation: what would be said.
        """
        if self.told is None or recommendation.is_against or recommendation.topic == _DRUG_SAFETY:
            return False
        return self.told.includes(recommendation)

    def shows(self, indicator: str) -> bool:
        """Whether a card of this weight is shown.

        Args:
            indicator: of the card.
        """
        return INDICATORS.index(indicator) <= INDICATORS.index(self.least_indicator)


def word_on(recommendation: Recommendation) -> str:
    """What a clinician's word on a recommendation is about: its id, with a question mark where a datum was asked for, so that a
    word on the question silences no finding that comes later.

    Args:
        recommendation: as shown.
    """
    return recommendation.id if recommendation.holds is Answer.YES else f"{recommendation.id}?"


EVERYTHING = Show()
"""The usual cap, nothing off."""
