"""The FHIR types of the charts: whose they are, and what is written to them."""

from collections.abc import Mapping
from types import MappingProxyType

from sandbox.bundles import Json

PATIENT_OF: Mapping[str, str] = MappingProxyType(
    {
        "Patient": "id",
        "AllergyIntolerance": "patient",
        "Condition": "subject",
        "DiagnosticReport": "subject",
        "FamilyMemberHistory": "patient",
        "Immunization": "patient",
        "MedicationAdministration": "subject",
        "MedicationRequest": "subject",
        "MedicationStatement": "subject",
        "Observation": "subject",
        "Procedure": "subject",
        "ServiceRequest": "subject",
    }
)
"""The types of a chart, and the element that says whose it is."""

WRITABLE = tuple(sorted(PATIENT_OF.keys() - {"Patient"}))
"""What the API creates, updates and deletes."""


def patient_of(resource: Json) -> str | None:
    """The id of the patient that a resource is about; None for one about nobody, or about a patient of another server."""
    if resource.get("resourceType") == "Patient":
        return resource.get("id")
    element = PATIENT_OF.get(resource.get("resourceType", ""), "subject")
    reference = str((resource.get(element) or {}).get("reference", ""))
    kind, _, patient_id = reference.rpartition("/")
    return patient_id if kind == "Patient" else None
