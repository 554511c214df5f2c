"""Conditions about what was tried and what was done: treatments, tests, repeats."""

from collections.abc import Callable, Mapping
from operator import ge, gt
from typing import Any

from cards.verdicts import Case, Compiler, Condition, RuleError, Verdict, Vocabulary, combined, names_of
from fhir_profiles.courses import Course, Outcome
from fhir_profiles.dates import days_between
from fhir_profiles.findings import Answer, Evidence, Missing, Standing, all_of, any_of
from fhir_profiles.sentences import say
from fhir_profiles.unread import unread_treatment


def course_condition(accepts: Callable[[Course], bool | None], *, asks_intolerances: bool = False) -> Compiler:
    """The courses of these treatments, all accepted.

    Args:
        accepts: whether one course is; None where the chart does not say.
        asks_intolerances: the allergy list could show it, too.
    """

    def compiler(value: Any, vocabulary: Vocabulary, where: str) -> Condition:
        agents = names_of(value, vocabulary.definitions.agents, where, "treatment")

        def condition(case: Case) -> Verdict:
            parts = [_course_verdict(case, agent, accepts, asks_intolerances) for agent in agents]
            for part in parts:
                if part.answer is Answer.NO:
                    return part
            return combined(all_of(part.answer for part in parts), parts)

        return condition

    return compiler


def _course_verdict(case: Case, agent: str, accepts: Callable[[Course], bool | None], asks_intolerances: bool = False) -> Verdict:
    """No only where everything was read that could show otherwise."""
    course = case.assessment.treatment.courses.get(agent)
    accepted = accepts(course) if course else False
    if course and accepted is None:
        why = say("why {drug} was stopped (no effect, or not tolerated?)", drug=course.title)
        return Verdict(Answer.UNKNOWN, course.evidence, (Missing(why, "MedicationRequest.statusReason"),))
    evidence = course.evidence if course else ()
    if accepted:
        return Verdict(Answer.YES, evidence)
    by_infusion = case.assessment.definitions.agents[agent].lasts_weeks is not None
    unread = unread_treatment(case.assessment.record, by_infusion=by_infusion, intolerance=asks_intolerances)
    return Verdict(Answer.UNKNOWN if unread else Answer.NO, evidence, unread)


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


def daily_dose_condition(value: Any, vocabulary: Vocabulary, where: str) -> Condition:
    """The daily dose of a current course in milligrams, as the chart structures it: `{of: glucocorticoid, over: 15}`.

    Only prednisone and prednisolone are compared (see `fhir_profiles.courses`); another drug or no dose is unknown.
    """
    agent, tests = _agent_and_number(value, vocabulary, where, "daily_dose", {"over": gt, "at_least": ge})

    def condition(case: Case) -> Verdict:
        course = _current(case, agent)
        if isinstance(course, Verdict):
            return course
        if course.daily_dose_mg is None:
            ask = Missing(say("daily dose of the {drug}", drug=course.title), "MedicationRequest.dosageInstruction")
            return Verdict(Answer.UNKNOWN, course.evidence, (ask,))
        dose = say("{drug} {dose:g} mg a day", drug=course.title, dose=course.daily_dose_mg)
        evidence = Evidence(dose, course.evidence[0].reference)
        return Verdict(Answer.YES if tests(course.daily_dose_mg) else Answer.NO, (evidence,))

    return condition


def taken_times_a_week_condition(value: Any, vocabulary: Vocabulary, where: str) -> Condition:
    """How often a week a current course is taken by coded timing: `{of: methotrexate, over: 1}`; else no."""
    agent, tests = _agent_and_number(value, vocabulary, where, "taken_times_a_week", {"over": gt, "at_least": ge})

    def condition(case: Case) -> Verdict:
        course = case.assessment.treatment.courses.get(agent)
        if course is None or not course.is_current or course.times_a_week is None or not tests(course.times_a_week):
            return Verdict(Answer.NO)
        often = say("{drug} {number:g} times a week", drug=course.title, number=course.times_a_week)
        return Verdict(Answer.YES, (Evidence(often, course.evidence[0].reference),))

    return condition


def taken_weeks_condition(value: Any, vocabulary: Vocabulary, where: str) -> Condition:
    """A current course has gone on for so many weeks: `{of: glucocorticoid, over: 2}`; unknown without a start."""
    agent, tests = _agent_and_number(value, vocabulary, where, "taken_weeks", {"over": gt, "at_least": ge})

    def condition(case: Case) -> Verdict:
        course = _current(case, agent)
        if isinstance(course, Verdict):
            return course
        if course.start is None:
            ask = Missing(say("when {drug} was started", drug=course.title), "MedicationRequest.authoredOn")
            return Verdict(Answer.UNKNOWN, course.evidence, (ask,))
        weeks = days_between(course.start.last, case.assessment.as_of) / 7
        return Verdict(Answer.YES if tests(weeks) else Answer.NO, course.evidence)

    return condition


def _current(case: Case, agent: str) -> Course | Verdict:
    """The course, if it is current; else the answer that there is none, or that the medications could not be read."""
    course = case.assessment.treatment.courses.get(agent)
    return course if course and course.is_current else _course_verdict(case, agent, is_taken)


def _agent_and_number(
    value: Any, vocabulary: Vocabulary, where: str, key: str, known: Mapping[str, Callable[[float, float], bool]]
) -> tuple[str, Callable[[float], bool]]:
    """An agent under `of`, and one comparison with a number."""
    if not isinstance(value, dict) or len(value) != 2 or "of" not in value:
        raise RuleError(f"{where}: `{key}` takes `of`, a treatment, and one of {', '.join(known)} with a number")
    agent = names_of(value["of"], vocabulary.definitions.agents, where, "treatment")[0]
    name, limit = next((n, v) for n, v in value.items() if n != "of")
    if name not in known or type(limit) not in (int, float):
        raise RuleError(f"{where}: `{key}` takes `of`, a treatment, and one of {', '.join(known)} with a number")
    return agent, lambda number: known[name](number, limit)


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
