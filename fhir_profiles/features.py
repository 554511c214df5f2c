"""Organ features and contexts: each question of `definitions/features.yaml`, answered from the record."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from fhir_profiles.clinical_definitions import FeatureDefinition
from fhir_profiles.code_words import word
from fhir_profiles.dates import DateInterval, add_months
from fhir_profiles.findings import Evidence, Finding, Missing, Standing, standing_of_all, standing_of_any
from fhir_profiles.record import Diagnosis, Fact, InputState, PatientRecord, Result, facts_of, newest_first
from fhir_profiles.sentences import say
from fhir_profiles.wordings import at_time, by_text

Ages = tuple[int | None, int | None]
"""Youngest and oldest possible age in completed years; None where the date of birth is not known."""


Part = tuple[Standing, tuple[Evidence, ...]]


class Kinds(NamedTuple):
    """How to read that a source says nothing: the standing where there is no such diagnosis, result, drug or test."""

    of_diagnoses: Standing
    of_results: Standing
    of_drugs: Standing
    of_tests: Standing


@dataclass(frozen=True, slots=True)
class Silence:
    """What is on record at all, and how to read that something is not: the same for every question.

    Args:
        concepts: ValueSets under which the record has a diagnosis, drug or result.
        kinds: the standing where it has none.
    """

    concepts: frozenset[str]
    kinds: Kinds


def silence_of(record: PatientRecord) -> Silence:
    """Worked out once for all questions.

    Args:
        record: the chart.
    """
    return Silence(
        concepts=frozenset().union(record.diagnoses, record.refuted, record.drugs, record.results),
        kinds=Kinds(
            of_diagnoses=absence(record, ("Condition",)),
            of_results=absence(record, ("Observation",)),
            of_drugs=absence_of_drugs(record),
            of_tests=absence_of_results(record),
        ),
    )


class Question(NamedTuple):
    """One definition asked of one record; the other members are those of `find_features`."""

    code: str
    definition: FeatureDefinition
    record: PatientRecord
    ages: Ages
    silence: Silence
    parameters: Mapping[str, float]

    def since(self, months: int | None) -> date | None:
        """First day that still counts, or None where age does not matter."""
        return None if months is None else add_months(self.record.as_of, -months)


def find_features(
    record: PatientRecord,
    features: Mapping[str, FeatureDefinition],
    ages: Ages,
    known: Mapping[str, Finding],
    parameters: Mapping[str, float],
) -> dict[str, Finding]:
    """Answer every feature question.

    Args:
        record: the chart.
        features: the definitions, by code.
        ages: the patient's age.
        known: findings made elsewhere that definitions may combine (for example graded strength).
        parameters: those of definitions/treatment.yaml, which a definition may name.

    Returns:
        Findings by code, those of `known` included.
    """
    asked = _Asked(record, features, ages, dict(known), silence_of(record), parameters)
    for code in features:
        asked.finding(code)
    return asked.found


@dataclass(frozen=True, slots=True)
class _Asked:
    """What was found out so far; a function that calls itself would keep the chart until the garbage collector comes."""

    record: PatientRecord
    features: Mapping[str, FeatureDefinition]
    ages: Ages
    found: dict[str, Finding]
    silence: Silence
    parameters: Mapping[str, float]

    def finding(self, code: str) -> Finding:
        found = self.found.get(code)
        if found is None:
            definition = self.features[code]
            question = Question(code, definition, self.record, self.ages, self.silence, self.parameters)
            found = self.found[code] = answer(question, self.finding)
        return found


def answer(question: Question, finding: Callable[[str], Finding]) -> Finding:
    """Answer one question.

    Args:
        question: the question.
        finding: gives those findings that a definition combines, by code.
    """
    definition = question.definition
    if definition.any or definition.all:
        combined = [finding(code) for code in (*definition.any, *definition.all)]
        combine = standing_of_any if definition.any else standing_of_all
        standing = combine(part.standing for part in combined)
        evidence = _evidence_for(standing, combined)
        open_parts = tuple(m for part in combined if part.standing is standing for m in part.missing)
    elif definition.concepts.isdisjoint(question.silence.concepts):
        is_ageless = question.ages == _AGELESS
        return _of_silence(question.code, definition, question.silence.kinds, _does_not_apply(question), is_ageless)
    else:
        parts = _parts_of(question)
        standing = _strongest(standing for standing, _ in parts)
        evidence = tuple(item for part, items in parts if part is standing for item in items)
        open_parts = _still_so(question) if standing is Standing.UNCLEAR else ()
    standing, evidence = _for_whom_it_applies(question, standing, evidence)
    missing = tuple(dict.fromkeys(open_parts)) or _missing(definition, standing, question.ages == _AGELESS)
    return Finding(question.code, definition.title, standing, evidence, missing)


_AGELESS = (None, None)


@lru_cache(maxsize=16384)
def _of_silence(code: str, definition: FeatureDefinition, kinds: Kinds, reason: str | None, is_ageless: bool) -> Finding:
    """Most of what is asked is in no chart; then the finding is made of the definition, and the same for many patients.

    Args:
        code: of the finding.
        definition: of which no concept is on record.
        kinds: how to read the silence of each source.
        reason: why the question does not arise for the patient; None if it does.
        is_ageless: the age is not known.
    """
    if reason is not None:
        return Finding(code, definition.title, Standing.RULED_OUT, (Evidence(reason),))
    standing = _strongest(_silent(definition, kinds))
    return Finding(code, definition.title, standing, (), _missing(definition, standing, is_ageless))


def _silent(definition: FeatureDefinition, kinds: Kinds) -> Iterator[Standing]:
    if definition.diagnoses or definition.unclear:
        yield kinds.of_diagnoses
    if definition.positive or definition.above or definition.below or definition.answers or definition.results_under:
        yield kinds.of_results
    if definition.drugs:
        yield kinds.of_drugs
    if definition.tested:
        yield kinds.of_tests


def _parts_of(question: Question) -> list[Part]:
    """What each source of the fact says."""
    results = _without_what_a_newer_result_overtook(question, list(_from_results(question)))
    return [*_from_diagnoses(question), *results, *_from_drugs(question), *_from_tests(question)]


def _for_whom_it_applies(question: Question, standing: Standing, evidence: tuple[Evidence, ...]) -> Part:
    """Where the question does not arise, silence rules it out; a chart that says yes all the same is not overruled."""
    reason = _does_not_apply(question)
    if reason is None:
        return standing, evidence
    if standing in (Standing.PRESENT, Standing.UNCLEAR):
        contradicted = question.record.sex not in (None, question.definition.applies.get("sex", question.record.sex))
        return (Standing.UNCLEAR if contradicted else standing), (*evidence, Evidence(reason))
    return Standing.RULED_OUT, (Evidence(reason),)


def _without_what_a_newer_result_overtook(question: Question, parts: list[Part]) -> list[Part]:
    """For a state that changes, a recent no outweighs the positive results before it (the parts come with their references)."""
    if question.definition.rules_out_within_months is None or Standing.RULED_OUT not in {standing for standing, _ in parts}:
        return parts
    definition = question.definition
    results = [r for c in (*definition.positive, definition.answers.get("test", "")) for r in question.record.results.get(c, ())]
    newest = min(results, key=newest_first)
    rules_out = any(s is Standing.RULED_OUT and e and e[0].reference == newest.reference for s, e in parts)
    return [part for part in parts if part[0] is not Standing.PRESENT] if rules_out else parts


_STRONGEST_FIRST = (
    Standing.PRESENT,
    Standing.UNCLEAR,
    Standing.RULED_OUT,
    Standing.FAILED,
    Standing.NOT_RECORDED,
    Standing.NOT_SUPPLIED,
)
"""Several sources of one fact: one that speaks outweighs one that is silent."""


def _strongest(standings: Iterable[Standing]) -> Standing:
    seen = set(standings)
    return next(standing for standing in _STRONGEST_FIRST if standing in seen)


def _evidence_for(standing: Standing, parts: Iterable[Finding]) -> tuple[Evidence, ...]:
    wanted = {Standing.PRESENT} if standing is Standing.PRESENT else {standing, Standing.UNCLEAR}
    return tuple(dict.fromkeys(item for part in parts if part.standing in wanted for item in part.evidence))


def _missing(definition: FeatureDefinition, standing: Standing, is_ageless: bool) -> tuple[Missing, ...]:
    if standing in (Standing.PRESENT, Standing.RULED_OUT):
        return ()
    concept = definition.ask or next(
        iter((*definition.diagnoses, *definition.positive, *definition.drugs, *definition.below)), "Condition.code"
    )
    if is_ageless and definition.applies.keys() & {"at_least", "at_most"}:
        concept = "Patient.birthDate"  # first whether the question arises at all: no test is ordered for a child
    asked = definition.question or definition.title.removesuffix(" on record")
    return _not_known(asked, concept, standing)


@lru_cache(maxsize=8192)
def _not_known(asked: str, concept: str, standing: Standing) -> tuple[Missing, ...]:
    """Made of the words of the definitions alone."""
    return (Missing(_open(asked, standing), concept, is_caveat=standing in (Standing.NOT_SUPPLIED, Standing.FAILED)),)


def _open(question: str, standing: Standing) -> str:
    """Why a question is open."""
    if standing is Standing.NOT_RECORDED:
        return say("{question}: nothing on record", question=question)
    if standing is Standing.NOT_SUPPLIED:
        return say("{question}: not in the data supplied", question=question)
    if standing is Standing.UNCLEAR:
        return say("{question}: the record does not settle it", question=question)
    return say("{question}: could not be assessed, the data were incomplete", question=question)


def _does_not_apply(question: Question) -> str | None:
    """Why the question does not arise for this patient, or None."""
    applies, (youngest, oldest) = question.definition.applies, question.ages
    if not applies:
        return None
    if "sex" in applies and question.record.sex not in (None, applies["sex"]):
        return say("sex {sex}", sex=word(question.record.sex))
    if "at_least" in applies and oldest is not None and oldest < applies["at_least"]:
        return say("age under {years}", years=applies["at_least"])
    if "at_most" in applies and youngest is not None and youngest > applies["at_most"]:
        return say("age over {years}", years=applies["at_most"])
    return None


def _from_diagnoses(question: Question) -> Iterable[Part]:
    definition, record = question.definition, question.record
    if not definition.diagnoses and not definition.unclear:
        return
    for fact in facts_of(record.diagnoses, definition.diagnoses) if definition.diagnoses else ():
        standing = _standing_of_diagnosis(question, fact)
        if standing is not None:
            yield standing, (Evidence(_describe_diagnosis(definition.title, fact), fact.reference),)
    for fact in facts_of(record.diagnoses, definition.unclear) if definition.unclear else ():
        if fact.is_active:
            words = say("a diagnosis that may include {title}", title=definition.title)
            yield Standing.UNCLEAR, (Evidence(words, fact.reference),)
    for fact in facts_of(record.refuted, definition.diagnoses) if definition.diagnoses else ():
        if _is_too_old_to_rule_out(question, fact):
            continue
        yield Standing.RULED_OUT, (Evidence(say("{title} was considered and refuted", title=definition.title), fact.reference),)
    yield question.silence.kinds.of_diagnoses, ()


def _standing_of_diagnosis(question: Question, fact: Diagnosis) -> Standing | None:
    """Present, unclear, or None where this diagnosis says nothing about now."""
    standing = _standing_when_written(question, fact)
    return Standing.UNCLEAR if standing is Standing.PRESENT and _may_be_over(question, fact) else standing


def _standing_when_written(question: Question, fact: Diagnosis) -> Standing | None:
    definition = question.definition
    if not definition.ever:
        if not fact.is_active:
            return None
        since = question.since(definition.diagnosis_within_months)
        if since is not None and fact.when is not None and fact.when.last < since:
            return None
    if fact.suspected:
        return Standing.UNCLEAR
    if definition.severity and not set(fact.concepts) & set(definition.severe_by_itself):
        if fact.severity is None:
            return Standing.UNCLEAR
        if fact.severity != definition.severity:
            return None
    return Standing.PRESENT


def _may_be_over(question: Question, fact: Diagnosis) -> bool:
    """A state that passes, of which an old entry says no more than that it was."""
    definition = question.definition
    if definition.of_now is None or set(definition.diagnoses).difference(definition.lasting).isdisjoint(fact.concepts):
        return False
    return fact.is_of_before(add_months(question.record.as_of, -int(question.parameters[definition.of_now])))


def _still_so(question: Question) -> tuple[Missing, ...]:
    """No test settles whether an old entry still holds: whoever keeps the problem list does."""
    definition = question.definition
    if definition.of_now is None:
        return ()
    facts = facts_of(question.record.diagnoses, definition.diagnoses)
    if not any(_standing_when_written(question, f) is Standing.PRESENT and _may_be_over(question, f) for f in facts):
        return ()
    asked = definition.question or definition.title
    return (
        Missing(
            say("{question}: the entry on the problem list is old; is it still so?", question=asked), "Condition.clinicalStatus"
        ),
    )


def _describe_diagnosis(title: str, fact: Diagnosis) -> str:
    words = say("{title} suspected", title=title) if fact.suspected else say("{title} on the problem list", title=title)
    if fact.clinical_status and fact.clinical_status != "active":
        words = say("{words} ({status})", words=words, status=word(fact.clinical_status))
    if fact.severity:
        words = say("{words} graded {severity}", words=words, severity=word(fact.severity))
    if fact.when:
        words = say("{words} since {day}", words=words, day=fact.when)
    return by_text(words, fact)


def _from_results(question: Question) -> Iterable[Part]:
    definition = question.definition
    for concepts, read in (
        (definition.positive, _answered_positive),
        (definition.above, lambda result: result.is_above_range),
        (definition.below, lambda result: _is_below(result, definition.abnormal_counts)),
    ):
        for concept in concepts:
            yield from _from_newest(question, concept, read)
    if test := definition.answers.get("test"):
        yes, no = set(definition.answers["present"]), set(definition.answers["absent"])
        yield from _from_newest(question, test, lambda result: _coded_answer(result, yes, no))
    if under := definition.results_under:
        yield from _from_newest(question, under["result"], lambda result: _is_under(result, under["value"]))


def _is_below(result: Result, abnormal_counts: bool) -> bool | None:
    return True if abnormal_counts and result.interpretation == "abnormal" else result.is_below_range


def _answered_positive(result: Result) -> bool | None:
    return {"positive": True, "negative": False}.get(result.answer or "")


def _coded_answer(result: Result, yes: set[str], no: set[str]) -> bool | None:
    concepts = set(result.answer_concepts)
    return True if concepts & yes else False if concepts & no else None


def _is_under(result: Result, threshold: float) -> bool | None:
    if result.quantity is None or result.quantity.comparator is not None:
        return None
    return result.quantity.value < threshold


def _from_newest(question: Question, concept: str, read: Callable[[Result], bool | None]) -> Iterable[Part]:
    """The newest result of one test, or any of them; a result that says nothing leaves the question unclear."""
    definition, record = question.definition, question.record
    since = question.since(definition.within_months)
    results = [r for r in record.results.get(concept, ()) if since is None or (r.when is not None and r.when.last >= since)]
    if not results:
        yield question.silence.kinds.of_results, ()
        return
    considered = results if definition.any_result or definition.any_positive else results[:1]
    read_results = [(read(result), result) for result in considered]
    telling = (True, None) if definition.any_result else (True,)
    verdict, result = next((pair for wanted in telling for pair in read_results if pair[0] is wanted), read_results[0])
    if verdict is False and _is_too_old_to_rule_out(question, result):
        verdict = None
    standing = {True: Standing.PRESENT, False: Standing.RULED_OUT, None: Standing.UNCLEAR}[verdict]
    # Who reads of an old result hears of the newest.
    read_since = read_results[:1] if verdict and read_results[0][0] is False else []
    yield standing, tuple(_said_by(definition.title, *one) for one in [(verdict, result), *read_since])


def _said_by(title: str, verdict: bool | None, result: Result) -> Evidence:
    """A result, in words."""
    return Evidence(by_text(at_time(_shown(title, verdict), result.when), result), result.reference)


def _shown(title: str, verdict: bool | None) -> str:
    """What a result says about a question."""
    if verdict is None:
        return say("a result that does not settle {title}", title=title)
    return title if verdict else say("{title} not shown by the newest result", title=title)


def _is_too_old_to_rule_out(question: Question, fact: Fact) -> bool:
    """A state that changes (pregnancy) is ruled out by a recent fact only."""
    since = question.since(question.definition.rules_out_within_months)
    return since is not None and (fact.when is None or fact.when.first < since)


def _from_drugs(question: Question) -> Iterable[Part]:
    definition, record = question.definition, question.record
    if not definition.drugs:
        return
    for fact in facts_of(record.drugs, definition.drugs):
        if fact.is_current:
            yield Standing.PRESENT, (Evidence(_taken_since(definition.title, fact.when), fact.reference),)
    yield question.silence.kinds.of_drugs, ()


def _from_tests(question: Question) -> Iterable[Part]:
    definition, record = question.definition, question.record
    if not definition.tested:
        return
    for fact in facts_of(record.results, definition.tested)[:1]:
        yield Standing.PRESENT, (Evidence(at_time(definition.title, fact.when), fact.reference),)
    yield question.silence.kinds.of_tests, ()


def absence_of_results(record: PatientRecord) -> Standing:
    """How to read that no result of a laboratory test was found: reports that could not be had may hold it."""
    in_reports = absence(record, ("DiagnosticReport",))
    return in_reports if in_reports is Standing.FAILED else absence(record, ("Observation",))


def absence(record: PatientRecord, kinds: tuple[str, ...]) -> Standing:
    """How to read that nothing was found in these kinds of input: failed beats supplied, supplied beats not supplied."""
    states = {record.input_state(kind) for kind in kinds}
    if InputState.FAILED in states:
        return Standing.FAILED
    return Standing.NOT_SUPPLIED if states <= _NOTHING else Standing.NOT_RECORDED


_NOTHING = {InputState.NOT_SUPPLIED}


def absence_of_drugs(record: PatientRecord) -> Standing:
    """How to read that a drug was found in no medication list.

    Either prescriptions (US Core) or statements (UK Core) are a medication list. Prescriptions are one even where there are none;
    statements only where there are some: a server that keeps none answers "none" too, and that must not stand for prescriptions
    which nobody supplied.
    """
    kinds = ("MedicationRequest", "MedicationStatement")
    is_empty = record.input_state("MedicationStatement") is InputState.CONFIRMED_EMPTY
    standing = absence(record, kinds)
    return absence(record, kinds[:1]) if is_empty and standing is not Standing.FAILED else standing


def _taken_since(title: str, start: DateInterval | None) -> str:
    return say("{words} since {day}", words=title, day=start) if start and start.is_exact else at_time(title, start)
