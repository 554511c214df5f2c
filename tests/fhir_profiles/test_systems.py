"""Every spelling of a code system that an EHR may send is read as the one system it means."""

import pytest

from fhir_profiles.systems import (
    ACT_REASON,
    ATC,
    CVX,
    HPO,
    ICD_10,
    ICD_10_CM,
    ICD_11,
    LOINC,
    MEDICATION_REQUEST_STATUS_REASON,
    OBSERVATION_INTERPRETATION,
    ORPHANET,
    RXNORM,
    SNOMED,
    normalise_code,
    normalise_system,
)
from tests.for_each import for_each

SPELLINGS = [
    ("http://snomed.info/sct", SNOMED),
    ("https://snomed.info/sct/", SNOMED),
    ("http://snomed.info/sct/731000124108", SNOMED),
    ("http://snomed.info/sct/999000041000000102/version/20250101", SNOMED),
    ("urn:oid:2.16.840.1.113883.6.96", SNOMED),
    ("2.16.840.1.113883.6.96", SNOMED),
    ("http://loinc.org/", LOINC),
    ("HTTP://LOINC.ORG", LOINC),
    ("https://www.loinc.org", LOINC),
    ("http://loinc.org|2.77", LOINC),
    ("urn:oid:2.16.840.1.113883.6.1", LOINC),
    ("https://www.nlm.nih.gov/research/umls/rxnorm/", RXNORM),
    ("http://www.nlm.nih.gov/research/umls/RxNorm", RXNORM),
    ("URN:OID:2.16.840.1.113883.6.88", RXNORM),
    ("urn:oid:2.16.840.1.113883.6.73", ATC),
    ("http://fhir.de/CodeSystem/bfarm/atc", ATC),
    ("urn:oid:2.16.840.1.113883.12.292", CVX),
    ("http://hl7.org/fhir/sid/icd-10-cm/", ICD_10_CM),
    ("urn:oid:2.16.840.1.113883.6.90", ICD_10_CM),
    ("http://terminology.hl7.org/CodeSystem/icd10CM", ICD_10_CM),
    ("urn:oid:2.16.840.1.113883.6.3", ICD_10),
    ("http://hl7.org/fhir/sid/icd-10-nl", ICD_10),
    ("http://fhir.de/CodeSystem/bfarm/icd-10-gm", ICD_10),
    ("http://id.who.int/icd11/mms", ICD_11),
    ("https://id.who.int/icd/release/11/2024-01/mms", ICD_11),
    ("http://purl.obolibrary.org/obo/hp.owl", HPO),
    ("https://www.orpha.net/", ORPHANET),
    ("http://hl7.org/fhir/v2/0078", OBSERVATION_INTERPRETATION),
    ("urn:oid:2.16.840.1.113883.4.642.1.1325", MEDICATION_REQUEST_STATUS_REASON),
    ("urn:oid:2.16.840.1.113883.5.8", ACT_REASON),
    ("http://hl7.org/fhir/v3/ActReason", ACT_REASON),
]


@pytest.mark.requirement("SAF-15")
@for_each(("spelling", "system"), SPELLINGS)
def test_a_known_system_is_recognised_however_it_is_spelled(spelling: str, system: str) -> None:
    assert normalise_system(spelling) == system


@pytest.mark.parametrize("system", sorted({system for _, system in SPELLINGS}))
def test_a_canonical_system_stays_itself(system: str) -> None:
    assert normalise_system(system) == system


@pytest.mark.parametrize("system", ["http://lab.hospital.example/codes/", "urn:oid:1.2.3.4", "", "icd", "x" * 5000])
def test_a_system_that_nobody_listed_comes_back_unchanged(system: str) -> None:
    assert normalise_system(system) == system


def test_icd_10_procedures_are_not_diagnoses() -> None:
    assert normalise_system("http://hl7.org/fhir/sid/icd-10-pcs") not in {ICD_10, ICD_10_CM}


@pytest.mark.parametrize("spelling", ["M33.13", "m33.13", "M3313", " m3313 ", "M33.13*", "M33.13†"])
def test_an_icd_code_is_read_with_or_without_its_dot_in_either_case(spelling: str) -> None:
    assert normalise_code(ICD_10_CM, spelling) == "M3313"


def test_an_icd_11_cluster_is_read_by_its_stem() -> None:
    assert normalise_code(ICD_11, "4A41.0&XS25") == "4A410"
    assert normalise_code(ICD_11, "4A41.0/CB05.1") == "4A410"


def test_the_spelling_of_other_codes_is_their_own() -> None:
    assert normalise_code(LOINC, " LA6576-8 ") == "LA6576-8"
    assert normalise_code(ATC, "l04ax03") == "L04AX03"
