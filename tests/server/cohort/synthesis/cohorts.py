"""Made-up cohorts for these tests, each made once."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

import orjson

from fhir_profiles.codes import Terminology
from server.basis import packaged_basis
from server.cohort.synthesis.cohort import Settings, SyntheticCohort, SyntheticPatient
from server.cohort.synthesis.disease import Disease
from server.evaluation import Evaluation, evaluate

AS_OF = date(2026, 11, 22)
SETTINGS = Settings(seed=7, as_of=AS_OF)


def terminology() -> Terminology:
    """What the service reads codes with."""
    return packaged_basis().terminology


@cache
def cohort() -> SyntheticCohort:
    """The cohort of these tests."""
    return SyntheticCohort(SETTINGS, terminology())


@cache
def with_myositis(number: int = 2000) -> tuple[SyntheticPatient, ...]:
    """People of another cohort, in which everybody has myositis."""
    everybody = SyntheticCohort(Settings(seed=11, as_of=AS_OF, resources=1, myositis_share=1), terminology())
    return tuple(everybody.patients(number))


@cache
def shared() -> dict[str, dict[str, Any]]:
    """What patients share, by reference."""
    resources = [orjson.loads(line) for _, line in cohort().shared()]
    return {f"{one['resourceType']}/{one['id']}": one for one in resources}


def resources_of(patient: SyntheticPatient) -> list[dict[str, Any]]:
    """A chart, parsed."""
    return [orjson.loads(line) for lines in patient.lines.values() for line in lines]


@dataclass(frozen=True, slots=True)
class Reading:
    """A chart as somebody reads it.

    Args:
        patient: whose it is.
        disease: the myositis.
        facts: resources, by type and concept.
    """

    patient: SyntheticPatient
    disease: Disease
    facts: dict[tuple[str, str], list[dict[str, Any]]]

    def of(self, kind: str, concept: str) -> list[dict[str, Any]]:
        """Resources of a type and a concept."""
        return self.facts.get((kind, concept), [])

    def days(self, kind: str, concept: str) -> list[int]:
        """On which a test or a procedure was done, in order."""
        return sorted(day_of(one["effectiveDateTime"]) for one in self.of(kind, concept))

    def values(self, concept: str) -> list[float]:
        """Results, in order of time."""
        found = sorted(self.of("Observation", concept), key=lambda one: str(one["effectiveDateTime"]))
        return [one["valueQuantity"]["value"] for one in found]

    def courses(self, drug: str) -> list[tuple[int, int | None]]:
        """First and last day of each time that a drug was given; no last day while it is."""
        prescriptions = (one for one in self.of("MedicationRequest", drug) if one["status"] != "cancelled")
        periods = (one["dosageInstruction"][0]["timing"]["repeat"]["boundsPeriod"] for one in prescriptions)
        return sorted((day_of(one["start"]), day_of(one["end"]) if "end" in one else None) for one in periods)

    @property
    def is_in_remission(self) -> bool:
        """The problem list says so."""
        return any(
            clinical_status(one) == "remission" for line in self.patient.lines["Condition"] for one in [orjson.loads(line)]
        )

    @property
    def last_day(self) -> int:
        """Of the chart."""
        own = orjson.loads(self.patient.lines["Patient"][0])
        return day_of(own.get("deceasedDateTime", AS_OF.isoformat()))


@cache
def readings() -> tuple[Reading, ...]:
    """What people with myositis have in their charts."""
    return tuple(Reading(patient, patient.disease, _facts(patient)) for patient in with_myositis() if patient.disease)


def _facts(patient: SyntheticPatient) -> dict[tuple[str, str], list[dict[str, Any]]]:
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for resource in resources_of(patient):
        for concept in _concepts(resource):
            found.setdefault((resource["resourceType"], concept), []).append(resource)
    return found


def _concepts(resource: dict[str, Any]) -> Iterable[str]:
    if reference := resource.get("medicationReference"):
        return (reference["reference"].removeprefix("Medication/").replace("-", "_"),)
    code = resource.get("code") or resource.get("medicationCodeableConcept") or {}
    return {concept for one in code.get("coding", []) for concept in terminology().concepts_of(one["system"], one["code"])}


def day_of(text: str) -> int:
    """A FHIR date, to the day."""
    return date.fromisoformat(text[:10]).toordinal()


def clinical_status(condition: dict[str, Any]) -> str:
    """Empty for none."""
    return str(condition.get("clinicalStatus", {}).get("coding", [{"code": ""}])[0]["code"])


def read(patient: SyntheticPatient) -> Evaluation:
    """What the service finds in a chart and in the Medications that it refers to."""
    drugs = [one for one in shared().values() if one["resourceType"] == "Medication"]
    return evaluate([*resources_of(patient), *drugs], as_of=AS_OF, seed="cohort", patient_id=patient.id)


def shares_of(values: Iterable[str]) -> dict[str, float]:
    """How often each occurs, of all."""
    counted = Counter(values)
    return {name: number / counted.total() for name, number in counted.items()}


def bound(share: float, people: int) -> float:
    """Four standard errors: by chance a share lies farther away once in sixteen thousand times."""
    return float(4 * (share * (1 - share) / people) ** 0.5) + 0.5 / people
