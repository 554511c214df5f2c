"""The rule vocabulary: what a guideline file may ask, compiled once and answered in three values with reasons.

A condition is one mapping with one key, for example `{recorded: severe-ild}` or `{all: [...]}`. Each compiles to a function from
a `Case` to a `Verdict`; because and missing come out of the evaluation itself. `docs/rule-vocabulary.md` lists the keys.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from cards import course_conditions as courses
from cards import draft_conditions as drafts
from cards import patient_conditions as patients
from cards.verdicts import Case, Compiler, Condition, RuleError, Verdict, Vocabulary, combined
from fhir_profiles.findings import Answer, all_of, any_of


def compile_condition(node: object, vocabulary: Vocabulary, where: str) -> Condition:
    """Compile one condition of a guideline file.

    Args:
        node: the parsed YAML.
        vocabulary: what it may refer to.
        where: file and id, for error messages.

    Raises:
        RuleError: an unknown key, or a name that nothing defines.
    """
    if not isinstance(node, dict) or len(node) != 1:
        raise RuleError(f"{where}: a condition is a mapping with exactly one key, one of {', '.join(sorted(_COMPILERS))}")
    ((key, value),) = node.items()
    if key not in _COMPILERS:
        raise RuleError(f"{where}: unknown condition `{key}`; known are {', '.join(sorted(_COMPILERS))}")
    condition = _COMPILERS[key](value, vocabulary, where)
    return _asked_once(f"{key}: {value}", condition) if key in _OF_THE_PATIENT else condition


def _asked_once(question: str, condition: Condition) -> Condition:
    """Many rules ask the same of a patient; the answer is found once in a run."""

    def once(case: Case) -> Verdict:
        verdict = case.answered.get(question)
        if verdict is None:
            verdict = case.answered[question] = condition(case)
        return verdict

    return once


def _all(value: Any, vocabulary: Vocabulary, where: str) -> Condition:
    parts = _parts(value, vocabulary, where)

    def condition(case: Case) -> Verdict:
        verdicts = []
        for part in parts:
            verdict = part(case)
            if verdict.answer is Answer.NO:
                return verdict
            verdicts.append(verdict)
        return combined(all_of(v.answer for v in verdicts), verdicts)

    return condition


def _parts(value: Any, vocabulary: Vocabulary, where: str) -> list[Condition]:
    if not isinstance(value, list) or not value:
        raise RuleError(f"{where}: `all` and `any` take a list with at least one condition")
    return [compile_condition(node, vocabulary, where) for node in value]


def _any(value: Any, vocabulary: Vocabulary, where: str) -> Condition:
    parts = _parts(value, vocabulary, where)

    def condition(case: Case) -> Verdict:
        verdicts = [part(case) for part in parts]
        answer = any_of(v.answer for v in verdicts)
        return combined(answer, [v for v in verdicts if v.answer is answer])

    return condition


def _not(value: Any, vocabulary: Vocabulary, where: str) -> Condition:
    inner = compile_condition(value, vocabulary, where)

    def condition(case: Case) -> Verdict:
        verdict = inner(case)
        return Verdict(verdict.answer.negated(), verdict.because, verdict.missing)

    return condition


def _population(value: Any, vocabulary: Vocabulary, where: str) -> Condition:
    if value not in vocabulary.populations:
        raise RuleError(f"{where}: population `{value}` is not in populations.yaml ({', '.join(sorted(vocabulary.populations))})")
    return vocabulary.populations[value]


_OF_THE_PATIENT: dict[str, Compiler] = {
    "population": _population,
    "phenotype": patients.phenotype_condition("confirmed"),
    "suspected_phenotype": patients.phenotype_condition("suspected"),
    "recorded_phenotype": patients.phenotype_condition("recorded"),
    "age": patients.age_condition,
    "sex": patients.sex_condition,
    "severity": patients.severity_condition,
    "present": patients.finding_condition(strict=True),
    "recorded": patients.finding_condition(strict=False),
    "antibody_positive": patients.antibody_condition,
    "antibody_ever_positive": patients.antibody_ever_positive_condition,
    "myositis_specific_antibody": patients.myositis_specific_antibody_condition,
    "remission": patients.remission_condition,
    "disease_years": patients.disease_years_condition,
    "first_recorded": patients.first_recorded_condition,
}
"""What they answer does not depend on the treatment or draft that a rule is asked about."""

_OF_A_DRAFT: dict[str, Compiler] = {
    "earlier_course": drafts.earlier_course_condition,
    "given": drafts.given_condition,
    "given_together": drafts.given_together_condition,
    "drafted_times_a_week": drafts.drafted_times_a_week_condition,
    "drafted_in_words": drafts.drafted_in_words_condition,
    "drafted_prednisolone_mg": drafts.drafted_prednisolone_mg_condition,
}

_COMBINING: dict[str, Compiler] = {"all": _all, "any": _any, "not": _not}

_COMPILERS: dict[str, Compiler] = {
    **_COMBINING,
    **_OF_THE_PATIENT,
    "failed": courses.course_condition(courses.has_failed),
    "not_tolerated": courses.course_condition(courses.was_not_tolerated, asks_intolerances=True),
    "taking": courses.course_condition(courses.is_taken),
    "tried": courses.course_condition(courses.was_tried),
    "daily_dose": courses.daily_dose_condition,
    "taken_times_a_week": courses.taken_times_a_week_condition,
    "taken_weeks": courses.taken_weeks_condition,
    "on_record": courses.on_record_condition,
    "settled": courses.settled_condition,
    **_OF_A_DRAFT,
}


def compile_about_patients(node: Any, vocabulary: Vocabulary, where: str) -> Condition:
    """Compile what is answered once for all drafts of a call, and so cannot be about one of them.

    Args:
        node: the condition, as in the YAML.
        vocabulary: what it may refer to.
        where: file and entry, for errors.

    Raises:
        RuleError: it is about an order that is being written, or cannot be compiled.
    """
    if about := _OF_A_DRAFT.keys() & set(_keys(node)):
        raise RuleError(f"{where}: `{min(about)}` is about an order that is being written; here only the patient counts")
    return compile_condition(node, vocabulary, where)


def _keys(node: Any) -> Iterator[str]:
    """Every key of a condition and of those that it combines."""
    parts = node if isinstance(node, list) else [node]
    for part in parts:
        for key, value in part.items() if isinstance(part, Mapping) else ():
            yield key
            if key in _COMBINING:
                yield from _keys(value)


def condition_keys() -> tuple[str, ...]:
    """Every key that a condition may have."""
    return tuple(_COMPILERS)
