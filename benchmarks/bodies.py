"""Hook calls of a given number of resources, always the same ones.

One made-up woman with dermatomyositis, in the shape and the mix that US Core servers send: three quarters results, the rest
visits, prescriptions, reports, procedures, problems and orders. About half of the codes are ours; the other half stands for
everything that a chart holds and we pass over, under a made-up local code system.
"""

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from random import Random
from typing import Any

import orjson

from fhir_profiles.codes import Terminology

AS_OF = date(2026, 11, 22)
PATIENT_ID = "benchmark"
BASE = "https://ehr.example/fhir/R4"
LOCAL_CODES = "https://ehr.example/fhir/CodeSystem/local"
CATEGORIES = "http://terminology.hl7.org/CodeSystem"
SNOMED_CT = "http://snomed.info/sct"
UCUM = "http://unitsofmeasure.org"

Json = dict[str, Any]

RESULTS = (
    ("creatine_kinase", "U/L"),
    ("aldolase", "U/L"),
    ("alt", "U/L"),
    ("ast", "U/L"),
    ("crp", "mg/L"),
    ("haemoglobin", "g/dL"),
)
DRUGS = ("prednisone", "methotrexate", "folic_acid")
KEYS = {
    "Condition": "conditions",
    "MedicationRequest": "medicationRequests",
    "Observation": "observations",
    "DiagnosticReport": "diagnosticReports",
    "Procedure": "procedures",
    "ServiceRequest": "serviceRequests",
    "Encounter": "encounters",
}


def hook_call(resources: int) -> bytes:
    """The JSON body of a patient-view call.

    Args:
        resources: how many, the patient included.
    """
    chart = Chart(Random(resources), Terminology.load())
    prefetch: Json = {"patient": chart.patient()}
    by_type = _by_type([chart.diagnosis(), *(chart.anything(number) for number in range(resources - 2))])
    prefetch |= {KEYS[kind]: _searchset(found) for kind, found in by_type.items()}
    call = {
        "hook": "patient-view",
        "hookInstance": "0f0a3c36-2b5e-4c1b-9d0a-5a6f5e4a7a10",
        "fhirServer": BASE,
        "context": {"userId": "Practitioner/benchmark", "patientId": PATIENT_ID},
        "prefetch": prefetch,
    }
    return orjson.dumps(call)


class Chart:
    """Makes resources, one after the other, with made-up chance.

    Args:
        chance: decides what comes next.
        terminology: where the codes come from.
    """

    def __init__(self, chance: Random, terminology: Terminology) -> None:
        """Nothing is made yet."""
        self._chance = chance
        self._terminology = terminology

    def patient(self) -> Json:
        """The woman."""
        return {
            "resourceType": "Patient",
            "id": PATIENT_ID,
            "identifier": [{"system": f"{BASE}/record-number", "value": "SYNTHETIC-1"}],
            "name": [{"use": "official", "family": "Benchmark", "given": ["Synthetic"]}],
            "gender": "female",
            "birthDate": "1968-05-17",
        }

    def diagnosis(self) -> Json:
        """The dermatomyositis."""
        return self._resource("Condition", 0) | {
            "clinicalStatus": {"coding": [{"system": f"{CATEGORIES}/condition-clinical", "code": "active"}]},
            "verificationStatus": {"coding": [{"system": f"{CATEGORIES}/condition-ver-status", "code": "confirmed"}]},
            "category": self._category("condition-category", "problem-list-item"),
            "code": self._code("dermatomyositis"),
            "onsetDateTime": "2026-02-11",
            "recordedDate": "2026-02-20",
        }

    def anything(self, number: int) -> Json:
        """The next resource."""
        makers: dict[Callable[[int], Json], int] = {
            self._result: 75,
            self._visit: 7,
            self._prescription: 7,
            self._report: 4,
            self._procedure: 3,
            self._problem: 2,
            self._order: 2,
        }
        return self._chance.choices(list(makers), list(makers.values()))[0](number + 1)

    def _result(self, number: int) -> Json:
        concept, unit = self._chance.choice(RESULTS)
        quantity = {"value": self._chance.randint(10, 400) / 10, "unit": unit, "system": UCUM, "code": unit}
        return self._resource("Observation", number) | {
            "status": "final",
            "category": self._category("observation-category", "laboratory"),
            "code": self._code(concept),
            "encounter": {"reference": f"Encounter/{PATIENT_ID}-{number % 40}"},
            "effectiveDateTime": f"{self._day()}T08:30:00Z",
            "valueQuantity": quantity,
            "referenceRange": [{"low": {"value": 5.0, "unit": unit}, "high": {"value": 30.0, "unit": unit}}],
        }

    def _visit(self, number: int) -> Json:
        return self._resource("Encounter", number) | {
            "status": "finished",
            "class": {"system": f"{CATEGORIES}/v3-ActCode", "code": "AMB", "display": "ambulatory"},
            "type": [self._local_code()],
            "period": {"start": f"{self._day()}T09:00:00Z"},
            "serviceProvider": {"reference": "Organization/1", "display": "Example hospital, rheumatology"},
        }

    def _prescription(self, number: int) -> Json:
        return self._resource("MedicationRequest", number) | {
            "status": self._chance.choice(["active", "completed"]),
            "intent": "order",
            "medicationCodeableConcept": self._code(self._chance.choice(DRUGS)),
            "authoredOn": self._day(),
            "requester": {"reference": "Practitioner/benchmark", "display": "Dr Example (synthetic)"},
            "dosageInstruction": [
                {
                    "text": "1 tablet every morning",
                    "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
                    "doseAndRate": [{"doseQuantity": {"value": 5, "unit": "mg", "system": UCUM, "code": "mg"}}],
                }
            ],
        }

    def _report(self, number: int) -> Json:
        return self._resource("DiagnosticReport", number) | {
            "status": "final",
            "category": self._category("v2-0074", "LAB"),
            "code": self._local_code(),
            "effectiveDateTime": self._day(),
            "result": [{"reference": f"Observation/{PATIENT_ID}-{number - step}"} for step in range(1, 6)],
        }

    def _procedure(self, number: int) -> Json:
        return self._resource("Procedure", number) | {
            "status": "completed",
            "code": self._code("ecg"),
            "performedDateTime": self._day(),
        }

    def _problem(self, number: int) -> Json:
        return self._resource("Condition", number) | {
            "clinicalStatus": {"coding": [{"system": f"{CATEGORIES}/condition-clinical", "code": "active"}]},
            "category": self._category("condition-category", "problem-list-item"),
            "code": self._local_code(),
            "recordedDate": self._day(),
        }

    def _order(self, number: int) -> Json:
        return self._resource("ServiceRequest", number) | {
            "status": "completed",
            "intent": "order",
            "code": self._local_code(),
            "authoredOn": self._day(),
        }

    def _resource(self, kind: str, number: int) -> Json:
        return {
            "resourceType": kind,
            "id": f"{PATIENT_ID}-{number}",
            "meta": {"versionId": "1", "lastUpdated": f"{self._day()}T15:00:00.000Z"},
            "subject": {"reference": f"Patient/{PATIENT_ID}"},
        }

    def _code(self, concept: str) -> Json:
        """A code of ours, or as often one that we do not know."""
        if concept != "dermatomyositis" and self._chance.random() < 0.5:
            return self._local_code()
        codings = self._terminology.codings(concept)
        coding = next((one for one in codings if one.system == SNOMED_CT), codings[0])
        return {"coding": [{"system": coding.system, "code": coding.code, "display": coding.display}]}

    def _local_code(self) -> Json:
        code = f"local-{self._chance.randrange(400)}"
        return {"coding": [{"system": LOCAL_CODES, "code": code, "display": f"Local code {code}"}]}

    def _category(self, system: str, code: str) -> list[Json]:
        return [{"coding": [{"system": f"{CATEGORIES}/{system}", "code": code}]}]

    def _day(self) -> str:
        return (AS_OF - timedelta(days=self._chance.randrange(1, 270))).isoformat()


def _by_type(resources: Iterable[Json]) -> dict[str, list[Json]]:
    by_type: dict[str, list[Json]] = {}
    for resource in resources:
        by_type.setdefault(resource["resourceType"], []).append(resource)
    return by_type


def _searchset(resources: list[Json]) -> Json:
    entries = [
        {"fullUrl": f"{BASE}/{resource['resourceType']}/{resource['id']}", "resource": resource, "search": {"mode": "match"}}
        for resource in resources
    ]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}
