"""The search parameters of the FHIR API: a table, which the search obeys and the CapabilityStatement prints.

Names and elements are those of R4 (https://hl7.org/fhir/R4/searchparameter-registry.html), as far as the charts have them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from sandbox.resource_types import PATIENT_OF


@dataclass(frozen=True, slots=True)
class Parameter:
    """One search parameter.

    Args:
        kind: how its values are compared.
        elements: dotted paths into the resource; the first that is there counts for a date, all of them for the others.
    """

    kind: Literal["token", "reference", "date"]
    elements: tuple[str, ...]


def _token(*elements: str) -> Parameter:
    return Parameter("token", elements)


def _reference(*elements: str) -> Parameter:
    return Parameter("reference", elements)


def _date(*elements: str) -> Parameter:
    return Parameter("date", elements)


_STATUS = {"status": _token("status")}
_MEDICATION = {"code": _token("medicationCodeableConcept")} | _STATUS

_OWN: Mapping[str, Mapping[str, Parameter]] = {
    "Patient": {"identifier": _token("identifier"), "birthdate": _date("birthDate"), "gender": _token("gender")},
    "AllergyIntolerance": {
        "clinical-status": _token("clinicalStatus"),
        "code": _token("code"),
        "date": _date("recordedDate"),
    },
    "Condition": {
        "category": _token("category"),
        "clinical-status": _token("clinicalStatus"),
        "code": _token("code"),
        "onset-date": _date("onsetDateTime", "onsetPeriod"),
        "recorded-date": _date("recordedDate"),
        "verification-status": _token("verificationStatus"),
    },
    "DiagnosticReport": {
        "category": _token("category"),
        "code": _token("code"),
        "date": _date("effectiveDateTime", "effectivePeriod"),
    }
    | _STATUS,
    "FamilyMemberHistory": {"code": _token("condition.code"), "date": _date("date")} | _STATUS,
    "Immunization": {"date": _date("occurrenceDateTime"), "vaccine-code": _token("vaccineCode")} | _STATUS,
    "MedicationAdministration": {"effective-time": _date("effectiveDateTime", "effectivePeriod")} | _MEDICATION,
    "MedicationRequest": {
        "authoredon": _date("authoredOn"),
        "category": _token("category"),
        "intent": _token("intent"),
    }
    | _MEDICATION,
    "MedicationStatement": {
        "category": _token("category"),
        "effective": _date("effectiveDateTime", "effectivePeriod"),
    }
    | _MEDICATION,
    "Observation": {
        "category": _token("category"),
        "code": _token("code"),
        "date": _date("effectiveDateTime", "effectivePeriod", "effectiveInstant"),
    }
    | _STATUS,
    "Procedure": {
        "category": _token("category"),
        "code": _token("code"),
        "date": _date("performedDateTime", "performedPeriod"),
    }
    | _STATUS,
    "ServiceRequest": {
        "authored": _date("authoredOn"),
        "category": _token("category"),
        "code": _token("code"),
        "intent": _token("intent"),
    }
    | _STATUS,
    "Encounter": {
        "date": _date("period"),
        "patient": _reference("subject"),
        "subject": _reference("subject"),
    }
    | _STATUS,
    "Practitioner": {"identifier": _token("identifier")},
}


def _whole(resource_type: str) -> Mapping[str, Parameter]:
    parameters = {"_id": _token("id")} | dict(_OWN[resource_type])
    if resource_type in PATIENT_OF:
        parameters["_lastUpdated"] = _date("meta.lastUpdated")
    if resource_type in PATIENT_OF and resource_type != "Patient":
        element = PATIENT_OF[resource_type]
        parameters["patient"] = _reference(element)
        if element == "subject":
            parameters["subject"] = _reference(element)
    return MappingProxyType(dict(sorted(parameters.items())))


PARAMETERS: Mapping[str, Mapping[str, Parameter]] = MappingProxyType({name: _whole(name) for name in _OWN})
"""What each type is searched by."""

INCLUDES: Mapping[str, tuple[str, ...]] = MappingProxyType({"MedicationRequest": ("MedicationRequest:medication",)})
"""`_include` that is taken; the medications of these charts are concepts inside the orders, so that it never adds a resource."""
