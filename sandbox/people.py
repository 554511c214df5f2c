"""Who works in this EHR, and when: the one clinician, and the visit for which a chart is open."""

PRACTITIONER = "Practitioner/sandbox-clinician"
PRACTITIONER_ROLE = "PractitionerRole/sandbox-clinician-role"


def visit_of(patient_id: str) -> str:
    """FHIR id of the Encounter for which a patient's chart is open."""
    return f"visit.{patient_id}"
