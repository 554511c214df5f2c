"""Tumour screening and monitoring as a calendar: what is done, due, ahead, ordered or over, statement by statement. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import ClassVar

from cards.considered import Considered, Silence
from cards.knowledge import Rule
from cards.recommendation import Recommendation, Source
from cards.schedule import Due, DueState, counts_from, in_words
from fhir_profiles.dates import DateInterval, add_months
from fhir_profiles.findings import Answer, Evidence
from fhir_profiles.sentences import join, say
from server.evaluation import Evaluation
from server.patient_page.due_words import state_words
from server.patient_page.happenings import dated
from server.patient_page.labels import LABELS
from server.patient_page.time_axis import on

TOPICS = ("tumourScreening", "lungFunction", "diseaseMonitoring")
"""The topics whose single tests belong into the calendar; what a source gives an interval for always does."""

_STATES = {
    DueState.OVERDUE: "overdue",
    DueState.DUE: "due",
    DueState.UPCOMING: "upcoming",
    DueState.ORDERED: "ordered",
    DueState.UNKNOWN: "unknown",
    DueState.ENDED: "ended",
}
_ORDER = ("overdue", "due", "unknown", "ordered", "upcoming", "done", "ended")


@dataclass(frozen=True, slots=True)
class Entry:
    """One statement in the calendar.

    Args:
        id: of the statement.
        title: what is to be done.
        state: `overdue`, `due`, `unknown`, `ordered`, `upcoming`, `done` or `ended`.
        state_words: the state in words, with its date.
        done: days on which it was done, newest first, with references where one resource shows it.
        ordered: what is ordered and not done yet.
        missing: what would be needed to tell.
        interval: as the source gives it, or that it gives none.
        says: the statement.
        source: who says so.
        due_from: first day on which it is due, where there is one.
    """

    id: str
    title: str
    state: str
    state_words: str
    done: tuple[Evidence, ...]
    ordered: tuple[Evidence, ...]
    missing: tuple[str, ...]
    interval: str
    says: str
    source: Source
    due_from: date | None = None


@dataclass(frozen=True, slots=True)
class Month:
    """What stands in one month of the list: `now`, a month ahead, or what has no date."""

    title: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class CalendarView:
    """The calendar of one patient.

    Args:
        as_of: today.
        entries: every statement, the most pressing first.
        months: what is due now, then what falls due month by month, then what cannot be told.
        empty: said where no statement concerns the patient.
    """

    labels: ClassVar[Mapping[str, str]] = LABELS

    as_of: DateInterval
    entries: tuple[Entry, ...]
    months: tuple[Month, ...]
    empty: str


def calendar_view(evaluation: Evaluation, dues: Mapping[str, Due], found: Iterable[Considered]) -> CalendarView:
    """The calendar of one patient.

    Args:
        evaluation: of the chart, without drafts.
        dues: what falls due, by statement (`cards.recommend.calendar`).
        found: the statements that were considered and say nothing.
    """
    known, assessment = evaluation.knowledge, evaluation.assessment
    said = {recommendation.id: recommendation for recommendation in evaluation.recommendations}
    silent = {one.id: one for one in found}
    entries = []
    for rule in known.rules:
        concerned = rule.schedule or (rule.topic in TOPICS and (rule.orders or rule.orders_if))
        recommendation, silence = said.get(rule.id), silent.get(rule.id)
        if rule.id in dues:
            entries.append(_repeated(rule, dues[rule.id], evaluation))
        elif concerned and recommendation is not None:
            entries.append(_asked_for(rule, recommendation, evaluation))
        elif concerned and not rule.schedule and silence is not None and silence.answer is Silence.SATISFIED:
            entries.append(_met(rule, silence.because, evaluation))
    entries.sort(key=lambda entry: (_ORDER.index(entry.state), entry.due_from or assessment.as_of, entry.id))
    empty = say("No screening or monitoring statement of the sources concerns this patient.")
    return CalendarView(on(assessment.as_of), tuple(entries), tuple(_months(entries)), empty)


def _repeated(rule: Rule, due: Due, evaluation: Evaluation) -> Entry:
    """A statement that the source gives an interval for."""
    schedule, assessment = rule.schedule, evaluation.assessment
    if schedule is None:
        raise ValueError("only statements with a schedule fall due")
    days = assessment.days_done(schedule.of, counts_from(assessment, schedule.from_months_before_onset))
    concepts = [concept for combination in assessment.definitions.investigations[schedule.of].shown_by for concept in combination]
    ordered = tuple(order for concept in concepts for order in evaluation.record.orders.get(concept, ()))
    return Entry(
        id=rule.id,
        title=due.title,
        state=_STATES[due.state],
        state_words=state_words(due),
        done=tuple(Evidence(say("{day}", day=on(day)), _shown_on(day, concepts, evaluation)) for day in reversed(days)),
        ordered=tuple(dict.fromkeys(Evidence(say("ordered, {day}", day=dated(one.when)), one.reference) for one in ordered)),
        missing=tuple(item.text for item in due.missing),
        interval=in_words(schedule),
        says=rule.says,
        source=rule.sources[0],
        due_from=due.due_from if due.state in (DueState.UPCOMING, DueState.DUE, DueState.OVERDUE) else None,
    )


def _shown_on(day: date, concepts: Iterable[str], evaluation: Evaluation) -> str:
    """The resource that shows that it was done on this day."""
    filed = (evaluation.record.events, evaluation.record.results)
    facts = (fact for concept in concepts for facts in filed for fact in facts.get(concept, ()))
    return next((fact.reference for fact in facts if fact.when and fact.when.last == day), "")


def _asked_for(rule: Rule, said: Recommendation, evaluation: Evaluation) -> Entry:
    """A single test that is open, or cannot be told, now."""
    missing = tuple(item.text for item in said.missing)
    withheld = [*(item.text for item in said.declined), *(reason for _, reason in said.held_back)]
    if said.holds is Answer.YES and said.orders:
        state, words = "due", say("due now, not on record")
    elif withheld:
        state, words = "unknown", say("not offered now: {reasons}", reasons=join("; ", withheld))
    elif said.holds is Answer.UNKNOWN:
        state, words = "unknown", say("cannot be told: {missing}", missing=join("; ", missing))
    elif said.notes and not said.already:
        state, words = "unknown", join(" ", said.notes)
    else:
        return _met(rule, said.already, evaluation)
    return _single(rule, said.orders or _all_orders(rule), state, words, said.already, missing, evaluation)


def _met(rule: Rule, shown: tuple[Evidence, ...], evaluation: Evaluation) -> Entry:
    """A single test of which nothing is left to do; only what this patient had is named."""
    since = counts_from(evaluation.assessment, rule.counts_from_months_before_onset)
    tests = {order: evaluation.knowledge.orders[order]["investigation"] for order in _all_orders(rule)}
    had = tuple(order for order, test in tests.items() if evaluation.assessment.investigation(test, since).evidence)
    is_ordered = any(item.reference in _orders(evaluation) for item in shown)
    state, words = ("ordered", say("ordered, not done yet")) if is_ordered else ("done", say("done"))
    return _single(rule, had, state, words, shown, (), evaluation)


def _single(
    rule: Rule,
    orders: tuple[str, ...],
    state: str,
    words: str,
    shown: tuple[Evidence, ...],
    missing: tuple[str, ...],
    evaluation: Evaluation,
) -> Entry:
    titles = [rule.schedule.title] if rule.schedule else [evaluation.knowledge.orders[order]["title"] for order in orders]
    unique = tuple({item.text: item for item in shown}.values())
    open_orders = _orders(evaluation)
    return Entry(
        id=rule.id,
        title=join(", ", list(dict.fromkeys(titles))),
        state=state,
        state_words=words,
        done=tuple(item for item in unique if item.reference not in open_orders),
        ordered=tuple(item for item in unique if item.reference in open_orders),
        missing=missing,
        interval=in_words(rule.schedule) if rule.schedule else say("once; the source gives no interval in this statement"),
        says=rule.says,
        source=rule.sources[0],
    )


def _all_orders(rule: Rule) -> tuple[str, ...]:
    return (*rule.orders, *(order for part in rule.orders_if for order in part.orders))


def _orders(evaluation: Evaluation) -> frozenset[str]:
    return frozenset(order.reference for orders in evaluation.record.orders.values() for order in orders)


def _months(entries: list[Entry]) -> Iterable[Month]:
    """Now, then month by month, then what has no date; what is done or over stands in the table."""
    if now := tuple(entry for entry in entries if entry.state in ("overdue", "due")):
        yield Month(say("Now"), now)
    ahead = sorted((entry for entry in entries if entry.state == "upcoming" and entry.due_from), key=lambda e: (_month(e), e.id))
    for (year, month), group in groupby(ahead, key=_month):
        first = date(year, month, 1)
        last = add_months(first, 1)
        yield Month(say("{month}", month=DateInterval(first, date.fromordinal(last.toordinal() - 1))), tuple(group))
    if ordered := tuple(entry for entry in entries if entry.state == "ordered"):
        yield Month(say("Ordered"), ordered)
    if unknown := tuple(entry for entry in entries if entry.state == "unknown"):
        yield Month(say("Cannot be told"), unknown)


def _month(entry: Entry) -> tuple[int, int]:
    day = entry.due_from or date.max
    return day.year, day.month
