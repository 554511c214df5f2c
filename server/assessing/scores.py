"""Classification and improvement in the Assess JSON. Scores are whole tenths of a point: 86 is 8.6."""

from collections.abc import Iterable
from typing import Any

from fhir_profiles.classification import Classification, Score
from fhir_profiles.classification_criteria import criteria
from fhir_profiles.classification_items import AnsweredItem
from fhir_profiles.findings import Evidence
from fhir_profiles.improvement import Improvement, Measured, rules

Json = dict[str, Any]

_COLUMN_NAMES = {"without-biopsy": "withoutBiopsy", "with-biopsy": "withBiopsy"}


def classification_json(classification: Classification | None) -> Json | None:
    """The classification as JSON; None where the chart raises no question of myositis."""
    if classification is None:
        return None
    known = criteria()
    return {
        "criteria": dict(known.source),
        "statement": known.statement,
        "column": classification.column,
        "scores": {name: _score(classification.scores[code]) for code, name in _COLUMN_NAMES.items()},
        "meetsCriteria": classification.meets_criteria,
        "needsBiopsyFeatures": classification.needs_biopsy_features,
        "subgroups": [{"code": code, "title": known.subgroups[code]} for code in classification.subgroups],
        "items": [_item(item) for item in classification.items],
        "otherExplanations": _evidence(classification.other_explanations),
        "notes": list(classification.notes),
        "caveats": list(known.caveats),
    }


def _score(score: Score) -> Json:
    return {
        "minimumTenths": score.minimum,
        "minimumClass": score.minimum_class.value,
        "bestTenths": score.best,
        "bestClass": score.best_class.value,
        "unknown": [item.code for item in score.unknown],
    }


def _item(item: AnsweredItem) -> Json:
    return {"code": item.code, "title": item.title, "value": item.answer.value, "evidence": _evidence(item.evidence)}


def improvement_json(improvement: Improvement | None) -> Json | None:
    """The Total Improvement Score as JSON; None unless all six measures are on record twice."""
    if improvement is None:
        return None
    return {
        "criteria": dict(rules()["source"]),
        "basis": rules()["basis"],
        "minimumTenths": improvement.minimum,
        "minimumResponse": improvement.least_response,
        "maximumTenths": improvement.maximum,
        "maximumResponse": improvement.most_response,
        "thresholds": improvement.thresholds,
        "measures": [_measured(measured) for measured in improvement.measures],
        "notes": list(improvement.notes),
    }


def _measured(measured: Measured) -> Json:
    least, most = measured.points
    evidence = _evidence(measured.evidence)
    return {"code": measured.code, "title": measured.title, "minimumTenths": least, "maximumTenths": most, "evidence": evidence}


def _evidence(items: Iterable[Evidence]) -> list[Json]:
    return [{"text": one.text, "reference": one.reference or None} for one in items]
