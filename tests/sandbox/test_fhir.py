"""The Bundles are FHIR R4, and every code in them is known."""

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fhir.resources.R4B import get_fhir_model_class

import fhir_profiles
from sandbox.build_patients import PATIENTS_FOLDER
from sandbox.changes import read_changes
from sandbox.codes import read_codes
from sandbox.order_pad import ROUTES, orderables
from sandbox.story import read_stories
from tests.for_each import for_each

Json = dict[str, Any]

BUNDLES = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(PATIENTS_FOLDER.glob("*.json"))}
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
HL7_CODES = Path(__file__).with_name("hl7_codes.csv")


def resources(bundle: Json) -> list[Json]:
    return [entry["resource"] for entry in bundle["entry"]]


def every_part(node: Any) -> Iterator[Json]:
    """Each JSON object inside, itself included."""
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from every_part(value)
    elif isinstance(node, list):
        for item in node:
            yield from every_part(item)


def codings(node: Any) -> Iterator[tuple[str, str, str]]:
    for part in every_part(node):
        if "system" in part and "code" in part and "value" not in part:
            yield part["system"], part["code"], part.get("display", "")


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def known_codes() -> dict[tuple[str, str], set[str]]:
    """Displays of every code of the project's terminology and of the HL7 codes that the Bundles need besides."""
    terminology = Path(fhir_profiles.__file__).with_name("terminology")
    known: dict[tuple[str, str], set[str]] = {}
    for name in ("additions.csv", "conditions.csv", "labs.csv", "orders.csv", "drugs.csv"):
        for row in rows(terminology / name):
            known.setdefault((row["system"], row["code"]), set()).add(row["display"])
    for row in rows(terminology / "drug_products.csv"):
        known.setdefault((RXNORM, row["rxcui"]), set()).add(row["display"])
    for row in rows(HL7_CODES):
        known.setdefault((row["system"], row["code"]), set()).add(row["display"])
    return known


KNOWN = known_codes()


@for_each("slug", BUNDLES)
def test_a_bundle_and_each_resource_in_it_is_valid(slug: str) -> None:
    get_fhir_model_class("Bundle").model_validate(BUNDLES[slug])
    for resource in resources(BUNDLES[slug]):
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)


@for_each("slug", BUNDLES)
def test_codes_of_required_bindings_are_those_of_fhir(slug: str) -> None:
    checked = 0
    for resource in resources(BUNDLES[slug]):
        fields = get_fhir_model_class(resource["resourceType"]).model_fields
        for name in ("status", "intent", "gender"):
            if name in resource:
                assert resource[name] in fields[name].json_schema_extra["enum_values"]
                checked += 1
    assert checked >= len(resources(BUNDLES[slug])) / 2


@for_each("slug", BUNDLES)
def test_every_code_is_in_our_terminology_or_published_by_hl7(slug: str) -> None:
    found = list(codings(BUNDLES[slug]))
    assert found
    for system, code, display in found:
        assert (system, code) in KNOWN, (system, code)
        assert not display or display in KNOWN[system, code], (system, code, display)


def test_the_code_table_holds_exactly_what_stories_orders_and_the_editor_use() -> None:
    used = {"systolic", "diastolic", "not_pregnant", *orderables(), *ROUTES}
    used |= {key for keys in read_changes().values() for key in keys}
    for story in read_stories():
        parts = (story.conditions, story.medications, story.results, story.procedures, story.reports, story.orders)
        used |= {line.what for lines in (*parts, story.allergies, story.family) for line in lines}
        used |= {line.coded for line in story.results if line.coded}
        used |= {line.route for line in story.medications if line.route}
    assert used == set(read_codes())


@for_each("key", read_codes())
def test_every_code_of_the_code_table_is_in_our_terminology_or_published_by_hl7(key: str) -> None:
    for coding in read_codes()[key].codings:
        assert coding.display in KNOWN[coding.system, coding.code]


def test_every_published_hl7_code_in_the_test_table_is_needed() -> None:
    needed = {(system, code) for bundle in BUNDLES.values() for system, code, _ in codings(bundle)}
    assert {(row["system"], row["code"]) for row in rows(HL7_CODES)} <= needed


def test_ids_are_valid_and_given_once_across_all_patients() -> None:
    references = [f"{resource['resourceType']}/{resource['id']}" for bundle in BUNDLES.values() for resource in resources(bundle)]
    assert len(set(references)) == len(references)
    assert all(re.fullmatch(r"[A-Za-z]+/[A-Za-z0-9\-.]{1,64}", reference) for reference in references)


@for_each("slug", BUNDLES)
def test_every_reference_is_to_a_resource_of_the_same_bundle(slug: str) -> None:
    own = {f"{resource['resourceType']}/{resource['id']}" for resource in resources(BUNDLES[slug])}
    named = {part["reference"] for part in every_part(BUNDLES[slug]) if "reference" in part}
    assert named <= own
    assert f"Patient/{slug}" in named


@for_each("slug", BUNDLES)
def test_a_patient_is_labelled_as_test_data(slug: str) -> None:
    patient = resources(BUNDLES[slug])[0]
    assert patient["resourceType"] == "Patient"
    assert [label["code"] for label in patient["meta"]["security"]] == ["HTEST"]
    assert patient["identifier"][0]["value"].startswith("SYNTHETIC-")


def resource_of(slug: str, reference: str) -> Json:
    return next(r for r in resources(BUNDLES[slug]) if f"{r['resourceType']}/{r['id']}" == f"{reference}")


def test_a_drug_that_did_not_work_is_stopped_with_its_reason_and_its_end() -> None:
    slug = "dermatomyositis-refractory-severe"
    azathioprine = resource_of(slug, f"MedicationRequest/{slug}.azathioprine-50")
    assert azathioprine["status"] == "stopped"
    assert azathioprine["statusReason"]["text"] == "Ineffective"
    assert azathioprine["dosageInstruction"][0]["timing"]["repeat"] == {
        "boundsPeriod": {"start": "2026-03-01", "end": "2026-09-15"},
        "frequency": 2,
        "period": 1,
        "periodUnit": "d",
    }
    assert azathioprine["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"]["value"] == 50


def test_a_course_that_ended_without_a_reason_is_completed() -> None:
    slug = "dermatomyositis-exactly-50"
    assert resource_of(slug, f"MedicationRequest/{slug}.prednisone-20")["status"] == "completed"


def test_a_result_carries_the_range_of_the_laboratory_and_what_it_means() -> None:
    slug = "jo1-antisynthetase-ild"
    flags = {
        resource["id"].removeprefix(f"{slug}."): resource["interpretation"][0]["coding"][0]["code"]
        for resource in resources(BUNDLES[slug])
        if "referenceRange" in resource
    }
    assert flags["anti-jo1-units"] == "H"
    assert flags["fvc-percent"] == "L"
    assert flags["oxygen-saturation"] == "N"


def test_a_report_names_the_results_that_it_sums_up() -> None:
    slug = "jo1-antisynthetase-ild"
    report = resource_of(slug, f"DiagnosticReport/{slug}.pulmonary-function-2")
    assert [result["reference"] for result in report["result"]] == [
        f"Observation/{slug}.fvc-percent-2",
        f"Observation/{slug}.dlco-percent-2",
    ]


def test_a_concept_without_a_code_is_in_words_only() -> None:
    slug = "pl7-antisynthetase-in-words"
    assert resource_of(slug, f"Condition/{slug}.antisynthetase-syndrome-in-words")["code"] == {"text": "Antisynthetase syndrome"}


def test_what_the_patient_reports_is_a_statement() -> None:
    slug = "classic-dermatomyositis"
    assert resource_of(slug, f"MedicationStatement/{slug}.paracetamol-500")["effectivePeriod"] == {"start": "2026-10-01"}


def test_blood_pressure_is_one_observation_of_two_parts() -> None:
    slug = "healthy"
    parts = resource_of(slug, f"Observation/{slug}.blood-pressure")["component"]
    assert [(part["code"]["text"], part["valueQuantity"]["value"]) for part in parts] == [
        ("Systolic blood pressure", 134),
        ("Diastolic blood pressure", 82),
    ]
