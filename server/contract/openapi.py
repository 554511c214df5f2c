"""The OpenAPI 3.1 document: made from the services, the schemas and the refusals, so that it says what they do."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from server import errors
from server.build_information import software_version
from server.cds_hooks.services import SERVICES, Service
from server.contract.schema_files import SUFFIX, schemas
from server.error_answers import FHIR_JSON
from server.errors import RequestRefusedError

Json = dict[str, Any]

JSON_SCHEMA = "application/schema+json"
_JSON = "application/json"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"

# What can be refused where, by the families of our numbers (`server/errors.py`) and the statuses of the framework.
_BODY = ("MYO-10", "MYO-12")
_HOOK = (*_BODY, "MYO-11")
_FEEDBACK = (*_HOOK, "MYO-16")
_FRAMEWORK = (400, 404, 405, 413, 415, 500, 503)


def openapi(public_url: str) -> Json:
    """The document.

    Args:
        public_url: where clients reach the service.
    """
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": _DIALECT,
        "info": {
            "title": "myositis-cds",
            "summary": "CDS Hooks 2.0.1 service for inflammatory myopathies.",
            "description": "Not a medical device, not clinically validated.",
            "version": software_version(),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": public_url}],
        "security": [{}, {"clientToken": []}],
        "paths": dict(_paths()),
        "components": _components(),
    }


@cache
def _components() -> Json:
    """The same wherever the service is reached."""
    return {
        "schemas": {name: _embedded(name, document) for name, document in schemas().items()},
        "responses": {f"refusal-{status}": _refusal(status) for status in _statuses(("MYO-",))},
        "securitySchemes": {
            "clientToken": {
                "type": "http",
                "scheme": "bearer",
                "bearerFormat": "JWT",
                "description": "The token of a registered client, as CDS Hooks 2.0.1 describes it. A service without "
                "registered clients answers its own machine only, and everybody there.",
            }
        },
    }


def _paths() -> Iterator[tuple[str, Json]]:
    yield "/cds-services", _get("discovery", "Which services there are", _answer("discovery"), (401, 405, 429, 500, 503))
    for service in SERVICES.values():
        yield f"/cds-services/{service.id}", {"post": _call(service)}
        yield f"/cds-services/{service.id}/feedback", {"post": _feedback(service)}
    yield "/assess", {"post": _assess()}
    for name in ("live", "ready"):
        yield f"/health/{name}", _get(name, f"Whether the service is {name}", _answer("health"), (405, 500, 503), is_open=True)
    yield "/schemas/{name}", _get("schema", "A schema", _any(JSON_SCHEMA), (404, 405, 429, 500), is_open=True) | _schema_name()
    yield "/openapi.json", _get("openapi", "This document", _any(_JSON), (405, 429, 500), is_open=True)


def _get(name: str, summary: str, answers: Json, refused: Iterable[int], *, is_open: bool = False) -> Json:
    operation = {"operationId": name, "summary": summary, "responses": answers | _refusals(refused)}
    return {"get": operation | ({"security": [{}]} if is_open else {})}


def _call(service: Service) -> Json:
    return {
        "operationId": service.id,
        "summary": service.title,
        "description": f"{service.description}\n\n{service.usage}",
        "requestBody": _body(f"request-{service.hook}"),
        "responses": _cards() | _refusals(_statuses(_HOOK)),
    }


def _feedback(service: Service) -> Json:
    return {
        "operationId": f"{service.id}-feedback",
        "summary": f"What became of the cards. {service.title}",
        "requestBody": _body("feedback"),
        "responses": _kept() | _refusals(_statuses(_FEEDBACK)),
    }


def _assess() -> Json:
    parameters = {"patient": "Id of the patient, where the input holds several.", "asOf": "The day to assess for: YYYY-MM-DD."}
    return {
        "operationId": "assess",
        "summary": "What is known of one patient: a FHIR R4 Bundle, a resource, or a list of them",
        "parameters": [
            {"name": name, "in": "query", "description": text, "schema": {"type": "string"}} for name, text in parameters.items()
        ],
        "requestBody": {"required": True, "content": {_JSON: {"schema": _fhir_input()}}},
        "responses": _answer("assess") | _refusals(_statuses((*_BODY, "MYO-13"))),
    }


def _schema_name() -> Json:
    names = [f"{name}{SUFFIX}" for name in schemas()]
    return {"parameters": [{"name": "name", "in": "path", "required": True, "schema": {"enum": names}}]}


def _body(schema: str) -> Json:
    return {"required": True, "content": {_JSON: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}}


def _answer(schema: str) -> Json:
    content = {_JSON: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"200": {"description": schemas()[schema]["title"], "content": content}}


def _cards() -> Json:
    """A client that is registered with the dialect 1.0 gets what CDS Hooks 1.0 knows, every other one the cards of 2.0.1."""
    either = [{"$ref": f"#/components/schemas/{name}"} for name in ("response", "response-1.0")]
    description = (
        "Cards. For clients that are registered with the dialect 1.0, as response-1.0 says; for all others as response says."
    )
    return {"200": {"description": description, "content": {_JSON: {"schema": {"anyOf": either}}}}}


def _any(content_type: str) -> Json:
    return {"200": {"description": "The document.", "content": {content_type: {"schema": {"type": "object"}}}}}


def _kept() -> Json:
    """No version of CDS Hooks says what is answered to feedback (F-10): an OperationOutcome says what was kept."""
    content = {FHIR_JSON: {"schema": {"$ref": "#/components/schemas/operation-outcome"}}}
    return {"200": {"description": "Read, and not to be sent again; says what could not be kept.", "content": content}}


def _fhir_input() -> Json:
    """Of FHIR itself only that much; the reading is tolerant. The example is the problem list of the hooks' example."""
    resource = {"type": "object", "required": ["resourceType"], "properties": {"resourceType": {"type": "string"}}}
    (example,) = schemas()["request-patient-view"]["examples"]
    return {"anyOf": [resource, {"type": "array", "items": resource}], "examples": [example["prefetch"]["conditions"]]}


# --- refusals


def _statuses(families: tuple[str, ...]) -> tuple[int, ...]:
    ours = {kind.status for kind in _kinds() if kind.number.startswith(families)}
    return tuple(sorted(ours | set(_FRAMEWORK)))


def _refusals(statuses: Iterable[int]) -> Json:
    return {str(status): {"$ref": f"#/components/responses/refusal-{status}"} for status in statuses}


def _refusal(status: int) -> Json:
    kinds = [kind for kind in _kinds() if kind.status == status]
    ours = "\n".join(f"- {kind.number}: {(kind.__doc__ or '').partition('(')[0].strip()}" for kind in kinds)
    content = {FHIR_JSON: {"schema": {"$ref": "#/components/schemas/operation-outcome"}}}
    return {"description": ours or "Refused by the HTTP layer, or a fault of the service.", "content": content}


def _kinds() -> list[type[RequestRefusedError]]:
    found = (kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, RequestRefusedError))
    return sorted((kind for kind in found if kind is not RequestRefusedError), key=lambda kind: kind.number)


# --- schemas within this document


def _embedded(name: str, document: Mapping[str, Any]) -> Json:
    """A schema as a component: without an identity of its own, its references leading to the other components."""
    return {key: _rewired(name, value) for key, value in document.items() if key not in ("$schema", "$id")}


def _rewired(name: str, value: Any) -> Any:
    if isinstance(value, list):
        return [_rewired(name, item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: _component(name, item) if key == "$ref" else _rewired(name, item) for key, item in value.items()}


def _component(name: str, reference: str) -> str:
    file, _, place = reference.partition("#")
    return f"#/components/schemas/{file.removesuffix(SUFFIX) or name}{place}"
