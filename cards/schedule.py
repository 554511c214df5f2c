"""When something falls due: a calendar that a guideline gives, held against what the chart shows as done.

Two forms. `repeat`: so many months after the last round of a test. `points`: at fixed times after the disease began, and then
at least so often.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from fhir_profiles.assessment import Assessment
from fhir_profiles.dates import DateInterval, add_months, days_between
from fhir_profiles.findings import Evidence, Missing, Standing
from fhir_profiles.sentences import join, say, say_number

SAME_ROUND_DAYS = 60
"""Two tests within this many days belong to one round (house reading: the source counts screens, not days)."""

EARLY_DAYS = 45
"""A measurement so many days before its time counts for it (house reading: no source gives a margin)."""


_WHEN_IT_BEGAN = (Missing(say("when the disease began"), "Condition.onset"),)


class DueState(StrEnum):
    """How a calendar stands today."""

    UPCOMING = "upcoming"
    ORDERED = "ordered"
    DUE = "due"
    OVERDUE = "overdue"
    ENDED = "ended"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Schedule:
    """The calendar of a statement.

    Args:
        of: the investigation that counts as done.
        title: what falls due, in words.
        months, until_months: a repeat is due so long after the last round, and overdue after `until_months`.
        after_rounds: the repeat follows on exactly so many rounds, or on so many `or_more`.
        at_months: fixed times after the disease began, in months.
        then_every_months: how old the last measurement may be after the last of these.
        ends_after_months: nothing falls due later than this after the disease began.
        from_months_before_onset: rounds count from so long before the disease began; None for ever.
    """

    of: str
    title: str
    months: int = 0
    until_months: int | None = None
    after_rounds: int = 1
    or_more: bool = False
    at_months: tuple[int, ...] = ()
    then_every_months: int | None = None
    ends_after_months: int | None = None
    from_months_before_onset: int | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """What a calendar says about one patient.

    Args:
        title: what falls due.
        state: how it stands today.
        last_done: the last day on which it was done, or None.
        due_from: first day of the period in which it is due.
        overdue_after: last day of that period, where the source gives one.
        ends: last day of the calendar, where the source gives one.
        missing: what would be needed to tell.
    """

    title: str
    state: DueState
    last_done: date | None = None
    due_from: date | None = None
    overdue_after: date | None = None
    ends: date | None = None
    missing: tuple[Missing, ...] = ()

    @property
    def is_now(self) -> bool:
        """Due or overdue."""
        return self.state in (DueState.DUE, DueState.OVERDUE)

    def says(self, as_of: date) -> str:
        """The calendar in words: when it was last done, from when it is due, until when."""
        done = self._done(as_of)
        words = [join(" ", (self.title, done)) if self.last_done else done]
        if self.due_from:
            due_from = _day(self.due_from)
            words.append(say("repeat due from {day}", day=due_from) if self.last_done else say("due from {day}", day=due_from))
        if self.overdue_after:
            latest, is_over = _day(self.overdue_after), self.state is DueState.OVERDUE
            words.append(say("overdue since {day}", day=latest) if is_over else say("at the latest by {day}", day=latest))
        text = join(", ", words)
        return say("{calendar}; the calendar ends on {day}", calendar=text, day=_day(self.ends)) if self.ends else text

    def briefly(self, as_of: date) -> str:
        """When it was last done and since when, or from when, it is due."""
        done = self._done(as_of)
        if self.state is DueState.OVERDUE and self.overdue_after:
            return say("{done}, overdue since {day}", done=done, day=_day(self.overdue_after))
        return say("{done}, due from {day}", done=done, day=_day(self.due_from)) if self.due_from else done

    def _done(self, as_of: date) -> str:
        if self.last_done is None:
            return say("no {test} on record", test=self.title)
        months = _months(self.last_done, as_of)
        return say_number("last done {number} month ago", "last done {number} months ago", months)


def in_words(schedule: Schedule) -> str:
    """The calendar as a reader of the guideline knows it."""
    return _points_in_words(schedule) if schedule.at_months else _repeat_in_words(schedule)


def _points_in_words(schedule: Schedule) -> str:
    times = join(", ", [str(month) for month in schedule.at_months])
    at_onset, later = say("when the disease begins"), say("at {times} months after the disease began", times=times)
    text = later if any(schedule.at_months) else at_onset
    every = schedule.then_every_months
    return say("{times}, then at least every {months} months", times=text, months=every) if every else text


def _repeat_in_words(schedule: Schedule) -> str:
    span: str | int = schedule.months
    if schedule.until_months:
        span = say("{months} to {until}", months=schedule.months, until=schedule.until_months)
    if schedule.or_more:
        text = say(
            "{months} months after the last, once it was done {number} or more times", months=span, number=schedule.after_rounds
        )
    else:
        text = say_number(
            "{months} months after the last, once it was done {number} time",
            "{months} months after the last, once it was done {number} times",
            schedule.after_rounds,
            months=span,
        )
    ends = schedule.ends_after_months
    return say("{calendar}; ends {months} months after the disease began", calendar=text, months=ends) if ends else text


def read_schedule(entry: Mapping[str, Any]) -> Schedule:
    """The schedule of a guideline file (already checked against its schema)."""
    members: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
    return Schedule(**members)


def due_of(assessment: Assessment, schedule: Schedule) -> Due | None:
    """How a calendar stands for a patient; None where it has not begun.

    Args:
        assessment: the patient.
        schedule: the calendar.
    """
    return _points(assessment, schedule) if schedule.at_months else _repeat(assessment, schedule)


def _repeat(assessment: Assessment, schedule: Schedule) -> Due | None:
    since = counts_from(assessment, schedule.from_months_before_onset)
    done = rounds(assessment.days_done(schedule.of, since))
    if not done and assessment.investigation(schedule.of, since).is_done_undated:
        when = Missing(say("when the {test} was done", test=schedule.title), "Procedure.performed")
        return Due(schedule.title, DueState.UNKNOWN, missing=(when,))
    enough = len(done) >= schedule.after_rounds if schedule.or_more else len(done) == schedule.after_rounds
    if not done or not enough:
        unreadable = assessment.unreadable(schedule.of)
        could_be_due = not done or add_months(done[-1], schedule.months) <= assessment.as_of
        return Due(schedule.title, DueState.UNKNOWN, missing=unreadable) if unreadable and could_be_due else None
    if schedule.ends_after_months is not None and assessment.disease_began is None:
        return Due(schedule.title, DueState.UNKNOWN, done[-1], missing=_WHEN_IT_BEGAN)
    last, as_of = done[-1], assessment.as_of
    due_from = add_months(last, schedule.months)
    until = None if schedule.until_months is None else add_months(last, schedule.until_months)
    ends = _ends(assessment, schedule)
    if assessment.is_ordered(schedule.of, last):
        state = DueState.ORDERED
    elif ends is not None and max(due_from, as_of) > ends:
        state = DueState.ENDED
    elif as_of < due_from:
        state = DueState.UPCOMING
    else:
        state = DueState.OVERDUE if until is not None and as_of > until else DueState.DUE
        if unreadable := assessment.unreadable(schedule.of):  # a later round may be among what was not read
            return Due(schedule.title, DueState.UNKNOWN, last, missing=unreadable)
    return Due(schedule.title, state, last, due_from, until, ends)


def _points(assessment: Assessment, schedule: Schedule) -> Due | None:
    """The newest time that has come must be met by a measurement at that time or later; after the last time, the last
    measurement may be no older than the interval.
    """
    found = assessment.investigation(schedule.of)
    if found.standing in (Standing.FAILED, Standing.NOT_SUPPLIED):
        return Due(schedule.title, DueState.UNKNOWN, missing=found.missing)
    if assessment.disease_began is None:
        return Due(schedule.title, DueState.UNKNOWN, missing=_WHEN_IT_BEGAN)
    days = assessment.days_done(schedule.of)
    last = days[-1] if days else None
    times = [add_months(assessment.disease_began, month) for month in schedule.at_months]
    come = [time for time in times if time <= assessment.as_of]
    if not come:
        return None
    if not _counts_for(come[-1], last):
        return Due(schedule.title, DueState.DUE, last, come[-1])
    following = _following(times, last, schedule)
    if following is None:
        return None
    return Due(schedule.title, DueState.UPCOMING if assessment.as_of < following else DueState.DUE, last, following)


def _counts_for(time: date, last: date | None) -> bool:
    """Whether the last measurement was made at this time, later, or little earlier."""
    return last is not None and days_between(last, time) <= EARLY_DAYS


def _following(times: Iterable[date], last: date | None, schedule: Schedule) -> date | None:
    """What falls due after the last measurement: the next time that it does not count for, or the interval after it."""
    later = next((time for time in times if not _counts_for(time, last)), None)
    if later is not None or last is None or not schedule.then_every_months:
        return later
    return add_months(last, schedule.then_every_months)


def _ends(assessment: Assessment, schedule: Schedule) -> date | None:
    if schedule.ends_after_months is None or assessment.disease_began is None:
        return None
    return add_months(assessment.disease_began, schedule.ends_after_months)


def counts_from(assessment: Assessment, months_before_onset: int | None) -> date | None:
    """First day on which a screening test counts, or None where every day does."""
    if months_before_onset is None or assessment.disease_began is None:
        return None
    return add_months(assessment.disease_began, -months_before_onset)


def rounds(days: Iterable[date]) -> tuple[date, ...]:
    """The last day of every round, oldest first.

    Args:
        days: days on which the test was done, oldest first.
    """
    ends: list[date] = []
    for day in days:
        if ends and days_between(ends[-1], day) <= SAME_ROUND_DAYS:
            ends[-1] = day
        else:
            ends.append(day)
    return tuple(ends)


def evidence_of(due: Due, as_of: date) -> tuple[Evidence, ...]:
    """The calendar as a reason."""
    return (Evidence(due.says(as_of)),)


def _day(day: date) -> DateInterval:
    return DateInterval(day, day)


def _months(day: date, as_of: date) -> int:
    """Completed months since a day."""
    return (as_of.year - day.year) * 12 + as_of.month - day.month - (as_of.day < day.day)
