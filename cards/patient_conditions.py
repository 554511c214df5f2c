"""Conditions about the patient and the disease: who it is, what it does, which antibodies."""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from cards.age_by_record import age_by_record
from cards.verdicts import Case, Compiler, Condition, RuleError, Verdict, Vocabulary, check_numbers, combined, names_of
from fhir_profiles.clinical_definitions import AntibodyDefinition
from fhir_profiles.dates import add_months
from fhir_profiles.features import absence_of_results
from fhir_profiles.findings import Answer, Evidence, Finding, Missing, Standing, any_of
from fhir_profiles.phenotypes import Certainty
from fhir_profiles.record import InputState
from fhir_profiles.sentences import join, say
from fhir_profiles.unread import unread_person

_FEW = 3
"""A statement about more phenotypes than this is about myositis: the recorded diagnosis is reason enough."""

_CERTAINTIES = {
    "confirmed": {Certainty.RECORDED, Certainty.SUPPORTED},
    "suspected": {Certainty.SUSPECTED},
    "recorded": {Certainty.RECORDED, Certainty.SUPPORTED, Certainty.CONFLICTING, Certainty.SUSPECTED},
}


def phenotype_condition(certainty: str) -> Compiler:
    """One of these phenotypes, with this certainty."""

    def compiler(value: Any, vocabulary: Vocabulary, where: str) -> Condition:
        known = vocabulary.definitions.phenotypes["precedence"]
        codes = names_of(value, known, where, "phenotype")
        wanted = _CERTAINTIES[certainty]

        def condition(case: Case) -> Verdict:
            held = [p for p in case.assessment.phenotypes if p.code in codes and p.certainty in wanted]
            if not held and certainty == "recorded" and case.assessment.record.input_state("Condition") is InputState.FAILED:
                return Verdict(
                    Answer.UNKNOWN, missing=(Missing(say("problems could not be read completely"), "Condition", is_caveat=True),)
                )
            if not held:
                return Verdict(Answer.NO)
            named = held if len(codes) <= _FEW else held[:1]
            evidence = [item for p in named for item in (p.evidence if len(codes) <= _FEW else p.evidence[:1])]
            return Verdict(Answer.YES, tuple(dict.fromkeys(evidence)))

        return condition

    return compiler


def age_condition(value: Any, vocabulary: Vocabulary, where: str) -> Condition:
    """Completed years."""
    tests: dict[str, Callable[[int, int], bool]] = {
        "over": lambda age, limit: age > limit,
        "under": lambda age, limit: age < limit,
        "at_least": lambda age, limit: age >= limit,
        "at_most": lambda age, limit: age <= limit,
        "exactly": lambda age, limit: age == limit,
    }
    check_numbers("age", value, tests, where)

    def condition(case: Case) -> Verdict:
        youngest, oldest = case.assessment.ages
        if youngest is None or oldest is None:
            return age_by_record(case, lambda age: all(tests[name](age, limit) for name, limit in value.items()))
        answers = {all(tests[name](age, limit) for name, limit in value.items()) for age in range(youngest, oldest + 1)}
        if len(answers) > 1:
            return Verdict(Answer.UNKNOWN, missing=(Missing(say("the exact date of birth"), "Patient.birthDate"),))
        return Verdict(Answer.YES if answers.pop() else Answer.NO, (_aged(youngest, oldest),))

    return condition


@lru_cache(maxsize=256)
def _aged(youngest: int, oldest: int) -> Evidence:
    """Asked for by many statements about the same patient."""
    if youngest == oldest:
        return Evidence(say("age {years}", years=youngest))
    return Evidence(say("age {youngest} to {oldest}", youngest=youngest, oldest=oldest))


def sex_condition(value: Any, vocabulary: Vocabulary, where: str) -> Condition:
    """Sex at birth, else administrative gender."""
    if value not in ("female", "male"):
        raise RuleError(f"{where}: sex is `female` or `male`, not `{value}`")

    def condition(case: Case) -> Verdict:
        pregnancy = case.assessment.features["pregnancy"]
        if case.assessment.sex is None and pregnancy.is_present:
            return Verdict(Answer.YES if value == "female" else Answer.NO, pregnancy.evidence)
        if case.assessment.sex is None:
            unread = unread_person(case.assessment.record)
            return Verdict(Answer.UNKNOWN, missing=(unread if unread.is_caveat else Missing(say("sex"), "Patient.gender"),))
        return Verdict(Answer.YES if case.assessment.sex == value else Answer.NO, (Evidence(case.assessment.sex),))

    return condition


_SEVERITIES = {"severe": say("severe disease"), "non-severe": say("non-severe disease")}


def severity_condition(value: Any, vocabulary: Vocabulary, where: str) -> Condition:
    """Severe or non-severe; unknown is unknown."""
    if value not in ("severe", "non-severe"):
        raise RuleError(f"{where}: severity is `severe` or `non-severe`, not `{value}`")

    def condition(case: Case) -> Verdict:
        severity = case.assessment.severity
        if severity.value == "unknown":
            return Verdict(Answer.UNKNOWN, missing=severity.missing)
        disease = _SEVERITIES[severity.value]
        because = tuple(Evidence(join(": ", (disease, item.text)), item.reference) for item in severity.evidence)
        return Verdict(Answer.YES if severity.value == value else Answer.NO, because)

    return condition


def finding_condition(strict: bool) -> Compiler:
    """`present` reads strictly (no only if ruled out); `recorded` asks whether it is on record."""

    def compiler(value: Any, vocabulary: Vocabulary, where: str) -> Condition:
        code = names_of(value, {*vocabulary.definitions.features, *TREATMENT_FINDINGS}, where, "feature")[0]

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
    return (_none_on_record(finding.title),)


@lru_cache(maxsize=1024)
def _none_on_record(title: str) -> Evidence:
    """The same for every patient."""
    if title.endswith(" on record"):
        return Evidence(say("no {finding}", finding=title))
    return Evidence(say("no {finding} on record", finding=title))


def _caveat(finding: Finding) -> tuple[Missing, ...]:
    """ "None on record" asks for nothing where the data were supplied; it carries its caveat where they were not."""
    return () if finding.standing in (Standing.PRESENT, Standing.RULED_OUT, Standing.NOT_RECORDED) else finding.missing


TREATMENT_FINDINGS = (
    "severe-weakness",
    "mild-or-moderate-weakness",
    "any-weakness",
    "active-disease",
    "relapse",
    "systemic-treatment",
    "rest-after-treatment",
    "on-glucocorticoid",
    "on-steroid-sparing-drug",
    "steroid-sparing-drug-for-3-months",
    "two-steroid-sparing-drugs-for-3-months",
    "immunosuppressant-in-trial",
    "first-line-used-up",
    "first-line-failed",
    "two-drugs-used-up",
    "second-line-drug-used-up",
    "glucocorticoid-for-3-months",
    "glucocorticoid-above-cushing-threshold",
)
"""Findings made by fhir_profiles.strength, .assess and .treatment rather than by `features.yaml`."""


def antibody_condition(value: Any, vocabulary: Vocabulary, where: str) -> Condition:
    """One of these is positive; borderline and untested are unknown."""
    codes = names_of(value, vocabulary.definitions.antibodies, where, "antibody")

    def condition(case: Case) -> Verdict:
        parts = [_antibody_verdict(code, vocabulary, case) for code in codes]
        answer = any_of(part.answer for part in parts)
        return combined(answer, [part for part in parts if part.answer is answer])

    return condition


def _antibody_verdict(code: str, vocabulary: Vocabulary, case: Case) -> Verdict:
    antibody = vocabulary.definitions.antibodies[code]
    found = case.assessment.antibodies.get(code)
    if found is None:
        return Verdict(Answer.UNKNOWN, missing=(_untested(antibody.title, antibody.result[0], case),))
    evidence = (Evidence(found.text, found.source.reference),)
    if found.result == "borderline":
        return Verdict(Answer.UNKNOWN, evidence, (_to_confirm(antibody),))
    return Verdict(Answer.YES if found.result == "positive" else Answer.NO, evidence)


def _to_confirm(antibody: AntibodyDefinition) -> Missing:
    return Missing(
        say("{antibody}: borderline, needs confirmation", antibody=antibody.title), antibody.result[0], is_to_repeat=True
    )


_UNTESTED = (Standing.FAILED, Standing.NOT_SUPPLIED)


def _untested(title: str, test: str, case: Case) -> Missing:
    standing = absence_of_results(case.assessment.record)
    return Missing(_no_result(title, standing), test, is_caveat=standing in _UNTESTED)


def _no_result(title: str, standing: Standing) -> str:
    match standing:
        case Standing.FAILED:
            return say("{antibody}: could not be assessed, the data were incomplete", antibody=title)
        case Standing.NOT_SUPPLIED:
            return say("{antibody}: no result in the data supplied", antibody=title)
        case _:
            return say("{antibody}: no result on record", antibody=title)


def antibody_ever_positive_condition(value: Any, vocabulary: Vocabulary, where: str) -> Condition:
    """One was ever positive, now or before; unknown where one is borderline, or results were not supplied or not readable."""
    codes = names_of(value, vocabulary.definitions.antibodies, where, "antibody")

    def condition(case: Case) -> Verdict:
        found = [antibody for code in codes if (antibody := case.assessment.antibodies.get(code))]
        if because := tuple(
            Evidence(say("{antibody} positive", antibody=a.title), a.first_positive.reference) for a in found if a.first_positive
        ):
            return Verdict(Answer.YES, because)
        unconfirmed = [
            _antibody_verdict(antibody.code, vocabulary, case) for antibody in found if antibody.result == "borderline"
        ]
        missing = (*(m for one in unconfirmed for m in one.missing), *_not_supplied(codes, vocabulary, case))
        because = tuple(item for one in unconfirmed for item in one.because)
        return Verdict(Answer.UNKNOWN if missing else Answer.NO, because, missing)

    return condition


def _not_supplied(codes: Iterable[str], vocabulary: Vocabulary, case: Case) -> tuple[Missing, ...]:
    """Of results that nobody sent, or that could not be read; one that was never done asks for nothing here."""
    if absence_of_results(case.assessment.record) not in _UNTESTED:
        return ()
    antibodies = [vocabulary.definitions.antibodies[code] for code in codes if code not in case.assessment.antibodies]
    if len(antibodies) > _FEW:
        return (_untested(say("myositis antibodies"), antibodies[0].result[0], case),)
    return tuple(_untested(antibody.title, antibody.result[0], case) for antibody in antibodies)


def myositis_specific_antibody_condition(value: Any, vocabulary: Vocabulary, where: str) -> Condition:
    """Any myositis-specific antibody is positive."""
    specific = [code for code, antibody in vocabulary.definitions.antibodies.items() if antibody.specific]
    return antibody_condition(specific, vocabulary, where)


def remission_condition(value: Any, vocabulary: Vocabulary, where: str) -> Condition:
    """Every diagnosis behind the phenotypes is in remission, or not."""
    if not isinstance(value, bool):
        raise RuleError(f"{where}: remission is `true` or `false`, not `{value}`")

    def condition(case: Case) -> Verdict:
        return Verdict(Answer.YES if case.assessment.in_remission is value else Answer.NO)

    return condition


def disease_years_condition(value: Any, vocabulary: Vocabulary, where: str) -> Condition:
    """Years since the first recorded day of the disease: `over` or `at_most`."""
    check_numbers("disease_years", value, ("over", "at_most"), where)
    if len(value) != 1:
        raise RuleError(f"{where}: `disease_years` takes either `over` or `at_most`")

    def condition(case: Case) -> Verdict:
        began = case.assessment.disease_began
        if began is None:
            return Verdict(Answer.UNKNOWN, missing=(Missing(say("when the disease began"), "Condition.onset"),))
        limit = add_months(began, 12 * next(iter(value.values())))
        over = case.assessment.as_of > limit
        return Verdict(Answer.YES if over is ("over" in value) else Answer.NO)

    return condition


def first_recorded_condition(value: Any, vocabulary: Vocabulary, where: str) -> Condition:
    """How long ago a feature was first recorded: `{of: interstitial-lung-disease, at_most_months: 12}`."""
    members = {"of", "at_most_months"}
    if not isinstance(value, dict) or set(value) != members or type(value["at_most_months"]) is not int:
        raise RuleError(f"{where}: `first_recorded` takes `of`, a feature, and `at_most_months`, a whole number")
    code = names_of(value["of"], vocabulary.definitions.features, where, "feature")[0]
    title, concepts = vocabulary.definitions.features[code].title, vocabulary.definitions.features[code].diagnoses

    def condition(case: Case) -> Verdict:
        record = case.assessment.record
        days = [fact.when.first for concept in concepts for fact in record.diagnoses.get(concept, ()) if fact.when]
        if not days:
            return Verdict(Answer.UNKNOWN, missing=(Missing(say("when {finding} began", finding=title), "Condition.onset"),))
        is_recent = record.as_of <= add_months(min(days), value["at_most_months"])
        return Verdict(Answer.YES if is_recent else Answer.NO)

    return condition
