"""What nobody has seen: why "none on record" may not mean that there was none (design section 4, rule 1).

The line of treatment is told by what is *not* there: nothing failed, nothing on trial. That must never rest on a list that nobody
sent or that could not be read: a patient in whom two drugs failed would be offered the first line again.
"""

from functools import cache

from fhir_profiles.features import absence, absence_of_drugs
from fhir_profiles.findings import Missing, Standing
from fhir_profiles.record import InputState, PatientRecord
from fhir_profiles.sentences import say


def unread_treatment(record: PatientRecord, *, by_infusion: bool = False, intolerance: bool = False) -> tuple[Missing, ...]:
    """The lists that could show a treatment, or what became of it, and that nobody has seen.

    Args:
        record: the chart.
        by_infusion: an administration alone could show it.
        intolerance: an allergy list could show it. One that was never supplied is no reason to say nothing; one that failed is.

    Returns:
        What is missing; empty where silence means that there was none.
    """
    return _unread(
        absence_of_drugs(record),
        by_infusion and _has_failed(record, "MedicationAdministration"),
        intolerance and _has_failed(record, "AllergyIntolerance"),
    )


@cache
def _unread(drugs: Standing, administrations: bool, intolerances: bool) -> tuple[Missing, ...]:
    """The same for every patient of whom the same was read."""
    found = {
        "MedicationRequest": _UNREAD_DRUGS.get(drugs),
        "MedicationAdministration": say("administered drugs could not be read completely") if administrations else None,
        "AllergyIntolerance": say("allergies and intolerances could not be read completely") if intolerances else None,
    }
    return tuple(Missing(words, concept, is_caveat=True) for concept, words in found.items() if words)


_UNREAD_DRUGS = {
    Standing.FAILED: say("medications could not be read completely"),
    Standing.NOT_SUPPLIED: say("medications were not supplied"),
}


def unread_person(record: PatientRecord) -> Missing:
    """What is missing where the patient's age or sex is not known: the Patient itself, or its date of birth."""
    words = {
        Standing.FAILED: say("age and sex could not be read"),
        Standing.NOT_SUPPLIED: say("age and sex were not supplied"),
    }.get(absence(record, ("Patient",)))
    return Missing(words or say("date of birth"), "Patient.birthDate", is_caveat=words is not None)


def _has_failed(record: PatientRecord, kind: str) -> bool:
    return record.input_state(kind) is InputState.FAILED
