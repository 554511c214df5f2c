"""What this page could not see: kinds of data not supplied, failed or not permitted, and data that could not be used."""

from dataclasses import dataclass

from fhir_profiles.record import InputState
from fhir_profiles.sentences import Sentence, say
from server.patient_page.facts import as_written, begin
from server.patient_page.opened import Opened

KIND_WORDS: dict[str, Sentence] = {
    "Patient": say("Age and sex"),
    "Condition": say("Problem list"),
    "Observation": say("Results"),
    "DiagnosticReport": say("Reports"),
    "Procedure": say("Procedures"),
    "ServiceRequest": say("Orders for tests and referrals"),
    "MedicationRequest": say("Prescriptions"),
    "MedicationStatement": say("Medications as reported"),
    "MedicationAdministration": say("Administered drugs, such as infusions"),
    "AllergyIntolerance": say("Allergies and intolerances"),
    "Immunization": say("Vaccinations"),
}
"""The kinds of data that the evaluation reads, in the order in which they matter."""

STATE_WORDS = {
    InputState.NOT_SUPPLIED: say("not supplied"),
    InputState.FAILED: say("asked for, and failed or incomplete"),
}
_NOT_PERMITTED = say("this launch was not permitted to read them")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of data that is missing, and why."""

    title: str
    state: str


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in the data that could not be used, and where it stands."""

    reference: str
    text: str


@dataclass(frozen=True, slots=True)
class Unseen:
    """Everything that this page could not see."""

    kinds: tuple[Kind, ...]
    problems: tuple[Problem, ...]


def unseen(opened: Opened) -> Unseen:
    """Kinds that are missing, and issues in the data, a patient mismatch first."""
    record = opened.evaluation.record
    states = {kind: record.input_state(kind) for kind in KIND_WORDS}
    kinds = tuple(
        Kind(words, _NOT_PERMITTED if kind in opened.scopes_missing else STATE_WORDS[states[kind]])
        for kind, words in KIND_WORDS.items()
        if kind in opened.scopes_missing or states[kind] in STATE_WORDS
    )
    problems = tuple(Problem(as_written(issue.reference), begin(issue.problem)) for issue in opened.evaluation.issues)
    return Unseen(kinds, tuple(dict.fromkeys(problems)))
