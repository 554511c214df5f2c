"""The treatment state: every course of every treatment, what became of it, and how far the lines have been used.

A stopped drug alone is not failure, and a short trial is not failure (recommendations.md, rules of thumb; phenotypes.md
section 5). A course failed where the chart gives that reason, or where the working definition of refractoriness holds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from fhir_profiles.clinical_definitions import AgentDefinition
from fhir_profiles.dates import DateInterval, days_between
from fhir_profiles.features import MEDICATION_KINDS, absence
from fhir_profiles.findings import Evidence, Finding, Missing, Standing
from fhir_profiles.record import DrugEntry, Event, PatientRecord, facts_of

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
        role: `glucocorticoid`, `immunosuppressant` or `other`.
        outcome: what became of it; a current course that the working definition calls failed is `FAILED` and still `is_current`.
        is_current: being taken now.
        start, end: first and last day on record.
        daily_dose_mg: of the newest current prednisone or prednisolone entry, where the chart gives a structured dose.
        evidence: the entries.
    """

    agent: str
    title: str
    role: str
    outcome: Outcome
    is_current: bool
    start: DateInterval | None
    end: DateInterval | None
    daily_dose_mg: float | None
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Treatment:
    """The treatment state of design section 5.

    Args:
        phase: `untreated`, `induction` or `maintenance`.
        line: lines used so far, 0 to 3.
        courses: by agent name.
    """

    phase: str
    line: int
    courses: Mapping[str, Course]

    def agents(self, *outcomes: Outcome) -> tuple[str, ...]:
        """Agents whose course ended so."""
        return tuple(agent for agent, course in self.courses.items() if course.outcome in outcomes)

    @property
    def current(self) -> tuple[str, ...]:
        """Agents being taken now."""
        return tuple(agent for agent, course in self.courses.items() if course.is_current)


def read_courses(record: PatientRecord, agents: Mapping[str, AgentDefinition]) -> dict[str, Course]:
    """Every treatment that the chart shows as given, or as not tolerated."""
    courses = {}
    for agent, definition in agents.items():
        entries = [entry for entry in facts_of(record.drugs, definition.drugs) if entry.was_given]
        procedures = facts_of(record.events, definition.procedures)
        allergies = facts_of(record.intolerances, definition.drugs)
        allergy = tuple(Evidence(f"{definition.title}: intolerance on record", fact.reference) for fact in allergies)
        if entries or procedures:
            courses[agent] = _course(agent, definition, entries, procedures, allergy)
        elif allergy:
            courses[agent] = Course(agent, definition.title, definition.role, Outcome.ALLERGY, False, None, None, None, allergy)
    return courses


def _course(
    agent: str,
    definition: AgentDefinition,
    entries: list[DrugEntry],
    procedures: tuple[Event, ...],
    allergy: tuple[Evidence, ...],
) -> Course:
    reasons = {entry.stop_reason for entry in entries}
    current = [entry for entry in entries if entry.is_current]
    if allergy or "intolerance" in reasons:
        outcome = Outcome.NOT_TOLERATED
    elif "ineffective" in reasons:
        outcome = Outcome.FAILED
    else:
        outcome = Outcome.CURRENT if current else Outcome.STOPPED
    starts = [fact.when for fact in (*entries, *procedures) if fact.when]
    ends = [entry.end for entry in entries if entry.end]
    return Course(
        agent=agent,
        title=definition.title,
        role=definition.role,
        outcome=outcome,
        is_current=bool(current),
        start=min(starts, default=None),
        end=None if current else max(ends, default=None),
        daily_dose_mg=next((e.daily_dose_mg for e in current if e.daily_dose_mg and PREDNISOLONE & set(e.concepts)), None),
        evidence=tuple(Evidence(_describe(definition.title, entry), entry.reference) for entry in entries) + allergy,
    )


def _describe(title: str, entry: DrugEntry) -> str:
    state = (
        "current"
        if entry.is_current
        else {
            "ineffective": "stopped because it did not work",
            "intolerance": "stopped because it was not tolerated",
            "pregnancy": "stopped because of pregnancy",
            "other": "stopped for another reason",
        }.get(entry.stop_reason or "", "no longer taken, no reason given")
    )
    since = f" since {entry.when}" if entry.when and entry.is_current else f", started {entry.when}" if entry.when else ""
    return f"{title} {state}{since}"


def judge(
    courses: dict[str, Course],
    record: PatientRecord,
    activity: Finding,
    in_remission: bool,
    parameters: Mapping[str, float],
) -> Treatment:
    """The state of treatment: which courses failed, the phase and the line reached.

    Args:
        courses: from `read_courses`.
        record: the chart.
        activity: whether the disease was active in the recent past.
        in_remission: every recorded diagnosis is in remission.
        parameters: `adequate_trial_weeks` (weeks).

    Returns:
        The courses with those that meet the working definition of refractoriness marked as failed.
    """
    if activity.is_present and not in_remission:
        courses = _mark_refractory(courses, record, parameters["adequate_trial_weeks"], activity)
    systemic = [c for c in courses.values() if c.role != "other" and c.outcome is not Outcome.ALLERGY]
    used_up = [c for c in systemic if c.role == "immunosuppressant" and c.outcome in (Outcome.FAILED, Outcome.NOT_TOLERATED)]
    in_use = [c for c in systemic if c.role == "immunosuppressant" and c.outcome is Outcome.CURRENT]
    line = min(3, max(1, len(used_up) + bool(in_use))) if systemic else 0
    phase = "maintenance" if in_remission and systemic else "induction" if systemic else "untreated"
    return Treatment(phase, line, courses)


def _mark_refractory(courses: dict[str, Course], record: PatientRecord, weeks: float, activity: Finding) -> dict[str, Course]:
    """Active disease after glucocorticoid and an immunosuppressant, each for an adequate time: both have failed."""
    adequate = {
        agent: course for agent, course in courses.items() if _weeks_on(course, record) >= weeks and course.role != "other"
    }
    roles = {course.role for course in adequate.values()}
    if not {"glucocorticoid", "immunosuppressant"} <= roles:
        return courses
    why = tuple(
        Evidence(
            f"active disease after at least {weeks:g} weeks (working definition; dose adequacy not judged): {item.text}",
            item.reference,
        )
        for item in activity.evidence
    )
    failed = {
        agent: replace(course, outcome=Outcome.FAILED, evidence=course.evidence + why)
        for agent, course in adequate.items()
        if course.outcome is Outcome.CURRENT
    }
    return {**courses, **failed}


def _weeks_on(course: Course, record: PatientRecord) -> float:
    """Whole weeks of a current course, at the least that its start date allows; 0 for one that is not current or undated."""
    if not course.is_current or course.start is None:
        return 0
    return days_between(course.start.last, record.as_of) / 7


def treatment_findings(treatment: Treatment, record: PatientRecord, parameters: Mapping[str, float]) -> dict[str, Finding]:
    """What rules ask about treatment, as findings."""
    courses = treatment.courses.values()
    systemic = [c for c in courses if c.role != "other" and c.outcome is not Outcome.ALLERGY]
    glucocorticoids = [c for c in courses if c.role == "glucocorticoid" and c.is_current]
    sparing = [c for c in courses if c.role == "immunosuppressant"]
    used_up = [c for c in sparing if c.outcome in (Outcome.FAILED, Outcome.NOT_TOLERATED)]
    in_trial = [c for c in sparing if c.outcome is Outcome.CURRENT]
    silent = [c for c in sparing if c.outcome is Outcome.STOPPED]
    without = absence(record, MEDICATION_KINDS)
    long_enough = [c for c in glucocorticoids if _weeks_on(c, record) >= parameters["adequate_trial_weeks"]]
    return {
        finding.code: finding
        for finding in (
            _finding(
                "systemic-treatment",
                "glucocorticoid or immunosuppressant",
                systemic,
                without,
            ),
            _finding("on-glucocorticoid", "current systemic glucocorticoid", glucocorticoids, without),
            _finding(
                "on-steroid-sparing-drug",
                "current steroid-sparing drug",
                [c for c in sparing if c.is_current],
                without,
            ),
            _finding("immunosuppressant-in-trial", "current immunosuppressant that has not failed", in_trial, without),
            _line_used_up("first-line-used-up", "failure or intolerance of first-line treatment", used_up, silent, 1, without),
            _line_used_up("second-line-used-up", "failure or intolerance of two immunosuppressants", used_up, silent, 2, without),
            _finding("glucocorticoid-for-3-months", "glucocorticoid for 3 months or longer", long_enough, without),
            _above_cushing_threshold(long_enough, without, parameters["cushing_threshold_mg_per_day"]),
        )
    }


def _finding(code: str, title: str, courses: list[Course], without: Standing) -> Finding:
    if courses:
        return Finding(code, title, Standing.PRESENT, tuple(item for course in courses for item in course.evidence))
    words = {
        Standing.FAILED: "medications could not be read completely",
        Standing.NOT_SUPPLIED: "medications were not supplied",
    }.get(without)
    return Finding(code, title, without, missing=(Missing(words, "medications"),) if words else ())


def _line_used_up(code: str, title: str, used_up: list[Course], silent: list[Course], count: int, without: Standing) -> Finding:
    """Present once `count` immunosuppressants failed or were not tolerated; unclear where a course ended and nobody wrote why."""
    evidence = tuple(item for course in used_up for item in course.evidence)
    if len(used_up) >= count:
        return Finding(code, title, Standing.PRESENT, evidence)
    if silent and len(used_up) + len(silent) >= count:
        ended = tuple(item for course in silent for item in course.evidence)
        why = tuple(Missing(f"why {course.title} was stopped (no effect, or not tolerated?)", course.agent) for course in silent)
        return Finding(code, title, Standing.UNCLEAR, evidence + ended, why)
    return _finding(code, title, [], without)


def _above_cushing_threshold(long_enough: list[Course], without: Standing, threshold: float) -> Finding:
    code, title = (
        "glucocorticoid-above-cushing-threshold",
        f"glucocorticoid above {threshold:g} mg a day after 3 months",
    )
    if not long_enough:
        return _finding(code, title, [], without)
    course = long_enough[0]
    if course.daily_dose_mg is None:
        return Finding(
            code,
            title,
            Standing.UNCLEAR,
            course.evidence,
            (Missing("daily dose of the glucocorticoid", "glucocorticoid"),),
        )
    standing = Standing.PRESENT if course.daily_dose_mg > threshold else Standing.RULED_OUT
    return Finding(code, title, standing, course.evidence)
