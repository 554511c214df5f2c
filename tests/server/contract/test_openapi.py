"""The OpenAPI document: complete, and about this service and no other."""

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from server import errors
from server.application import create_app
from server.cds_hooks.services import SERVICES
from server.contract.schema_files import schemas
from server.errors import RequestRefusedError
from tests.server.charts import Json, dermatomyositis, hook_call
from tests.server.conftest import CONFIG

OUTSIDE = ("/fhir", "/guidelines", "/sandbox", "/smart", "/connect", "/metrics", "/static", "/.well-known")
"""Pages, FHIR and our JWK Set have descriptions of their own."""


@pytest.fixture
def document(client: FlaskClient) -> Json:
    response = client.get("/openapi.json")
    assert (response.status_code, response.content_type) == (200, "application/json")
    found: Json = response.get_json()
    return found


def operations(document: Json) -> dict[str, Json]:
    return {
        f"{method.upper()} {path}": operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in ("get", "post")
    }


def references(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*(references(item) for item in value.values()))
    return set().union(*(references(item) for item in value)) if isinstance(value, list) else set()


def test_every_service_and_its_feedback_is_described(document: Json) -> None:
    for service in SERVICES.values():
        call = document["paths"][f"/cds-services/{service.id}"]["post"]
        assert call["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith(f"/request-{service.hook}")
        feedback = document["paths"][f"/cds-services/{service.id}/feedback"]["post"]
        assert feedback["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("/feedback")


def test_both_forms_of_an_answer_are_described(document: Json) -> None:
    for service in SERVICES.values():
        answer = document["paths"][f"/cds-services/{service.id}"]["post"]["responses"]["200"]
        forms = [one["$ref"].rpartition("/")[2] for one in answer["content"]["application/json"]["schema"]["anyOf"]]
        assert forms == ["response", "response-1.0"]
        assert "dialect 1.0" in answer["description"]


def test_every_path_of_the_service_is_described_but_those_of_people_and_of_fhir(document: Json) -> None:
    described = {re.sub(r"/myositis-[a-z-]+", "/{}", re.sub(r"\{.*?\}", "{}", path)) for path in document["paths"]}
    rules = {re.sub(r"<.*?>", "{}", rule.rule) for rule in create_app(CONFIG).url_map.iter_rules()}
    ours = {rule for rule in rules if not rule.startswith(OUTSIDE) and "//" not in rule and rule != "/"}
    assert ours - described <= {"/cds-services/"}


def test_every_reference_within_the_document_leads_to_something(document: Json) -> None:
    for reference in references(document):
        at: Any = document
        for step in reference.removeprefix("#/").split("/"):
            at = at[step]


@pytest.mark.parametrize("name", list(schemas()))
def test_every_schema_is_embedded_and_says_the_same_as_the_file(document: Json, name: str) -> None:
    resource = Resource(contents=document, specification=DRAFT202012)
    embedded = Draft202012Validator(
        {"$ref": f"urn:x#/components/schemas/{name}"}, registry=Registry().with_resource("urn:x", resource)
    )
    Draft202012Validator.check_schema(document["components"]["schemas"][name])
    for example in schemas()[name].get("examples", ()):
        assert list(embedded.iter_errors(example)) == []
        assert list(embedded.iter_errors(example | {"hook": 7, "feedback": 7})) != []


@pytest.mark.requirement("H-3", "H-4", "H-5")
def test_every_refusal_is_an_operation_outcome_and_named_with_its_number(document: Json) -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, RequestRefusedError)]
    answers = document["components"]["responses"]
    for kind in kinds:
        if kind is not RequestRefusedError:
            assert kind.number in answers[f"refusal-{kind.status}"]["description"]
    for answer in answers.values():
        assert answer["content"] == {"application/fhir+json": {"schema": {"$ref": "#/components/schemas/operation-outcome"}}}


def test_what_needs_a_token_says_so_and_what_is_open_says_that(document: Json) -> None:
    assert document["components"]["securitySchemes"]["clientToken"]["bearerFormat"] == "JWT"
    for name, operation in operations(document).items():
        is_open = name.partition(" ")[2].startswith(("/health", "/schemas", "/openapi"))
        assert operation.get("security", document["security"]) == ([{}] if is_open else [{}, {"clientToken": []}])
        assert is_open or "401" in operation["responses"]


def test_the_server_is_the_configured_public_url() -> None:
    config = type(CONFIG)(public_url="https://cds.example/myositis")
    assert create_app(config).test_client().get("/openapi.json").get_json()["servers"] == [
        {"url": "https://cds.example/myositis"}
    ]


def test_operations_have_names_of_their_own(document: Json) -> None:
    names = [operation["operationId"] for operation in operations(document).values()]
    assert len(set(names)) == len(names)


def test_an_answer_is_of_a_status_that_is_described(client: FlaskClient, document: Json) -> None:
    path = "/cds-services/myositis-patient-view"
    for body in ({}, hook_call("p1", {}), hook_call("p1", dermatomyositis())):
        assert str(client.post(path, json=body).status_code) in document["paths"][path]["post"]["responses"]
