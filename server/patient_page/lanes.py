"""The other rows of the timeline: diagnoses, antibodies, tests and orders, and what falls due."""

from collections.abc import Iterable, Mapping

from cards.schedule import Due, DueState
from fhir_profiles.codes import Terminology
from fhir_profiles.record import Diagnosis, Event, Fact, Filed, Order, Refusal, Result, newest_first
from fhir_profiles.sentences import join, say
from server.evaluation import Evaluation
from server.patient_page.due_words import state_words
from server.patient_page.happenings import Happening, Row, dated, title_of
from server.patient_page.result_words import is_measured, result_words
from server.patient_page.time_axis import on


def every(filed: Filed[Fact]) -> list[Fact]:
    """Each fact once, newest first, undated last."""
    return sorted({id(fact): fact for facts in filed.values() for fact in facts}.values(), key=newest_first)


# --- diagnoses --------------------------------------------------------------------------------------------------------------


def diagnosis_rows(evaluation: Evaluation, terms: Terminology) -> tuple[Row, ...]:
    """The diagnoses behind the phenotypes."""
    return _diagnoses((fact for phenotype in evaluation.assessment.phenotypes for fact in phenotype.diagnoses), terms)


def other_diagnosis_rows(evaluation: Evaluation, terms: Terminology) -> tuple[Row, ...]:
    """All others that stand."""
    behind = {fact.reference for phenotype in evaluation.assessment.phenotypes for fact in phenotype.diagnoses}
    others = (fact for facts in evaluation.record.diagnoses.values() for fact in facts if fact.reference not in behind)
    return _diagnoses(others, terms)


def _diagnoses(facts: Iterable[Diagnosis], terms: Terminology) -> tuple[Row, ...]:
    unique = sorted({fact.reference: fact for fact in facts}.values(), key=newest_first, reverse=True)
    return _by_title((title_of(fact, terms), _diagnosis(fact)) for fact in unique)


def _diagnosis(fact: Diagnosis) -> Happening:
    began = say("began") if fact.onset else say("recorded")
    status = [_STATUS[fact.clinical_status]] if fact.clinical_status in _STATUS else []
    graded = [_GRADES[fact.severity]] if fact.severity in _GRADES else []
    doubt = [say("only suspected")] if fact.suspected else []
    return Happening("onset", dated(fact.when), join(", ", [began, *status, *graded, *doubt]), fact.reference, fact.when)


_STATUS = {
    "active": say("active now"),
    "recurrence": say("came back"),
    "relapse": say("in relapse now"),
    "remission": say("in remission now"),
    "inactive": say("inactive now"),
    "resolved": say("resolved now"),
}
_GRADES = {"mild": say("graded mild"), "moderate": say("graded moderate"), "severe": say("graded severe")}


# --- antibodies -------------------------------------------------------------------------------------------------------------


def antibody_rows(evaluation: Evaluation) -> tuple[Row, ...]:
    """Every result of every antibody, and which of them counts."""
    antibodies = evaluation.assessment.antibodies
    rows = []
    for code, definition in evaluation.assessment.definitions.antibodies.items():
        results = _results_of(definition.result, evaluation)
        if results:
            counts = str(antibodies[code]) if code in antibodies else say("no answer that could be read")
            rows.append(Row(definition.title, counts, tuple(_answered(result) for result in results)))
    return tuple(rows)


def antibody_concepts(evaluation: Evaluation) -> frozenset[str]:
    """The concepts of all antibody results."""
    return frozenset(concept for one in evaluation.assessment.definitions.antibodies.values() for concept in one.result)


def _results_of(concepts: tuple[str, ...], evaluation: Evaluation) -> list[Result]:
    found = (result for concept in concepts for result in evaluation.record.results.get(concept, ()))
    return sorted({id(result): result for result in found}.values(), key=newest_first, reverse=True)


def _answered(result: Result) -> Happening:
    return Happening(result.answer or "result", dated(result.when), result_words(result), result.reference, result.when)


# --- tests, imaging, referrals ----------------------------------------------------------------------------------------------


def investigation_rows(evaluation: Evaluation, terms: Terminology) -> tuple[Row, ...]:
    """What was done, ordered, answered in words, or declined; numbers have charts of their own."""
    record, antibodies = evaluation.record, antibody_concepts(evaluation)
    given = frozenset(procedure for agent in evaluation.assessment.definitions.agents.values() for procedure in agent.procedures)
    shown: list[tuple[Fact, Happening]] = []
    for filed in (record.events, record.orders, record.results, record.refusals):
        for fact in every(filed):
            is_elsewhere = isinstance(fact, Result) and (is_measured(fact) or not antibodies.isdisjoint(fact.concepts))
            if not is_elsewhere and not (isinstance(fact, Event) and not given.isdisjoint(fact.concepts)):
                shown.append((fact, _done(fact)))
    shown.sort(key=lambda pair: newest_first(pair[0]), reverse=True)
    return _by_title((title_of(fact, terms), happening) for fact, happening in shown)


def _done(fact: Fact) -> Happening:
    if isinstance(fact, Order):
        return Happening("ordered", dated(fact.when), say("ordered, not done yet"), fact.reference, fact.when)
    if isinstance(fact, Refusal):
        return Happening("declined", dated(fact.when), say("declined by the patient"), fact.reference, fact.when)
    if isinstance(fact, Result):
        return Happening(fact.answer or "result", dated(fact.when), result_words(fact), fact.reference, fact.when)
    return Happening("done", dated(fact.when), say("done"), fact.reference, fact.when)


# --- what falls due ---------------------------------------------------------------------------------------------------------


def due_rows(evaluation: Evaluation, dues: Mapping[str, Due]) -> tuple[Row, ...]:
    """What the calendars of the sources say, by statement."""
    rules = evaluation.knowledge.rule_of
    titled = ((say("{test} ({source})", test=due.title, source=rules[name].sources[0].short), due) for name, due in dues.items())
    return tuple(Row(title, state_words(due), tuple(_due(due))) for title, due in titled)


_FALLS_DUE = (DueState.UPCOMING, DueState.DUE, DueState.OVERDUE)


def _due(due: Due) -> Iterable[Happening]:
    """A span where the source gives one, else a point; nothing where it is ordered, has ended, or cannot be told."""
    if due.due_from is None or due.state not in _FALLS_DUE:
        return
    start, end = on(due.due_from), on(due.overdue_after) if due.overdue_after else None
    when: str = say("due from {start} to {end}", start=start, end=end) if end else say("due from {start}", start=start)
    yield Happening("due", when, due.title, start=start, end=end, lasts=end is not None, is_ahead=True)


def _by_title(pairs: Iterable[tuple[str, Happening]]) -> tuple[Row, ...]:
    """One row for all that goes by one name; its newest entry is its summary."""
    rows: dict[str, list[Happening]] = {}
    for title, happening in pairs:
        rows.setdefault(title, []).append(happening)
    return tuple(Row(title, _newest(happenings), tuple(happenings)) for title, happenings in rows.items())


def _newest(happenings: list[Happening]) -> str:
    """Undated ones come first in a row; the last is the newest."""
    newest = happenings[-1]
    return say("{what}, {when}", what=newest.says, when=newest.when)
