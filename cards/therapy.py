"""Next-line therapy as a decision: every treatment that a guideline offers this patient now, ranked, with what speaks against it.

Nothing is merged: each option keeps all its backers with their own strength. What failed, was not tolerated or is contraindicated
is set aside and says why.
"""

from collections.abc import Sequence
from dataclasses import replace

from cards.instead import notes_on_instead
from cards.knowledge import Knowledge, Offer, Rule
from cards.recommendation import Backing, Caution, Level, Option, Unchecked
from cards.safety import cautions_for, unchecked_for
from cards.verdicts import Case, TreatmentEntry
from fhir_profiles.courses import Course, Outcome
from fhir_profiles.findings import Answer
from fhir_profiles.refusals import in_words
from fhir_profiles.sentences import join, say
from fhir_profiles.unread import unread_person, unread_treatment

STRENGTHS = (
    "strongly-recommended",
    "recommended",
    "conditionally-recommended",
    "option",
    "not-stated",
    "insufficient-evidence",
)
"""Firmest first; the words are the sources' own."""

_UNROUTED = ("glucocorticoid-high-dose", "glucocorticoid-unrouted")
_INTRAVENOUS, _ORAL = "glucocorticoid-intravenous", "glucocorticoid-oral"


def decide(offered: Sequence[Rule], case: Case, known: Knowledge, undecided_fit: int = 0) -> tuple[Option, ...]:
    """Rank the treatments that the statements offer.

    Args:
        offered: therapy statements that hold.
        case: the patient.
        known: the knowledge.
        undecided_fit: the closest fit of the statements that could not be assessed because data failed or were not supplied;
            an option that fits less closely gets no ready-made order, lest missing data bring more orders than complete ones.

    Returns:
        Options that stand, best fit first, then those set aside.
    """
    backing: dict[str, list[tuple[int, Backing]]] = {}
    for rule in offered:
        for offer in (offer for offer in rule.offers if offer.when(case).answer is Answer.YES):
            backing.setdefault(offer.treatment, []).append((rule.fits, _backing(rule, offer)))
    _route(backing, case.assessment.severity.value)
    options = [(_fit(backers), _option(treatment, backers, case, known)) for treatment, backers in backing.items()]
    ranked = sorted(options, key=lambda pair: _rank(*pair))
    # What the patient declined still fits best: declining it brings no other drug into the ready-made orders.
    stands = (pair for pair in options if pair[1].not_offered is None or pair[1].is_declined)
    competing = (fit for fit, option in stands if not _goes_with_others(option))
    best = max((*competing, undecided_fit), default=0)
    return tuple(
        replace(option, rank=rank, is_best_fit=not option.is_adjunct and (_is_partner(option) or fit == best))
        for rank, (fit, option) in enumerate(ranked)
    )


def _route_unknown(treatment: str, case: Case) -> str | None:
    """The severity decides the route of a glucocorticoid (C10)."""
    is_routed = treatment in (_INTRAVENOUS, _ORAL)
    return (
        say("severity, which decides the route, is not on record")
        if is_routed and case.assessment.severity.value == "unknown"
        else None
    )


def _is_partner(option: Option) -> bool:
    """A glucocorticoid goes with the other options rather than competing with them."""
    return option.treatment.startswith("glucocorticoid") and not option.is_adjunct


def _goes_with_others(option: Option) -> bool:
    """It competes with no other option."""
    return _is_partner(option) or option.is_adjunct


def _backing(rule: Rule, offer: Offer) -> Backing:
    return Backing(rule.id, rule.sources[0], offer.strength or rule.strength, rule.line, offer.partner, offer.remark)


def _route(backing: dict[str, list[tuple[int, Backing]]], severity: str) -> None:
    """One glucocorticoid, by the route that the severity asks for (C10); the other statements back it in their own words."""
    if _INTRAVENOUS in backing and _ORAL in backing:
        if severity == "severe":
            _fold(backing, _ORAL, _INTRAVENOUS, say("but oral"))
        elif severity == "non-severe":
            _fold(backing, _INTRAVENOUS, _ORAL, say("but intravenous"))
    routed = next((treatment for treatment in (_INTRAVENOUS, _ORAL) if treatment in backing), None)
    high_dose, any_dose = _UNROUTED
    if high_dose in backing and routed:
        _fold(backing, high_dose, routed, say("high dose, route not stated"))
    if any_dose in backing and (routed or high_dose in backing):
        _fold(backing, any_dose, routed or high_dose, say("route not stated"))


def _fold(backing: dict[str, list[tuple[int, Backing]]], treatment: str, into: str, words: str) -> None:
    folded = [
        (fits, replace(b, remark=join(": ", (words, b.remark)) if b.remark else words)) for fits, b in backing.pop(treatment)
    ]
    backing[into].extend(folded)


def _fit(backers: list[tuple[int, Backing]]) -> int:
    return max(fits for fits, _ in backers)


def _option(treatment: str, backers: list[tuple[int, Backing]], case: Case, known: Knowledge) -> Option:
    entry = known.treatments[treatment]
    ordered = sorted(
        backers, key=lambda b: (-b[0], STRENGTHS.index(b[1].strength), -(b[1].source.year or 0), b[1].recommendation)
    )
    cautions, unchecked = cautions_for(treatment, case, known, Level), unchecked_for(treatment, case, known)
    course = case.assessment.treatment.courses.get(entry.course or "")
    ruled_out = _not_tolerated(course) or _same_class(treatment, case) or _set_aside_by_safety(cautions)
    set_aside = _has_failed(course) or _not_tolerated(course) or _is_on_record(treatment, course) or ruled_out
    refusal = case.assessment.refusal_of_treatment(entry.course)
    return Option(
        treatment=treatment,
        title=entry.title,
        is_adjunct=entry.adjunct,
        backing=tuple(backing for _, backing in ordered),
        cautions=tuple(_with_instead(c, case, known) for c in cautions if c.level in (Level.HOLD, Level.WARN) and c.is_certain),
        reminders=tuple(c for c in cautions if c.level is Level.REMIND),
        undecided=tuple(c for c in cautions if not c.is_certain),
        unchecked=unchecked,
        not_offered=join("; ", [reason for reason in (set_aside, refusal and in_words(refusal)) if reason]) or None,
        is_declined=refusal is not None and set_aside is None,
        is_ruled_out=ruled_out is not None,
        order_withheld=(
            _withheld(cautions, course) or _unread(entry, case) or _route_unknown(treatment, case) or _not_checked(unchecked)
        ),
    )


def _with_instead(caution: Caution, case: Case, known: Knowledge) -> Caution:
    """Names in the drug's place only what stands in this patient."""
    return replace(caution, instead=join(" ", notes_on_instead(caution, case, known)) or None) if caution.instead else caution


def _has_failed(course: Course | None) -> str | None:
    if course is None or course.outcome is not Outcome.FAILED or course.role == "glucocorticoid":
        return None
    return say("has failed: {reason}", reason=course.decided_by)


def _not_tolerated(course: Course | None) -> str | None:
    if course is None or course.outcome not in (Outcome.NOT_TOLERATED, Outcome.ALLERGY):
        return None
    return say("not tolerated: {reason}", reason=course.decided_by)


def _is_on_record(treatment: str, course: Course | None) -> str | None:
    if course is None or not course.is_current or treatment in _UNROUTED:
        return None
    return say("already on record: {reason}", reason=course.decided_by)


def _same_class(treatment: str, case: Case) -> str | None:
    """An intolerance of one glucocorticoid speaks about all of them (drug-safety.md section 0, same class)."""
    is_glucocorticoid = treatment.startswith("glucocorticoid")
    return _not_tolerated(case.assessment.treatment.courses.get("glucocorticoid")) if is_glucocorticoid else None


def _set_aside_by_safety(cautions: tuple[Caution, ...]) -> str | None:
    stop = next((c for c in cautions if c.level is Level.STOP and c.is_certain), None)
    return join("", (stop.text, " (", stop.source.short, ")")) if stop else None


_NOT_MADE_READY = say("no order is made ready")


def _withheld(cautions: tuple[Caution, ...], course: Course | None) -> str | None:
    """Why no order is made ready: a contraindication cannot be excluded, or it was stopped before and nobody wrote why."""
    if any(c.level is Level.HOLD and c.is_certain for c in cautions):
        return _NOT_MADE_READY
    undecided = [c for c in cautions if not c.is_certain]
    if undecided:
        asked = list(dict.fromkeys(m.text for c in undecided for m in c.missing))
        return say("check first: {asked}", asked=join("; ", asked) if asked else undecided[0].text)
    if course is not None and course.is_unexplained:
        return say("was taken before; the reason for stopping is not on record")
    return None


def _not_checked(unchecked: Unchecked | None) -> str | None:
    """The option's row says what could not be checked; here only that it keeps the order waiting (decision 3)."""
    return _NOT_MADE_READY if unchecked and unchecked.warnings else None


def _unread(entry: TreatmentEntry, case: Case) -> str | None:
    """No order is made ready while nobody has seen what could speak against it, or how old the patient is."""
    record, agent = case.assessment.record, case.assessment.definitions.agents.get(entry.course or "")
    by_infusion = agent is not None and agent.lasts_weeks is not None
    person = () if record.birth else (unread_person(record),)
    unread = (*person, *unread_treatment(record, by_infusion=by_infusion, intolerance=True))
    return say("check first: {asked}", asked=join("; ", [item.text for item in unread])) if unread else None


def _rank(fit: int, option: Option) -> tuple[bool, bool, bool, int, bool, int, int, int, int, str]:
    """Standing before set aside; glucocorticoid first, as partner of the rest, unless it is strongly advised against here; then
    fit, cautions, strength, sources.
    """
    ranks_last = any(caution.ranks_last for caution in option.cautions)
    strength = min(STRENGTHS.index(backing.strength) for backing in option.backing)
    sources = len({backing.source.id for backing in option.backing})
    return (
        option.not_offered is not None,
        option.is_adjunct,
        ranks_last or not _is_partner(option),
        -fit,
        ranks_last,
        len(option.cautions) + (option.unchecked.warnings if option.unchecked else 0),
        strength,
        -sources,
        -len(option.backing),
        option.title,
    )
