"""Whatever becomes of a chart on its way: never a fault of ours, never a card for somebody without the diagnosis."""

import json
from collections import Counter
from copy import deepcopy
from functools import cache
from random import Random
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhir_profiles.clinical_definitions import definitions
from server.application import create_app
from server.basis import packaged_terminology as terminology
from tests.for_each import for_each
from tests.server.charts import Json, chart, hook_call, order_call, prefetch_of, resources, slugs
from tests.server.conftest import CONFIG
from tests.sizes import size

EXAMPLES = size(500, part=75)
ROUTES = ("whole", "split", "order-sign", "assess")

JUNK: list[Any] = [
    *(None, True, False, 0, -1, 1.5, 10**30, [], {}, [[]], [None], [{}]),
    *(
        "",
        " ",
        "\u0000",
        "x" * 3000,
        "2026-13-45",
        "9999-12-31",
        "0000",
        "2026",
        "-1",
        "Patient/else",
        "#x",
        "urn:uuid:x",
        "\u202e",
    ),
    *({"a": 1}, {"coding": "x"}, {"coding": [None]}, {"reference": 7}, {"resourceType": "Bundle"}),
    {"resourceType": "OperationOutcome", "issue": [{"severity": "error"}]},
]
"""Values that no chart should hold, and values that it may hold elsewhere."""

TYPES = [
    "Patient",
    "Condition",
    "Observation",
    "MedicationRequest",
    "Procedure",
    "Bundle",
    "Medication",
    "Basic",
    "Encounter",
    "",
]


@cache
def client() -> FlaskClient:
    return create_app(CONFIG).test_client()


@cache
def original(slug: str) -> str:
    return json.dumps(chart(slug))


@cache
def diagnosing_concepts() -> frozenset[str]:
    """The concepts that record a myositis."""
    return frozenset(concept for rule in definitions().phenotypes["recorded"].values() for concept in rule["diagnoses"])


@cache
def antibody_concepts() -> frozenset[str]:
    """The concepts of the antibodies that a myositis may be computed from."""
    return frozenset(concept for antibody in definitions().antibodies.values() for concept in antibody.result)


def concepts_of(resource: Json) -> tuple[str, ...]:
    return terminology().concepts_of_codeable(resource.get("code"))[0]


def records_myositis(resource: Json) -> bool:
    return resource["resourceType"] == "Condition" and not diagnosing_concepts().isdisjoint(concepts_of(resource))


def is_antibody(resource: Json) -> bool:
    return resource["resourceType"] == "Observation" and not antibody_concepts().isdisjoint(concepts_of(resource))


def without_diagnosis(slug: str, *, keep_antibodies: bool = False) -> Json:
    """The chart without what records a myositis, and without what one is computed from."""
    bundle: Json = json.loads(original(slug))
    bundle["entry"] = [
        entry
        for entry in bundle["entry"]
        if not records_myositis(entry["resource"]) and (keep_antibodies or not is_antibody(entry["resource"]))
    ]
    return bundle


# --- mutation


def mutate(tree: Any, chance: Random) -> None:
    """Change one member somewhere in the tree, more often deep inside than at the top."""
    parent = tree
    while True:
        places = list(parent) if isinstance(parent, dict) else list(range(len(parent)))
        deeper = [place for place in places if isinstance(parent[place], (dict, list)) and parent[place]]
        if not deeper or chance.random() < 0.1:
            break
        parent = parent[chance.choice(deeper)]
    change(parent, chance.choice(places), chance)


def change(parent: Any, place: Any, chance: Random) -> None:
    action = chance.choice(["delete", "junk", "junk", "wrap", "unwrap", "repeat", "rename", "type"])
    if action == "delete":
        del parent[place]
    elif action == "junk":
        parent[place] = deepcopy(chance.choice(JUNK))
    elif action == "wrap":
        parent[place] = [parent[place]]
    elif action == "unwrap" and isinstance(parent[place], list) and parent[place]:
        parent[place] = parent[place][0]
    elif action == "repeat" and isinstance(parent, list):
        parent.append(deepcopy(parent[place]))
    elif action == "rename" and isinstance(parent, dict):
        parent[chance.choice(["status", "code", "subject", "value", "id", "entry", "x"])] = parent.pop(place)
    elif isinstance(parent, dict) and "resourceType" in parent:
        parent["resourceType"] = chance.choice(TYPES)


def mutated(bundle: Json, seed: int) -> Json:
    chance = Random(seed)
    for _ in range(chance.randint(1, 8)):
        if bundle:
            mutate(bundle, chance)
    return bundle


def send(slug: str, bundle: Json, route: str) -> tuple[int, list[Json]]:
    """Status and cards, of an answer that the client has checked (`tests.server.answers`)."""
    if route == "assess":
        path, body = "/assess?asOf=2026-11-22", bundle
    elif route == "order-sign":
        path, body = "/cds-services/myositis-order-sign", order_call("order-sign", slug, {"chart": bundle}, bundle)
    else:
        prefetch = prefetch_if_possible(bundle) if route == "split" else {"chart": bundle}
        path, body = "/cds-services/myositis-patient-view", hook_call(slug, prefetch)
    response = client().post(path, data=json.dumps(body), content_type="application/json")
    return response.status_code, response.get_json().get("cards", [])


def prefetch_if_possible(bundle: Json) -> Json:
    try:
        return prefetch_of(bundle)
    except (KeyError, TypeError, AttributeError):
        return {"chart": bundle}


# --- what must hold

charts = st.sampled_from(slugs())
seeds = st.integers(0, 2**32)
routes = st.sampled_from(ROUTES)
many = settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.requirement("SAF-16", "IN-10")
@many
@given(charts, seeds, routes)
def test_a_mutated_chart_is_answered_or_refused_but_never_a_fault(slug: str, seed: int, route: str) -> None:
    status, _ = send(slug, mutated(json.loads(original(slug)), seed), route)
    assert status in (200, 400, 412)


@many
@given(charts, seeds, routes)
def test_a_mutated_chart_without_the_diagnosis_never_gets_a_card(slug: str, seed: int, route: str) -> None:
    status, cards = send(slug, mutated(without_diagnosis(slug), seed), route)
    assert status in (200, 400, 412)
    assert cards == []


@pytest.mark.parametrize("slug", slugs())
def test_a_chart_without_the_diagnosis_gets_no_card(slug: str) -> None:
    for route in ROUTES:
        assert send(slug, without_diagnosis(slug), route)[1] == []


@for_each("slug", slugs())
def test_antibodies_alone_give_no_card_when_the_chart_is_opened(slug: str) -> None:
    assert send(slug, without_diagnosis(slug, keep_antibodies=True), "whole")[1] == []


def test_the_mutations_are_neither_harmless_nor_deadly() -> None:
    """Else the two properties above would show nothing."""
    outcomes = Counter[str]()
    for seed in range(100):
        status, cards = send("anti-tif1-gamma-dermatomyositis", mutated(chart("anti-tif1-gamma-dermatomyositis"), seed), "whole")
        outcomes["refused" if status != 200 else "advised" if cards else "silent"] += 1
    assert outcomes["advised"] >= 20
    assert outcomes["refused"] >= 5


def test_the_diagnosis_that_is_removed_is_the_reason_for_the_cards() -> None:
    with_cards = [slug for slug in slugs() if send(slug, chart(slug), "whole")[1]]
    assert len(with_cards) >= 20
    assert all(any(records_myositis(resource) for resource in resources(chart(slug))) for slug in with_cards)
