"""The items of the 2017 EULAR/ACR criteria, answered from the chart: yes, no or unknown, at any time in the disease course."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from fhir_profiles.classification_criteria import COLUMN_CODES, Criteria, Item
from fhir_profiles.courses import Outcome
from fhir_profiles.features import Ages, find_features
from fhir_profiles.findings import Answer, Evidence, Finding, Standing
from fhir_profiles.graded_findings import grade_findings
from fhir_profiles.onset_age import OnsetAge, answer_of
from fhir_profiles.record import PatientRecord, Result
from fhir_profiles.sentences import say
from fhir_profiles.treatment import Treatment

Points = tuple[int, int]
"""The least and the most that an item adds, in tenths; the same where it is known."""

ONSET_AGE = "onset-age"
BIOPSY_TEST = "muscle_biopsy"


@dataclass(frozen=True, slots=True)
class AnsweredItem:
    """One item of the criteria for one patient.

    Args:
        code: name of the item.
        title: in words.
        answer: yes, no or unknown.
        points: least and most tenths, by column; a biopsy item has none without biopsy.
        evidence: what the answer rests on.
    """

    code: str
    title: str
    answer: Answer
    points: Mapping[str, Points]
    evidence: tuple[Evidence, ...] = ()


def find_items(criteria: Criteria, findings: Mapping[str, Finding], onset: OnsetAge) -> tuple[AnsweredItem, ...]:
    """Every item with its answer, the age at onset first."""
    return (_onset_item(criteria, onset), *(_item(item, findings[item.code]) for item in criteria.items))


def _onset_item(criteria: Criteria, onset: OnsetAge) -> AnsweredItem:
    """The age scores whatever the bands that are still possible score."""
    possible = onset.bands(criteria.bands)
    points = {c: (min(b.weights[c] for b in possible), max(b.weights[c] for b in possible)) for c in COLUMN_CODES}
    title = possible[0].title if len(possible) == 1 else criteria.onset_title
    return AnsweredItem(ONSET_AGE, title, answer_of(possible, COLUMN_CODES[0]), points, onset.evidence)


def _item(item: Item, finding: Finding) -> AnsweredItem:
    return AnsweredItem(item.code, item.title, finding.value, points_of(item.weights, finding.value), finding.evidence)


def points_of(weights: Mapping[str, int], answer: Answer) -> dict[str, Points]:
    """What an item of these weights adds when answered so: an unknown one nothing at least, and all at most."""
    least, most = answer is Answer.YES, answer is not Answer.NO
    return {column: (weight * least, weight * most) for column, weight in weights.items()}


def find_findings(
    record: PatientRecord, criteria: Criteria, ages: Ages, treatment: Treatment, onset: OnsetAge
) -> dict[str, Finding]:
    """All findings that items and tree ask for, by code.

    Args:
        record: the chart.
        criteria: the criteria.
        ages: the patient's age.
        treatment: for the response to treatment.
        onset: the age at onset.
    """
    found = find_features(record, criteria.recorded, ages, {}, {})
    for code, finding in (*grade_findings(record, criteria.graded).items(), *_named_by_biopsy(record, criteria).items()):
        found[code] = _firmer(found[code], finding)
    found["adult-onset"] = onset.is_adult
    found["treatment-not-improved"] = _not_improved(treatment)
    return find_features(record, criteria.combined, ages, found, {})


_FIRMEST_FIRST = (Standing.PRESENT, Standing.UNCLEAR, Standing.RULED_OUT, Standing.FAILED, Standing.NOT_RECORDED)


def _firmer(recorded: Finding, other: Finding) -> Finding:
    """Two sources of one finding: the one that speaks; where both say the same, the evidence of both."""
    if recorded.standing is other.standing:
        return replace(recorded, evidence=tuple(dict.fromkeys(recorded.evidence + other.evidence)))
    firmer = next((s for s in _FIRMEST_FIRST if s in (recorded.standing, other.standing)), recorded.standing)
    return recorded if firmer is recorded.standing else replace(other, title=recorded.title)


def _named_by_biopsy(record: PatientRecord, criteria: Criteria) -> dict[str, Finding]:
    """Histological findings that the value of a biopsy result names. What it does not name is not ruled out."""
    found = {}
    for code, concept in criteria.named_by_biopsy.items():
        naming = [result for result in record.results.get(BIOPSY_TEST, ()) if concept in result.answer_concepts]
        if naming:
            evidence = tuple(Evidence(_named_by(result), result.reference) for result in naming)
            found[code] = Finding(code, code, Standing.PRESENT, evidence)
    return found


def _named_by(result: Result) -> str:
    if result.when is None:
        return say("named by the muscle biopsy result of no date")
    return say("named by the muscle biopsy result of {day}", day=result.when)


def _not_improved(treatment: Treatment) -> Finding:
    """Treatment failed, by the chart or by the working definition of failure; without failure the response is not known."""
    systemic = [course for course in treatment.courses.values() if course.role != "other"]
    failed = [course for course in systemic if course.outcome is Outcome.FAILED]
    standing = Standing.PRESENT if failed else Standing.UNCLEAR if systemic else Standing.NOT_RECORDED
    evidence = tuple(item for course in failed for item in course.evidence)
    return Finding("treatment-not-improved", say("treatment did not improve the weakness"), standing, evidence)
