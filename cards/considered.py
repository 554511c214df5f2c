"""What was considered for a patient and is silent: every statement that neither holds nor waits, and why. Pure.

With `recommend` this leaves nothing out: each statement of the knowledge, those that are switched off included, is in exactly one
of the two. The reason is the smallest part of the statement's own condition that decides, or what the chart shows as done.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from cards.deciding import Decider, decider, in_words
from cards.knowledge import Knowledge, Rule, knowledge
from cards.recommend import held_against
from cards.recommendation import Source
from cards.schedule import Due, DueState, Schedule, counts_from, rounds
from fhir_profiles.assessment import Assessment
from fhir_profiles.dates import DateInterval
from fhir_profiles.findings import Answer, Evidence, Missing
from fhir_profiles.sentences import join, say, say_number


class Silence(StrEnum):
    """Why a statement says nothing about a patient.

    `NO`: it is for others. `SATISFIED`: done, ordered, or not due. `UNKNOWN`: it cannot be told, and no one datum would decide
    it. `ELSEWHERE`: the drug-safety rules say it. `NOT_COMPUTED`: it is about no patient in particular. `OFF`: switched off.
    """

    NO = "no"
    SATISFIED = "satisfied"
    UNKNOWN = "unknown"
    ELSEWHERE = "elsewhere"
    NOT_COMPUTED = "not-computed"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Considered:
    """One statement that says nothing about this patient, and why.

    Args:
        id: its id.
        source: where it stands.
        says: the statement, paraphrased.
        topic: card topic code.
        strength: the source's own word.
        answer: the kind of reason.
        reason: in words.
        because: what in the chart the reason rests on.
        missing: what was not supplied or could not be read, so that the reason says no more than it knows.
    """

    id: str
    source: Source
    says: str
    topic: str
    strength: str
    answer: Silence
    reason: str
    because: tuple[Evidence, ...] = ()
    missing: tuple[Missing, ...] = ()


Reason = tuple[Silence, str, tuple[Evidence, ...], tuple[Missing, ...]]


def considered(assessment: Assessment, known: Knowledge | None = None) -> tuple[Considered, ...]:
    """The statements that were held against a patient and say nothing, in the order of the knowledge.

    Args:
        assessment: what the chart means.
        known: the knowledge; the packaged one by default.

    Returns:
        Nothing for a mismatched record or a patient who has died: nothing was held against them.
    """
    known = known or knowledge()
    if assessment.record.is_mismatched or assessment.record.is_deceased:
        return ()
    case, said = held_against(assessment, known)
    speaking = {recommendation.id for recommendation in said}
    asks = decider(case, known)
    silent = [_with_reason(rule, _reason(rule, asks)) for rule in known.rules if rule.id not in speaking]
    off = say("switched off, by default or by this site")
    return (*silent, *(_with_reason(rule, (Silence.OFF, off, (), ())) for rule in known.rules_off))


def _with_reason(rule: Rule, reason: Reason) -> Considered:
    return Considered(rule.id, rule.sources[0], rule.says, rule.topic, rule.strength, *reason)


def _reason(rule: Rule, asks: Decider) -> Reason:
    if rule.said_by:
        words = {one.id: one.says for one in (*asks.known.safety, *asks.known.safety_off)}
        where = say(
            "said by the drug-safety rules, where such a drug is given or written ({rules})",
            rules=join("; ", [words[name] for name in rule.said_by]),
        )
        return Silence.ELSEWHERE, where, (), ()
    if rule.stated is not None and rule.concerns_everyone:
        return Silence.NOT_COMPUTED, say("about no patient in particular: {why}", why=rule.stated), (), ()
    verdict = rule.when(asks.case)
    is_open = rule.stated is None and bool(verdict.missing)  # then it would wait, were there nothing else
    if verdict.answer is Answer.YES or (verdict.answer is Answer.UNKNOWN and is_open):
        return _satisfied(rule, asks)
    return _undecided(rule, asks) if verdict.answer is Answer.UNKNOWN else _not_for_this_patient(rule, asks)


def _not_for_this_patient(rule: Rule, asks: Decider) -> Reason:
    parts = asks.parts(rule.trigger or {}, Answer.NO)
    because = tuple(item for part in parts for item in part.because if item.reference)
    missing = tuple(item for part in parts for item in part.missing)
    return Silence.NO, say("not for this patient: {part}", part=in_words(parts)), because, missing


def _undecided(rule: Rule, asks: Decider) -> Reason:
    parts = asks.parts(rule.trigger or {}, Answer.UNKNOWN)
    because = tuple(item for part in parts for item in part.because if item.reference)
    missing = tuple(item for part in parts for item in part.missing)
    return Silence.UNKNOWN, say("it cannot be told whether this holds: {part}", part=in_words(parts)), because, missing


# --- those that hold, and have nothing left to do ---------------------------------------------------------------------------


def _satisfied(rule: Rule, asks: Decider) -> Reason:
    if rule.schedule:
        due = asks.case.calendar.get(rule.id)
        words = _by_calendar(due) if due else _before_calendar(rule.schedule, asks.case.assessment)
        return Silence.SATISFIED, words, (), ()
    if rule.avoid:
        titles = dict.fromkeys(asks.known.treatments[treatment].title for treatment in rule.avoid)
        words = say(
            "followed: none of what it advises against is being taken ({treatments})", treatments=join(", ", list(titles))
        )
        return Silence.SATISFIED, words, (), ()
    shown = tuple(dict.fromkeys(_shown(rule, asks)))
    return Silence.SATISFIED, join(", ", list(dict.fromkeys(item.text for item in shown))), shown, ()


def _shown(rule: Rule, asks: Decider) -> Iterable[Evidence]:
    """What the chart shows as done or ordered of all that the statement asks for."""
    assessment = asks.case.assessment
    since = counts_from(assessment, rule.counts_from_months_before_onset)
    further = [order for part in rule.orders_if if part.when(asks.case).answer is Answer.YES for order in part.orders]
    for order in (*rule.orders, *further):
        yield from assessment.investigation(asks.known.orders[order]["investigation"], since).evidence


def _by_calendar(due: Due) -> str:
    """`screening imaging done on 3 March 2026, next due from 3 September 2026`."""
    if due.last_done is None:
        begun = say("no {title} on record", title=due.title)
    else:
        begun = say("{title} done on {day}", title=due.title, day=_day(due.last_done))
    if due.state is DueState.ORDERED:
        return say("{done}, already ordered again", done=begun)
    if due.state is DueState.ENDED and due.ends:
        return say("{done}; the calendar ended on {day}", done=begun, day=_day(due.ends))
    return say("{done}, next due from {day}", done=begun, day=_day(due.due_from)) if due.due_from else begun


def _before_calendar(schedule: Schedule, assessment: Assessment) -> str:
    if schedule.at_months:
        days = assessment.days_done(schedule.of)
        if not days:
            return say("nothing has fallen due by its calendar yet")
        return say("{title} done on {day}; nothing further falls due", title=schedule.title, day=_day(days[-1]))
    done = len(rounds(assessment.days_done(schedule.of, counts_from(assessment, schedule.from_months_before_onset))))
    if done < schedule.after_rounds:
        return say_number(
            "its calendar begins after {number} round of {title}; on record: {done}",
            "its calendar begins after {number} rounds of {title}; on record: {done}",
            schedule.after_rounds,
            title=schedule.title,
            done=done,
        )
    return say_number(
        "it is about the next round only, after {number} round of {title}; on record: {done}",
        "it is about the next round only, after {number} rounds of {title}; on record: {done}",
        schedule.after_rounds,
        title=schedule.title,
        done=done,
    )


def _day(day: date) -> DateInterval:
    return DateInterval(day, day)
