"""Charts are always the same, valid, in our codes, and read as they were meant."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from types import GeneratorType
from typing import Any

import orjson
import pytest

from fhir_profiles.courses import Outcome
from fhir_profiles.elements import Element
from fhir_profiles.identity import patient_named_by
from server.assessing.strict import strict_issues
from server.cohort.synthesis.codes import LOCAL_CODES
from server.cohort.synthesis.cohort import DRUGS, SyntheticCohort, SyntheticPatient
from server.cohort.synthesis.days import YEAR
from server.cohort.synthesis.proportions import packaged_proportions
from tests.server.cohort.synthesis.cohorts import (
    AS_OF,
    SETTINGS,
    bound,
    cohort,
    day_of,
    read,
    resources_of,
    shared,
    terminology,
)

PROPORTIONS = packaged_proportions()
FORMS, OTHERS = PROPORTIONS.table("myositis"), PROPORTIONS.table("others")
PREGNANT = '"code":"77386006"'
HL7 = "http://terminology.hl7.org/CodeSystem/"


def of_kind(kind: str, people: int) -> list[SyntheticPatient]:
    """The first patients, had they all been of one kind."""
    return [cohort().patient(number, kind) for number in range(people)]


def test_the_same_seed_makes_the_same_patients() -> None:
    again = SyntheticCohort(SETTINGS, terminology())
    assert [one.lines for one in again.patients(50)] == [one.lines for one in cohort().patients(50)]


def test_another_seed_makes_others() -> None:
    other = SyntheticCohort(replace(SETTINGS, seed=8), terminology())
    assert other.patient(3).lines != cohort().patient(3).lines


def test_a_patient_is_the_same_whoever_else_is_in_the_cohort() -> None:
    assert cohort().patient(40).lines == list(cohort().patients(60))[40].lines


def test_patients_are_made_one_at_a_time() -> None:
    patients = cohort().patients(10**12)
    assert isinstance(patients, GeneratorType)
    assert next(patients).id == "s000000"


def test_a_patient_has_about_as_many_resources_as_asked_for() -> None:
    sizes = [sum(map(len, one.lines.values())) for one in cohort().patients(300)]
    assert 44 <= sum(sizes) / len(sizes) <= 58
    small = SyntheticCohort(replace(SETTINGS, resources=10), terminology())
    sizes = [sum(map(len, one.lines.values())) for one in small.patients(300)]
    assert 8 <= sum(sizes) / len(sizes) <= 22  # what tells a disease is never left out


def test_about_as_many_have_myositis_as_asked_for() -> None:
    many = SyntheticCohort(replace(SETTINGS, myositis_share=0.5), terminology())
    assert 0.4 < sum(one.disease is not None for one in many.patients(400)) / 400 < 0.6


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_about_as_many_of_those_with_myositis_fell_ill_as_children_as_asked_for(share: float) -> None:
    asked = SyntheticCohort(replace(SETTINGS, myositis_share=1, juvenile_share=share), terminology())
    juvenile = [one.disease is not None and one.disease.is_juvenile for one in asked.patients(400)]
    assert sum(juvenile) / 400 == pytest.approx(share, abs=bound(share, 400))


def test_in_a_cohort_of_children_every_juvenile_form_occurs_and_many_are_children_still() -> None:
    asked = SyntheticCohort(replace(SETTINGS, myositis_share=1, juvenile_share=1), terminology())
    people = list(asked.patients(300))
    assert {one.kind for one in people} == {"juvenile-dermatomyositis", "juvenile-myositis", "juvenile-overlap-myositis"}
    births = [found[1] for one in people if (found := re.search(r'"birthDate":"([^"]+)"', one.lines["Patient"][0]))]
    assert sum(birth > f"{AS_OF.year - 18}-{AS_OF:%m-%d}" for birth in births) > 100


def test_some_young_women_are_pregnant_and_nobody_else() -> None:
    young, pregnant = 0, 0
    for patient in cohort().patients(4000):
        own = orjson.loads(patient.lines["Patient"][0])
        last_day = day_of(own.get("deceasedDateTime", AS_OF.isoformat()))
        age = (last_day - day_of(own["birthDate"])) / YEAR if "birthDate" in own else 30
        is_young_woman = own["gender"] == "female" and 20 <= age < 40
        recorded = [orjson.loads(line)["recordedDate"] for line in patient.lines.get("Condition", []) if PREGNANT in line]
        assert is_young_woman or not recorded, patient.id
        assert all(last_day - 200 <= day_of(day) <= last_day for day in recorded), patient.id
        young += is_young_woman
        pregnant += bool(recorded)
    share = PROPORTIONS.of("comorbidity.pregnancy_in_women_of_20_to_40")
    assert pregnant / young == pytest.approx(share, abs=bound(share, young))


@pytest.mark.parametrize("form", FORMS)
def test_where_the_chart_is_complete_the_reader_finds_the_phenotype_that_was_meant(form: str) -> None:
    for patient in of_kind(form, 30):
        primary = read(patient).assessment.primary
        assert primary is not None, patient.id
        if patient.is_recognisable:
            assert (patient.id, primary.code) == (patient.id, patient.phenotype)
            assert primary.is_confirmed


@pytest.mark.parametrize("form", FORMS)
def test_most_charts_are_complete(form: str) -> None:
    people = of_kind(form, 60)
    assert sum(one.is_recognisable for one in people) / len(people) > 0.6


def test_every_phenotype_of_the_service_is_meant_by_some_chart() -> None:
    meant = {one.phenotype for form in FORMS for one in of_kind(form, 40)}
    assert meant == set(read(cohort().patient(0)).knowledge.definitions.phenotypes["precedence"])


@pytest.mark.parametrize("kind", OTHERS)
def test_who_has_no_myositis_has_no_phenotype(kind: str) -> None:
    for patient in of_kind(kind, 12):
        assessment = read(patient).assessment
        if kind == "suspected-dermatomyositis":
            assert not any(one.is_confirmed for one in assessment.phenotypes)
        else:
            assert (patient.id, assessment.phenotypes) == (patient.id, ())


def test_the_reader_has_nothing_to_complain_of() -> None:
    issues = Counter(issue.problem for one in cohort().patients(150) for issue in read(one).issues)
    assert issues == Counter()


def test_a_sample_of_every_type_is_valid_fhir() -> None:
    sample: dict[str, list[dict[str, Any]]] = {}
    people = [*cohort().patients(40), *(one for kind in (*FORMS, *OTHERS) for one in of_kind(kind, 2))]
    for resource in (*shared().values(), *(one for patient in people for one in resources_of(patient))):
        of_type = sample.setdefault(resource["resourceType"], [])
        if len(of_type) < 60:
            of_type.append(resource)
    assert {"Patient", "Condition", "Observation", "MedicationRequest", "Procedure", "DiagnosticReport"} < set(sample)
    assert {"ServiceRequest", "Encounter", "Organization", "Medication", "Immunization", "FamilyMemberHistory"} < set(sample)
    assert strict_issues([one for of_type in sample.values() for one in of_type]) == ()


def test_every_code_is_of_our_terminology_or_of_nobody() -> None:
    known = terminology()
    for patient in [*cohort().patients(60), *(one for kind in (*FORMS, *OTHERS) for one in of_kind(kind, 2))]:
        for resource in resources_of(patient):
            for coding in codings_in(resource):
                system = coding["system"]
                if system != LOCAL_CODES and not system.startswith(HL7):
                    assert known.concepts_of(system, coding["code"]), coding


def codings_in(value: object) -> Iterator[dict[str, str]]:
    """Every Coding in a resource."""
    if isinstance(value, list):
        for one in value:
            yield from codings_in(one)
    elif isinstance(value, dict):
        yield from value.get("coding", [])
        for one in value.values():
            yield from codings_in(one)


def test_made_up_codes_mean_nothing_to_us() -> None:
    assert {concept for n in range(400) for concept in terminology().concepts_of(LOCAL_CODES, f"local-{n}")} == set()


def test_every_resource_names_its_patient_and_no_other() -> None:
    for patient in cohort().patients(40):
        for resource in resources_of(patient):
            owner = patient_named_by(Element(resource, resource["resourceType"], "", []))
            assert owner == patient.id, resource["id"]


def test_ids_are_used_once() -> None:
    ids = [f"{one['resourceType']}/{one['id']}" for patient in cohort().patients(40) for one in resources_of(patient)]
    assert len(ids) == len(set(ids))


def test_no_fact_is_later_than_the_day_of_the_cohort_or_earlier_than_birth() -> None:
    latest = (AS_OF + timedelta(days=1)).isoformat()
    for patient in cohort().patients(150):
        for lines in patient.lines.values():
            for line in lines:
                days = re.findall(r'"(?:\w*Date\w*|authoredOn|start)":"(\d{4}-\d\d-\d\d)', line)
                assert max(days, default="") < latest, line


def test_the_patients_are_marked_as_test_data_and_bear_no_name_of_anybody() -> None:
    for patient in cohort().patients(20):
        (own,) = (one for one in resources_of(patient) if one["resourceType"] == "Patient")
        assert own["meta"]["security"][0]["code"] == "HTEST"
        assert own["name"][0]["family"] == "Synthetic"


def test_hospitals_never_send_what_they_do_not_have_and_patients_name_theirs() -> None:
    sites = {site.id: site for site in PROPORTIONS.sites}
    for patient in cohort().patients(200):
        assert sites[patient.site].never.isdisjoint(patient.lines)
        assert f'"reference":"Organization/{patient.site}"' in patient.lines["Patient"][0]
    assert {f"Organization/{name}" for name in sites} <= set(shared())


def test_every_drug_that_a_chart_refers_to_is_there() -> None:
    named = {
        reference
        for patient in [*cohort().patients(300), *(one for form in FORMS for one in of_kind(form, 10))]
        for line in patient.lines.get("MedicationRequest", [])
        for reference in re.findall(r'"medicationReference":\{"reference":"([^"]+)"', line)
    }
    assert named
    assert named <= set(shared())
    assert len(shared()) == len(PROPORTIONS.sites) + len(DRUGS)


def test_what_is_missing_is_missing_now_and_then() -> None:
    people = [one for form in ("dermatomyositis", "polymyositis") for one in of_kind(form, 250)]
    assert 0 < sum('"birthDate"' not in one.lines["Patient"][0] for one in people) < 25
    assert 0 < sum('"code":{"text"' in "".join(one.lines["Condition"]) for one in people) < 60
    assert sum('"status":"not-done"' in "".join(one.lines.get("Procedure", [])) for one in people) > 0
    assert sum('"status":"cancelled"' in "".join(one.lines.get("MedicationRequest", [])) for one in people) > 0


def test_lines_of_treatment_follow_each_other_and_fail() -> None:
    treatments = [read(patient).assessment.treatment for patient in of_kind("polymyositis", 120)]
    assert {one.line for one in treatments} == {0, 1, 2, 3}
    assert {one.phase for one in treatments} == {"untreated", "induction", "maintenance"}
    assert any(one.agents(Outcome.FAILED) for one in treatments)
    assert any(one.agents(Outcome.NOT_TOLERATED) for one in treatments)
    assert {agent for one in treatments for agent in one.current} >= {
        "glucocorticoid",
        "methotrexate",
        "azathioprine",
        "rituximab",
    }


def test_enzymes_fall_under_treatment_that_works() -> None:
    fell = 0
    people = [
        one
        for one in of_kind("polymyositis", 80)
        if one.disease and one.disease.is_controlled and one.disease.creatine_kinase > 400
    ]
    for patient in people:
        found = [one for one in resources_of(patient) if one.get("code", {}).get("text", "").startswith("Creatine kinase")]
        values = [one["valueQuantity"]["value"] for one in sorted(found, key=lambda one: one["effectiveDateTime"])]
        fell += len(values) > 1 and values[-1] < values[0]
    assert fell > 0.7 * len(people)
