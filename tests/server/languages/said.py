"""What is said about the synthetic patients and about the patients of the scenarios, for the tests of completeness."""

import json
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from fhir_profiles.assessment import Assessment
from server.basis import packaged_basis
from server.evaluation import Drafts, Evaluation, evaluate
from server.knowledge.scenario_run import evaluated
from server.knowledge.scenarios import packaged_scenarios
from server.languages.collecting import Found, collect
from tests.sizes import size

PATIENTS = sorted((Path(__file__).parents[3] / "sandbox" / "patients").glob("*.json"))
DRAFTED = {"methotrexate": "6851", "prednisone": "8640", "rituximab": "121191"}
"""RxNorm codes of the ingredients."""

AS_OF = date(2026, 11, 22)


@cache
def collected() -> tuple[Found, ...]:
    """Everything that there is to translate."""
    return tuple(collect())


@cache
def charts_and_drafts() -> Mapping[str, Evaluation]:
    """Every synthetic patient, opened and with each drug being signed."""
    found = {}
    for path in PATIENTS:
        bundle = json.loads(path.read_text("utf-8"))
        found[path.stem] = evaluate([bundle], as_of=AS_OF, seed="said")
        for drug, code in DRAFTED.items():
            found[f"{path.stem}, {drug}"] = evaluate([bundle], as_of=AS_OF, seed="said", drafts=_draft(bundle, code))
    return found


def all_cards() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The cards of all of these and of every scenario, by name."""
    yield from opened().items()
    yield from of_scenarios().items()


@cache
def of_scenarios() -> Mapping[str, list[dict[str, Any]]]:
    """The cards of every scenario, or of every third where the suite is in a hurry, by its name."""
    basis, chosen = packaged_basis(), packaged_scenarios()[:: size(1, part=3)]
    return {scenario.name: list(evaluated(scenario, basis).cards) for scenario in chosen}


def opened() -> dict[str, list[dict[str, Any]]]:
    """The cards of the synthetic patients and of their drafts."""
    return {name: list(evaluation.cards) for name, evaluation in charts_and_drafts().items() if evaluation.cards}


def _draft(bundle: Mapping[str, Any], code: str) -> Drafts:
    patient = next(entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == "Patient")
    order = {
        "resourceType": "MedicationRequest",
        "id": "draft",
        "status": "draft",
        "intent": "order",
        "subject": {"reference": f"Patient/{patient['id']}"},
        "medicationCodeableConcept": {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": code}]},
    }
    return Drafts({"resourceType": "Bundle", "entry": [{"resource": order}]})


def words_of(assessment: Assessment) -> Iterator[str]:
    """Everything that an assessment says in words, on a card or not."""
    found = [*assessment.features.values(), *assessment.phenotypes, *assessment.treatment.courses.values(), assessment.severity]
    for one in found:
        yield from (item.text for item in (*one.evidence, *getattr(one, "missing", ())))
        yield getattr(one, "title", "")
    for course in assessment.treatment.courses.values():
        yield course.decided_by
    yield from (antibody.text for antibody in assessment.antibodies.values())
    for code in assessment.definitions.investigations:
        investigation = assessment.investigation(code)
        yield from (investigation.title, *(item.text for item in (*investigation.evidence, *investigation.missing)))
    yield from (refusal.title for refusal in assessment.declined)
    yield from (issue.problem for issue in assessment.issues)
    if scored := assessment.classification:
        yield from scored.notes
        for item in scored.items:
            yield from (item.title, *(evidence.text for evidence in item.evidence))
    if improved := assessment.improvement:
        yield from improved.notes
        for measure in improved.measures:
            yield from (measure.title, *(evidence.text for evidence in measure.evidence))
