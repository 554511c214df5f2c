"""The rule vocabulary: what a guideline file may ask, compiled once and answered in three values with reasons.

A condition is one mapping with one key, for example `{recorded: severe-ild}` or `{all: [...]}`. Each compiles to a function from
a `Case` to a `Verdict`; because and missing come out of the evaluation itself. `docs/rule-vocabulary.md` lists the keys.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from cards.schedule import rounds
from fhir_profiles.assessment import Assessment
from fhir_profiles.clinical_definitions import Definitions
from fhir_profiles.courses import Course, Outcome
from fhir_profiles.dates import DateInterval, add_months
from fhir_profiles.findings import Answer, Evidence, Finding, Missing, Standing, all_of, any_of
from fhir_profiles.phenotypes import Certainty
from fhir_profiles.record import InputState


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to a condition.

    Args:
        answer: yes, no or unknown.
        because: what in the chart decided it.
        missing: what would decide it, where it is unknown; or a caveat, where data of one kind were never supplied.
    """

    answer: Answer
    because: tuple[Evidence, ...] = ()
    missing: tuple[Missing, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """One patient at one evaluation.

    Args:
        assessment: what the chart means.
        outcomes: verdicts on recommendations already evaluated in this run, by id.
        populations: verdicts on populations, each asked once in a run.
    """

    assessment: Assessment
    outcomes: Mapping[str, Answer] = field(default_factory=dict)
    populations: dict[str, Verdict] = field(default_factory=dict)


Condition = Callable[[Case], Verdict]


class RuleError(ValueError):
    """A rule cannot be compiled; the message says where, what is wrong, and what would be right."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What rules may refer to.

    Args:
        definitions: the clinical definitions of fhir_profiles.
        populations: named conditions, already compiled.
        earlier: ids of the statements that stand before the one being compiled.
    """

    definitions: Definitions
    populations: Mapping[str, Condition] = field(default_factory=dict)
    earlier: tuple[str, ...] = ()


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
    return _COMPILERS[key](value, vocabulary, where)


def everyone(_: Case) -> Verdict:
    """The condition that always holds."""
    return Verdict(Answer.YES)


# --- logic ----------------------------------------------------------------------------------------------------------------


def _all(value: Any, vocabulary: Vocabulary, where: str) -> Condition:
    parts = _parts(value, vocabulary, where)

    def condition(case: Case) -> Verdict:
        verdicts = []
        for part in parts:
            verdict = part(case)
            if verdict.answer is Answer.NO:
                return verdict
            verdicts.append(verdict)
        return _combined(all_of(v.answer for v in verdicts), verdicts)

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
        return _combined(answer, [v for v in verdicts if v.answer is answer])

    return condition


def _not(value: Any, vocabulary: Vocabulary, where: str) -> Condition:
    inner = compile_condition(value, vocabulary, where)

    def condition(case: Case) -> Verdict:
        verdict = inner(case)
        return Verdict(verdict.answer.negated(), verdict.because, verdict.missing)

    return condition


def _combined(answer: Answer, verdicts: list[Verdict]) -> Verdict:
    """Reasons of all parts; of the missing data, those of undecided parts come first."""
    ordered = sorted(verdicts, key=lambda verdict: verdict.answer is not Answer.UNKNOWN)
    because = dict.fromkeys(item for verdict in verdicts for item in verdict.because)
    missing = dict.fromkeys(item for verdict in ordered for item in verdict.missing)
    return Verdict(answer, tuple(because), tuple(missing))


def _population(value: Any, vocabulary: Vocabulary, where: str) -> Condition:
    if value not in vocabulary.populations:
        raise RuleError(f"{where}: population `{value}` is not in populations.yaml ({', '.join(sorted(vocabulary.populations))})")
    inner = vocabulary.populations[value]

    def condition(case: Case) -> Verdict:
        if value not in case.populations:
            case.populations[value] = inner(case)
        return case.populations[value]

    return condition


# --- who the patient is ---------------------------------------------------------------------------------------------------

_FEW = 3
"""A statement about more phenotypes than this is about myositis: the recorded diagnosis is reason enough."""

_CERTAINTIES = {
    "confirmed": {Certainty.RECORDED, Certainty.SUPPORTED},
    "suspected": {Certainty.SUSPECTED},
    "recorded": {Certainty.RECORDED, Certainty.SUPPORTED, Certainty.CONFLICTING, Certainty.SUSPECTED},
}


def _phenotype(certainty: str) -> Callable[[Any, Vocabulary, str], Condition]:
    def compiler(value: Any, vocabulary: Vocabulary, where: str) -> Condition:
        known = vocabulary.definitions.phenotypes["precedence"]
        codes = _names(value, known, where, "phenotype")
        wanted = _CERTAINTIES[certainty]

        def condition(case: Case) -> Verdict:
            held = [p for p in case.assessment.phenotypes if p.code in codes and p.certainty in wanted]
            if not held and certainty == "recorded" and case.assessment.record.input_state("Condition") is InputState.FAILED:
                return Verdict(
                    Answer.UNKNOWN, missing=(Missing("problems could not be read completely", "Condition", is_caveat=True),)
                )
            if not held:
                return Verdict(Answer.NO)
            named = held if len(codes) <= _FEW else held[:1]
            evidence = [item for p in named for item in (p.evidence if len(codes) <= _FEW else p.evidence[:1])]
            return Verdict(Answer.YES, tuple(dict.fromkeys(evidence)))

        return condition

    return compiler


def _age(value: Any, vocabulary: Vocabulary, where: str) -> Condition:
    tests: dict[str, Callable[[int, int], bool]] = {
        "over": lambda age, limit: age > limit,
        "under": lambda age, limit: age < limit,
        "at_least": lambda age, limit: age >= limit,
        "at_most": lambda age, limit: age <= limit,
        "exactly": lambda age, limit: age == limit,
    }
    _check_numbers("age", value, tests, where)

    def condition(case: Case) -> Verdict:
        youngest, oldest = case.assessment.ages
        if youngest is None or oldest is None:
            return Verdict(Answer.UNKNOWN, missing=(Missing("date of birth", "Patient.birthDate"),))
        answers = {all(tests[name](age, limit) for name, limit in value.items()) for age in range(youngest, oldest + 1)}
        if len(answers) > 1:
            return Verdict(Answer.UNKNOWN, missing=(Missing("the exact date of birth", "Patient.birthDate"),))
        age = str(youngest) if youngest == oldest else f"{youngest} to {oldest}"
        return Verdict(Answer.YES if answers.pop() else Answer.NO, (Evidence(f"age {age}"),))

    return condition


def _check_numbers(key: str, value: Any, known: Iterable[str], where: str) -> None:
    """A mapping of known names to whole numbers, with at least one entry."""
    names = set(known)
    if not isinstance(value, dict) or not value or set(value) - names or any(type(n) is not int for n in value.values()):
        raise RuleError(f"{where}: `{key}` takes whole numbers under {', '.join(sorted(names))}")


def _sex(value: Any, vocabulary: Vocabulary, where: str) -> Condition:
    if value not in ("female", "male"):
        raise RuleError(f"{where}: sex is `female` or `male`, not `{value}`")

    def condition(case: Case) -> Verdict:
        if case.assessment.sex is None:
            return Verdict(Answer.UNKNOWN, missing=(Missing("sex", "Patient.gender"),))
        return Verdict(Answer.YES if case.assessment.sex == value else Answer.NO, (Evidence(case.assessment.sex),))

    return condition


# --- what the disease does ------------------------------------------------------------------------------------------------


def _severity(value: Any, vocabulary: Vocabulary, where: str) -> Condition:
    if value not in ("severe", "non-severe"):
        raise RuleError(f"{where}: severity is `severe` or `non-severe`, not `{value}`")

    def condition(case: Case) -> Verdict:
        severity = case.assessment.severity
        if severity.value == "unknown":
            return Verdict(Answer.UNKNOWN, missing=severity.missing)
        because = tuple(Evidence(f"{severity.value} disease: {item.text}", item.reference) for item in severity.evidence)
        return Verdict(Answer.YES if severity.value == value else Answer.NO, because)

    return condition


def _finding(strict: bool) -> Callable[[Any, Vocabulary, str], Condition]:
    """`present` reads strictly (no only if ruled out); `recorded` asks whether it is on record."""

    def compiler(value: Any, vocabulary: Vocabulary, where: str) -> Condition:
        code = _names(value, {*vocabulary.definitions.features, *TREATMENT_FINDINGS}, where, "feature")[0]

        def condition(case: Case) -> Verdict:
            finding = case.assessment.features[code]
            return Verdict(
                finding.value if strict else finding.recorded,
                _evidence(finding),
                finding.missing if strict else _caveat(finding),
            )

        return condition

    return compiler


def _evidence(finding: Finding) -> tuple[Evidence, ...]:
    if finding.evidence or finding.standing is not Standing.NOT_RECORDED:
        return finding.evidence
    return (Evidence(f"no {finding.title} on record"),)


def _caveat(finding: Finding) -> tuple[Missing, ...]:
    """ "None on record" asks for nothing where the data were supplied; it carries its caveat where they were not."""
    return () if finding.standing in (Standing.PRESENT, Standing.RULED_OUT, Standing.NOT_RECORDED) else finding.missing


TREATMENT_FINDINGS = (
    "severe-weakness",
    "mild-or-moderate-weakness",
    "any-weakness",
    "active-disease",
    "systemic-treatment",
    "on-glucocorticoid",
    "on-steroid-sparing-drug",
    "immunosuppressant-in-trial",
    "first-line-used-up",
    "first-line-failed",
    "two-drugs-used-up",
    "second-line-drug-used-up",
    "glucocorticoid-for-3-months",
    "glucocorticoid-above-cushing-threshold",
)
"""Findings made by fhir_profiles.strength, .assess and .treatment rather than by `features.yaml`."""


def _antibody(value: Any, vocabulary: Vocabulary, where: str) -> Condition:
    codes = _names(value, vocabulary.definitions.antibodies, where, "antibody")

    def condition(case: Case) -> Verdict:
        parts = [_antibody_verdict(code, vocabulary, case) for code in codes]
        answer = any_of(part.answer for part in parts)
        return _combined(answer, [part for part in parts if part.answer is answer])

    return condition


def _antibody_verdict(code: str, vocabulary: Vocabulary, case: Case) -> Verdict:
    title, test = vocabulary.definitions.antibodies[code].title, vocabulary.definitions.antibodies[code].result[0]
    found = case.assessment.antibodies.get(code)
    if found is None:
        return Verdict(Answer.UNKNOWN, missing=(Missing(f"{title}: no result on record", test),))
    evidence = (Evidence(str(found), found.source.reference),)
    if found.result == "borderline":
        return Verdict(Answer.UNKNOWN, evidence, (Missing(f"{title}: borderline, needs confirmation", test),))
    return Verdict(Answer.YES if found.result == "positive" else Answer.NO, evidence)


def _antibody_ever_positive(value: Any, vocabulary: Vocabulary, where: str) -> Condition:
    codes = _names(value, vocabulary.definitions.antibodies, where, "antibody")

    def condition(case: Case) -> Verdict:
        positive = [a for code in codes if (a := case.assessment.antibodies.get(code)) and a.first_positive]
        because = tuple(Evidence(f"{a.title} positive", a.first_positive.reference) for a in positive if a.first_positive)
        return Verdict(Answer.YES if positive else Answer.NO, because)

    return condition


def _myositis_specific_antibody(value: Any, vocabulary: Vocabulary, where: str) -> Condition:
    specific = [code for code, antibody in vocabulary.definitions.antibodies.items() if antibody.specific]
    return _antibody(specific, vocabulary, where)


def _remission(value: Any, vocabulary: Vocabulary, where: str) -> Condition:
    if not isinstance(value, bool):
        raise RuleError(f"{where}: remission is `true` or `false`, not `{value}`")

    def condition(case: Case) -> Verdict:
        return Verdict(Answer.YES if case.assessment.in_remission is value else Answer.NO)

    return condition


def _disease_years(value: Any, vocabulary: Vocabulary, where: str) -> Condition:
    """Years since the first recorded day of the disease: `over` or `at_most`."""
    _check_numbers("disease_years", value, ("over", "at_most"), where)
    if len(value) != 1:
        raise RuleError(f"{where}: `disease_years` takes either `over` or `at_most`")

    def condition(case: Case) -> Verdict:
        began = case.assessment.disease_began
        if began is None:
            return Verdict(Answer.UNKNOWN, missing=(Missing("when the disease began", "Condition.onset"),))
        limit = add_months(began, 12 * next(iter(value.values())))
        over = case.assessment.as_of > limit
        return Verdict(Answer.YES if over is ("over" in value) else Answer.NO)

    return condition


# --- what was tried and done ----------------------------------------------------------------------------------------------


def _course(accepts: Callable[[Course], bool | None]) -> Callable[[Any, Vocabulary, str], Condition]:
    def compiler(value: Any, vocabulary: Vocabulary, where: str) -> Condition:
        agents = _names(value, vocabulary.definitions.agents, where, "treatment")

        def condition(case: Case) -> Verdict:
            parts = [_course_verdict(case, agent, accepts) for agent in agents]
            for part in parts:
                if part.answer is Answer.NO:
                    return part
            return _combined(all_of(part.answer for part in parts), parts)

        return condition

    return compiler


def _course_verdict(case: Case, agent: str, accepts: Callable[[Course], bool | None]) -> Verdict:
    course = case.assessment.treatment.courses.get(agent)
    if course is None:
        return Verdict(case.assessment.features["systemic-treatment"].recorded if _medications_failed(case) else Answer.NO)
    accepted = accepts(course)
    if accepted is None:
        why = Missing(f"why {course.title} was stopped (no effect, or not tolerated?)", "MedicationRequest.statusReason")
        return Verdict(Answer.UNKNOWN, course.evidence, (why,))
    return Verdict(Answer.YES if accepted else Answer.NO, course.evidence)


def _medications_failed(case: Case) -> bool:
    return case.assessment.features["systemic-treatment"].standing is Standing.FAILED


def _has_failed(course: Course) -> bool | None:
    return None if course.is_unexplained else course.outcome is Outcome.FAILED


def _was_not_tolerated(course: Course) -> bool | None:
    return None if course.is_unexplained else course.outcome in (Outcome.NOT_TOLERATED, Outcome.ALLERGY)


def _is_taken(course: Course) -> bool:
    return course.is_current


def _was_tried(course: Course) -> bool:
    return course.outcome is not Outcome.ALLERGY


def _on_record(value: Any, vocabulary: Vocabulary, where: str) -> Condition:
    """A test is done or ordered. Not supplied reads as "not on record" with its caveat; failed reads as unknown."""
    code = _names(value, vocabulary.definitions.investigations, where, "investigation")[0]

    def condition(case: Case) -> Verdict:
        found = case.assessment.investigation(code)
        answer = {Standing.PRESENT: Answer.YES, Standing.FAILED: Answer.UNKNOWN}.get(found.standing, Answer.NO)
        return Verdict(answer, found.evidence, found.missing)

    return condition


def _settled(value: Any, vocabulary: Vocabulary, where: str) -> Condition:
    """Other recommendations, evaluated before this one, have nothing left to do."""
    _names(value, vocabulary.earlier, where, "earlier statement")

    def condition(case: Case) -> Verdict:
        open_ones = [case.outcomes.get(rule, Answer.NO) for rule in value]
        return Verdict(any_of(open_ones).negated())

    return condition


def _repeat_due(value: Any, vocabulary: Vocabulary, where: str) -> Condition:
    """A repeat of a screening test has fallen due: `{of, after_rounds, or_more, months, from_months_before_onset}`."""
    members = {"of": str, "after_rounds": int, "months": int, "or_more": bool, "from_months_before_onset": int}
    wrong = not isinstance(value, dict) or any(name not in members or type(value[name]) is not members[name] for name in value)
    if wrong or not {"of", "after_rounds", "months"} <= set(value):
        raise RuleError(f"{where}: `repeat_due` takes {', '.join(members)}; the first three are needed")
    code = _names(value["of"], vocabulary.definitions.investigations, where, "investigation")[0]

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


def _names(value: Any, known: Iterable[str], where: str, kind: str) -> list[str]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise RuleError(f"{where}: name one {kind}, or a list of them")
    if unknown := [name for name in names if name not in set(known)]:
        raise RuleError(f"{where}: unknown {kind} {', '.join(unknown)}; known are {', '.join(sorted(known))}")
    return names


_COMPILERS: dict[str, Callable[[Any, Vocabulary, str], Condition]] = {
    "all": _all,
    "any": _any,
    "not": _not,
    "population": _population,
    "phenotype": _phenotype("confirmed"),
    "suspected_phenotype": _phenotype("suspected"),
    "recorded_phenotype": _phenotype("recorded"),
    "age": _age,
    "sex": _sex,
    "severity": _severity,
    "present": _finding(strict=True),
    "recorded": _finding(strict=False),
    "antibody_positive": _antibody,
    "antibody_ever_positive": _antibody_ever_positive,
    "myositis_specific_antibody": _myositis_specific_antibody,
    "remission": _remission,
    "disease_years": _disease_years,
    "failed": _course(_has_failed),
    "not_tolerated": _course(_was_not_tolerated),
    "taking": _course(_is_taken),
    "tried": _course(_was_tried),
    "on_record": _on_record,
    "settled": _settled,
    "repeat_due": _repeat_due,
}


def condition_keys() -> tuple[str, ...]:
    """Every key that a condition may have."""
    return tuple(_COMPILERS)
