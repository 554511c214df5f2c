"""The thirteen source attributes of every statement, and the proof that what they call unused changes nothing."""

import json
from collections.abc import Iterator
from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cards.knowledge import Rule, knowledge, load_knowledge
from cards.recommend import recommend
from cards.source_attributes import inputs_of, source_attributes
from cards.to_cards import to_cards
from cards.verdicts import Case, RuleError
from fhir_profiles.assess import assess
from fhir_profiles.assessment import Assessment
from fhir_profiles.reader import read_record
from tests.cards.test_knowledge import after
from tests.for_each import for_each
from tests.patient import AS_OF, Json, terminology

KNOWN = knowledge()
RULES = {rule.id: rule for rule in KNOWN.rules}
CHARTS = sorted((Path(__file__).parents[2] / "sandbox" / "patients").glob("*.json"))

# 45 CFR 170.315(b)(11)(iv)(A), as lists in certified software name them.
NAMES = [
    "Bibliographic citation of the intervention (clinical research or guideline)",
    "Developer of the intervention (translation from clinical research or guideline)",
    "Funding source of the technical implementation for the intervention(s) development",
    "Release and, if applicable, revision dates of the intervention or reference source",
    "Use of race as expressed in the standards in § 170.213",
    "Use of ethnicity as expressed in the standards in § 170.213",
    "Use of language as expressed in the standards in § 170.213",
    "Use of sexual orientation as expressed in the standards in § 170.213",
    "Use of gender identity as expressed in the standards in § 170.213",
    "Use of sex as expressed in the standards in § 170.213",
    "Use of date of birth as expressed in the standards in § 170.213",
    "Use of social determinants of health data as expressed in the standards in § 170.213",
    "Use of health status assessments data as expressed in the standards in § 170.213",
]
US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition"


def value(name: str, attribute: str) -> str:
    """One attribute of a statement."""
    return next(a.value for a in source_attributes(RULES[name], KNOWN) if a.name == attribute)


def use_of(what: str, name: str) -> str:
    """What the attributes of a statement say about the use of a kind of data."""
    return value(name, f"Use of {what} as expressed in the standards in § 170.213")


# --- complete and true ---------------------------------------------------------------------------------------------------------


@for_each("name", RULES)
def test_every_statement_has_all_thirteen_by_their_exact_names(name: str) -> None:
    attributes = source_attributes(RULES[name], KNOWN)
    assert [attribute.name for attribute in attributes] == NAMES
    assert all(len(attribute.value) >= 8 and attribute.value.endswith(".") for attribute in attributes)


def test_citation_and_dates_are_those_of_the_sources() -> None:
    citation, dates = value("bmj-rtx-refractory", NAMES[0]), value("bmj-rtx-refractory", NAMES[3])
    assert "BMJ Best Practice" in citation
    assert "Oldroyd AGS et al. BSR guideline. Rheumatology 2022;61:1760-8" in citation
    assert "knowledge release 2026.11" in dates
    assert "BMJ Best Practice (2024)" in dates


def test_sex_is_used_by_a_statement_about_women() -> None:
    assert use_of("sex", "titulaer-2011-dm-mammography-women") == "Used: to tell whom the statement concerns."


def test_sex_is_used_beside_a_statement_whose_orders_differ_by_sex() -> None:
    assert use_of("sex", "sunderkotter-2016-tif1g-tumour-screen").startswith("Used: for the orders")


def test_date_of_birth_is_used_through_a_population() -> None:
    assert use_of("date of birth", "titulaer-2011-dm-ct-thorax-abdomen") == "Used: to tell whom the statement concerns."


def test_date_of_birth_is_used_where_it_tells_adult_from_juvenile_disease() -> None:
    assert use_of("date of birth", "feasby-2007-ivig-pm-adjunct").startswith("Used")
    assert use_of("date of birth", "sunderkotter-2016-physical-therapy") == "Not used."  # myositis at any age


def test_pregnancy_status_is_a_health_status_assessment_and_is_named() -> None:
    assert use_of("health status assessments data", "doria-2004-cs-first").startswith("Used: pregnancy status")
    assert use_of("health status assessments data", "sunderkotter-2016-pft-all") == "Not used."


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Use of race as", "Use of Race as", "source_attributes.yaml at 4/name"),
        ("  computed: sex\n", "", "source_attributes.yaml at 9"),
    ],
)
def test_a_slip_in_the_attributes_stops_the_start(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(RuleError) as error:
        load_knowledge(after(tmp_path, "source_attributes.yaml", old, new))
    assert message in str(error.value)


# --- what is not used changes nothing --------------------------------------------------------------------------------------


def read(bundle: Json) -> Assessment:
    return assess(read_record([bundle], terminology=terminology(), as_of=AS_OF))


def cards_of(bundle: Json) -> list[Json]:
    assessment = read(bundle)
    return to_cards(recommend(assessment), assessment, seed="attributes")


def chart(path: Path) -> Json:
    bundle: Json = json.loads(path.read_text("utf-8"))
    return bundle


def patient_of(bundle: Json) -> Json:
    return next(entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == "Patient")


def coded(system: str, code: str, display: str) -> Json:
    return {"coding": [{"system": system, "code": code, "display": display}]}


def us_core(name: str, code: str, display: str) -> Json:
    """The race or ethnicity extension of US Core."""
    category = {"system": "urn:oid:2.16.840.1.113883.6.238", "code": code, "display": display}
    parts = [{"url": "ombCategory", "valueCoding": category}, {"url": "text", "valueString": display}]
    return {"url": f"{US_CORE}/us-core-{name}", "extension": parts}


def gender_identity(code: str) -> Json:
    return {"url": f"{US_CORE}/us-core-genderIdentity", "valueCodeableConcept": coded(SNOMED, code, "Gender identity")}


def observation(bundle: Json, loinc: str, value: Json, category: str = "social-history") -> Json:
    """An Observation of the patient's background."""
    return {
        "resourceType": "Observation",
        "id": f"background-{loinc}",
        "status": "final",
        "category": [coded("http://terminology.hl7.org/CodeSystem/observation-category", category, category)],
        "code": coded("http://loinc.org", loinc, "Background"),
        "subject": {"reference": f"Patient/{patient_of(bundle)['id']}"},
        "effectiveDateTime": "2026-11-01",
        "valueCodeableConcept": value,
    }


SNOMED = "http://snomed.info/sct"


def with_background(path: Path, *, first: bool) -> Json:
    """A chart with one background or quite another: race, ethnicity, language, orientation, gender identity, social needs."""
    bundle = deepcopy(chart(path))
    patient = patient_of(bundle)
    patient.setdefault("extension", []).extend(
        [
            us_core("race", "2054-5", "Black or African American") if first else us_core("race", "2106-3", "White"),
            us_core("ethnicity", "2186-5", "Non Hispanic or Latino") if first else us_core("ethnicity", "2135-2", "Hispanic"),
            gender_identity("446151000124109") if first else gender_identity("446141000124107"),
        ]
    )
    patient["communication"] = [{"language": coded("urn:ietf:bcp:47", "es" if first else "zh", "language"), "preferred": first}]
    observations = (
        observation(bundle, "76690-7", coded(SNOMED, "20430005" if first else "38628009", "Sexual orientation")),
        observation(bundle, "88122-7", coded("http://loinc.org", "LA28397-0" if first else "LA28399-6", "Food ran out")),
        observation(bundle, "71802-3", coded("http://loinc.org", "LA31993-1" if first else "LA31994-9", "Housing"), "survey"),
        observation(bundle, "72166-2", coded(SNOMED, "449868002" if first else "266919005", "Smoking status")),
    )
    bundle["entry"].extend({"resource": resource} for resource in observations)
    return bundle


@pytest.mark.parametrize("path", CHARTS, ids=lambda path: path.stem)
def test_race_ethnicity_language_orientation_gender_identity_and_social_needs_change_no_card(path: Path) -> None:
    before = cards_of(chart(path))
    assert cards_of(with_background(path, first=True)) == before
    assert cards_of(with_background(path, first=False)) == before


AGES = (0, 5, 17, 18, 30, 49, 50, 51, 64, 80)


def born(bundle: Json, age: int) -> Json:
    patient_of(bundle)["birthDate"] = date(AS_OF.year - age, 6, 1).isoformat()
    return bundle


def of_sex(bundle: Json, sex: str) -> Json:
    patient = patient_of(bundle)
    patient["gender"] = sex
    patient["extension"] = [e for e in patient.get("extension", []) if "birthsex" not in e["url"].lower()]
    return bundle


def answers(bundle: Json, rules: list[Rule]) -> dict[str, Any]:
    case = Case(read(bundle))
    return {rule.id: rule.when(case).answer for rule in rules}


def differing(variants: Iterator[Json], rules: list[Rule]) -> set[str]:
    """Statements whose answer is not the same for all variants of a chart."""
    first, *others = [answers(variant, rules) for variant in variants]
    return {name for other in others for name in first if other[name] is not first[name]}


@pytest.mark.parametrize("path", CHARTS, ids=lambda path: path.stem)
def test_a_statement_that_does_not_use_the_date_of_birth_holds_at_every_age_alike(path: Path) -> None:
    rules = [rule for rule in KNOWN.rules if "birth" not in inputs_of(rule, KNOWN).to_hold]
    assert differing((born(chart(path), age) for age in AGES), rules) == set()


@pytest.mark.parametrize("path", CHARTS, ids=lambda path: path.stem)
def test_a_statement_that_does_not_use_sex_holds_for_women_and_men_alike(path: Path) -> None:
    rules = [rule for rule in KNOWN.rules if "sex" not in inputs_of(rule, KNOWN).to_hold]
    assert differing((of_sex(chart(path), sex) for sex in ("female", "male")), rules) == set()


def test_those_that_are_said_to_use_age_or_sex_really_do_somewhere() -> None:
    """The proof above would be empty were nothing able to differ."""
    by_age: set[str] = set()
    by_sex: set[str] = set()
    for path in CHARTS:
        by_age |= differing((born(chart(path), age) for age in AGES), list(KNOWN.rules))
        by_sex |= differing((of_sex(chart(path), sex) for sex in ("female", "male")), list(KNOWN.rules))
    assert {"titulaer-2011-dm-colonoscopy-over-50", "enders-2017-refer-specialised-centre"} <= by_age
    assert {"titulaer-2011-dm-mammography-women", "titulaer-2011-dm-testes-ultrasound-men-under-50"} <= by_sex
