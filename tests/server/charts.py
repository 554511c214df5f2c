"""Synthetic charts for these tests: those of the sandbox, and hook calls made from them."""

import json
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

Json = dict[str, Any]

AS_OF = date(2026, 11, 22)
"""The day that the stories of the sandbox are told for."""

FOLDER = Path(__file__).parents[2] / "sandbox" / "patients"
INSTANCE = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"

ANTI_TIF1 = "anti-tif1-gamma-dermatomyositis"
HEALTHY = "healthy"

PREFETCH_KEYS = {
    "Patient": "patient",
    "Condition": "conditions",
    "MedicationRequest": "medicationRequests",
    "MedicationStatement": "medicationStatements",
    "MedicationAdministration": "medicationAdministrations",
    "Observation": "observations",
    "DiagnosticReport": "diagnosticReports",
    "Procedure": "procedures",
    "ServiceRequest": "serviceRequests",
    "AllergyIntolerance": "allergyIntolerances",
}
"""Written out again, so that a renamed key is noticed: EHRs have typed these names into their configuration."""


def chart(slug: str) -> Json:
    """The Bundle of one synthetic patient, to be changed at will."""
    bundle: Json = json.loads((FOLDER / f"{slug}.json").read_text("utf-8"))
    return bundle


def slugs() -> list[str]:
    """Every synthetic patient of the sandbox."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def resources(bundle: Json) -> list[Json]:
    """The resources of a Bundle."""
    return [entry["resource"] for entry in bundle["entry"]]


def searchset(found: Iterable[Json]) -> Json:
    """What a FHIR server answers to a search."""
    entries = [{"resource": resource, "search": {"mode": "match"}} for resource in found]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}


def prefetch_of(bundle: Json, only: Iterable[str] = PREFETCH_KEYS) -> Json:
    """A chart as an EHR sends it: one searchset for each kind of resource that the chart has."""
    prefetch: Json = {}
    for kind in only:
        found = [resource for resource in resources(bundle) if resource["resourceType"] == kind]
        if found:
            prefetch[PREFETCH_KEYS[kind]] = found[0] if kind == "Patient" else searchset(found)
    return prefetch


def whole(slug: str = ANTI_TIF1) -> Json:
    """A chart as an EHR sends it that answers every key."""
    return dict.fromkeys(PREFETCH_KEYS.values()) | prefetch_of(chart(slug))


def hook_call(patient_id: str, prefetch: Mapping[str, Any] | None, **more: Any) -> Json:
    """A patient-view call."""
    call: Json = {
        "hook": "patient-view",
        "hookInstance": INSTANCE,
        "context": {"userId": "Practitioner/1", "patientId": patient_id},
    }
    if prefetch is not None:
        call["prefetch"] = dict(prefetch)
    copy: Json = copied(call)
    return copy | more


def copied(value: Any) -> Any:
    """A copy to be changed at will; of JSON only, and so at a fifth of what `deepcopy` costs."""
    if isinstance(value, dict):
        return {name: copied(member) for name, member in value.items()}
    return [copied(one) for one in value] if isinstance(value, list) else value


def order_call(hook: str, patient_id: str, prefetch: Mapping[str, Any], draft_orders: Any, **context: Any) -> Json:
    """An order-select or order-sign call."""
    call = hook_call(patient_id, prefetch, hook=hook)
    call["context"] |= {"draftOrders": draft_orders, **context}
    return call


def dermatomyositis(patient_id: str = "p1") -> Json:
    """A small chart: a woman with dermatomyositis and nothing else on record."""
    return {
        "patient": {"resourceType": "Patient", "id": patient_id, "gender": "female", "birthDate": "1970-01-01"},
        "conditions": searchset([diagnosis(patient_id)]),
    }


def diagnosis(patient_id: str = "p1", identity: str = "dm") -> Json:
    """Dermatomyositis on the problem list."""
    return {
        "resourceType": "Condition",
        "id": identity,
        "subject": {"reference": f"Patient/{patient_id}"},
        "clinicalStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]},
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "396230008"}]},
        "recordedDate": "2026-01-15",
    }


def measured_twice() -> Json:
    """A dermatomyositis with the six core set measures at two visits."""
    scores = {
        "physician global activity": (7, 2),
        "patient global activity": (6, 3),
        "MMT8": (50, 70),
        "HAQ": (2, 1),
        "extramuscular activity": (4, 1),
    }
    visits = ("2026-05-04", "2026-11-02")
    of_scores = [
        (words, {"value": value}, day) for words, pair in scores.items() for value, day in zip(pair, visits, strict=True)
    ]
    of_enzyme = [("CK", {"value": value, "unit": "U/L"}, day) for value, day in zip((4000, 200), visits, strict=True)]
    observations = [
        {
            "resourceType": "Observation",
            "id": f"measure-{number}",
            "status": "final",
            "subject": {"reference": "Patient/p1"},
            "code": {"text": words},
            "effectiveDateTime": day,
            "valueQuantity": quantity,
        }
        for number, (words, quantity, day) in enumerate(of_scores + of_enzyme)
    ]
    disease = {
        "resourceType": "Condition",
        "id": "dm",
        "subject": {"reference": "Patient/p1"},
        "code": {"text": "dermatomyositis"},
    }
    everything = [{"resourceType": "Patient", "id": "p1", "birthDate": "1970-01-01"}, disease, *observations]
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in everything]}


def without_uuids(value: Any) -> Any:
    """The same answer without the uuids, which depend on client and server."""
    if isinstance(value, dict):
        return {name: without_uuids(member) for name, member in value.items() if name != "uuid"}
    return [without_uuids(item) for item in value] if isinstance(value, list) else value
