"""`recommend`: every guideline statement held against one patient. Pure.

A statement fires on yes. Where the answer is unknown and a datum would decide it, it is kept as unknown and names the datum.
What the chart shows as done or ordered is not suggested again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from cards.drafts import cautions_about, from_caution, from_unchecked, has_myositis, treatments_of
from cards.instead import notes_on_instead
from cards.knowledge import Knowledge, Rule, knowledge
from cards.markdown import capital
from cards.orders import panel_before
from cards.recommendation import Level, Option, Recommendation, firm
from cards.safety import cautions_for, unchecked_for
from cards.schedule import Due, DueState, counts_from, due_of, evidence_of
from cards.therapy import decide
from cards.verdicts import Case, Verdict
from fhir_profiles.assessment import Assessment
from fhir_profiles.dates import DateInterval
from fhir_profiles.findings import Answer, Evidence, Missing, Standing, all_of
from fhir_profiles.record import DraftOrder
from fhir_profiles.refusals import in_words
from fhir_profiles.sentences import join, say
from fhir_profiles.unread import unread_treatment


def recommend(
    assessment: Assessment,
    drafts: Sequence[DraftOrder] | None = None,
    known: Knowledge | None = None,
    triggers: dict[str, Answer] | None = None,
    falls_due: dict[str, Due] | None = None,
) -> list[Recommendation]:
    """What the guidelines say about this patient.

    Args:
        assessment: what the chart means.
        drafts: the orders being written (order-select, order-sign), or None when the chart is opened (patient-view).
        known: the knowledge; the packaged one by default.
        triggers: gets what the condition of each statement came to, by id (`cards.outcomes`).
        falls_due: gets what the calendar of each statement says, by id, as `calendar` would.

    Returns:
        Recommendations that hold, or would hold were a datum known; none for a mismatched record or a patient who has died.
    """
    known = known or knowledge()
    if assessment.record.is_mismatched or assessment.record.is_deceased:
        return []
    if drafts is None:
        calendar = {} if falls_due is None else falls_due
        return _for_the_chart(Case(assessment, calendar=calendar, triggers={} if triggers is None else triggers), known)
    return _for_drafts(assessment, drafts, known)


def calendar(assessment: Assessment, known: Knowledge | None = None) -> dict[str, Due]:
    """What falls due for this patient and when, by statement: upcoming, due, overdue or ended.

    Args:
        assessment: what the chart means.
        known: the knowledge; the packaged one by default.
    """
    if assessment.record.is_mismatched or assessment.record.is_deceased:
        return {}
    case = Case(assessment, {})
    _for_the_chart(case, known or knowledge())
    return case.calendar


def held_against(assessment: Assessment, known: Knowledge) -> tuple[Case, list[Recommendation]]:
    """The case once every statement was held against it, and what they say: for those who explain why the others are silent.

    Args:
        assessment: what the chart means; of a living patient, without a mismatch.
        known: the knowledge.
    """
    case = Case(assessment, {})
    return case, _for_the_chart(case, known)


# --- the chart ------------------------------------------------------------------------------------------------------------


def _for_the_chart(case: Case, known: Knowledge) -> list[Recommendation]:
    held: list[tuple[Rule, Recommendation]] = []
    for rule in known.rules:
        recommendation = _evaluate(rule, case, known)
        case.outcomes[rule.id] = Answer.NO
        if recommendation is None:
            continue
        held.append((rule, recommendation))
        if recommendation.held_back or not recommendation.is_note:
            case.outcomes[rule.id] = recommendation.holds
    said = [*_about_current_drugs(case, known), *_with_options(held, case, known)]
    advice = firm(said)
    return [_beside(recommendation, advice) if recommendation.is_stated else recommendation for recommendation in said]


def _evaluate(rule: Rule, case: Case, known: Knowledge) -> Recommendation | None:
    if rule.said_by:  # the drug-safety rules say it
        return None
    return _hold(rule, case, known) if rule.is_computed else _state(rule, case, known)


def _state(rule: Rule, case: Case, known: Knowledge) -> Recommendation | None:
    """A statement that cannot be computed, for those it concerns; without a condition it concerns nobody in particular."""
    if rule.concerns_everyone:
        case.triggers[rule.id] = Answer.NO
        return None
    verdict = rule.when(case)
    case.triggers[rule.id] = verdict.answer
    return replace(_from(rule, verdict, case, known), is_stated=True) if verdict.answer is Answer.YES else None


def _beside(stated: Recommendation, advice: Sequence[Recommendation]) -> Recommendation:
    """A stated statement stands on the card of its topic or, where there is none, with advice that it disagrees with."""
    if any(r.topic == stated.topic for r in advice):
        return stated
    topics = (r.topic for r in advice if not set(r.conflicts).isdisjoint(stated.conflicts))
    return replace(stated, topic=next(topics, stated.topic))


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
            title = say("{drug} is being taken", drug=course.title)
            said.extend(
                from_caution(c, course.evidence, (course.title,), notes_on_instead(c, case, known), is_taken=True)
                for c in certain
            )
            if unchecked := unchecked_for(rule.treatments[0], case, known, only=rule.id):
                said.append(from_unchecked(unchecked, course.evidence, title))
    return said


def _hold(rule: Rule, case: Case, known: Knowledge) -> Recommendation | None:
    """The recommendation that a rule makes for this patient, or None where it does not apply or has been met."""
    verdict = rule.when(case)
    case.triggers[rule.id] = verdict.answer
    if rule.schedule and verdict.answer is Answer.YES:
        verdict = _on_schedule(rule, verdict, case)
    if verdict.answer is Answer.NO or (verdict.answer is Answer.UNKNOWN and not verdict.missing):
        return None
    if rule.avoid:
        return _against_current_treatment(rule, verdict, case, known)
    orders, undecided = _orders_of(rule, case)
    if undecided:
        verdict = verdict._replace(missing=tuple(dict.fromkeys((*verdict.missing, *undecided))))
    if orders:
        return _with_orders(verdict, orders, rule, case, known)
    return replace(_from(rule, verdict, case, known), strength=_strength_of(rule, case), is_note=bool(rule.orders_if))


def _strength_of(rule: Rule, case: Case) -> str:
    """A statement may be firmer for some patients than for others (`strength` of an offer)."""
    if all(offer.strength is None for offer in rule.offers):
        return rule.strength
    strengths = {offer.strength or rule.strength for offer in rule.offers if offer.when(case).answer is Answer.YES}
    return strengths.pop() if len(strengths) == 1 else rule.strength


def _on_schedule(rule: Rule, verdict: Verdict, case: Case) -> Verdict:
    """Whether its calendar has come round; what it says is kept for the calendar of the patient."""
    due = due_of(case.assessment, rule.schedule) if rule.schedule else None
    if due is None:
        return Verdict(Answer.NO)
    case.calendar[rule.id] = due
    if due.state is DueState.UNKNOWN:
        return Verdict(Answer.UNKNOWN, verdict.because, tuple(dict.fromkeys((*verdict.missing, *due.missing))))
    because = (*verdict.because, *evidence_of(due, case.assessment.as_of))
    return Verdict(Answer.YES if due.is_now else Answer.NO, because, verdict.missing)


def _from(rule: Rule, verdict: Verdict, case: Case, known: Knowledge) -> Recommendation:
    """What a rule says to this patient."""
    disputes = (known.disputes[code].shown_to(case) for code in rule.conflicts)
    return Recommendation(
        id=rule.id,
        topic=rule.topic,
        holds=verdict.answer,
        strength=rule.strength,
        says=rule.says,
        urgency=rule.urgency,
        sources=rule.sources,
        is_against=bool(rule.avoid),
        because=verdict.because,
        missing=verdict.missing,
        notes=tuple(note.text for note in rule.notes if note.when(case).answer is Answer.YES),
        disputes=tuple(dispute for dispute in disputes if dispute),
        headline=rule.headline,
        asks_about=rule.asks_about,
        due=case.calendar.get(rule.id),
    )


def _against_current_treatment(rule: Rule, verdict: Verdict, case: Case, known: Knowledge) -> Recommendation | None:
    """Advice against a treatment is news only while such a treatment is being taken; unread medications leave that open."""
    courses = {known.treatments[treatment].course for treatment in rule.avoid}
    taken = [course for agent, course in case.assessment.treatment.courses.items() if agent in courses and course.is_current]
    if not taken:
        unread = unread_treatment(case.assessment.record, by_infusion=True)
        if not unread:
            return None
        unsure = Verdict(Answer.UNKNOWN, verdict.because, unread)
        return replace(_from(rule, unsure, case, known), warns_unread=rule.urgency != "routine")
    sure = verdict._replace(because=(*verdict.because, *(item for course in taken for item in course.evidence)))
    return replace(_from(rule, sure, case, known), avoid=tuple(course.title for course in taken))


def _orders_of(rule: Rule, case: Case) -> tuple[tuple[str, ...], tuple[Missing, ...]]:
    """The orders that this patient needs, and what is missing to decide on further ones."""
    if not rule.orders_if:
        return rule.orders, ()
    verdicts = [(part.orders, part.when(case)) for part in rule.orders_if]
    needed = [order for orders, verdict in verdicts if verdict.answer is Answer.YES for order in orders]
    missing = [item for _, verdict in verdicts if verdict.answer is Answer.UNKNOWN for item in verdict.missing]
    return (*rule.orders, *needed), tuple(missing)


def _with_orders(verdict: Verdict, orders: tuple[str, ...], rule: Rule, case: Case, known: Knowledge) -> Recommendation | None:
    """Leave out what is done or ordered; say what could not be told; hold back what is unsafe now or was declined."""
    since = counts_from(case.assessment, rule.counts_from_months_before_onset)
    look = _Look(rule, case, known, since)
    for order in orders:
        look.at(order)
    nothing_left = not (look.open_orders or look.held_back or look.declined or look.has_failed)
    if nothing_left and rule.urgency != "urgent":
        return None
    holds = verdict.answer if look.open_orders or not look.has_failed else all_of((verdict.answer, Answer.UNKNOWN))
    looked_at = Verdict(holds, verdict.because, tuple(dict.fromkeys((*verdict.missing, *look.missing))))
    said = _from(rule, looked_at, case, known)
    return replace(
        said,
        strength=_strength_of(rule, case),
        notes=(*said.notes, *look.notes),
        orders=tuple(look.open_orders) if verdict.answer is Answer.YES else (),
        already=tuple(dict.fromkeys(look.already)),
        held_back=tuple(look.held_back),
        declined=tuple(look.declined),
        is_note=bool(look.held_back or look.declined) and not look.open_orders,
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
    declined: list[Evidence] = field(default_factory=list)
    has_failed: bool = False

    def at(self, order: str) -> None:
        """One order: done, declined, failed, held back or open. What is urgent is offered whatever was declined before."""
        entry = self.known.orders[order]
        if panel := panel_before(order, self.case.assessment, self.known):
            self.already.extend(panel.evidence)
            self.missing.extend(panel.missing)
            self.has_failed |= panel.standing is Standing.FAILED
            return
        found = self.case.assessment.investigation(entry["investigation"], self.since)
        if found.declined and self.rule.urgency != "urgent":
            declined = say("{test} {declined}", test=entry["title"], declined=in_words(found.declined))
            self.declined.append(Evidence(declined, found.declined.reference))
            return
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
            self.held_back.append((title, join("", (certain.text, " (", certain.source.short, ")"))))
            return
        self.open_orders.append(order)
        self.missing.extend(item for stop in stops for item in stop.missing)
        earlier = self.case.assessment.investigation(investigation) if self.since else None
        if earlier and earlier.last_done:
            note = say(
                "{test} was last done on {day}, more than {months} months before the disease began; "
                "it is not counted (house look-back).",
                test=capital(earlier.title),
                day=DateInterval(earlier.last_done, earlier.last_done),
                months=self.rule.counts_from_months_before_onset,
            )
            self.notes.append(note)


def _with_options(held: list[tuple[Rule, Recommendation]], case: Case, known: Knowledge) -> list[Recommendation]:
    """Decide on treatment, topic by topic, over all statements that offer one, and give each the options that it backs.

    A statement that waits for data which nobody has seen offers nothing; what speaks against its drugs holds all the same.
    """
    topics = {rule.topic for rule, _ in held if rule.offers}
    options = {topic: _options_of(topic, held, case, known) for topic in topics}
    waiting = {topic: decide(_waiting(topic, held), case, known) for topic in topics}
    against = {topic: tuple(option for option in all_of_it if option.not_offered) for topic, all_of_it in waiting.items()}
    return [
        _with_those_of(rule, r, (options if r.holds is Answer.YES else against)[rule.topic], case, known) if rule.offers else r
        for rule, r in held
    ]


def _waiting(topic: str, held: list[tuple[Rule, Recommendation]]) -> list[Rule]:
    """The statements that could not be assessed because data failed or were not supplied."""
    of_topic = [(rule, r) for rule, r in held if rule.topic == topic and rule.offers]
    return [rule for rule, r in of_topic if r.holds is Answer.UNKNOWN and any(m.is_caveat for m in r.missing)]


def _with_those_of(
    rule: Rule, recommendation: Recommendation, options: tuple[Option, ...], case: Case, known: Knowledge
) -> Recommendation:
    backed = _backed_by(rule, options)
    if not backed and not recommendation.is_against:
        return recommendation
    return replace(recommendation, options=backed, is_against=any(_is_taken_with_caution(one, case, known) for one in backed))


def _is_taken_with_caution(option: Option, case: Case, known: Knowledge) -> bool:
    """The chart raises something against a drug that is being taken; the card of the options is where that is said."""
    course = case.assessment.treatment.courses.get(known.treatments[option.treatment].course or "")
    return bool(option.cautions) and course is not None and course.is_current


def _options_of(topic: str, held: list[tuple[Rule, Recommendation]], case: Case, known: Knowledge) -> tuple[Option, ...]:
    offered = [rule for rule, r in held if rule.topic == topic and rule.offers and r.holds is Answer.YES]
    return decide(offered, case, known, max((rule.fits for rule in _waiting(topic, held)), default=0))


def _backed_by(rule: Rule, options: tuple[Option, ...]) -> tuple[Option, ...]:
    return tuple(option for option in options if any(backing.recommendation == rule.id for backing in option.backing))


# --- drafts ---------------------------------------------------------------------------------------------------------------


def _for_drafts(assessment: Assessment, drafts: Sequence[DraftOrder], known: Knowledge) -> list[Recommendation]:
    """What speaks about the selected drafts, for a patient with myositis (design section 4, rule 11)."""
    case = Case(assessment, drafts=tuple(drafts))
    selected = [draft for draft in drafts if draft.is_selected]
    against = {draft.reference: _advice_against(draft, case, known) for draft in selected}
    advice = _together(r for said in against.values() for r in said)
    unadvised = {reference for reference, said in against.items() if said}
    return [
        *advice,
        *_disagreeing(advice, case, known),
        *_recommended_instead(advice, case, known),
        *cautions_about(selected, case, known, unadvised),
    ]


def _advice_against(draft: DraftOrder, case: Case, known: Knowledge) -> list[Recommendation]:
    """The guideline statements that advise against what is drafted."""
    courses = {t: entry.course for t in treatments_of(draft, case, known) if (entry := known.treatments.get(t)) and entry.course}
    said = []
    for rule in (rule for rule in known.rules if rule.stated is None):
        avoided = [case.assessment.definitions.agents[course].title for t, course in courses.items() if t in rule.avoid]
        verdict = rule.when(case) if avoided else None
        if verdict and verdict.answer is Answer.YES:
            because = (*verdict.because, Evidence(say("{drug} is being drafted", drug=avoided[0]), draft.reference))
            said.append(replace(_from(rule, verdict, case, known), because=because, avoid=(avoided[0],)))
    return said


def _together(advice: Iterable[Recommendation]) -> list[Recommendation]:
    """Each statement once, against all the drafts that it is about."""
    by_statement: dict[str, list[Recommendation]] = {}
    for one in advice:
        by_statement.setdefault(one.id, []).append(one)
    return [
        replace(
            of_all[0],
            because=tuple(dict.fromkeys(item for one in of_all for item in one.because)),
            avoid=tuple(dict.fromkeys(drug for one in of_all for drug in one.avoid)),
        )
        for of_all in by_statement.values()
    ]


def _disagreeing(advice: Sequence[Recommendation], case: Case, known: Knowledge) -> list[Recommendation]:
    """The stated statements that disagree with the advice about a draft."""
    disputed = {code for said in advice for code in said.conflicts}
    advised = firm(advice)
    stated = (_state(rule, case, known) for rule in known.rules if rule.stated and not disputed.isdisjoint(rule.conflicts))
    return [_beside(one, advised) for one in stated if one is not None and not disputed.isdisjoint(one.conflicts)]


def _recommended_instead(advice: Sequence[Recommendation], case: Case, known: Knowledge) -> list[Recommendation]:
    """What a guideline recommends to the very patients whom it advises against the draft, and has not been done yet."""
    populations = [(rule.topic, rule.trigger) for rule in (known.rule_of[said.id] for said in advice)]
    wanted = [r for r in known.rules if r.orders and r.strength == "recommended" and (r.topic, r.trigger) in populations]
    held = (_hold(rule, case, known) for rule in wanted)
    return [said for said in held if said is not None and said.orders]
