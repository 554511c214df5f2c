"""What a code, a text or a site's own code is taken to mean."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fhir_profiles.codes import Terminology, TerminologyError
from fhir_profiles.systems import ATC, HPO, ICD_10, ICD_10_CM, ICD_11, LOCAL_CONCEPT, LOINC, RXNORM, SNOMED
from server.basis import packaged_terminology

TERMINOLOGY = packaged_terminology()
HOSPITAL_LAB = "http://lab.hospital.example/codes"

Site = Callable[[object], Path]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A site's terminology folder with one file."""

    def folder(resource: object) -> Path:
        (tmp_path / "ours.json").write_text(json.dumps(resource), encoding="utf-8")
        return tmp_path

    return folder


def value_set(identifier: str, **include: object) -> dict[str, Any]:
    return {"resourceType": "ValueSet", "id": identifier, "status": "active", "compose": {"include": [include]}}


def concept_map(target: str, code: str, equivalence: str = "equivalent") -> dict[str, Any]:
    targets = [{"code": code, "equivalence": equivalence}]
    element = [{"code": "MYO-7", "target": targets}]
    return {
        "resourceType": "ConceptMap",
        "status": "active",
        "group": [{"source": HOSPITAL_LAB, "target": target, "element": element}],
    }


# Diagnoses


@pytest.mark.parametrize("system", [ICD_10, ICD_10_CM])
def test_m33_2_is_polymyositis_and_not_dermatomyositis(system: str) -> None:
    assert TERMINOLOGY.concepts_of(system, "M33.2") == ("polymyositis",)
    assert "dermatomyositis" not in TERMINOLOGY.concepts_of(system, "M33.20")


@pytest.mark.parametrize(
    "system",
    [
        "urn:oid:2.16.840.1.113883.6.90",
        "2.16.840.1.113883.6.90",
        "https://hl7.org/fhir/sid/icd-10-cm/",
        "http://hl7.org/fhir/sid/icd-10-cm",
    ],
)
def test_a_diagnosis_is_found_under_every_spelling_of_its_system(system: str) -> None:
    assert "dermatomyositis" in TERMINOLOGY.concepts_of(system, "m3313")


def test_dermatomyositis_nos_does_not_mean_amyopathic_dermatomyositis() -> None:
    assert "dermatomyositis_clinically_amyopathic" not in TERMINOLOGY.concepts_of(ICD_10_CM, "M33.13")


def test_snomed_editions_share_their_international_codes() -> None:
    assert TERMINOLOGY.has("dermatomyositis", "http://snomed.info/sct/731000124108", "396230008")


def test_both_icd_11_spellings_name_adult_dermatomyositis() -> None:
    assert TERMINOLOGY.has("dermatomyositis_adult", ICD_11, "4A41.00")
    assert TERMINOLOGY.has("dermatomyositis_adult", "http://id.who.int/icd11/mms", "4A41.00")


def test_an_unlisted_code_below_a_category_belongs_to_the_category() -> None:
    assert TERMINOLOGY.concepts_of(ICD_10_CM, "C50.911") == ("malignancy",)
    assert TERMINOLOGY.has("diabetes_mellitus", ICD_10_CM, "E11.3211")


def test_benign_neoplasm_is_not_malignancy() -> None:
    assert "malignancy" not in TERMINOLOGY.concepts_of(ICD_10_CM, "D24.1")


def test_diabetes_in_pregnancy_says_pregnant_and_in_the_puerperium_does_not() -> None:
    assert TERMINOLOGY.has("pregnancy", ICD_10_CM, "O24.414")
    assert not TERMINOLOGY.has("pregnancy", ICD_10_CM, "O24.434")


def test_an_icd_10_cm_code_sent_under_the_who_name_keeps_its_meaning() -> None:
    assert TERMINOLOGY.concepts_of(ICD_10, "G72.41") == ("inclusion_body_myositis",)
    assert TERMINOLOGY.concepts_of("urn:oid:2.16.840.1.113883.6.3", "M33.13") == TERMINOLOGY.concepts_of(ICD_10_CM, "M33.13")


def test_g72_4_without_a_fifth_character_is_not_read_as_inclusion_body_myositis() -> None:
    for system in (ICD_10, ICD_10_CM):
        assert TERMINOLOGY.concepts_of(system, "G72.4") == ("inflammatory_immune_myopathy_other",)


def test_a_national_subdivision_belongs_to_its_who_code() -> None:
    assert TERMINOLOGY.has("dysphagia", "http://fhir.de/CodeSystem/bfarm/icd-10-gm", "R13.0")


def test_a_rare_disease_or_phenotype_code_is_known() -> None:
    assert TERMINOLOGY.concepts_of(HPO, "HP:0025508") == ("gottron_papules",)


def test_a_code_of_another_system_means_nothing() -> None:
    assert TERMINOLOGY.concepts_of(LOINC, "M33.13") == ()
    assert TERMINOLOGY.concepts_of("http://lab.hospital.example/codes", "396230008") == ()


@pytest.mark.parametrize("code", ["", "0", "M", "?", "x" * 10_000])
def test_a_senseless_code_means_nothing(code: str) -> None:
    for system in (ICD_10, ICD_10_CM, ICD_11, ATC, SNOMED, "", "x" * 10_000):
        assert TERMINOLOGY.concepts_of(system, code) == ()


# Drugs


def test_a_product_is_its_ingredient() -> None:
    assert TERMINOLOGY.concepts_of(RXNORM, "616018") == ("abatacept",)


def test_eye_and_skin_products_are_not_systemic_immunosuppression() -> None:
    assert TERMINOLOGY.concepts_of(RXNORM, "402092") == ("ciclosporin__non_systemic",)
    for coding in TERMINOLOGY.codings("tacrolimus__non_systemic"):
        assert "tacrolimus" not in TERMINOLOGY.concepts_of(coding.system, coding.code)


def test_a_generic_immunoglobulin_product_does_not_reveal_its_route() -> None:
    for coding in TERMINOLOGY.codings("immunoglobulin_route_unspecified"):
        concepts = TERMINOLOGY.concepts_of(coding.system, coding.code)
        assert not {"immunoglobulin_iv", "immunoglobulin_sc"} & set(concepts)


def test_an_atc_substance_belongs_to_its_class_as_well() -> None:
    assert TERMINOLOGY.concepts_of(ATC, "L04AB04") == ("adalimumab", "immunosuppressant_any", "tnf_inhibitor_any")


@pytest.mark.parametrize(
    ("text", "concept"),
    [
        ("prednisolone 5 mg tablets", "prednisolone"),
        ("Methotrexate 15mg once weekly", "methotrexate"),
        ("IV methylprednisolone 500 mg", "methylprednisolone"),
        ("IVIG 2 g/kg", "immunoglobulin_iv"),
        ("cycloSPORINE 100 mg capsules", "ciclosporin"),
        ("mycophenolate sodium 360 mg", "mycophenolic_acid"),
        ("tacrolimus 0.1% ointment", "tacrolimus__non_systemic"),
    ],
)
def test_a_drug_named_in_text_is_recognised_with_strength_and_form(text: str, concept: str) -> None:
    assert TERMINOLOGY.concepts_of_drug_text(text) == (concept,)


@pytest.mark.parametrize(
    "text",
    [
        "stop methotrexate",
        "no methotrexate",
        "methotrexate allergy",
        "not taking azathioprine",
        "methotrexate and folic acid",
        "prednisolone 1% eye drops",
        "prednisolone acetate 1% suspension",
        "hydrocortisone 1% cream",
        "budesonide 200 mcg",
        "tablets",
        "5 mg",
        "",
    ],
)
def test_text_with_any_other_word_names_no_systemic_drug(text: str) -> None:
    assert TERMINOLOGY.concepts_of_drug_text(text) == ()


# CodeableConcepts as they arrive


def test_a_code_is_preferred_to_the_text_beside_it() -> None:
    codeable = {"coding": [{"system": SNOMED, "code": "31384009"}], "text": "dermatomyositis"}
    assert TERMINOLOGY.concepts_of_codeable(codeable) == (("polymyositis",), False)


def test_every_coding_of_a_concept_counts() -> None:
    codings = [
        {"system": ICD_10_CM, "code": "M33.10"},
        {"system": "http://ehr.example", "code": "1"},
        {"system": SNOMED, "code": "1144974009"},
    ]
    concepts, by_text = TERMINOLOGY.concepts_of_codeable({"coding": codings})
    assert {"dermatomyositis", *TERMINOLOGY.concepts_of(SNOMED, "1144974009")} <= set(concepts)
    assert not by_text


def test_text_and_then_display_are_asked_only_when_no_code_is_known() -> None:
    local = {"system": HOSPITAL_LAB, "code": "1", "display": "Anti-MDA5"}
    assert TERMINOLOGY.concepts_of_codeable({"coding": [local]}) == (("anti_mda5",), True)
    assert TERMINOLOGY.concepts_of_codeable({"coding": [local], "text": "Jo-1 antibody"}) == (("anti_jo1",), True)


def test_a_snomed_name_with_its_tag_is_the_same_phrase() -> None:
    assert TERMINOLOGY.concepts_of_text("Dermatomyositis (disorder)") == ("dermatomyositis",)


def test_a_medication_is_read_by_the_grammar_for_drugs() -> None:
    assert TERMINOLOGY.concepts_of_medication({"text": "azathioprine 50 mg tablet"}) == (("azathioprine",), True)
    assert TERMINOLOGY.concepts_of_medication({"coding": [{"system": ATC, "code": "L04AX01"}]}) == (
        ("azathioprine", "immunosuppressant_any"),
        False,
    )


@pytest.mark.parametrize(
    "codeable",
    [
        None,
        "dermatomyositis",
        [],
        {},
        {"coding": None},
        {"coding": "M33.1"},
        {"coding": [None, 3, [], "x"]},
        {"coding": [{"system": None, "code": "M33.1"}]},
        {"coding": [{"system": ICD_10, "code": 33}], "text": 5},
        {"coding": [{"code": "M33.1", "display": {"en": "dermatomyositis"}}]},
        {"coding": {"system": ICD_10, "code": "M33.1"}},
        {"text": ["dermatomyositis"]},
        {"text": "dermatomyositis " * 100},
    ],
)
def test_a_malformed_concept_means_nothing_and_breaks_nothing(codeable: object) -> None:
    assert TERMINOLOGY.concepts_of_codeable(codeable) == ((), False)


# What the rest of the service asks


def test_every_concept_has_a_title_and_a_code_that_leads_back_to_it() -> None:
    for concept in TERMINOLOGY.concepts:
        assert TERMINOLOGY.title(concept)
        assert all(TERMINOLOGY.has(concept, coding.system, coding.code) for coding in TERMINOLOGY.codings(concept))
        assert TERMINOLOGY.codings(concept)


def test_titles_are_readable() -> None:
    assert TERMINOLOGY.title("anti_tif1_gamma") == "Anti-TIF1-γ antibody"
    assert TERMINOLOGY.title("interstitial_lung_disease") == "Interstitial lung disease"


def test_a_concept_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(KeyError):
        TERMINOLOGY.title("anti_mda6")


# A site's own codes


def test_a_site_adds_its_laboratory_code_with_a_valueset(site: Site) -> None:
    folder = site(value_set("anti-mda5", system=HOSPITAL_LAB, concept=[{"code": "MYO-7", "display": "MDA5 blot"}]))
    ours = Terminology.load(folder)
    assert TERMINOLOGY.concepts_of(HOSPITAL_LAB, "MYO-7") == ()
    assert ours.concepts_of(HOSPITAL_LAB, "MYO-7") == ("anti_mda5",)
    assert set(TERMINOLOGY.codings("anti_mda5")) < set(ours.codings("anti_mda5"))


def test_a_site_adds_its_wording_with_a_valueset(site: Site) -> None:
    resource = value_set("anti-mda5", system=HOSPITAL_LAB, concept=[{"code": "MYO-7"}])
    phrase = "https://myositis-cds.example/fhir/StructureDefinition/matching-phrase"
    resource["extension"] = [{"url": phrase, "valueString": "Myo-Blot Bande 7"}]
    assert Terminology.load(site(resource)).concepts_of_text("MYO-BLOT, Bande 7") == ("anti_mda5",)


def test_a_site_adds_a_category_with_a_filter(site: Site) -> None:
    is_a = {"property": "concept", "op": "is-a", "value": "M60"}
    ours = Terminology.load(site(value_set("myositis-unspecified", system=ICD_10_CM, filter=[is_a])))
    assert "myositis_unspecified" in ours.concepts_of(ICD_10_CM, "M60.9")


@pytest.mark.parametrize(
    ("target", "code"),
    [(LOINC, "107563-9"), (LOCAL_CONCEPT, "anti-mda5"), ("urn:oid:2.16.840.1.113883.6.1", "107563-9")],
)
def test_a_site_maps_its_laboratory_code_with_a_conceptmap(site: Site, target: str, code: str) -> None:
    ours = Terminology.load(site(concept_map(target, code)))
    assert ours.concepts_of(HOSPITAL_LAB, "MYO-7") == ("anti_mda5",)


@pytest.mark.parametrize("equivalence", ["unmatched", "disjoint"])
def test_a_mapping_that_says_no_match_adds_nothing(site: Site, equivalence: str) -> None:
    ours = Terminology.load(site(concept_map(LOINC, "107563-9", equivalence)))
    assert ours.concepts_of(HOSPITAL_LAB, "MYO-7") == ()


def test_files_that_are_not_json_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "README.txt").write_text("our codes", encoding="utf-8")
    assert Terminology.load(tmp_path).concepts == TERMINOLOGY.concepts


@pytest.mark.parametrize(
    ("resource", "complaint"),
    [
        (value_set("anti-mda", system=HOSPITAL_LAB, concept=[{"code": "1"}]), "did you mean 'anti-mda5'"),
        (value_set("qqqqqqqq", system=HOSPITAL_LAB, concept=[{"code": "1"}]), "use the id of a packaged ValueSet"),
        (value_set("", system=HOSPITAL_LAB, concept=[{"code": "1"}]), "neither id nor url"),
        (value_set("anti-mda5", system=HOSPITAL_LAB), "list the codes"),
        (value_set("anti-mda5", system=HOSPITAL_LAB, concept=[{"display": "MDA5"}]), "code is missing"),
        (value_set("anti-mda5", system=HOSPITAL_LAB, concept=["1"]), "part that is not an object"),
        (value_set("anti-mda5", concept=[{"code": "1"}]), "system is missing"),
        (value_set("anti-mda5", valueSet=["http://other.example/vs"]), "must list codes"),
        (value_set("anti-mda5", system=SNOMED, filter=[{"property": "concept", "op": "is-a", "value": "1"}]), "is-a"),
        ({"resourceType": "ValueSet", "id": "anti-mda5"}, "compose is missing"),
        (
            {"resourceType": "ValueSet", "id": "anti-mda5", "compose": {"include": [{}], "exclude": [{}]}},
            "exclude is not supported",
        ),
        (concept_map(LOINC, "107563-9", "narrower"), "use one of equal, equivalent, subsumes, wider"),
        (concept_map(LOINC, "0-0"), "belongs to no concept"),
        (concept_map(LOCAL_CONCEPT, "anti-mda"), "did you mean 'anti-mda5'"),
        ({"resourceType": "Patient"}, "give a ValueSet or a ConceptMap"),
        ([], "not a FHIR resource"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_what_to_do(site: Site, resource: dict[str, Any], complaint: str) -> None:
    with pytest.raises(TerminologyError, match=r"ours\.json") as error:
        Terminology.load(site(resource))
    assert complaint in str(error.value)


def test_a_file_that_is_not_json_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "ours.json").write_text('{\n"resourceType": }', encoding="utf-8")
    with pytest.raises(TerminologyError, match="line 2"):
        Terminology.load(tmp_path)


def test_a_folder_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TerminologyError, match="no such folder"):
        Terminology.load(tmp_path / "missing")
