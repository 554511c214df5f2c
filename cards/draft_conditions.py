"""Conditions about drugs together: what is taken, what is being written in the same call, and what a draft says of its dose."""

from collections.abc import Callable, Iterable
from functools import reduce
from typing import Any

from cards.markdown import listed
from cards.verdicts import Case, Condition, RuleError, TreatmentEntry, Verdict, Vocabulary, names_of
from fhir_profiles.clinical_definitions import Definitions
from fhir_profiles.courses import PREDNISOLONE, Outcome
from fhir_profiles.dates import DateInterval
from fhir_profiles.features import absence_of_drugs
from fhir_profiles.findings import Answer, Evidence, Missing, Standing
from fhir_profiles.record import DraftOrder, InputState, facts_of
from fhir_profiles.sentences import say


def is_draft_of(draft: DraftOrder, entry: TreatmentEntry, known: Definitions) -> bool:
    """Whether an order being written is of this treatment: by its drug or procedure, and by its route where it has one."""
    if entry.course is None:
        return not set(entry.drugs).isdisjoint(draft.concepts)
    agent = known.agents[entry.course]
    fits_route = not agent.routes or draft.route is None or draft.route in agent.routes
    return fits_route and not {*agent.drugs, *agent.procedures}.isdisjoint(draft.concepts)


def given_condition(value: Any, vocabulary: Vocabulary, where: str) -> Condition:
    """One of these is taken now, is being written in this call, or is the one that the rule is asked about."""
    keys = names_of(value, vocabulary.treatments, where, "treatment")
    return _given(keys, 1, vocabulary)


def given_together_condition(value: Any, vocabulary: Vocabulary, where: str) -> Condition:
    """At least so many of these are: `{at_least: 2, of: [...]}`."""
    if not isinstance(value, dict) or set(value) != {"at_least", "of"} or type(value["at_least"]) is not int:
        raise RuleError(f"{where}: `given_together` takes a whole number under `at_least` and treatments under `of`")
    return _given(names_of(value["of"], vocabulary.treatments, where, "treatment"), value["at_least"], vocabulary)


def earlier_course_condition(value: Any, vocabulary: Vocabulary, where: str) -> Condition:
    """What became of an earlier course of the very treatment that the rule is asked about: `failed` or `not-tolerated`."""
    outcomes = {"failed": {Outcome.FAILED}, "not-tolerated": {Outcome.NOT_TOLERATED, Outcome.ALLERGY}}
    if value not in outcomes:
        raise RuleError(f"{where}: `earlier_course` is `failed` or `not-tolerated`, not `{value}`")

    def condition(case: Case) -> Verdict:
        entry = vocabulary.treatments.get(case.considered or "")
        course = case.assessment.treatment.courses.get(entry.course or "") if entry else None
        if course is not None and course.outcome in outcomes[value] and not course.is_current:
            return Verdict(Answer.YES, course.evidence)
        unread = [words for kind, words in _HISTORY.items() if case.assessment.record.input_state(kind) is InputState.FAILED]
        if entry is None or not unread:
            return Verdict(Answer.NO)
        asked = say(
            "how {drug} was tolerated before and whether it worked: {unread} could not be read completely",
            drug=entry.title,
            unread=listed(unread),
        )
        return Verdict(Answer.UNKNOWN, missing=(Missing(asked, "MedicationRequest.statusReason", is_caveat=True),))

    return condition


_HISTORY = {
    "MedicationRequest": say("medication requests"),
    "MedicationStatement": say("medication statements"),
    "MedicationAdministration": say("administrations"),
    "AllergyIntolerance": say("intolerances"),
}
"""The kinds of input that tell of earlier courses."""


def _given(keys: list[str], at_least: int, vocabulary: Vocabulary) -> Condition:
    entries = {key: vocabulary.treatments[key] for key in keys}

    def condition(case: Case) -> Verdict:
        taken = {key: _taken(entry, case) for key, entry in entries.items()}
        count = sum(bool(taken[key]) or _is_written(key, entry, case) for key, entry in entries.items())
        if count >= at_least:
            return Verdict(Answer.YES, tuple(dict.fromkeys(item for found in taken.values() for item in found)))
        return _not_found(entries.values(), case)

    return condition


def _is_written(key: str, entry: TreatmentEntry, case: Case) -> bool:
    return key == case.considered or any(is_draft_of(draft, entry, case.assessment.definitions) for draft in case.drafts)


def _taken(entry: TreatmentEntry, case: Case) -> tuple[Evidence, ...]:
    """What shows that it is being taken now; empty where nothing does."""
    if entry.course is not None:
        course = case.assessment.treatment.courses.get(entry.course)
        return course.evidence if course and course.is_current else ()
    facts = (fact for fact in facts_of(case.assessment.record.drugs, entry.drugs) if fact.is_current)
    return tuple(Evidence(_current(entry.title, fact.when), fact.reference) for fact in facts)


def _current(title: str, since: DateInterval | None) -> str:
    return say("{drug} current since {day}", drug=title, day=since) if since else say("{drug} current", drug=title)


def _not_found(entries: Iterable[TreatmentEntry], case: Case) -> Verdict:
    """Not among the current drugs: no, with a caveat where none were supplied; unknown where they could not be read."""
    standing = absence_of_drugs(case.assessment.record)
    if standing is Standing.NOT_RECORDED:
        return Verdict(Answer.NO)
    drugs = reduce(_or, dict.fromkeys(entry.title for entry in entries))
    if standing is Standing.FAILED:
        words = say("{drugs} among the current drugs: medications could not be read completely", drugs=drugs)
    else:
        words = say("{drugs} among the current drugs: medications were not supplied", drugs=drugs)
    missing = (Missing(words, "MedicationRequest", is_caveat=True),)
    return Verdict(Answer.UNKNOWN if standing is Standing.FAILED else Answer.NO, missing=missing)


def _or(first: str, last: str) -> str:
    return say("{first} or {last}", first=first, last=last)


_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "over": lambda number, limit: number > limit,
    "under": lambda number, limit: number < limit,
    "at_least": lambda number, limit: number >= limit,
}


def drafted_times_a_week_condition(value: Any, vocabulary: Vocabulary, where: str) -> Condition:
    """The draft says how often a week it is to be taken, and this holds of it."""
    return _draft_says("drafted_times_a_week", value, where, lambda draft: draft.times_a_week)


def drafted_in_words_condition(value: Any, vocabulary: Vocabulary, where: str) -> Condition:
    """The draft says in words alone how often it is to be taken; words are not read (SAF-14)."""
    if value is not True:
        raise RuleError(f"{where}: `drafted_in_words` is `true`, not `{value}`")

    def condition(case: Case) -> Verdict:
        return Verdict(Answer.YES if case.draft and case.draft.is_in_words else Answer.NO)

    return condition


def drafted_prednisolone_mg_condition(value: Any, vocabulary: Vocabulary, where: str) -> Condition:
    """The draft is of prednisone or prednisolone, says the dose a day, and this holds of it (no source converts the others)."""
    return _draft_says("drafted_prednisolone_mg", value, where, _prednisolone_mg)


def _prednisolone_mg(draft: DraftOrder) -> float | None:
    return None if PREDNISOLONE.isdisjoint(draft.concepts) else draft.daily_dose_mg


def _draft_says(key: str, value: Any, where: str, number_of: Callable[[DraftOrder], float | None]) -> Condition:
    """No also where the draft does not say: what a prescriber has not written yet is no error."""
    wrong = not isinstance(value, dict) or len(value) != 1 or set(value) - set(_COMPARISONS)
    if wrong or any(type(limit) not in (int, float) for limit in value.values()):
        raise RuleError(f"{where}: `{key}` takes one number under {', '.join(_COMPARISONS)}")
    ((comparison, limit),) = value.items()

    def condition(case: Case) -> Verdict:
        number = number_of(case.draft) if case.draft else None
        holds = number is not None and _COMPARISONS[comparison](number, limit)
        return Verdict(Answer.YES if holds else Answer.NO)

    return condition
