"""The titles that conditions are said with in words: of findings, antibodies, agents, investigations, phenotypes, treatments."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache

from cards.layers import PACKAGED, Layers
from fhir_profiles.assess import assess
from fhir_profiles.clinical_definitions import Definitions, definitions
from fhir_profiles.record import PatientRecord
from fhir_profiles.sentences import changed


@dataclass(frozen=True, slots=True)
class Titles:
    """What the words are made of.

    Args:
        definitions: antibodies, agents, investigations and phenotypes with their titles.
        features: title of every finding, by code.
        treatments: title of every entry of `treatments.yaml`.
    """

    definitions: Definitions
    features: Mapping[str, str]
    treatments: Mapping[str, str]


@cache
def titles() -> Titles:
    """The titles of the packaged definitions."""
    treatments = {name: str(entry["title"]) for name, entry in Layers(PACKAGED).table("treatments").items()}
    return titles_of(definitions(), treatments)


def titles_of(known: Definitions, treatments: Mapping[str, str]) -> Titles:
    """The titles of some definitions; those of computed findings are what assessing an empty chart calls them.

    Args:
        known: the definitions.
        treatments: title of every treatment, by key.
    """
    findings = assess(PatientRecord(as_of=date(2000, 1, 1)), known).features
    return Titles(known, {code: finding.title for code, finding in findings.items()}, treatments)


def names(value: str | Iterable[str]) -> list[str]:
    """One name or several, as a list."""
    return [value] if isinstance(value, str) else list(value)


def bare(title: str) -> str:
    """A title after `no`: without its article."""
    return changed(_without_article, title)


def _without_article(title: str) -> str:
    for article, rest in (("another ", "other "), ("a ", ""), ("an ", "")):
        if title.startswith(article):
            return rest + title.removeprefix(article)
    return title
