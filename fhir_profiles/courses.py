"""Treatment courses: all entries of one treatment, as one course, and what became of it.

A stopped drug alone is not failure (recommendations.md, rules of thumb). What the chart says newest counts: a drug that is being
taken again was not given up. What failed before the disease began was given for something else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from fhir_profiles.clinical_definitions import AgentDefinition
from fhir_profiles.dates import DateInterval, days_between
from fhir_profiles.findings import Evidence
from fhir_profiles.record import DrugEntry, Event, PatientRecord, facts_of
from fhir_profiles.sentences import Sentence, say
from fhir_profiles.wordings import at_time

PREDNISOLONE = {"prednisone", "prednisolone"}
"""Only these doses are compared with a threshold in prednisolone: no source here gives a conversion for the others."""


class Outcome(StrEnum):
    """What became of a course."""

    CURRENT = "current"
    FAILED = "failed"
    NOT_TOLERATED = "not-tolerated"
    STOPPED = "stopped"
    ALLERGY = "allergy"


@dataclass(frozen=True, slots=True)
class Course:
    """All entries of one treatment, as one course.

    Args:
        agent: our name (`azathioprine`).
        title: in words.
        role: `glucocorticoid`, `immunosuppressant`, `other` or `comedication`.
        line: 1 or 2 for first-line and second-line agents of the sources, 3 for later ones.
        outcome: what became of it; a current course that the working definition calls failed is `FAILED` and still `is_current`.
        is_current: being taken now, or still acting (an infusion acts longer than it runs).
        start, end: first and last day on record.
        daily_dose_mg: of the newest current prednisone or prednisolone entry, where the chart gives a structured dose.
        times_a_week: at the most, of the current entry that is taken most often, where the chart structures the timing.
        evidence: the entries, newest first.
        decided_by: the entry that decided the outcome, in words.
        is_unexplained: it ended, and the chart does not say why (a completed course is explained).
        ended_because: why its newest entry ended, as far as the chart says.
    """

    agent: str
    title: str
    role: str
    line: int
    outcome: Outcome
    is_current: bool
    start: DateInterval | None = None
    end: DateInterval | None = None
    daily_dose_mg: float | None = None
    times_a_week: float | None = None
    evidence: tuple[Evidence, ...] = ()
    decided_by: str = ""
    is_unexplained: bool = False
    ended_because: str | None = None

    @property
    def is_systemic(self) -> bool:
        """A glucocorticoid or an immunosuppressant: it counts towards the state of treatment."""
        return self.role in ("glucocorticoid", "immunosuppressant")

    @property
    def is_used_up(self) -> bool:
        """An immunosuppressant that failed or was not tolerated."""
        return self.role == "immunosuppressant" and self.outcome in (Outcome.FAILED, Outcome.NOT_TOLERATED)


def read_courses(record: PatientRecord, agents: Mapping[str, AgentDefinition], began: date | None) -> dict[str, Course]:
    """Every treatment that the chart shows as given for this disease, or as not tolerated.

    Args:
        record: the chart.
        agents: the treatments.
        began: first day of the disease, or None; what ended before it is kept only if it was not tolerated.
    """
    courses = {}
    for agent, definition in agents.items():
        entries = [entry for entry in _entries(record, definition) if _is_of_this_disease(entry, began)]
        procedures = facts_of(record.events, definition.procedures)
        allergies = facts_of(record.intolerances, definition.drugs)
        allergy = tuple(Evidence(_not_tolerated(definition.title), fact.reference) for fact in allergies)
        if entries or procedures:
            courses[agent] = _course(agent, definition, entries, procedures, allergy, record.as_of)
        elif allergy:
            courses[agent] = Course(
                agent,
                definition.title,
                definition.role,
                definition.line,
                Outcome.ALLERGY,
                False,
                evidence=allergy,
                decided_by=allergy[0].text,
            )
    return courses


def _not_tolerated(title: str) -> str:
    return say("{title}: intolerance on record", title=title)


def _entries(record: PatientRecord, definition: AgentDefinition) -> list[DrugEntry]:
    given = [entry for entry in facts_of(record.drugs, definition.drugs) if entry.was_given]
    return [entry for entry in given if not definition.routes or entry.route in definition.routes]


def _is_of_this_disease(entry: DrugEntry, began: date | None) -> bool:
    last = entry.end or entry.when
    over = not entry.is_current and began is not None and last is not None and last.last < began
    return not over or entry.stop_reason == "intolerance"


def _course(
    agent: str,
    definition: AgentDefinition,
    entries: list[DrugEntry],
    procedures: tuple[Event, ...],
    allergy: tuple[Evidence, ...],
    as_of: date,
) -> Course:
    current = [entry for entry in entries if entry.is_current or _still_acts(entry, definition, as_of)]
    outcome = _outcome(entries, current, allergy)
    unexplained = any(entry.stop_reason is None and entry.status != "completed" for entry in entries)
    starts = [fact.when for fact in (*entries, *procedures) if fact.when]
    ends = [entry.end for entry in entries if entry.end]
    return Course(
        agent=agent,
        title=definition.title,
        role=definition.role,
        line=definition.line,
        outcome=outcome,
        is_current=bool(current),
        start=min(starts, default=None),
        end=None if current else max(ends, default=None),
        daily_dose_mg=next((e.daily_dose_mg for e in current if e.daily_dose_mg and PREDNISOLONE & set(e.concepts)), None),
        times_a_week=max((e.times_a_week for e in current if e.times_a_week is not None), default=None),
        evidence=tuple(Evidence(_describe(definition, entry, as_of), entry.reference) for entry in entries) + allergy,
        decided_by=_decided_by(outcome, definition, entries, allergy, as_of),
        is_unexplained=outcome is Outcome.STOPPED and unexplained,
        ended_because=entries[0].stop_reason if entries and not current else None,
    )


def _still_acts(entry: DrugEntry, definition: AgentDefinition, as_of: date) -> bool:
    """An infusion that was not given up counts as being taken for as long as it acts (house default, `lasts_weeks`)."""
    last = entry.end or entry.when
    if definition.lasts_weeks is None or last is None or entry.stop_reason is not None or entry.status == "stopped":
        return False
    return days_between(last.last, as_of) <= 7 * definition.lasts_weeks


def _outcome(entries: list[DrugEntry], current: list[DrugEntry], allergy: tuple[Evidence, ...]) -> Outcome:
    reasons = {entry.stop_reason for entry in entries if not _was_resumed(entry, current)}
    if allergy or "intolerance" in reasons:
        return Outcome.NOT_TOLERATED
    if "ineffective" in reasons:
        return Outcome.FAILED
    return Outcome.CURRENT if current else Outcome.STOPPED


def _decided_by(
    outcome: Outcome, definition: AgentDefinition, entries: list[DrugEntry], allergy: tuple[Evidence, ...], as_of: date
) -> str:
    if outcome is Outcome.NOT_TOLERATED and allergy:
        return allergy[0].text
    wanted = {Outcome.NOT_TOLERATED: "intolerance", Outcome.FAILED: "ineffective"}.get(outcome)
    deciding = [entry for entry in entries if wanted is None or entry.stop_reason == wanted]
    return _describe(definition, deciding[0], as_of) if deciding else definition.title


def _was_resumed(entry: DrugEntry, current: list[DrugEntry]) -> bool:
    """A stop that a later start has overtaken (another route, another attempt) no longer speaks."""
    stopped = entry.end or entry.when
    return stopped is not None and any(other.when and other.when.first >= stopped.last for other in current)


def _describe(definition: AgentDefinition, entry: DrugEntry, as_of: date) -> str:
    title = definition.title
    if entry.is_current:
        words = say("{title} current", title=title)
        return say("{words} since {day}", words=words, day=entry.when) if entry.when else words
    if entry.stop_reason is None and (entry.status == "completed" or _still_acts(entry, definition, as_of)):
        return _given(title, entry)
    words = _stopped(title, entry.stop_reason)
    return say("{words}, started {day}", words=words, day=entry.when) if entry.when else words


def _stopped(title: str, reason: str | None) -> Sentence:
    match reason:
        case "ineffective":
            return say("{title} stopped because it did not work", title=title)
        case "intolerance":
            return say("{title} stopped because it was not tolerated", title=title)
        case "pregnancy":
            return say("{title} stopped because of pregnancy", title=title)
        case "other":
            return say("{title} stopped for another reason", title=title)
        case _:
            return say("{title} no longer taken, no reason given", title=title)


def _given(title: str, entry: DrugEntry) -> str:
    words = say("{title} given", title=title)
    if entry.when and entry.end and entry.end != entry.when:
        return say("{words} from {first} to {last}", words=words, first=entry.when, last=entry.end)
    return at_time(words, entry.when) if entry.when else words
