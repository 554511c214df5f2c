"""Code systems: one canonical URI each, and the spellings of it that EHRs really send."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

CANONICAL: Final = "https://myositis-cds.example/fhir"
"""Base of everything that this project publishes as FHIR."""

SNOMED: Final = "http://snomed.info/sct"
LOINC: Final = "http://loinc.org"
RXNORM: Final = "http://www.nlm.nih.gov/research/umls/rxnorm"
ATC: Final = "http://www.whocc.no/atc"
CVX: Final = "http://hl7.org/fhir/sid/cvx"
ICD_10: Final = "http://hl7.org/fhir/sid/icd-10"
ICD_10_CM: Final = "http://hl7.org/fhir/sid/icd-10-cm"
ICD_11: Final = "http://id.who.int/icd/release/11/mms"
HPO: Final = "http://human-phenotype-ontology.org"
ORPHANET: Final = "http://www.orpha.net"
OBSERVATION_INTERPRETATION: Final = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
MEDICATION_REQUEST_STATUS_REASON: Final = "http://terminology.hl7.org/CodeSystem/medicationrequest-status-reason"
ACT_REASON: Final = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
LOCAL_CONCEPT: Final = f"{CANONICAL}/CodeSystem/local-concept"
"""Names the concepts that no published code system can name."""

ICD_SYSTEMS: Final = frozenset({ICD_10, ICD_10_CM, ICD_11})
HIERARCHICAL_SYSTEMS: Final = frozenset({ICD_10, ICD_10_CM, ATC})
"""Systems in which the code itself shows the hierarchy: a longer code lies below its own beginning."""

_LONGEST_URI: Final = 256

# Object identifiers: the HL7 Terminology NamingSystem resources (package hl7.terminology.r4 7.0.1).
# The national editions of ICD-10 share the WHO's three and four characters, so they are read as WHO ICD-10.
_SPELLINGS: Final[dict[str, tuple[str, ...]]] = {
    SNOMED: ("2.16.840.1.113883.6.96", "snomed", "snomedct", "snomed-ct", "snomed ct"),
    LOINC: ("2.16.840.1.113883.6.1", "loinc", "loinc.org/rdf"),
    RXNORM: ("2.16.840.1.113883.6.88", "rxnorm"),
    ATC: ("2.16.840.1.113883.6.73", "atc", "fhir.de/codesystem/bfarm/atc", "fhir.de/codesystem/dimdi/atc"),
    CVX: ("2.16.840.1.113883.12.292", "cvx", "terminology.hl7.org/codesystem/cvx"),
    ICD_10: (
        "2.16.840.1.113883.6.3",
        "2.16.840.1.113883.6.3.1",
        "2.16.840.1.113883.6.3.2",
        "2.16.840.1.113883.6.94",
        "icd10",
        "icd-10",
        "terminology.hl7.org/codesystem/icd10",
        "terminology.hl7.org/codesystem/icd10ae",
        "terminology.hl7.org/codesystem/icd10dut",
        "fhir.de/codesystem/bfarm/icd-10-gm",
        "fhir.de/codesystem/dimdi/icd-10-gm",
    ),
    ICD_10_CM: ("2.16.840.1.113883.6.90", "icd10cm", "icd-10-cm", "terminology.hl7.org/codesystem/icd10cm"),
    ICD_11: ("id.who.int/icd11/mms",),
    HPO: ("2.16.840.1.113883.6.339", "hpo", "hp", "purl.obolibrary.org/obo/hp.owl", "purl.obolibrary.org/obo/hp"),
    ORPHANET: ("orpha", "orphanet", "orpha.net/ordo"),
    OBSERVATION_INTERPRETATION: (
        "2.16.840.1.113883.5.83",
        "hl7.org/fhir/v3/observationinterpretation",
        "hl7.org/fhir/observation-interpretation",
        "terminology.hl7.org/codesystem/v2-0078",
        "hl7.org/fhir/v2/0078",
        "2.16.840.1.113883.12.78",
    ),
    MEDICATION_REQUEST_STATUS_REASON: ("2.16.840.1.113883.4.642.1.1325",),
    ACT_REASON: ("2.16.840.1.113883.5.8", "hl7.org/fhir/v3/actreason"),
}


def _fold(uri: str) -> str:
    """Leave only what tells systems apart: no scheme, no `www.`, no version, no trailing slash, lower case."""
    folded = uri.strip().casefold().partition("|")[0]
    for prefix in ("urn:oid:", "http://", "https://", "www."):
        folded = folded.removeprefix(prefix)
    return folded.rstrip("/#")


_BY_SPELLING: Final[dict[str, str]] = {
    spelling: system for system, spellings in _SPELLINGS.items() for spelling in (_fold(system), *spellings)
} | {_fold(LOCAL_CONCEPT): LOCAL_CONCEPT}


def _by_pattern(folded: str) -> str | None:
    """Spellings that carry a changing part: a SNOMED edition, an ICD-11 release, a country."""
    if folded.startswith("snomed.info/sct/"):
        return SNOMED
    if folded.startswith("id.who.int/icd/release/11/") and folded.endswith("/mms"):
        return ICD_11
    head, _, country = folded.rpartition("-")
    if head == "hl7.org/fhir/sid/icd-10" and len(country) == 2 and country.isalpha():
        return ICD_10
    return None


@lru_cache(maxsize=1024)
def normalise_system(uri: str) -> str:
    """The canonical URI of a code system, whichever way it was spelled.

    Understands object identifiers (bare or as `urn:oid:`), http and https, `www.`, upper case, trailing slashes,
    `|version`, SNOMED editions, both ICD-11 spellings and national editions of ICD-10 (`icd-10-nl`, ICD-10-GM).
    ICD-10-CM stays apart from WHO ICD-10: the same code can mean another thing.
    A system not known comes back unchanged.
    """
    if len(uri) > _LONGEST_URI:
        return uri
    folded = _fold(uri)
    return _BY_SPELLING.get(folded) or _by_pattern(folded) or uri


def oid_of(uri: str) -> str | None:
    """The object identifier of a code system, digits and dots, in whichever way it is spelled; None where none is known."""
    spellings = _SPELLINGS.get(normalise_system(uri), ())
    return next((spelling for spelling in spellings if spelling.replace(".", "").isdigit()), None)


def normalise_code(system: str, code: str) -> str:
    """The code as the index spells it; `system` is a canonical URI.

    ICD is written with and without its dot (`M33.13`, `m3313`), with a dagger or asterisk, and in ICD-11 with
    extension codes after `&` or `/`; ATC in either case. Every other system is taken as sent, without outer blanks.
    """
    code = code.strip()
    if system in ICD_SYSTEMS:
        stem = code.upper().partition("&")[0].partition("/")[0]
        return stem.replace(".", "").rstrip("*†+! ")
    if system == ATC:
        return code.upper()
    return code
