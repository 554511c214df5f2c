"""The 2017 EULAR/ACR classification in the Assess JSON. Scores are whole tenths of a point: 86 is 8.6."""

from typing import Any

from fhir_profiles.classification import Classification, Score
from fhir_profiles.classification_criteria import criteria
from fhir_profiles.classification_items import AnsweredItem

Json = dict[str, Any]

_COLUMN_NAMES = {"without-biopsy": "withoutBiopsy", "with-biopsy": "withBiopsy"}


def classification_json(classification: Classification | None) -> Json | None:
    """The classification as JSON; None where the chart raises no question of myositis."""
    if classification is None:
        return None
    rules = criteria()
    return {
        "criteria": dict(rules.source),
        "statement": rules.statement,
        "column": classification.column,
        "scores": {name: _score(classification.scores[code]) for code, name in _COLUMN_NAMES.items()},
        "meetsCriteria": classification.meets_criteria,
        "needsBiopsyFeatures": classification.needs_biopsy_features,
        "subgroups": [{"code": code, "title": rules.subgroups[code]} for code in classification.subgroups],
        "items": [_item(item) for item in classification.items],
        "notes": list(classification.notes),
        "caveats": list(rules.caveats),
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
    evidence = [{"text": one.text, "reference": one.reference or None} for one in item.evidence]
    return {"code": item.code, "title": item.title, "value": item.answer.value, "evidence": evidence}
