"""What the patient has: phenotypes with their certainty, severity, antibodies, and every question answered yes, no or unknown."""

from collections.abc import Iterable
from dataclasses import dataclass

from fhir_profiles.antibodies import AntibodyResult
from fhir_profiles.assessment import Assessment
from fhir_profiles.findings import Answer, Evidence, Finding, Standing
from fhir_profiles.phenotypes import Certainty, Phenotype
from fhir_profiles.sentences import say
from server.patient_page.facts import Fact, begin, facts
from server.patient_page.result_words import ANTIBODY_WORDS

CERTAINTY_WORDS = {
    Certainty.RECORDED: (say("Recorded"), say("on the problem list, and nothing further supports or questions it")),
    Certainty.SUPPORTED: (say("Supported"), say("on the problem list, and further evidence supports it")),
    Certainty.CONFLICTING: (say("Conflicting"), say("on the problem list, and other evidence speaks against it")),
    Certainty.COMPUTED: (say("Computed"), say("not on the problem list; worked out from results, so no therapy is advised")),
    Certainty.SUSPECTED: (say("Suspected"), say("on the problem list as not confirmed, so only work-up is advised")),
}
_BESIDE = say("worked out from results, beside the recorded diagnosis")
SEVERITY_WORDS = {"severe": say("severe"), "non-severe": say("not severe"), "unknown": say("not known")}
STANDING_WORDS = {
    Standing.PRESENT: say("Yes"),
    Standing.RULED_OUT: say("No"),
    Standing.NOT_RECORDED: say("Unknown: nothing on record"),
    Standing.NOT_SUPPLIED: say("Unknown: not in the data supplied"),
    Standing.UNCLEAR: say("Unknown: the record does not settle it"),
    Standing.FAILED: say("Unknown: the data could not be read completely"),
}


@dataclass(frozen=True, slots=True)
class Held:
    """One phenotype that holds."""

    code: str
    title: str
    certainty: str
    means: str
    evidence: tuple[Fact, ...]
    is_primary: bool


@dataclass(frozen=True, slots=True)
class Graded:
    """The severity, what it rests on, and what would decide it."""

    value: str
    evidence: tuple[Fact, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Antibody:
    """One answered antibody."""

    title: str
    result: str
    fact: Fact


@dataclass(frozen=True, slots=True)
class Question:
    """One question to the chart and its answer."""

    title: str
    standing: str
    evidence: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that was found, questions by their answer."""

    phenotypes: tuple[Held, ...]
    severity: Graded
    antibodies: tuple[Antibody, ...]
    yes: tuple[Question, ...]
    no: tuple[Question, ...]
    unknown: tuple[Question, ...]


def findings(assessment: Assessment) -> Findings:
    """What the assessment says, for people."""
    severity = assessment.severity
    questions = assessment.features.values()
    return Findings(
        phenotypes=tuple(_held(phenotype, index == 0) for index, phenotype in enumerate(assessment.phenotypes)),
        severity=Graded(
            value=begin(SEVERITY_WORDS[severity.value]),
            evidence=facts(severity.evidence),
            missing=tuple(begin(item.text) for item in severity.missing),
        ),
        antibodies=tuple(_antibody(antibody) for antibody in assessment.antibodies.values()),
        yes=_questions(questions, Answer.YES),
        no=_questions(questions, Answer.NO),
        unknown=_questions(questions, Answer.UNKNOWN),
    )


def _held(phenotype: Phenotype, is_primary: bool) -> Held:
    certainty, means = CERTAINTY_WORDS[phenotype.certainty]
    return Held(phenotype.code, begin(phenotype.title), certainty, means, facts(phenotype.evidence), is_primary)


def would_be(certainty: Certainty) -> str:
    """How sure a phenotype would be that a supposition brings: no entry of the problem list names it."""
    return _BESIDE if certainty is Certainty.SUPPORTED else CERTAINTY_WORDS[certainty][0]


def _antibody(antibody: AntibodyResult) -> Antibody:
    (fact,) = facts([Evidence(str(antibody), antibody.source.reference)])
    return Antibody(antibody.title, begin(ANTIBODY_WORDS[antibody.result]), fact)


def _questions(asked: Iterable[Finding], answer: Answer) -> tuple[Question, ...]:
    """Those answered so; the same words for the same question are asked once."""
    answered = (one for one in asked if one.value is answer)
    made = (Question(begin(one.title), STANDING_WORDS[one.standing], facts(one.evidence)) for one in answered)
    return tuple(dict.fromkeys(made))
