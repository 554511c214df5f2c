"""The people and the visit that hooks and SMART launches name: two practitioners, and today's encounter of each patient."""

from collections.abc import Iterable
from datetime import date

from sandbox.bundles import FHIR_BASE
from sandbox.fhir_parts import HL7, Json
from sandbox.story import Story


def _practitioner(practitioner_id: str, given: str, family: str) -> Json:
    return {
        "resourceType": "Practitioner",
        "id": practitioner_id,
        "identifier": [{"system": f"{FHIR_BASE}/staff-number", "value": f"SYNTHETIC-{practitioner_id}"}],
        "active": True,
        "name": [{"use": "official", "family": family, "given": [given], "prefix": ["Dr"]}],
    }


PRACTITIONERS = (
    _practitioner("sandbox-clinician", "Ada", "Sandbox"),
    _practitioner("sandbox-neurologist", "Bela", "Sandbox"),
)
"""Who works here; the first is logged in."""

CLINICIAN = f"Practitioner/{PRACTITIONERS[0]['id']}"
"""Whoever sits at the desk."""


def practitioner(practitioner_id: str) -> Json | None:
    """One of them."""
    return next((each for each in PRACTITIONERS if each["id"] == practitioner_id), None)


def name_of(person: Json) -> str:
    """A practitioner in words, such as `Dr Ada Sandbox`."""
    name = person["name"][0]
    return " ".join([*name.get("prefix", []), *name["given"], name["family"]])


def encounter_id(patient_id: str) -> str:
    """The id of today's visit."""
    return f"{patient_id}.visit"


def encounter(story: Story, today: date) -> Json:
    """Today's visit of a patient."""
    return {
        "resourceType": "Encounter",
        "id": encounter_id(story.slug),
        "status": "in-progress",
        "class": {"system": f"{HL7}/v3-ActCode", "code": "AMB", "display": "ambulatory"},
        "subject": {"reference": f"Patient/{story.slug}", "display": story.name},
        "participant": [{"individual": {"reference": CLINICIAN, "display": name_of(PRACTITIONERS[0])}}],
        "period": {"start": today.isoformat()},
    }


def encounters(stories: Iterable[Story], today: date) -> list[Json]:
    """Everybody's."""
    return [encounter(story, today) for story in stories]
