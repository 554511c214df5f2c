"""Patient: date of birth, sex, and whether the record may be used as it is."""

from datetime import date
from typing import NamedTuple

from fhir_profiles.dates import DateInterval
from fhir_profiles.elements import Element
from fhir_profiles.sentences import say

# US Core: sex and birth sex are what tumour screening asks about; `gender` is administrative (SAF-18).
_SEX_EXTENSIONS = (
    "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex",
    "http://hl7.org/fhir/us/core/StructureDefinition/us-core-sex",
)
_SEXES = {"f": "female", "248152002": "female", "m": "male", "248153007": "male"}  # us-core-sex speaks SNOMED CT


class Demographics(NamedTuple):
    """What the Patient resource says; see `PatientRecord`."""

    birth: DateInterval | None = None
    sex: str | None = None
    is_deceased: bool = False


def read_patient(patient: Element, as_of: date) -> Demographics:
    """Read a Patient.

    A record that is merged into another or no longer in use is reported (SAF-03); the caller decides what that means.

    Args:
        patient: the Patient resource.
        as_of: the day of the record; a birth after it is reported and not used.
    """
    birth = patient.date("birthDate")
    if birth and birth.first > as_of:
        patient.report("birthDate", say("is after the day of this assessment; read as not given"))
        birth = None
    if patient.content.get("active") is False:
        patient.report("active", say("is false: this patient record is no longer in use"))
    if any(link.code("type") == "replaced-by" for link in patient.children("link")):
        patient.report("link", say("says that this patient record was replaced by another"))
    return Demographics(birth, _sex(patient), _is_deceased(patient, as_of))


def _sex(patient: Element) -> str | None:
    extensions = patient.children("extension")
    for url in _SEX_EXTENSIONS:
        for extension in extensions:
            if extension.content.get("url") == url and (sex := _SEXES.get(extension.code("valueCode"))):
                return sex
    gender = patient.code("gender")
    return gender if gender in ("female", "male") else None


def _is_deceased(patient: Element, as_of: date) -> bool:
    deceased = patient.content.get("deceasedBoolean")
    if deceased is not None and not isinstance(deceased, bool):
        patient.report("deceasedBoolean", say("is neither true nor false; read as not given"))
    if deceased is True:
        return True
    sent = patient.content.get("deceasedDateTime") is not None
    when = patient.date("deceasedDateTime")
    return sent and (when is None or when.first <= as_of)
