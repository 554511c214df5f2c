"""Laws of the reader that hold for every input, not for examples only."""

import copy
import random
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_profiles.reader import patients_in, read_drafts
from fhir_profiles.record import InputState, PatientRecord
from tests.fhir_profiles.charts import (
    SHOE_SIZE,
    TODAY,
    Json,
    antibody,
    bundle,
    coded,
    condition,
    everything,
    facts,
    family_history,
    observation,
    patient,
    procedure,
    quantity,
    read,
    request,
    terminology,
    without,
)
from tests.sizes import size

IDENTIFIER, OTHER_IDENTIFIER = ({"system": "https://hospital.example/mrn", "value": value} for value in ("1", "2"))

CHART: list[Json] = [
    patient(identifier=[IDENTIFIER]),
    *everything(),
    condition(id="refuted", verificationStatus=coded("x", "refuted")),
    condition(id="error", verificationStatus=coded("x", "entered-in-error")),
    without(condition(), "id"),
    without(condition(onsetDateTime="2023"), "id"),
    antibody(valueQuantity=quantity(25, "RU/mL"), referenceRange=[{"high": {"value": 20}}]),
    antibody(id="jo1-b", valueString="negative", interpretation=[coded("x", "N")]),
    observation(
        id="panel",
        code=SHOE_SIZE,
        component=[{"code": coded("http://loinc.org", "2157-6"), "valueQuantity": quantity(3, "ukat/L")}],
    ),
    request(
        id="dose",
        dosageInstruction=[
            {
                "doseAndRate": [{"doseQuantity": quantity(20, "mg")}],
                "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
            }
        ],
    ),
    without(request(id="ref", medicationReference={"reference": "Medication/m"}), "medicationCodeableConcept"),
    {"resourceType": "Medication", "id": "m", "code": {"text": "methotrexate"}},
    procedure(id="versioned", meta={"versionId": "1"}),
    procedure(id="versioned", meta={"versionId": "2"}, status="not-done"),
    family_history(),
]
"""A chart with something of everything. Never changed: mutate copies."""

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["Patient/1", "2025", "final"]),
    lambda children: (
        st.lists(children, max_size=4)
        | st.dictionaries(
            st.sampled_from(sorted({name for one in CHART for name in one})) | st.text(max_size=8), children, max_size=6
        )
    ),
    max_leaves=25,
)


def resources_of_any_shape(types: st.SearchStrategy[str]) -> st.SearchStrategy[Json]:
    """Objects with the right type and field names, and anything at all in the fields."""
    names = sorted({name for one in CHART for name in one if name != "resourceType"})
    fields = st.dictionaries(st.sampled_from(names), json_values, max_size=8)
    return st.builds(lambda kind, content: {**content, "resourceType": kind}, types, fields)


known_types = st.sampled_from(sorted({one["resourceType"] for one in CHART} | {"Bundle"}))


# --- never raises (SAF-16) ------------------------------------------------------------------------------------------


@settings(max_examples=size(200, part=30))
@given(st.lists(json_values | resources_of_any_shape(known_types), max_size=5), st.sampled_from(["1", None]))
def test_no_json_breaks_the_reader(parts: list[Any], patient_id: str | None) -> None:
    record = read(*parts, patient_id=patient_id)
    assert isinstance(record, PatientRecord)
    read_drafts(parts, None, terminology=terminology(), as_of=TODAY, patient_id=patient_id)
    patients_in(parts)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place inside a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, child in items for place in places(child, (*path, key)))]


def replaced(resource: Json, place: tuple[Any, ...], value: Any) -> Json:
    changed = copy.deepcopy(resource)
    target: Any = changed
    for key in place[:-1]:
        target = target[key]
    target[place[-1]] = value
    return changed


MUTABLE = [(index, place) for index, resource in enumerate(CHART) for place in places(resource) if place]


@settings(max_examples=size(500, part=75))
@given(st.lists(st.tuples(st.sampled_from(MUTABLE), json_values), min_size=1, max_size=4))
def test_a_resource_spoilt_anywhere_costs_no_other(spoilings: list[tuple[tuple[int, tuple[Any, ...]], Any]]) -> None:
    chart = list(CHART)
    spoilt = set()
    for (index, place), value in spoilings:
        if index not in spoilt:
            chart[index] = replaced(chart[index], place, value)
            spoilt.add(index)
    record = read(bundle(*chart))
    if record.is_mismatched:  # a subject or an id may have become another patient's
        assert facts(record) == []
        return
    intact = {fact for fact in facts(read(bundle(*CHART))) if not _may_depend_on(fact, spoilt)}
    assert intact <= set(facts(record))


def _may_depend_on(fact: Any, spoilt: set[int]) -> bool:
    """A fact depends on its own resource; one by reference also on what it refers to; ids may collide once they are spoilt."""
    touched = [CHART[index] for index in spoilt]
    if any(one["resourceType"] in ("Patient", "Medication", "MedicationRequest") for one in touched):
        return True
    references = {f"{one['resourceType']}/{one.get('id')}" for one in touched}
    types = {one["resourceType"] for one in touched}
    return fact.reference in references or fact.reference.split()[0].split("/")[0] in types


# --- order and company do not matter --------------------------------------------------------------------------------


@given(st.permutations(CHART), st.randoms(use_true_random=False))
def test_the_order_of_entries_leaves_no_trace(order: list[Json], chance: random.Random) -> None:
    cut = chance.randrange(len(order))
    assert read(bundle(*order[:cut]), *order[cut:]) == read(bundle(*CHART))


@given(st.lists(st.sampled_from(CHART), max_size=8))
def test_what_is_sent_twice_counts_once(again: list[Json]) -> None:
    once, twice = read(bundle(*CHART)), read(bundle(*CHART), bundle(*again))
    assert twice == once


irrelevant = st.sampled_from(
    [
        observation(id="extra", code=SHOE_SIZE, valueQuantity=quantity(43, "{eu}")),
        condition(id="extra", code=SHOE_SIZE),
        request(id="extra", medicationCodeableConcept=SHOE_SIZE),
        procedure(id="extra", code=SHOE_SIZE, status="nonsense"),
        {"resourceType": "Organization", "id": "extra"},
        {"resourceType": "CarePlan", "id": "extra", "subject": {"reference": "Patient/1"}},
        family_history(id="extra"),
        {"resourceType": "Bundle", "type": "searchset", "total": 0},
        None,
    ]
)


@given(st.lists(irrelevant, max_size=5))
def test_what_is_none_of_ours_changes_no_fact(extra: list[Any]) -> None:
    plain, crowded = read(bundle(*CHART)), read(bundle(*CHART), *extra)
    assert facts(crowded) == facts(plain)
    assert crowded.issues == plain.issues
    assert {kind: crowded.inputs[kind] for kind in plain.inputs} == dict(plain.inputs)


# --- another patient's data (SAF-01) --------------------------------------------------------------------------------


def by_reference(reference: str) -> Callable[[Json], list[Json]]:
    """Make a resource another patient's by a reference alone."""

    def change(resource: Json) -> list[Json]:
        field = "patient" if "patient" in resource else "subject"
        return [{**resource, "id": "foreign", field: {"reference": reference}}]

    return change


def by_contained_patient(resource: Json) -> list[Json]:
    contained = {"resourceType": "Patient", "id": "p", "identifier": [OTHER_IDENTIFIER]}
    return [{**by_reference("#p")(resource)[0], "contained": [contained]}]


def inside_a_resource_of_ours(resource: Json) -> list[Json]:
    return [observation(id="outer", code=SHOE_SIZE, contained=by_reference("Patient/2")(resource))]


def with_the_other_patient(resource: Json) -> list[Json]:
    return [patient(id="2"), *by_reference("Patient/2")(resource)]


FOREIGN = st.sampled_from(
    [
        *map(
            by_reference,
            [
                "Patient/2",
                "Patient/2/_history/1",
                "https://ehr.example/fhir/Patient/2",
                "https://ehr.example/fhir/Patient/2/_history/4",
                "urn:uuid:99999999-1d5c-4d2f-9f68-3f1f6c0a6a11",
                "urn:oid:2.999.2",
            ],
        ),
        by_contained_patient,
        inside_a_resource_of_ours,
        with_the_other_patient,
    ]
)
SLOTS: list[Callable[[list[Json], list[Json], int], list[Any]]] = [
    lambda chart, foreign, at: [bundle(*chart[:at], *foreign, *chart[at:])],
    lambda chart, foreign, at: [bundle(*chart), *foreign],
    lambda chart, foreign, at: [*foreign, chart],
    lambda chart, foreign, at: [*chart[:at], bundle(*foreign, type="searchset"), *chart[at:]],
    lambda chart, foreign, at: [bundle(*chart, bundle(bundle(*foreign)))],
    lambda chart, foreign, at: [bundle(*chart), [[foreign]]],
]
WITH_SUBJECT = [one for one in CHART if "subject" in one or "patient" in one]


@settings(max_examples=size(1000, part=150))
@given(
    st.lists(st.sampled_from(WITH_SUBJECT), min_size=1, max_size=3),
    FOREIGN,
    st.sampled_from(SLOTS),
    st.integers(0, len(CHART)),
    st.sampled_from(["1", None]),
    st.sampled_from(list(InputState)),
)
def test_another_patients_resource_in_any_slot_type_and_form_leaves_no_fact(
    resources: list[Json],
    make_foreign: Callable[[Json], list[Json]],
    slot: Callable[[list[Json], list[Json], int], list[Any]],
    at: int,
    patient_id: str | None,
    told: InputState,
) -> None:
    """SAF-01: 0 facts of B in A's record, and A's own are not used either."""
    foreign = [one for resource in resources for one in make_foreign(resource)]
    record = read(*slot(CHART, foreign, at), patient_id=patient_id, inputs={"Condition": told})
    assert record.is_mismatched
    assert facts(record) == []
    assert dict(record.refuted) == {}
    assert dict(record.inputs) == {}
    assert "another patient" in record.issues[0].problem


# --- unknown is not no (SAF-07, SAF-08) ------------------------------------------------------------------------------


@given(st.sampled_from(CHART[1:14]), st.sampled_from(["status", "subject", "patient", "code", "modifierExtension"]), json_values)
def test_a_fact_is_lost_only_with_a_trace(resource: Json, field: str, value: Any) -> None:
    """Whatever is done to status, subject, code or modifiers: a fact that is gone was denied in words, or was missed aloud."""
    if field in resource or field == "modifierExtension":
        record = read(CHART[0], {**resource, field: value})
        kind = resource["resourceType"]
        silent = not facts(record) and not record.issues and not record.is_mismatched
        if silent:
            assert record.inputs[kind] is InputState.PRESENT
            assert field in ("code", "status") or not value  # another code, or a status that says "no"
            assert field != "status" or isinstance(value, str)
