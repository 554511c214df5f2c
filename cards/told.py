"""What a reader has been told, so that the same need not be said twice in one visit; kept as marks, never as words."""

from dataclasses import dataclass, field
from hashlib import sha256
from hmac import new as hmac

from cards.recommendation import Recommendation


@dataclass(frozen=True, slots=True)
class Told:
    """What was said before.

    Args:
        key: secret, and of one visit, so that equal marks of two patients tell nothing.
        marks: of what was said.
    """

    key: bytes = field(repr=False)
    marks: frozenset[str]

    def includes(self, recommendation: Recommendation) -> bool:
        """Whether exactly this was said; a new result, date or missing datum makes it another (regulatory-usability U-7).

        Args:
            recommendation: what would be said now.
        """
        return bool(self.marks) and mark_of(recommendation, self.key) in self.marks


def mark_of(recommendation: Recommendation, key: bytes) -> str:
    """A keyed hash of everything that a recommendation says about the patient.

    Args:
        recommendation: as shown.
        key: as for `Told`.

    Returns:
        64 hexadecimal digits.
    """
    one = recommendation
    says = (one.id, one.holds.name, one.urgency, one.says, one.because, one.missing, one.orders, one.already, one.notes)
    return hmac(key, repr((says, one.options, one.held_back, one.declined, one.due)).encode(), sha256).hexdigest()
