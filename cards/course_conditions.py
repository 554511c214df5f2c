"""Conditions about what was tried and what was done: treatments, tests, repeats."""

from collections.abc import Callable
from typing import Any

from cards.verdicts import Case, Compiler, Condition, Verdict, Vocabulary, combined, names_of
from fhir_profiles.courses import Course, Outcome
from fhir_profiles.findings import Answer, Missing, Standing, all_of, any_of


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
