"""Drug safety: what this patient's chart raises against a treatment or an order (clinical/drug-safety.md)."""

from collections.abc import Iterable
from dataclasses import replace

from cards.knowledge import Knowledge, SafetyRule
from cards.recommendation import Caution, Level
from cards.verdicts import Case
from fhir_profiles.findings import Answer
from fhir_profiles.record import DraftOrder


def cautions_for(
    treatment: str,
    case: Case,
    known: Knowledge,
    levels: Iterable[Level],
    *,
    has_myositis: bool = True,
    draft: DraftOrder | None = None,
) -> tuple[Caution, ...]:
    """The safety rules that speak about one treatment or order in this patient.

    A stop rule that is unknown speaks too, as uncertain: what it asks for must be known before an order is made ready.

    Args:
        treatment: key of `treatments.yaml` or `orders.yaml`.
        case: the patient.
        known: the knowledge.
        levels: the levels wanted.
        has_myositis: without one only the rules speak that need none.
        draft: the order being written that this is about; None for what we ourselves would suggest.

    Returns:
        Cautions, stop first.
    """
    wanted = set(levels)
    about = {"both", "suggested" if draft is None else "drafted"}
    asked = replace(case, considered=treatment, draft=draft)
    spoken = [
        _speak(rule, treatment, asked)
        for rule in known.safety
        if treatment in rule.treatments
        and rule.level in wanted
        and rule.about in about
        and (has_myositis or rule.without_myositis)
    ]
    order = list(Level)
    return tuple(sorted((c for c in spoken if c), key=lambda c: (order.index(c.level), not c.is_certain, c.id)))


def _speak(rule: SafetyRule, treatment: str, case: Case) -> Caution | None:
    verdict = rule.when(case)
    if verdict.answer is Answer.NO or (verdict.answer is Answer.UNKNOWN and rule.level not in (Level.STOP, Level.HOLD)):
        return None
    is_certain = verdict.answer is Answer.YES
    because = verdict.because if is_certain else ()
    return Caution(
        id=rule.id,
        level=rule.level,
        text=rule.says,
        source=rule.source,
        is_certain=is_certain,
        instead=rule.instead,
        orders=rule.orders,
        alternatives=tuple(rule.alternatives.get(treatment, rule.alternatives.get("any", ()))),
        note_on_draft=rule.note_on_draft,
        may_be_removed=rule.remove or (rule.level is Level.STOP and is_certain),
        is_general=rule.trigger is None,
        warn_when_unknown=rule.warn_when_unknown,
        because=because,
        missing=verdict.missing,
    )
