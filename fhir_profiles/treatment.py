"""The treatment state: which courses failed, how far the lines have been used, and what rules ask about it.

A short trial is not failure (recommendations.md, rules of thumb). A course failed where the chart gives that reason, or where the
working definition of phenotypes.md section 5 holds.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from fhir_profiles.activity import Activity
from fhir_profiles.courses import Course, Outcome
from fhir_profiles.dates import add_months, days_between
from fhir_profiles.features import absence
from fhir_profiles.findings import Evidence, Finding, Missing, Standing
from fhir_profiles.record import PatientRecord
from fhir_profiles.sentences import join, say
from fhir_profiles.unread import unread_treatment

_TITLES = {
    "systemic-treatment": say("glucocorticoid or immunosuppressant"),
    "on-glucocorticoid": say("current glucocorticoid"),
    "on-steroid-sparing-drug": say("current steroid-sparing drug"),
    "steroid-sparing-drug-for-3-months": say("steroid-sparing drug for 3 months or longer"),
    "two-steroid-sparing-drugs-for-3-months": say("two steroid-sparing drugs together for 3 months or longer"),
    "immunosuppressant-in-trial": say("immunosuppressant on trial"),
    "first-line-used-up": say("failure or intolerance of first-line treatment"),
    "first-line-failed": say("failure of first-line treatment"),
    "two-drugs-used-up": say("failure or intolerance of two immunosuppressants"),
    "second-line-drug-used-up": say("failure or intolerance of a second-line drug"),
    "glucocorticoid-for-3-months": say("glucocorticoid for 3 months or longer"),
    "rest-after-treatment": say("disease at rest after treatment that has ended"),
}


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
        return tuple(agent for agent, course in self.of_the_disease.items() if course.outcome in outcomes)

    @property
    def current(self) -> tuple[str, ...]:
        """Agents being taken now."""
        return tuple(agent for agent, course in self.of_the_disease.items() if course.is_current)

    @property
    def of_the_disease(self) -> dict[str, Course]:
        """The courses that are treatment of the disease, without comedication."""
        return {agent: course for agent, course in self.courses.items() if course.role != "comedication"}


def judge(
    courses: dict[str, Course],
    activity: Activity,
    in_remission: bool,
    parameters: Mapping[str, float],
) -> Treatment:
    """The state of treatment: which courses failed, the phase and the line reached.

    Args:
        courses: from `read_courses`.
        activity: whether the disease was active in the recent past, and when that was seen.
        in_remission: every recorded diagnosis is in remission.
        parameters: `adequate_trial_weeks` (weeks).

    Returns:
        The courses with those that meet the working definition of refractoriness marked as failed.
    """
    if activity.last_seen is not None and not in_remission:
        courses = _mark_refractory(courses, activity.finding, activity.last_seen, parameters["adequate_trial_weeks"])
    systemic = _systemic(courses.values())
    used_up = [course for course in systemic if course.is_used_up]
    line = min(3, max(1, len(used_up) + bool(_in_trial(systemic)))) if systemic else 0
    phase = "maintenance" if in_remission and systemic else "induction" if systemic else "untreated"
    return Treatment(phase, line, courses)


def _systemic(courses: Iterable[Course]) -> list[Course]:
    return [course for course in courses if course.is_systemic and course.outcome is not Outcome.ALLERGY]


def _in_trial(courses: Iterable[Course]) -> list[Course]:
    """Immunosuppressants whose effect is still open."""
    return [course for course in courses if course.role == "immunosuppressant" and course.outcome is Outcome.CURRENT]


def _mark_refractory(courses: dict[str, Course], activity: Finding, seen: date, weeks: float) -> dict[str, Course]:
    """Disease seen active after glucocorticoid and an immunosuppressant, each for an adequate time: both have failed."""
    adequate = {a: c for a, c in courses.items() if c.is_systemic and _weeks_on(c, seen) >= weeks}
    if not {"glucocorticoid", "immunosuppressant"} <= {course.role for course in adequate.values()}:
        return courses
    words = say("active disease after at least {weeks:g} weeks (working definition, dose not judged)", weeks=weeks)
    why = tuple(Evidence(join(": ", (words, item.text)), item.reference) for item in activity.evidence)
    failed = {
        agent: replace(course, outcome=Outcome.FAILED, evidence=course.evidence + why, decided_by=why[0].text)
        for agent, course in adequate.items()
        if course.outcome is Outcome.CURRENT
    }
    return {**courses, **failed}


def _weeks_on(course: Course, day: date) -> float:
    """Weeks of a current course up to a day, at the least that its start allows; 0 for one not current or undated."""
    if not course.is_current or course.start is None:
        return 0
    return days_between(course.start.last, day) / 7


def treatment_findings(
    treatment: Treatment, record: PatientRecord, parameters: Mapping[str, float], is_known_active: bool
) -> dict[str, Finding]:
    """What rules ask about treatment, as findings.

    Args:
        treatment: the courses.
        record: the chart.
        parameters: weeks, months, and milligrams a day, of `definitions/treatment.yaml`.
        is_known_active: the chart shows disease that is active or severe now, or a sign of it.
    """
    courses = treatment.courses.values()
    systemic = _systemic(courses)
    glucocorticoids = [c for c in courses if c.role == "glucocorticoid" and c.is_current]
    three_months_ago = add_months(record.as_of, -int(parameters["months_of_long_glucocorticoid"]))
    long_enough = [c for c in glucocorticoids if c.start is not None and c.start.last <= three_months_ago]
    sparing = [c for c in courses if c.role == "immunosuppressant"]
    failed = [c for c in sparing if c.outcome is Outcome.FAILED]
    used_up = [c for c in sparing if c.is_used_up]
    tried = [c for c in sparing if _weeks_on(c, record.as_of) >= parameters["adequate_trial_weeks"]]
    later_line = [c for c in used_up if c.line > 1]
    silent = [c for c in sparing if c.is_unexplained]
    unread = unread_treatment(record)
    unread_infusions = unread_treatment(record, by_infusion=True)
    unread_endings = unread_treatment(record, by_infusion=True, intolerance=True)
    could_end = any(not course.is_used_up for course in sparing)  # an allergy to what was never given uses nothing up
    unread_further = unread_treatment(record, by_infusion=True, intolerance=could_end)
    unsupplied = absence(record, ("AllergyIntolerance",)) is Standing.NOT_SUPPLIED
    since = add_months(record.as_of, -int(parameters["activity_window_months"]))
    findings = (
        _finding("systemic-treatment", systemic, unread_infusions),
        _finding("on-glucocorticoid", glucocorticoids, unread),
        _finding("on-steroid-sparing-drug", [c for c in sparing if c.is_current], unread_infusions),
        _finding("steroid-sparing-drug-for-3-months", tried, unread_infusions),
        _finding("two-steroid-sparing-drugs-for-3-months", tried if len(tried) > 1 else [], unread_infusions),
        _finding("immunosuppressant-in-trial", _in_trial(sparing), unread_infusions),
        _ended("first-line-used-up", used_up, silent, 1, unread_endings, unsupplied),
        _ended("first-line-failed", failed, silent, 1, unread_infusions),
        _ended("two-drugs-used-up", used_up, silent, 2, unread_further, unsupplied),
        _finding("second-line-drug-used-up", later_line, unread_further, unsupplied),
        _finding("glucocorticoid-for-3-months", long_enough, unread),
        _above_cushing_threshold(long_enough, unread, parameters["cushing_threshold_mg_per_day"]),
        _rest_after_treatment(systemic, unread_infusions, is_known_active, since),
    )
    return {finding.code: finding for finding in findings}


def _finding(code: str, courses: Sequence[Course], unread: tuple[Missing, ...], unsupplied: bool = False) -> Finding:
    """Present where there is such a course; where there is none, that says something only if everything was read."""
    if courses:
        return Finding(code, _TITLES[code], Standing.PRESENT, tuple(item for course in courses for item in course.evidence))
    return _none(code, _TITLES[code], unread, unsupplied)


def _none(code: str, title: str, unread: tuple[Missing, ...], unsupplied: bool = False) -> Finding:
    """No such course was found.

    Args:
        code, title: of the finding.
        unread: what nobody has seen.
        unsupplied: allergies were not supplied, so that it is only said of what was.
    """
    if unread:
        return Finding(code, title, Standing.FAILED, missing=unread)
    none = say("no {title} in the data supplied", title=title) if unsupplied else say("no {title} on record", title=title)
    return Finding(code, title, Standing.NOT_RECORDED, (Evidence(none),))


def _rest_after_treatment(systemic: Sequence[Course], unread: tuple[Missing, ...], is_known_active: bool, since: date) -> Finding:
    """Who was treated and has taken nothing for months may be at rest: induction is for the untreated and for active disease.

    Args:
        systemic: the courses.
        unread: what nobody has seen.
        is_known_active: there is a sign of active disease.
        since: who took something later has not been without treatment for long enough to be at rest.
    """
    code = "rest-after-treatment"
    if is_known_active or any(course.is_current for course in systemic) or _ended_in_need(systemic, since):
        return Finding(code, _TITLES[code], Standing.RULED_OUT)
    if not systemic:
        return Finding(code, _TITLES[code], Standing.FAILED if unread else Standing.RULED_OUT, missing=unread)
    evidence = tuple(item for course in systemic for item in course.evidence)
    ask = Missing(say("whether the disease is active, as earlier treatment has ended"), "Condition.clinicalStatus")
    return Finding(code, _TITLES[code], Standing.UNCLEAR, evidence, (ask,))


_AS_PLANNED = (None, "other")
"""As `DrugEntry.stop_reason` tells them: nobody wrote why, or completed and the like."""


def _ended_in_need(courses: Sequence[Course], since: date) -> bool:
    """Whether what was given last ended of late, or for another reason than that it was done: no effect, harm, pregnancy …

    An end without a date counts where no other course has one.
    """
    latest = max((course.end.last for course in courses if course.end), default=None)
    last = [course for course in courses if latest is None or (course.end and course.end.last >= latest)]
    if latest is not None and latest >= since:
        return True
    return any(c.ended_because not in _AS_PLANNED or c.outcome in (Outcome.FAILED, Outcome.NOT_TOLERATED) for c in last)


def _ended(
    code: str,
    courses: list[Course],
    silent: list[Course],
    count: int,
    unread: tuple[Missing, ...],
    unsupplied: bool = False,
) -> Finding:
    """Present once `count` courses ended so; unclear where courses ended and nobody wrote why."""
    title, evidence = _TITLES[code], tuple(item for course in courses for item in course.evidence)
    if len(courses) >= count:
        return Finding(code, title, Standing.PRESENT, evidence)
    if silent and len(courses) + len(silent) >= count:
        ended = tuple(item for course in silent for item in course.evidence)
        why = tuple(Missing(_why_stopped(course), "MedicationRequest.statusReason") for course in silent)
        return Finding(code, title, Standing.UNCLEAR, evidence + ended, why)
    return _none(code, title, unread, unsupplied)


def _why_stopped(course: Course) -> str:
    return say("why {title} was stopped (no effect, or not tolerated?)", title=course.title)


def _above_cushing_threshold(long_enough: list[Course], unread: tuple[Missing, ...], threshold: float) -> Finding:
    code = "glucocorticoid-above-cushing-threshold"
    title = say("glucocorticoid above {dose:g} mg a day after 3 months (house value, the source gives none)", dose=threshold)
    if not long_enough:
        return _none(code, title, unread)
    course = long_enough[0]
    if course.daily_dose_mg is None:
        ask = (Missing(say("daily dose of the glucocorticoid"), "MedicationRequest.dosageInstruction"),)
        return Finding(code, title, Standing.UNCLEAR, course.evidence, ask)
    standing = Standing.PRESENT if course.daily_dose_mg > threshold else Standing.RULED_OUT
    return Finding(code, title, standing, course.evidence)
