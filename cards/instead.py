"""What may stand in the place of a drug that is stopped: named only where nothing stops it, too, in this patient."""

import re

from cards.draft_conditions import is_draft_of
from cards.knowledge import Knowledge
from cards.markdown import capital, one_of
from cards.recommendation import Caution, Level
from cards.safety import cautions_for, unchecked_for
from cards.verdicts import Case
from fhir_profiles.courses import Outcome
from fhir_profiles.findings import Answer
from fhir_profiles.sentences import join, say


def notes_on_instead(caution: Caution, case: Case, known: Knowledge) -> tuple[str, ...]:
    """What a rule names in the place of its drug, in its own words; if one of those drugs must not be given either, only the
    alternatives that are left.

    Args:
        caution: the rule that speaks.
        case: the patient, without the drafts that the rule is about.
        known: the knowledge.
    """
    if not caution.instead or not caution.is_certain:
        return ()
    if not any(_must_not_be_given(treatment, case, known) for treatment in _named_beside(caution, case, known)):
        return (join("", (capital(caution.instead), ".")),)
    left = [known.treatments[key].title for key in caution.alternatives if stands(key, case, known)]
    return (
        (say("Of the alternatives that are named, nothing is known here against {drugs}.", drugs=one_of(left)),) if left else ()
    )


def stands(treatment: str, case: Case, known: Knowledge) -> bool:
    """Untried, not being written, advised against by no guideline, and without a stop, hold or warning; an open stop counts.

    Args:
        treatment: key of `treatments.yaml`.
        case: the patient, without the draft in whose place it would stand.
        known: the knowledge.
    """
    entry = known.treatments[treatment]
    course = case.assessment.treatment.courses.get(entry.course or "")
    if course is not None and (course.is_current or course.outcome is not Outcome.STOPPED or course.is_unexplained):
        return False
    if any(is_draft_of(draft, entry, case.assessment.definitions) for draft in case.drafts):
        return False
    if _is_advised_against(treatment, case, known):
        return False
    unchecked = unchecked_for(treatment, case, known)
    return not cautions_for(treatment, case, known, (Level.STOP, Level.HOLD, Level.WARN)) and not (
        unchecked and unchecked.warnings
    )


def _must_not_be_given(treatment: str, case: Case, known: Knowledge) -> bool:
    stops = cautions_for(treatment, case, known, (Level.STOP,))
    return any(stop.is_certain for stop in stops) or _is_advised_against(treatment, case, known)


def _is_advised_against(treatment: str, case: Case, known: Knowledge) -> bool:
    return any(treatment in rule.avoid and rule.when(case).answer is Answer.YES for rule in known.rules)


def _named_beside(caution: Caution, case: Case, known: Knowledge) -> list[str]:
    """The treatments that the words name, but for those that the rule itself is about."""
    own = next(rule.treatments for rule in known.safety if rule.id == caution.id)
    others = [key for key in known.treatments if key not in own]
    return [key for key in others if any(_has_word(caution.instead or "", name) for name in _names(key, case, known))]


def _names(treatment: str, case: Case, known: Knowledge) -> set[str]:
    """`intravenous immunoglobulin (IVIG)` goes by both of its names."""
    entry = known.treatments[treatment]
    agent = {case.assessment.definitions.agents[entry.course].title} if entry.course else set()
    return {treatment, *agent, *(name.strip(" )") for name in entry.title.split("("))}


def _has_word(text: str, word: str) -> bool:
    return re.search(rf"\b{re.escape(word)}\b", text, re.IGNORECASE) is not None
