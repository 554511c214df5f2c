"""Conditions about what was tried and what was done: treatments, tests, repeats."""

from collections.abc import Callable
from datetime import date
from typing import Any

from cards.schedule import rounds
from cards.verdicts import Case, Compiler, Condition, RuleError, Verdict, Vocabulary, combined, names_of
from fhir_profiles.assessment import Assessment
from fhir_profiles.courses import Course, Outcome
from fhir_profiles.dates import DateInterval, add_months
from fhir_profiles.findings import Answer, Evidence, Missing, Standing, all_of, any_of


def course_condition(accepts: Callable[[Course], bool | None]) -> Compiler:
    """The courses of these treatments, all accepted."""

    def compiler(value: Any, vocabulary: Vocabulary, where: str) -> Condition:
        agents = names_of(value, vocabulary.definitions.agents, where, "treatment")

        def condition(case: Case) -> Verdict:
            parts = [_course_verdict(case, agent, accepts) for agent in agents]
            for part in parts:
                if part.answer is Answer.NO:
                    return part
            return combined(all_of(part.answer for part in parts), parts)

        return condition

    return compiler


def _course_verdict(case: Case, agent: str, accepts: Callable[[Course], bool | None]) -> Verdict:
    course = case.assessment.treatment.courses.get(agent)
    if course is None:
        treated = case.assessment.features["systemic-treatment"]
        return Verdict(Answer.UNKNOWN, missing=treated.missing) if treated.standing is Standing.FAILED else Verdict(Answer.NO)
    accepted = accepts(course)
    if accepted is None:
        why = Missing(f"why {course.title} was stopped (no effect, or not tolerated?)", "MedicationRequest.statusReason")
        return Verdict(Answer.UNKNOWN, course.evidence, (why,))
    return Verdict(Answer.YES if accepted else Answer.NO, course.evidence)


def has_failed(course: Course) -> bool | None:
    """It did not work; None where it ended and nobody wrote why."""
    return None if course.is_unexplained else course.outcome is Outcome.FAILED


def was_not_tolerated(course: Course) -> bool | None:
    """It was not tolerated; None where it ended and nobody wrote why."""
    return None if course.is_unexplained else course.outcome in (Outcome.NOT_TOLERATED, Outcome.ALLERGY)


def is_taken(course: Course) -> bool:
    """It is current."""
    return course.is_current


def was_tried(course: Course) -> bool:
    """It was given."""
    return course.outcome is not Outcome.ALLERGY


def on_record_condition(value: Any, vocabulary: Vocabulary, where: str) -> Condition:
    """A test is done or ordered. Not supplied reads as "not on record" with its caveat; failed reads as unknown."""
    code = names_of(value, vocabulary.definitions.investigations, where, "investigation")[0]

    def condition(case: Case) -> Verdict:
        found = case.assessment.investigation(code)
        answer = {Standing.PRESENT: Answer.YES, Standing.FAILED: Answer.UNKNOWN}.get(found.standing, Answer.NO)
        return Verdict(answer, found.evidence, found.missing)

    return condition


def settled_condition(value: Any, vocabulary: Vocabulary, where: str) -> Condition:
    """Other recommendations, evaluated before this one, have nothing left to do."""
    names_of(value, vocabulary.earlier, where, "earlier statement")

    def condition(case: Case) -> Verdict:
        open_ones = [case.outcomes.get(rule, Answer.NO) for rule in value]
        return Verdict(any_of(open_ones).negated())

    return condition


def repeat_due_condition(value: Any, vocabulary: Vocabulary, where: str) -> Condition:
    """A repeat of a screening test has fallen due: `{of, after_rounds, or_more, months, from_months_before_onset}`."""
    members = {"of": str, "after_rounds": int, "months": int, "or_more": bool, "from_months_before_onset": int}
    wrong = not isinstance(value, dict) or any(name not in members or type(value[name]) is not members[name] for name in value)
    if wrong or not {"of", "after_rounds", "months"} <= set(value):
        raise RuleError(f"{where}: `repeat_due` takes {', '.join(members)}; the first three are needed")
    code = names_of(value["of"], vocabulary.definitions.investigations, where, "investigation")[0]

    def condition(case: Case) -> Verdict:
        done = rounds(case.assessment.days_done(code, counts_from(case.assessment, value.get("from_months_before_onset"))))
        enough = len(done) >= value["after_rounds"] if value.get("or_more") else len(done) == value["after_rounds"]
        if not done or not enough or case.assessment.is_ordered(code, done[-1]):
            return Verdict(Answer.NO)
        due = add_months(done[-1], value["months"])
        because = (
            Evidence(
                f"screening imaging last done {_ago(done[-1], case.assessment.as_of)}, repeat due from {DateInterval(due, due)}"
            ),
        )
        return Verdict(Answer.YES if case.assessment.as_of >= due else Answer.NO, because)

    return condition


def counts_from(assessment: Assessment, months_before_onset: int | None) -> date | None:
    """First day on which a screening test counts, or None where every day does."""
    if months_before_onset is None or assessment.disease_began is None:
        return None
    return add_months(assessment.disease_began, -months_before_onset)


def _ago(day: date, as_of: date) -> str:
    months = (as_of.year - day.year) * 12 + as_of.month - day.month - (as_of.day < day.day)
    return f"{months} month{'' if months == 1 else 's'} ago"
