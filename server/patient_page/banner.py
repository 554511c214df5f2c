"""Who it is, in words and as plain text: what a chart has for a name may hold anything (CARD-03, SM-09)."""

from dataclasses import dataclass

from fhir_profiles.dates import parse_fhir_date
from fhir_profiles.sentences import say
from server.patient_page.facts import as_written
from server.patient_page.opened import Banner

SEX_WORDS = {"female": say("female"), "male": say("male"), "other": say("other"), "unknown": say("not known")}
"""FHIR administrative gender, in words."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the patient is; the date of birth with the month in letters (U-16)."""

    name: str
    born: str
    sex: str
    identifier: str


def identity(banner: Banner | None) -> Identity | None:
    """The banner for people, without invisible and reversing characters; None where the EHR shows one itself."""
    if banner is None:
        return None
    return Identity(
        name=as_written(banner.name) or say("No name in the chart"),
        born=_born(banner.birth_date),
        sex=SEX_WORDS.get(banner.sex, as_written(banner.sex) or SEX_WORDS["unknown"]),
        identifier=as_written(banner.identifier),
    )


def _born(birth_date: str) -> str:
    if not birth_date:
        return say("not known")
    day = parse_fhir_date(birth_date)
    return as_written(birth_date) if day is None else say("{day}", day=day)
