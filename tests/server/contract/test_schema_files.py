"""The published schemas: sound, linked, and the very ones that requests are held against."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator

from cards.override_reasons import override_reasons
from server.cds_hooks import envelope
from server.cds_hooks.services import SERVICES
from server.contract.schema_files import BASE, schemas, validator
from tests.server.answers import check_schema
from tests.server.charts import Json

NAMES = list(schemas())
INCOMING = [name for name in NAMES if name.startswith("request") or name == "feedback"]

CONSTRAINTS = {"type", "pattern", "enum", "maxItems", "maxLength"}


def inner(value: Any) -> Iterator[Json]:
    """Every schema within a schema that can refuse something; a condition (`if`) cannot."""
    if isinstance(value, dict):
        yield value
    parts = [item for name, item in value.items() if name != "if"] if isinstance(value, dict) else value
    for item in parts if isinstance(parts, list) else ():
        yield from inner(item)


def test_there_is_a_schema_for_everything_that_the_standard_names() -> None:
    requests = {f"request-{service.hook}" for service in SERVICES.values()}
    assert {"discovery", "response", "card", "response-1.0", "card-1.0", "feedback", *requests} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_sound_and_its_id_is_where_it_is_served(name: str) -> None:
    document = schemas()[name]
    Draft202012Validator.check_schema(document)
    assert document["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert document["$id"] == f"https://myositis-cds.example/schemas/{name}.schema.json" == f"{BASE}{name}.schema.json"
    assert document["title"]


@pytest.mark.parametrize("name", NAMES)
def test_every_reference_leads_to_something(name: str) -> None:
    resolver = validator(name)._resolver
    for schema in inner(schemas()[name]):
        if "$ref" in schema:
            assert isinstance(resolver.lookup(schema["$ref"]).contents, dict)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_served_is_the_file(client: FlaskClient, name: str) -> None:
    response = client.get(f"/schemas/{name}.schema.json")
    assert (response.status_code, response.content_type) == (200, "application/schema+json")
    assert response.get_json(force=True) == schemas()[name]
    assert response.headers["ETag"]
    again = client.get(f"/schemas/{name}.schema.json", headers={"If-None-Match": response.headers["ETag"]})
    assert again.status_code == 304


@pytest.mark.parametrize(
    "path", ["unknown.schema.json", "card", "card.schema.json.schema.json", ".schema.json", "../card.schema.json"]
)
def test_a_schema_that_does_not_exist_is_not_found(client: FlaskClient, path: str) -> None:
    assert client.get(f"/schemas/{path}").status_code == 404


@pytest.mark.requirement("R-8")
def test_requests_are_held_against_the_published_schemas_and_no_others() -> None:
    assert {service.hook: validator(f"request-{service.hook}") for service in SERVICES.values()} == envelope._REQUESTS
    assert all(one.schema is schemas()[f"request-{hook}"] for hook, one in envelope._REQUESTS.items())


@pytest.mark.parametrize("name", INCOMING)
def test_whatever_can_be_wrong_with_a_request_has_words_for_it(name: str) -> None:
    """A refusal says `must be …` with the description beside the broken rule."""
    for schema in inner({key: value for key, value in schemas()[name].items() if key != "examples"}):
        if CONSTRAINTS & set(schema) and isinstance(schema.get("type", ""), (str, list)):
            assert re.match(r"(a|an|the|accepted) ", schema["description"]), schema


@pytest.mark.parametrize("name", INCOMING)
def test_no_schema_of_what_comes_in_forbids_a_member(name: str) -> None:
    forbidding = {"additionalProperties", "unevaluatedProperties", "propertyNames", "not"}
    assert [schema for schema in inner(schemas()[name]) if forbidding & set(schema)] == []


@pytest.mark.requirement("I-2.1", "I-2.2", "I-2.3", "I-2.4")
@pytest.mark.parametrize("service", SERVICES.values(), ids=list(SERVICES))
def test_the_example_of_a_request_is_accepted_and_answered_with_a_card(client: FlaskClient, service: Any) -> None:
    (example,) = schemas()[f"request-{service.hook}"]["examples"]
    assert set(example["context"]) >= {"userId", "patientId", "encounterId"}
    response = client.post(f"/cds-services/{service.id}", json=example)
    assert response.status_code == 200
    assert response.get_json()["cards"]


@pytest.mark.requirement("F-7", "C-13")
def test_the_example_of_feedback_names_a_reason_that_our_cards_offer() -> None:
    (example,) = schemas()["feedback"]["examples"]
    check_schema("feedback", example)
    assert [item["overrideReason"]["reason"] in override_reasons() for item in example["feedback"]] == [True]


@pytest.mark.requirement("F-2", "F-3", "F-4", "F-6", "F-7", "F-8")
@pytest.mark.parametrize(
    "change",
    [
        {},
        {"card": "123456"},
        {"outcomeTimestamp": "2026-11-22T10:00:00.123Z"},
        {"outcome": "accepted", "acceptedSuggestions": [{"id": "1"}]},
        {"overrideReason": {"reason": {"code": "patient-refuses"}}},
        {"overrideReasons": {"userComment": "Seen.", "extension": {"com.example": {}}}},
        {"overrideReason": None},
    ],
)
def test_feedback_as_real_clients_send_it_is_valid(change: Json) -> None:
    entry = {"card": "9f5c8a3e-6a0c-4d8e-9c1b-2f5d7c1f0a11", "outcome": "overridden", "outcomeTimestamp": "2026-11-22T10:00:00Z"}
    assert list(validator("feedback").iter_errors({"feedback": [entry | change]})) == []


@pytest.mark.requirement("F-2", "F-3", "F-4", "F-5", "F-6", "FB-04")
@pytest.mark.parametrize(
    "change",
    [
        {"card": ""},
        {"card": 7},
        {"outcome": "ignored"},
        {"outcomeTimestamp": "yesterday"},
        {"outcomeTimestamp": "2026-11-22T10:00:00Z\n"},
        {"acceptedSuggestions": ["1"]},
        {"overrideReason": "no"},
        {"overrideReason": {"userComment": 7}},
    ],
)
def test_feedback_that_cannot_be_counted_is_not(change: Json) -> None:
    entry = {"card": "1", "outcome": "accepted", "outcomeTimestamp": "2026-11-22T10:00:00Z"}
    assert list(validator("feedback").iter_errors({"feedback": [entry | change]})) != []
    assert list(validator("feedback").iter_errors({"feedback": [entry] * 201})) != []
