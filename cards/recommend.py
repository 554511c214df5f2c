"""`recommend`: every guideline statement held against one patient. Pure.

A statement fires on yes. Where the answer is unknown and a datum would decide it, it is kept as unknown and names the datum.
What the chart shows as done or ordered is not suggested again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from cards.course_conditions import counts_from
from cards.drafts import cautions_about, from_caution, has_myositis, treatments_of
from cards.knowledge import Knowledge, Rule, knowledge
from cards.markdown import capital
from cards.recommendation import Level, Option, Recommendation
from cards.safety import cautions_for
from cards.therapy import decide
from cards.verdicts import Case, Verdict
from fhir_profiles.assessment import Assessment
from fhir_profiles.dates import DateInterval
from fhir_profiles.findings import Answer, Evidence, Missing, Standing, all_of
from fhir_profiles.record import DraftOrder


def recommend(
    assessment: Assessment, drafts: Sequence[DraftOrder] | None = None, known: Knowledge | None = None
) -> list[Recommendation]:
    """What the guidelines say about this patient.

    Args:
        assessment: what the chart means.
        drafts: the orders being written (order-select, order-sign), or None when the chart is opened (patient-view).
        known: the knowledge; the packaged one by default.

    Returns:
        Recommendations that hold, or would hold were a datum known; none for a mismatched record or a patient who has died.
    """
    known = known or knowledge()
    if assessment.record.is_mismatched or assessment.record.is_deceased:
        return []
    if drafts is None:
        return _for_the_chart(assessment, known)
    return _for_drafts(assessment, drafts, known)


# --- the chart ------------------------------------------------------------------------------------------------------------


def _for_the_chart(assessment: Assessment, known: Knowledge) -> list[Recommendation]:
    outcomes: dict[str, Answer] = {}
    case = Case(assessment, outcomes)
    held: list[tuple[Rule, Recommendation]] = []
    for rule in known.rules:
        recommendation = _hold(rule, case, known) if rule.stated is None else _state(rule, case, known)
        is_open = recommendation is not None and (not recommendation.is_note or bool(recommendation.held_back))
        outcomes[rule.id] = recommendation.holds if recommendation and is_open else Answer.NO
        if recommendation:
            held.append((rule, recommendation))
    return [*_about_current_drugs(case, known), *_with_options(held, case, known)]


def _state(rule: Rule, case: Case, known: Knowledge) -> Recommendation | None:
    """A statement that cannot be computed, for those it concerns; without a condition it concerns nobody in particular."""
    verdict = rule.when(case)
    if rule.concerns_everyone or verdict.answer is not Answer.YES:
        return None
    return replace(_from(rule, verdict, case, known), is_stated=True)


def _about_current_drugs(case: Case, known: Knowledge) -> list[Recommendation]:
    """Drugs being taken that must not be, now that the chart is opened (drug-safety.md section 2, item 2)."""
    if not has_myositis(case.assessment):
        return []
    said: list[Recommendation] = []
    for rule in (rule for rule in known.safety if rule.while_taken):
        courses = {known.treatments[treatment].course for treatment in rule.treatments}
        taken = [c for agent, c in case.assessment.treatment.courses.items() if agent in courses and c.is_current]
        for course in taken:
            speaking = cautions_for(rule.treatments[0], case, known, (rule.level,))
            certain = [c for c in speaking if c.id == rule.id and c.is_certain]
            said.extend(from_caution(caution, course.evidence, course.title) for caution in certain)
    return said


def _hold(rule: Rule, case: Case, known: Knowledge) -> Recommendation | None:
    """The recommendation that a rule makes for this patient, or None where it does not apply or has been met."""
    verdict = rule.when(case)
    if verdict.answer is Answer.NO or (verdict.answer is Answer.UNKNOWN and not verdict.missing):
        return None
    recommendation = _from(rule, verdict, case, known)
    if rule.avoid:
        return _against_current_treatment(rule, recommendation, case, known)
    orders, undecided = _orders_of(rule, case)
    recommendation = replace(recommendation, missing=tuple(dict.fromkeys((*recommendation.missing, *undecided))))
    if not orders:
        return replace(recommendation, is_note=bool(rule.orders_if))
    return _with_orders(recommendation, orders, rule, case, known)


def _from(rule: Rule, verdict: Verdict, case: Case, known: Knowledge) -> Recommendation:
    notes = tuple(note.text for note in rule.notes if note.when(case).answer is Answer.YES)
    return Recommendation(
        id=rule.id,
        topic=rule.topic,
        holds=verdict.answer,
        strength=rule.strength,
        says=rule.says,
        urgency=rule.urgency,
        sources=rule.sources,
        because=verdict.because,
        missing=verdict.missing,
        notes=notes,
        conflicts=tuple(code for code in rule.conflicts if known.disputes[code].matters(case).answer is Answer.YES),
    )


def _against_current_treatment(rule: Rule, recommendation: Recommendation, case: Case, known: Knowledge) -> Recommendation | None:
    """Advice against a treatment is news only while such a treatment is being taken."""
    courses = {known.treatments[treatment].course for treatment in rule.avoid}
    taken = [course for agent, course in case.assessment.treatment.courses.items() if agent in courses and course.is_current]
    if not taken:
        return None
    evidence = tuple(item for course in taken for item in course.evidence)
    return replace(recommendation, because=recommendation.because + evidence, avoid=tuple(course.title for course in taken))


def _orders_of(rule: Rule, case: Case) -> tuple[tuple[str, ...], tuple[Missing, ...]]:
    """The orders that this patient needs, and what is missing to decide on further ones."""
    verdicts = [(part.orders, part.when(case)) for part in rule.orders_if]
    needed = [order for orders, verdict in verdicts if verdict.answer is Answer.YES for order in orders]
    missing = [item for _, verdict in verdicts if verdict.answer is Answer.UNKNOWN for item in verdict.missing]
    return (*rule.orders, *needed), tuple(missing)


def _with_orders(
    recommendation: Recommendation, orders: tuple[str, ...], rule: Rule, case: Case, known: Knowledge
) -> Recommendation | None:
    """Leave out what is done or ordered; say what could not be told; hold back what is unsafe now."""
    since = counts_from(case.assessment, rule.counts_from_months_before_onset)
    look = _Look(rule, case, known, since)
    for order in orders:
        look.at(order)
    nothing_left = not look.open_orders and not look.held_back and not look.has_failed
    if nothing_left and rule.urgency != "urgent":
        return None
    holds = recommendation.holds if look.open_orders or not look.has_failed else all_of((recommendation.holds, Answer.UNKNOWN))
    return replace(
        recommendation,
        holds=holds,
        orders=tuple(look.open_orders) if recommendation.holds is Answer.YES else (),
        already=tuple(dict.fromkeys(look.already)),
        missing=tuple(dict.fromkeys((*recommendation.missing, *look.missing))),
        notes=(*recommendation.notes, *look.notes),
        held_back=tuple(look.held_back),
        is_note=bool(look.held_back) and not look.open_orders,
    )


@dataclass(slots=True)
class _Look:
    """What becomes of the orders of one statement."""

    rule: Rule
    case: Case
    known: Knowledge
    since: date | None
    open_orders: list[str] = field(default_factory=list)
    already: list[Evidence] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    held_back: list[tuple[str, str]] = field(default_factory=list)
    has_failed: bool = False

    def at(self, order: str) -> None:
        """One order: done, failed, held back or open."""
        entry = self.known.orders[order]
        found = self.case.assessment.investigation(entry["investigation"], self.since)
        self.missing.extend(found.missing)
        self.already.extend(found.evidence)
        if found.standing is Standing.FAILED:
            self.has_failed = True
        elif found.standing is not Standing.PRESENT:
            self._open(order, entry["title"], entry["investigation"])

    def _open(self, order: str, title: str, investigation: str) -> None:
        stops = cautions_for(order, self.case, self.known, (Level.STOP,))
        certain = next((stop for stop in stops if stop.is_certain), None)
        if certain:
            self.held_back.append((title, f"{certain.text} ({certain.source.short})"))
            return
        self.open_orders.append(order)
        self.missing.extend(item for stop in stops for item in stop.missing)
        earlier = self.case.assessment.investigation(investigation) if self.since else None
        if earlier and earlier.last_done:
            done = DateInterval(earlier.last_done, earlier.last_done)
            months = self.rule.counts_from_months_before_onset
            self.notes.append(
                f"{capital(earlier.title)} was last done on {done}, more than {months} months before the disease began; "
                "it is not counted (house look-back)."
            )


def _with_options(held: list[tuple[Rule, Recommendation]], case: Case, known: Knowledge) -> list[Recommendation]:
    """Decide on therapy over all statements that offer one, and give each the options that it backs."""
    offered = [rule for rule, recommendation in held if rule.offers and recommendation.holds is Answer.YES]
    waiting = (rule.fits for rule, r in held if rule.offers and r.holds is Answer.UNKNOWN and any(m.is_caveat for m in r.missing))
    options = decide(offered, case, known, max(waiting, default=0))
    return [
        replace(recommendation, options=_backed_by(rule, options))
        if rule.offers and recommendation.holds is Answer.YES
        else recommendation
        for rule, recommendation in held
    ]


def _backed_by(rule: Rule, options: tuple[Option, ...]) -> tuple[Option, ...]:
    return tuple(option for option in options if any(backing.recommendation == rule.id for backing in option.backing))


# --- drafts ---------------------------------------------------------------------------------------------------------------


def _for_drafts(assessment: Assessment, drafts: Sequence[DraftOrder], known: Knowledge) -> list[Recommendation]:
    """What speaks about the selected drafts, for a patient with myositis (design section 4, rule 11)."""
    case = Case(assessment, drafts=tuple(drafts))
    selected = [draft for draft in drafts if draft.is_selected]
    against = {draft.reference: _advice_against(draft, case, known) for draft in selected}
    advice = list({(r.id, r.avoid): r for said in against.values() for r in said}.values())
    unadvised = {reference for reference, said in against.items() if said}
    return [*advice, *_recommended_instead(advice, case, known), *cautions_about(selected, case, known, unadvised)]


def _advice_against(draft: DraftOrder, case: Case, known: Knowledge) -> list[Recommendation]:
    """The guideline statements that advise against what is drafted."""
    courses = {t: entry.course for t in treatments_of(draft, case, known) if (entry := known.treatments.get(t)) and entry.course}
    said = []
    for rule in (rule for rule in known.rules if rule.stated is None):
        avoided = [case.assessment.definitions.agents[course].title for t, course in courses.items() if t in rule.avoid]
        verdict = rule.when(case) if avoided else None
        if verdict and verdict.answer is Answer.YES:
            because = (*verdict.because, Evidence(f"{avoided[0]} is being drafted", draft.reference))
            said.append(replace(_from(rule, verdict, case, known), because=because, avoid=(avoided[0],)))
    return said


def _recommended_instead(advice: Sequence[Recommendation], case: Case, known: Knowledge) -> list[Recommendation]:
    """What a guideline recommends to the very patients whom it advises against the draft, and has not been done yet."""
    rules = {rule.id: rule for rule in known.rules}
    populations = [(rules[said.id].topic, rules[said.id].trigger) for said in advice]
    wanted = [r for r in known.rules if r.orders and r.strength == "recommended" and (r.topic, r.trigger) in populations]
    held = (_hold(rule, case, known) for rule in wanted)
    return [said for said in held if said is not None and said.orders]
