"""What a record says about an evaluation: which statements were made, which held and were not shown, and on which input."""

from collections.abc import Iterable, Mapping
from typing import Any

from cards.said import said_on
from fhir_profiles.findings import Answer
from server.cds_hooks.prefetch import TEMPLATES
from server.evaluation import Evaluation


def facts_of(evaluation: Evaluation, shown: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Members of an `AuditEntry`; every value is an id of ours or a word out of a closed set.

    Args:
        evaluation: everything that was found out.
        shown: those of its cards that somebody gets to see.
    """
    cards = tuple(shown)
    said, ready = said_on(cards), said_on(evaluation.cards)
    held = {one.id for one in evaluation.recommendations if one.holds is Answer.YES and one.is_worth_a_card}
    return {
        "recommendations": tuple(sorted(said)),
        "cards": tuple(card["uuid"] for card in cards),
        "withheld": tuple(sorted((held | ready) - said)),
        # Of the types that we ask for only: what else a client calls a type could be anything.
        "inputs": tuple((one.resource_type, evaluation.record.input_state(one.resource_type).value) for one in TEMPLATES),
        "knowledge_version": evaluation.knowledge.version,
    }
