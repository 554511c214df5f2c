"""What became of each rule for one patient, in one word, so that a rule which falls silent is noticed (SAF-20). Pure."""

from collections.abc import Iterable, Mapping

from cards.recommendation import Recommendation
from fhir_profiles.findings import Answer

FIRED = "fired"
"""It holds, and is said."""
SATISFIED = "satisfied"
"""It holds, and is done, ordered or not due."""
NOT_APPLICABLE = "not-applicable"
"""It is for others."""
UNKNOWN = "unknown"
"""A datum is missing, or it cannot be told."""

OUTCOMES = (FIRED, SATISFIED, NOT_APPLICABLE, UNKNOWN)


def outcomes_of(recommendations: Iterable[Recommendation], triggers: Mapping[str, Answer]) -> dict[str, str]:
    """What became of each rule.

    Args:
        recommendations: what `recommend` said.
        triggers: what each rule's own condition came to, as `recommend` noted it.
    """
    # Every call has this done for all rules: words, since members of an enumeration take ten times as long to count.
    became = {
        rule: SATISFIED if at is Answer.YES else NOT_APPLICABLE if at is Answer.NO else UNKNOWN for rule, at in triggers.items()
    }
    became.update((one.id, FIRED if one.holds is Answer.YES else UNKNOWN) for one in recommendations)
    return became
