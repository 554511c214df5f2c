"""Treatments as rows of the timeline: every course, each of its entries, and what became of it in words."""

from fhir_profiles.codes import Terminology
from fhir_profiles.courses import Course, Outcome
from fhir_profiles.record import DrugEntry, Event, facts_of
from fhir_profiles.sentences import Sentence, join, say
from server.evaluation import Evaluation
from server.patient_page.happenings import Happening, Row, dated, spanned, title_of

_KINDS = {
    Outcome.CURRENT: "current",
    Outcome.FAILED: "failed",
    Outcome.NOT_TOLERATED: "not-tolerated",
    Outcome.ALLERGY: "not-tolerated",
    Outcome.STOPPED: "stopped",
}


def treatment_rows(evaluation: Evaluation, terms: Terminology) -> tuple[Row, ...]:
    """One row for each course, the treatment of the disease first, oldest first."""
    courses = sorted(evaluation.assessment.treatment.courses.values(), key=_oldest_first)
    return tuple(_row(course, evaluation, terms) for course in courses)


def _oldest_first(course: Course) -> tuple[bool, bool, int, str]:
    is_aside = course.role == "comedication"
    return is_aside, course.start is None, course.start.first.toordinal() if course.start else 0, course.title


def _row(course: Course, evaluation: Evaluation, terms: Terminology) -> Row:
    record, agent = evaluation.record, evaluation.assessment.definitions.agents[course.agent]
    evidence = {item.reference for item in course.evidence}
    entries = [entry for entry in facts_of(record.drugs, agent.drugs) if entry.reference in evidence]
    is_infusion = agent.lasts_weeks is not None
    happenings = [_entry(entry, course, is_infusion, terms) for entry in entries]
    happenings += [_given(event, course.title) for event in facts_of(record.events, agent.procedures)]
    drawn = {happening.reference for happening in happenings}
    happenings += [
        Happening("reason", dated(None), item.text, item.reference) for item in course.evidence if item.reference not in drawn
    ]
    became = outcome_words(course, entries)
    return Row(course.title, _summary(course, became, entries, terms), tuple(happenings), became)


def _summary(course: Course, became: Sentence, entries: list[DrugEntry], terms: Terminology) -> str:
    span = [spanned(course.start, course.end, goes_on=course.is_current)] if course.start or course.end else []
    drugs = dict.fromkeys(title_of(entry, terms) for entry in entries)
    others = [drug for drug in drugs if drug.casefold() != course.title.casefold()]
    now = next((entry for entry in entries if entry.is_current), None)
    dose = [say("now {dose}", dose=words) for words in (_dose(now) if now else ())]
    role = [say("goes beside the treatment")] if course.role == "comedication" else []
    is_judged = course.is_current and course.outcome is Outcome.FAILED
    judged = [say("judged by: {reason}", reason=course.decided_by)] if is_judged else []
    return join(", ", [became, *span, *others, *dose, *role, *judged])


def _dose(entry: DrugEntry) -> tuple[Sentence, ...]:
    """What is read is a mean: methotrexate is said by the week, as it is given, lest the mean be taken for a daily dose."""
    if entry.daily_dose_mg is None:
        return ()
    if "methotrexate" in entry.concepts:
        return (say("{dose:.4g} mg in a week, all doses together", dose=entry.daily_dose_mg * 7),)
    return (say("prescribed {dose:.4g} mg a day", dose=entry.daily_dose_mg),)


def outcome_words(course: Course, entries: list[DrugEntry]) -> Sentence:
    """What became of a course. That it worked is in no field that is read, so it is never said."""
    if course.outcome is Outcome.CURRENT:
        return say("current")
    if course.outcome is Outcome.FAILED:
        return say("failed, still taken") if course.is_current else say("failed")
    if course.outcome is Outcome.NOT_TOLERATED:
        return say("not tolerated")
    if course.outcome is Outcome.ALLERGY:
        return say("intolerance on record")
    reasons = {entry.stop_reason for entry in entries}
    if "pregnancy" in reasons:
        return say("stopped for pregnancy")
    if "other" in reasons:
        return say("stopped for another reason")
    return say("stopped, reason unknown") if course.is_unexplained else say("completed")


_KIND_OF_REASON = {"ineffective": "failed", "intolerance": "not-tolerated"}


def _kind_of(entry: DrugEntry, course: Course) -> str:
    """An earlier attempt keeps its own end; what goes on looks like the course."""
    if entry.is_current:
        return _KINDS[course.outcome]
    return _KIND_OF_REASON.get(entry.stop_reason or "", "stopped")


def _entry(entry: DrugEntry, course: Course, is_infusion: bool, terms: Terminology) -> Happening:
    """A single infusion is a point; all else lasts."""
    is_point = is_infusion and not entry.is_current and entry.end in (None, entry.when) and entry.status == "completed"
    route = [_ROUTES.get(entry.route, entry.route)] if entry.route else []
    return Happening(
        kind="dose" if is_point else _kind_of(entry, course),
        when=dated(entry.when) if is_point else spanned(entry.when, entry.end, goes_on=entry.is_current),
        says=join(", ", [title_of(entry, terms), *_dose(entry), *route, _became(entry)]),
        reference=entry.reference,
        start=entry.when,
        end=None if is_point or entry.is_current else entry.end,
        lasts=not is_point,
        goes_on=entry.is_current,
    )


def _became(entry: DrugEntry) -> Sentence:
    if entry.is_current:
        return say("current")
    if entry.stop_reason in _REASONS:
        return _REASONS[entry.stop_reason]
    return say("given") if entry.status == "completed" else say("no longer taken, no reason given")


_REASONS = {
    "ineffective": say("stopped because it did not work"),
    "intolerance": say("stopped because it was not tolerated"),
    "pregnancy": say("stopped because of pregnancy"),
    "other": say("stopped for another reason"),
}
_ROUTES = {
    "intravenous": say("into a vein"),
    "subcutaneous": say("under the skin"),
    "oral": say("by mouth"),
    "topical": say("on the skin"),
    "ophthalmic": say("into the eye"),
}


def _given(event: Event, title: str) -> Happening:
    return Happening("dose", dated(event.when), say("{treatment} done", treatment=title), event.reference, event.when)
