"""What became of each rule for one patient, in one word, so that a rule which falls silent is noticed (SAF-20). Pure."""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from cards.recommendation import Recommendation
from fhir_profiles.findings import Answer


class Outcome(StrEnum):
    """`FIRED`: it holds, and is said. `SATISFIED`: it holds, and is done, ordered or not due. `NOT_APPLICABLE`: it is for others.
    `UNKNOWN`: a datum is missing, or it cannot be told."""

    FIRED = "fired"
    SATISFIED = "satisfied"
    NOT_APPLICABLE = "not-applicable"
    UNKNOWN = "unknown"


_SILENT = {Answer.YES: Outcome.SATISFIED, Answer.NO: Outcome.NOT_APPLICABLE, Answer.UNKNOWN: Outcome.UNKNOWN}


def outcomes_of(recommendations: Iterable[Recommendation], triggers: Mapping[str, Answer]) -> dict[str, Outcome]:
    """What became of each rule.

    Args:
        recommendations: what `recommend` said.
        triggers: what each rule's own condition came to, as `recommend` noted it.
    """
    said = {one.id: Outcome.FIRED if one.holds is Answer.YES else Outcome.UNKNOWN for one in recommendations}
    return {rule: _SILENT[answer] for rule, answer in triggers.items()} | said
