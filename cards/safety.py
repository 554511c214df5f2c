"""Drug safety: what this patient's chart raises against a treatment or an order (clinical/drug-safety.md)."""

from collections.abc import Iterable

from cards.knowledge import Knowledge, SafetyRule
from cards.recommendation import Caution, Level, Unchecked
from cards.verdicts import Case
from fhir_profiles.findings import Answer
from fhir_profiles.record import DraftOrder

_PLACES = {level: place for place, level in enumerate(Level)}


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
    asked = case.about(treatment, draft)
    spoken = [_speak(rule, treatment, asked) for rule in _rules_about(treatment, known, levels, has_myositis, draft)]
    return tuple(sorted((c for c in spoken if c), key=lambda c: (_PLACES[c.level], not c.is_certain, c.id)))


def unchecked_for(
    treatment: str, case: Case, known: Knowledge, *, draft: DraftOrder | None = None, only: str | None = None
) -> Unchecked | None:
    """The warnings and reminders that data which were not supplied, or could not be read, leave open ("unknown is not no").

    About a draft, a warning that is silent only because nothing was supplied is open too; what we ourselves would suggest
    carries such caveats already.

    Args:
        treatment, case, known, draft: as for `cautions_for`; the patient has a myositis.
        only: id of the one rule that is asked about; None for all.
    """
    asked = case.about(treatment, draft)
    opened = []
    for rule in _rules_about(treatment, known, (Level.WARN, Level.REMIND), True, draft):
        if only not in (None, rule.id):
            continue
        verdict = rule.when(asked)
        is_open = verdict.answer is Answer.UNKNOWN or (draft is not None and rule.level is Level.WARN)
        if verdict.answer is not Answer.YES and is_open and (caveats := [m for m in verdict.missing if m.is_caveat]):
            opened.append((rule, caveats))
    if not opened:
        return None
    opened.sort(key=lambda pair: pair[0].level is not Level.WARN)
    return Unchecked(
        rules=tuple(rule.id for rule, _ in opened),
        level=opened[0][0].level,
        warnings=sum(rule.level is Level.WARN for rule, _ in opened),
        sources=tuple({rule.source.id: rule.source for rule, _ in opened}.values()),
        missing=tuple({item.text: item for _, caveats in opened for item in caveats}.values()),
    )


def _rules_about(
    treatment: str, known: Knowledge, levels: Iterable[Level], has_myositis: bool, draft: DraftOrder | None
) -> list[SafetyRule]:
    wanted, about = set(levels), {"both", "suggested" if draft is None else "drafted"}
    return [
        rule
        for rule in known.safety_about.get(treatment, ())
        if rule.level in wanted and rule.about in about and (has_myositis or rule.without_myositis)
    ]


def _speak(rule: SafetyRule, treatment: str, case: Case) -> Caution | None:
    verdict = rule.when(case)
    if verdict.answer is Answer.NO or (verdict.answer is Answer.UNKNOWN and rule.level not in (Level.STOP, Level.HOLD)):
        return None
    is_certain = verdict.answer is Answer.YES
    because = verdict.because if is_certain else ()
    is_partial = any(item.is_caveat for item in verdict.missing)
    says = rule.says_of_partial_data if is_partial else rule.says
    return Caution(
        id=rule.id,
        level=rule.level,
        text=says if is_certain else rule.says_when_unknown,
        source=rule.source,
        is_certain=is_certain,
        instead=rule.instead,
        orders=rule.orders,
        alternatives=tuple(rule.alternatives.get(treatment, rule.alternatives.get("any", ()))),
        note_on_draft=rule.note_on_draft,
        may_be_removed=rule.remove or (rule.level is Level.STOP and is_certain),
        is_general=rule.trigger is None,
        warn_when_unknown=rule.warn_when_unknown,
        ranks_last=rule.ranks_last,
        because=because,
        missing=verdict.missing,
    )
