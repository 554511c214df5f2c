"""The age of a patient without a date of birth, as far as a recorded pregnancy or a juvenile disease tells it."""

from collections.abc import Callable

from cards.verdicts import Case, Verdict
from fhir_profiles.dates import add_months
from fhir_profiles.findings import Answer, Evidence
from fhir_profiles.phenotypes import ADULT
from fhir_profiles.sentences import say
from fhir_profiles.unread import unread_person


def age_by_record(case: Case, fits: Callable[[int], bool]) -> Verdict:
    """Whether the age fits, where no date of birth was read.

    A house rule (K): who is pregnant is taken for an adult, and who has had a juvenile disease for a year at most for a child.
    The advice that names such a patient stands; no drug is made ready without an age (`cards.therapy`).

    Args:
        case: the patient.
        fits: the question, asked of one age in completed years.
    """
    assessment = case.assessment
    pregnancy, began = assessment.features["pregnancy"], assessment.disease_began
    juvenile = next((p for p in assessment.phenotypes if p.is_confirmed and p.code.startswith("juvenile")), None)
    is_recent = began is not None and assessment.as_of <= add_months(began, 12)
    ages, because = range(0), ""
    if pregnancy.is_present and juvenile is None:
        oldest = assessment.definitions.features["pregnancy"].applies["at_most"]
        ages, because = range(ADULT, oldest + 1), say("taken for an adult because of the recorded pregnancy")
    elif juvenile is not None and is_recent and not pregnancy.is_present:
        ages, because = range(ADULT), say("taken for a child because of the recorded {disease}", disease=juvenile.title)
    answers = {fits(age) for age in ages}
    if len(answers) != 1:
        return Verdict(Answer.UNKNOWN, missing=(unread_person(assessment.record),))
    return Verdict(Answer.YES if answers.pop() else Answer.NO, (Evidence(because),))
