"""One guideline statement for this patient, ready to be printed."""

from collections.abc import Iterable
from dataclasses import dataclass

from cards.knowledge import Knowledge
from cards.recommendation import Recommendation, Source
from cards.wording import strength_words
from fhir_profiles.findings import Answer
from fhir_profiles.sentences import say
from server.patient_page.facts import Fact, begin, facts

URGENCY_WORDS = {"urgent": say("Urgent"), "soon": say("Soon"), "routine": say("Routine")}


@dataclass(frozen=True, slots=True)
class Statement:
    """One recommendation.

    Args:
        anchor: names it on the page, once.
        id: of the recommendation.
        link: where the guideline pages explain it, or empty.
        says: the statement.
        strength: the source's own word.
        urgency: in a word; `urgency_code` for the style.
        topic: title of its topic.
        sources: who says so, the source itself first.
        is_firm: it holds; otherwise it waits for a datum.
        warns_unread: it advises firmly against drugs of which nobody has seen whether one is being taken.
        is_note: only what is said beside it is left of it.
        is_stated: it cannot be computed, and stands beside other advice of its topic.
        against: treatments being taken that it advises against.
        because, already, declined: what it rests on, what is done, what the patient refused.
        missing: what would decide it, or what it could not see.
        orders, held_back: tests to do, and tests named but not ordered now with the reason.
        options: titles of the treatments that it backs and that stand.
        notes: further sentences.
        disputes: ids of the disagreements that it takes part in.
    """

    anchor: str
    id: str
    link: str
    says: str
    strength: str
    urgency: str
    urgency_code: str
    topic: str
    sources: tuple[Source, ...]
    is_firm: bool
    warns_unread: bool
    is_note: bool
    is_stated: bool
    against: tuple[str, ...]
    because: tuple[Fact, ...]
    already: tuple[Fact, ...]
    declined: tuple[Fact, ...]
    missing: tuple[str, ...]
    orders: tuple[str, ...]
    held_back: tuple[tuple[str, str], ...]
    options: tuple[str, ...]
    notes: tuple[str, ...]
    disputes: tuple[str, ...]


def statements(recommendations: Iterable[Recommendation], known: Knowledge) -> tuple[tuple[Recommendation, Statement], ...]:
    """Every recommendation with what is printed of it, in their order; a rule that speaks twice gets two anchors."""
    seen: dict[str, int] = {}
    made = []
    for recommendation in recommendations:
        seen[recommendation.id] = count = seen.get(recommendation.id, 0) + 1
        anchor = recommendation.id if count == 1 else f"{recommendation.id}--{count}"
        made.append((recommendation, _statement(recommendation, anchor, known)))
    return tuple(made)


def guideline_link(statement: str, known: Knowledge) -> str:
    """Where the published knowledge explains a statement or a drug-safety rule; empty for what is neither."""
    for rule in known.rules:
        if rule.id == statement:
            return f"/guidelines/{rule.guideline}#{rule.id}"
    is_safety = any(rule.id == statement for rule in known.safety)
    return f"/guidelines/drug-safety#{statement}" if is_safety else ""


def _statement(one: Recommendation, anchor: str, known: Knowledge) -> Statement:
    return Statement(
        anchor=f"statement-{anchor}",
        id=one.id,
        link=guideline_link(one.id, known),
        says=begin(one.says),
        strength=strength_words(one.strength),
        urgency=URGENCY_WORDS[one.urgency],
        urgency_code=one.urgency,
        topic=known.topics[one.topic].display,
        sources=tuple(dict.fromkeys(one.sources)),
        is_firm=one.holds is Answer.YES,
        warns_unread=one.warns_unread,
        is_note=one.is_note,
        is_stated=one.is_stated,
        against=one.avoid,
        because=facts(one.because),
        already=facts(one.already),
        declined=facts(one.declined),
        missing=tuple(begin(item.text) for item in one.missing),
        orders=tuple(begin(known.orders[order]["title"]) for order in one.orders),
        held_back=tuple((begin(title), reason) for title, reason in one.held_back),
        options=tuple(option.title for option in one.options if option.not_offered is None),
        notes=one.notes,
        disputes=one.conflicts,
    )
