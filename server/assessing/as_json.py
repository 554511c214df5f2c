"""The Assess JSON (design section 5): what `myositis-cds assess --json` prints and `POST /assess` answers.

Every member is always there: a list that is empty is `[]`, and what is not known is `null`.
"""

from calendar import monthrange
from collections.abc import Iterable
from datetime import date
from typing import Any

from cards.recommend import calendar
from cards.recommendation import Recommendation, Source
from cards.schedule import Due
from fhir_profiles.antibodies import AntibodyResult
from fhir_profiles.assessment import Assessment
from fhir_profiles.courses import Course, Outcome
from fhir_profiles.dates import DateInterval
from fhir_profiles.findings import Evidence, Finding, Missing
from fhir_profiles.phenotypes import Phenotype
from fhir_profiles.record import Refusal
from fhir_profiles.treatment import Treatment
from server.assessing.scores import classification_json, improvement_json
from server.evaluation import Evaluation

Json = dict[str, Any]


def assess_json(evaluation: Evaluation) -> Json:
    """The evaluation as JSON."""
    assessment = evaluation.assessment
    return {
        "asOf": assessment.as_of.isoformat(),
        "patient": _patient(assessment),
        "phenotypes": [_phenotype(phenotype) for phenotype in assessment.phenotypes],
        "severity": {"value": assessment.severity.value, "evidence": _evidence(assessment.severity.evidence)},
        "antibodies": [_antibody(antibody) for antibody in assessment.antibodies.values()],
        "features": [_feature(finding) for finding in assessment.features.values()],
        "treatment": _treatment(assessment.treatment),
        "declined": [_refusal(refusal) for refusal in assessment.declined],
        "classification": classification_json(assessment.classification),
        "improvement": improvement_json(assessment.improvement),
        "calendar": [_due(name, due) for name, due in calendar(assessment, evaluation.knowledge).items()],
        "recommendations": [_recommendation(recommendation) for recommendation in evaluation.recommendations],
        "cards": list(evaluation.cards),
        "issues": [{"reference": issue.reference, "problem": issue.problem} for issue in evaluation.issues],
        "knowledgeVersion": evaluation.knowledge.version,
    }


def _patient(assessment: Assessment) -> Json:
    youngest, oldest = assessment.ages
    age = youngest if youngest == oldest else None  # a partial date of birth may leave the age open
    return {"id": assessment.record.patient_id, "age": age, "sex": assessment.sex}


def _phenotype(phenotype: Phenotype) -> Json:
    return {"code": phenotype.code, "certainty": phenotype.certainty.value, "evidence": _evidence(phenotype.evidence)}


def _antibody(antibody: AntibodyResult) -> Json:
    source = antibody.source
    return {"code": antibody.code, "result": antibody.result, "date": _date(source.when), "reference": source.reference}


def _feature(finding: Finding) -> Json:
    return {"code": finding.code, "value": finding.value.value, "evidence": _evidence(finding.evidence)}


def _treatment(treatment: Treatment) -> Json:
    return {
        "phase": treatment.phase,
        "line": treatment.line,
        "current": list(treatment.current),
        "failed": list(treatment.agents(Outcome.FAILED)),
        "notTolerated": list(treatment.agents(Outcome.NOT_TOLERATED, Outcome.ALLERGY)),
        "courses": [_course(course) for course in treatment.of_the_disease.values()],
    }


def _course(course: Course) -> Json:
    return {
        "agent": course.agent,
        "outcome": course.outcome.value,
        "start": _date(course.start),
        "end": _date(course.end),
        "evidence": _evidence(course.evidence),
    }


def _refusal(refusal: Refusal) -> Json:
    return {
        "concepts": list(refusal.concepts),
        "title": refusal.title,
        "date": _date(refusal.when),
        "reference": refusal.reference,
    }


def _recommendation(recommendation: Recommendation) -> Json:
    return {
        "id": recommendation.id,
        "topic": recommendation.topic,
        "holds": recommendation.holds.value,
        "strength": recommendation.strength,
        "because": _evidence(recommendation.because),
        "missing": [_missing(missing) for missing in recommendation.missing],
        "declined": _evidence(recommendation.declined),
        "sources": [_source(source) for source in recommendation.sources],
    }


def _due(recommendation: str, due: Due) -> Json:
    return {
        "recommendation": recommendation,
        "title": due.title,
        "state": due.state.value,
        "lastDone": _day(due.last_done),
        "dueFrom": _day(due.due_from),
        "overdueAfter": _day(due.overdue_after),
        "ends": _day(due.ends),
        "missing": [_missing(missing) for missing in due.missing],
    }


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _evidence(items: Iterable[Evidence]) -> list[Json]:
    return [{"text": item.text, "reference": item.reference or None} for item in items]


def _missing(missing: Missing) -> Json:
    return {"text": missing.text, "concept": missing.concept}


def _source(source: Source) -> Json:
    return {"id": source.id, "citation": source.citation, "year": source.year, "evidence": source.evidence}


def _date(interval: DateInterval | None) -> str | None:
    """As FHIR writes it: as precise as it is known; of any other span its first day."""
    if interval is None:
        return None
    first, last = interval.first, interval.last
    is_one_year = first.year == last.year and (first.month, first.day, last.month, last.day) == (1, 1, 12, 31)
    if is_one_year:
        return first.isoformat()[:4]
    is_one_month = (first.year, first.month, 1) == (last.year, last.month, first.day)
    if is_one_month and last.day == monthrange(last.year, last.month)[1]:
        return first.isoformat()[:7]
    return first.isoformat()
