"""The answer to a draft itself: its removal, or a note on it, as CDS Hooks actions (conformance C-30 to C-34).

An `update` gives the order back whole and as it was sent, with one sentence more; it changes no drug, dose or schedule, because
no rule determines one (decision 8).
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid5

from cards.recommendation import DraftAnswer, Recommendation
from fhir_profiles.sentences import say


def answers_to_drafts(said: Sequence[Recommendation], namespace: UUID) -> list[dict[str, Any]]:
    """Suggestions about the drafts themselves, one action each.

    Args:
        said: what the card says.
        namespace: makes their uuids repeatable.

    Returns:
        Removals first; a draft that is to be removed gets no note. At most one suggestion for a draft.
    """
    removals: dict[str, DraftAnswer] = {}
    for answer in (answer for recommendation in said for answer in recommendation.withdraw):
        earlier = removals.get(answer.draft.reference)
        if earlier is None or answer.is_recommended:
            removals[answer.draft.reference] = answer
    notes = {a.draft.reference: a for r in said for a in r.annotate if a.draft.reference not in removals}
    return [_removal(answer, namespace) for answer in removals.values()] + [_note(answer, namespace) for answer in notes.values()]


def _removal(answer: DraftAnswer, namespace: UUID) -> dict[str, Any]:
    reference = answer.draft.reference
    words = say("Remove the draft of {drug}", drug=answer.title)
    suggestion: dict[str, Any] = {"label": words, "uuid": str(uuid5(namespace, f"delete/{reference}"))}
    if answer.is_recommended:
        suggestion["isRecommended"] = True
    return suggestion | {"actions": [{"type": "delete", "description": words, "resourceId": reference}]}


def _note(answer: DraftAnswer, namespace: UUID) -> dict[str, Any]:
    sent = answer.draft.resource
    before = sent.get("note", [])
    notes = [
        *(before if isinstance(before, list) else []),
        {"text": say("{note}", note=answer.note)},
    ]  # a sentence of ours, in an order that is not
    description = say("Add to the draft of {drug}: {note}", drug=answer.title, note=answer.note)
    return {
        "label": say("Add a note to the draft of {drug}", drug=answer.title),
        "uuid": str(uuid5(namespace, f"note/{answer.draft.reference}")),
        "actions": [{"type": "update", "description": description, "resource": {**sent, "note": notes}}],
    }
