"""Synthetic FHIR R4 for the tests of the reader, as short as FHIR allows, and one call that reads it."""

from collections.abc import Callable
from datetime import date
from functools import lru_cache
from typing import Any

from fhir_profiles.codes import Terminology
from fhir_profiles.reader import read_record
from fhir_profiles.record import PatientRecord

Json = dict[str, Any]

TODAY = date(2025, 6, 15)
ME = {"reference": "Patient/1"}
SOMEBODY_ELSE = {"reference": "Patient/2"}

SNOMED, LOINC = "http://snomed.info/sct", "http://loinc.org"
RXNORM, UCUM = "http://www.nlm.nih.gov/research/umls/rxnorm", "http://unitsofmeasure.org"
INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"


def coded(system: str, code: str, **more: Any) -> Json:
    return {"coding": [{"system": system, "code": code, **more}]}


DERMATOMYOSITIS = coded(SNOMED, "396230008")
METHOTREXATE = coded(SNOMED, "387381009")
TACROLIMUS = coded(SNOMED, "386975001")
PREDNISOLONE = coded(SNOMED, "116601002")
COLONOSCOPY = coded(SNOMED, "73761001")
CREATINE_KINASE = coded(LOINC, "2157-6")
ANTI_JO1 = coded(LOINC, "11565-9")
PREGNANCY_STATUS = coded(LOINC, "82810-3")
SHOE_SIZE = coded("https://hospital.example/codes", "shoe-size")
TOPICAL_ROUTE = coded(SNOMED, "6064005")
OPHTHALMIC_ROUTE = coded(SNOMED, "54485002")
ORAL_ROUTE = coded(SNOMED, "26643006")


@lru_cache(maxsize=1)
def terminology() -> Terminology:
    return Terminology.load()


def bundle(*resources: Json, **more: Any) -> Json:
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in resources], **more}


def without(resource: Json, *fields: str) -> Json:
    return {name: value for name, value in resource.items() if name not in fields}


def patient(**more: Any) -> Json:
    return {"resourceType": "Patient", "id": "1", "gender": "female", "birthDate": "1970-02-03", **more}


def condition(**more: Any) -> Json:
    confirmed = coded("http://terminology.hl7.org/CodeSystem/condition-ver-status", "confirmed")
    active = coded("http://terminology.hl7.org/CodeSystem/condition-clinical", "active")
    return {
        "resourceType": "Condition",
        "id": "dm",
        "subject": ME,
        "clinicalStatus": active,
        "verificationStatus": confirmed,
        "code": DERMATOMYOSITIS,
        "onsetDateTime": "2024-05",
        **more,
    }


def observation(**more: Any) -> Json:
    return {
        "resourceType": "Observation",
        "id": "ck",
        "status": "final",
        "subject": ME,
        "code": CREATINE_KINASE,
        "effectiveDateTime": "2025-06-01",
        **more,
    }


def quantity(value: Any, unit: str = "U/L", **more: Any) -> Json:
    return {"value": value, "unit": unit, "system": UCUM, "code": unit, **more}


def antibody(**more: Any) -> Json:
    return observation(**{"id": "jo1", "code": ANTI_JO1, **more})


def request(**more: Any) -> Json:
    return {
        "resourceType": "MedicationRequest",
        "id": "mtx",
        "status": "active",
        "intent": "order",
        "subject": ME,
        "medicationCodeableConcept": METHOTREXATE,
        "authoredOn": "2025-01-10",
        **more,
    }


def statement(**more: Any) -> Json:
    return {
        "resourceType": "MedicationStatement",
        "id": "mtx",
        "status": "active",
        "subject": ME,
        "medicationCodeableConcept": METHOTREXATE,
        "effectivePeriod": {"start": "2025-01-10"},
        **more,
    }


def administration(**more: Any) -> Json:
    return {
        "resourceType": "MedicationAdministration",
        "id": "mtx",
        "status": "completed",
        "subject": ME,
        "medicationCodeableConcept": METHOTREXATE,
        "effectiveDateTime": "2025-01-10",
        **more,
    }


def dispense(**more: Any) -> Json:
    return {
        "resourceType": "MedicationDispense",
        "id": "mtx",
        "status": "completed",
        "subject": ME,
        "medicationCodeableConcept": METHOTREXATE,
        "whenHandedOver": "2025-01-10",
        **more,
    }


def procedure(**more: Any) -> Json:
    return {
        "resourceType": "Procedure",
        "id": "scope",
        "status": "completed",
        "subject": ME,
        "code": COLONOSCOPY,
        "performedDateTime": "2025-03-01",
        **more,
    }


def service_request(**more: Any) -> Json:
    return {
        "resourceType": "ServiceRequest",
        "id": "scope",
        "status": "active",
        "intent": "order",
        "subject": ME,
        "code": COLONOSCOPY,
        "authoredOn": "2025-03-01",
        **more,
    }


def report(**more: Any) -> Json:
    return {
        "resourceType": "DiagnosticReport",
        "id": "scope",
        "status": "final",
        "subject": ME,
        "code": COLONOSCOPY,
        "effectiveDateTime": "2025-03-01",
        **more,
    }


def immunization(**more: Any) -> Json:
    return {
        "resourceType": "Immunization",
        "id": "zoster",
        "status": "completed",
        "patient": ME,
        "vaccineCode": coded("http://hl7.org/fhir/sid/cvx", "187"),
        "occurrenceDateTime": "2025-02-01",
        **more,
    }


def allergy(**more: Any) -> Json:
    return {"resourceType": "AllergyIntolerance", "id": "mtx", "patient": ME, "code": METHOTREXATE, **more}


def adverse_event(**more: Any) -> Json:
    return {
        "resourceType": "AdverseEvent",
        "id": "hepatitis",
        "actuality": "actual",
        "subject": ME,
        "date": "2025-02-01",
        "suspectEntity": [{"instance": {"reference": "MedicationRequest/mtx"}}],
        **more,
    }


def encounter(**more: Any) -> Json:
    return {
        "resourceType": "Encounter",
        "id": "visit",
        "status": "finished",
        "class": {"code": "AMB"},
        "subject": ME,
        "reasonCode": [coded("http://hl7.org/fhir/sid/icd-10-cm", "Z12.11")],
        "period": {"start": "2025-03-01", "end": "2025-03-01"},
        **more,
    }


def family_history(**more: Any) -> Json:
    return {
        "resourceType": "FamilyMemberHistory",
        "id": "mother",
        "status": "completed",
        "patient": ME,
        "relationship": {"text": "mother"},
        "condition": [{"code": DERMATOMYOSITIS}],
        **more,
    }


def everything() -> list[Json]:
    """One resource of each type that can hold a fact, with ids that differ."""
    makers: tuple[Callable[..., Json], ...] = (
        *(condition, observation, request, statement, administration, dispense, procedure),
        *(service_request, report, immunization, allergy, adverse_event, encounter),
    )
    return [{**make(), "id": f"fact-{index}"} for index, make in enumerate(makers)]


def read(*parts: Any, **settings: Any) -> PatientRecord:
    """The record of patient 1, as of 15 June 2025."""
    settings = {"terminology": terminology(), "as_of": TODAY, "patient_id": "1", **settings}
    return read_record(parts, **settings)


def facts(record: PatientRecord) -> list[Any]:
    """All facts of a record, each once, refuted diagnoses apart."""
    filed = (record.diagnoses, record.drugs, record.results, record.events, record.orders, record.intolerances, record.refusals)
    return list(dict.fromkeys(fact for kind in filed for same in kind.values() for fact in same))


def problems(record: PatientRecord) -> dict[str, str]:
    """What was reported, by place."""
    return {issue.reference: issue.problem for issue in record.issues}
