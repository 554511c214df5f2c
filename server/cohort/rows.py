"""What a run leaves of each patient: a row, one for each recommendation that concerns the patient, one for each trouble.

No name, no date of birth, no result: the FHIR id leads whoever may see the chart back to it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from cards.knowledge import Rule
from cards.outcomes import FIRED, NOT_APPLICABLE, SATISFIED, UNKNOWN, outcomes_of
from cards.recommendation import Recommendation
from cards.said import said_on
from cards.schedule import Due, DueState
from fhir_profiles.assessment import Assessment
from fhir_profiles.courses import Outcome
from fhir_profiles.dates import DateInterval, completed_years
from fhir_profiles.record import InputState
from fhir_profiles.unread import unread_treatment
from server.evaluation import Evaluation

Row = dict[str, Any]

TABLES: Mapping[str, Mapping[str, str]] = {
    "patients": {
        "patient": "VARCHAR",
        "site": "VARCHAR",
        "sex": "VARCHAR",
        "age": "INTEGER",
        "deceased": "BOOLEAN",
        "phenotype": "VARCHAR",
        "certainty": "VARCHAR",
        "phenotypes": "VARCHAR",
        "severity": "VARCHAR",
        "years_since_onset": "INTEGER",
        "active_malignancy": "VARCHAR",
        "phase": "VARCHAR",
        "line": "INTEGER",
        "current": "VARCHAR",
        "failed": "VARCHAR",
        "antibodies": "INTEGER",
        "positive": "VARCHAR",
        "borderline": "VARCHAR",
        "cards": "INTEGER",
        "resources": "INTEGER",
        "issues": "INTEGER",
        "refused": "BOOLEAN",
    },
    "recommendations": {
        "patient": "VARCHAR",
        "site": "VARCHAR",
        "recommendation": "VARCHAR",
        "topic": "VARCHAR",
        "kind": "VARCHAR",
        "outcome": "VARCHAR",
        "strength": "VARCHAR",
        "assumed": "BOOLEAN",
        "orders": "VARCHAR",
        "on_card": "BOOLEAN",
        "due_state": "VARCHAR",
        "last_done": "DATE",
        "due_from": "DATE",
        "overdue_after": "DATE",
        "conflicts": "VARCHAR",
        "missing": "VARCHAR",
    },
    "issues": {"patient": "VARCHAR", "reference": "VARCHAR", "problem": "VARCHAR"},
}
"""Columns of each table, and their types in DuckDB (docs/cohort.md); several words in one are parted by blanks."""

KEYS: Mapping[str, tuple[str, ...]] = {
    "patients": ("patient",),
    "recommendations": ("patient", "recommendation"),
    "issues": ("patient", "reference", "problem"),
}
"""In this order the rows of a table stand."""

_HOLDS = {FIRED: "holds", SATISFIED: "satisfied", UNKNOWN: "unknown"}


@dataclass(slots=True)
class Rows:
    """The rows of some patients."""

    patients: list[Row] = field(default_factory=list)
    recommendations: list[Row] = field(default_factory=list)
    issues: list[Row] = field(default_factory=list)

    def add(self, others: "Rows") -> None:
        """Take over the rows of further patients."""
        self.patients += others.patients
        self.recommendations += others.recommendations
        self.issues += others.issues

    def as_files(self) -> dict[str, bytes]:
        """Each table as NDJSON, by the name of its file."""
        tables = {"patients": self.patients, "recommendations": self.recommendations, "issues": self.issues}
        line = orjson.OPT_APPEND_NEWLINE
        return {f"{name}.ndjson": b"".join(orjson.dumps(row, option=line) for row in rows) for name, rows in tables.items()}


def rows_of(patient: str, evaluation: Evaluation, site: str | None, resources: int, died: DateInterval | None = None) -> Rows:
    """The rows of one patient.

    Args:
        patient: FHIR id.
        evaluation: what was found out.
        site: where the patient is looked after, if the data say so.
        resources: how many the input has.
        died: when, of a dead patient; None where that is not known.
    """
    problems = [{"patient": patient, "reference": one.reference, "problem": one.problem} for one in evaluation.issues]
    summary = _patient(patient, evaluation, site, died) | {"resources": resources, "issues": len(problems)}
    return Rows([summary], list(_recommendations(patient, evaluation, site)), problems)


def _patient(patient: str, evaluation: Evaluation, site: str | None, died: DateInterval | None) -> Row:
    assessment, record = evaluation.assessment, evaluation.record
    until = _counted_until(evaluation, died)
    treatment, primary = assessment.treatment, assessment.primary
    began, malignancy = assessment.disease_began, assessment.features.get("active-malignancy")
    has_course = not (record.is_deceased or unread_treatment(record))  # of the dead nothing is current
    has_results = record.input_state("Observation") in (InputState.PRESENT, InputState.CONFIRMED_EMPTY)
    return {
        "patient": patient,
        "site": site,
        "sex": assessment.sex,
        "age": None if record.is_mismatched else _years(record.birth, until),
        "deceased": record.is_deceased,
        "phenotype": primary.code if primary else None,
        "certainty": primary.certainty.value if primary else None,
        "phenotypes": _words(one.code for one in assessment.phenotypes),
        "severity": assessment.severity.value,
        "years_since_onset": _years(DateInterval(began, began), until) if began else None,
        "active_malignancy": malignancy.value.value if malignancy else None,
        "phase": treatment.phase if has_course else None,
        "line": treatment.line if has_course else None,
        "current": "" if record.is_deceased else _words(treatment.current),
        "failed": _words(treatment.agents(Outcome.FAILED)),
        "antibodies": len(assessment.antibodies) if assessment.antibodies or has_results else None,
        "positive": _antibodies(assessment, "positive"),
        "borderline": _antibodies(assessment, "borderline"),
        "cards": len(evaluation.cards),
        "refused": evaluation.is_mismatched,
    }


def _counted_until(evaluation: Evaluation, died: DateInterval | None) -> DateInterval | None:
    """The day that years are counted to: today, of the dead that of death; None where that is not known."""
    today = evaluation.assessment.as_of
    if not evaluation.record.is_deceased:
        return DateInterval(today, today)
    return DateInterval(died.first, min(died.last, today)) if died and died.first <= today else None


def _years(began: DateInterval | None, until: DateInterval | None) -> int | None:
    """Completed years from one day to another, where both are known well enough to tell."""
    if began is None or until is None:
        return None
    fewest, most = completed_years(began.last, until.first), completed_years(began.first, until.last)
    return fewest if 0 <= fewest == most else None


def _antibodies(assessment: Assessment, result: str) -> str:
    return _words(code for code, found in assessment.antibodies.items() if found.result == result)


def _recommendations(patient: str, evaluation: Evaluation, site: str | None) -> Iterable[Row]:
    said: dict[str, Recommendation] = {one.id: one for one in evaluation.recommendations}
    rules = evaluation.knowledge.rule_of
    on_cards = said_on(evaluation.cards)
    for name, outcome in sorted(outcomes_of(evaluation.recommendations, evaluation.triggers).items()):
        recommendation, rule = said.get(name), rules.get(name)
        due = evaluation.calendar.get(name)
        if outcome == NOT_APPLICABLE or (outcome == SATISFIED and rule and rule.schedule and not due):
            continue  # of a calendar that has not begun nothing is done, nor due
        yield {
            "patient": patient,
            "site": site,
            "recommendation": name,
            "topic": recommendation.topic if recommendation else rules[name].topic,
            "kind": kind_of(rule) if rule else "safety",
            "outcome": became(outcome, due),
            "strength": recommendation.strength if recommendation else rules[name].strength,
            "assumed": any(one.is_caveat for one in recommendation.missing) if recommendation else False,
            "orders": _words(recommendation.orders) if recommendation else "",
            "on_card": name in on_cards,
            **_due(due),
            "conflicts": _words(recommendation.conflicts) if recommendation else "",
            "missing": _words(dict.fromkeys(one.concept for one in recommendation.missing)) if recommendation else "",
        }


def became(outcome: str, due: Due | None) -> str:
    """What became of a statement for a patient, as the table says it.

    Args:
        outcome: of `cards.outcomes`, but not `not-applicable`.
        due: what its calendar says, where it has one.

    Returns:
        `holds`, `satisfied`, `unknown`, or `ended` where its calendar ended while a repeat stood open: that is no adherence.
    """
    if outcome == SATISFIED and due and due.state is DueState.ENDED and due.due_from and due.ends and due.due_from <= due.ends:
        return "ended"
    return _HOLDS[outcome]


def kind_of(rule: Rule) -> str:
    """What kind of statement it is: `computed`, `avoid` (computed, against a treatment), `stated` or `gap` (never computed).

    Args:
        rule: of a guideline.
    """
    if rule.strength == "gap":
        return "gap"
    if not rule.is_computed:
        return "stated"
    return "avoid" if rule.avoid or rule.strength == "not-recommended" else "computed"


def _due(due: Due | None) -> Row:
    if due is None:
        return dict.fromkeys(("due_state", "last_done", "due_from", "overdue_after"))
    return {
        "due_state": due.state.value,
        "last_done": due.last_done,
        "due_from": due.due_from,
        "overdue_after": due.overdue_after,
    }


def _words(words: Iterable[str]) -> str:
    return " ".join(words)
