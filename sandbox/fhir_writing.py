"""Writes of the FHIR API: create, update and delete, validated and held against scopes and versions."""

import re

from flask import Response, request

from sandbox.access import Access
from sandbox.bundles import Json
from sandbox.chart_store import ChartStore, VersionConflictError
from sandbox.fhir_answers import FHIR_JSON, RefusalError, fhir, read_json
from sandbox.fhir_reading import require, require_type, version_headers
from sandbox.fhir_validation import problems
from sandbox.resource_types import WRITABLE

_MEDIA_TYPES = (FHIR_JSON, "application/json")
_VERSION = re.compile(r'(?:W/)?"([^"]+)"')
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}", re.ASCII)


def create_resource(store: ChartStore, granted: Access, resource_type: str, base: str) -> Response:
    """Put the resource of the request on its patient's chart.

    Raises:
        RefusalError: it is not sound, or not for this token.
    """
    _require_writable(resource_type)
    require_type(granted, "create", resource_type)
    resource = _resource_of_request(resource_type)
    require(granted, "create", resource)
    try:
        created = store.create(resource)
    except ValueError as error:
        raise _about_nobody(error) from error
    return _written(created, 201, base)


def update_resource(store: ChartStore, granted: Access, resource_type: str, resource_id: str, base: str) -> Response:
    """Put the resource of the request in place of the one with its id, or create it with that id.

    Raises:
        RefusalError: as for `create_resource`, or it has another version than `If-Match` says.
    """
    _require_writable(resource_type)
    require_type(granted, "update", resource_type)
    resource = _resource_of_request(resource_type)
    if resource.get("id") != resource_id or not _ID.fullmatch(resource_id):
        raise RefusalError(400, "invalid", "The id of the resource and that of the URL have to be the same FHIR id.")
    before = store.find(resource_type, resource_id)
    for each in (before, resource):
        if each is not None:
            require(granted, "update", each)
    try:
        updated = store.update(resource, if_version=_expected_version())
    except VersionConflictError as error:
        raise _conflict() from error
    except ValueError as error:
        raise _about_nobody(error) from error
    return _written(updated, 200 if before else 201, base)


def delete_resource(store: ChartStore, granted: Access, resource_type: str, resource_id: str) -> Response:
    """Take a resource away.

    Raises:
        RefusalError: it is not for this token, or has another version than `If-Match` says.
    """
    _require_writable(resource_type)
    require_type(granted, "delete", resource_type)
    if found := store.find(resource_type, resource_id):
        require(granted, "delete", found)
    try:
        store.delete(resource_type, resource_id, if_version=_expected_version() if found else None)
    except VersionConflictError as error:
        raise _conflict() from error
    return Response(status=204)


def _require_writable(resource_type: str) -> None:
    if resource_type not in WRITABLE:
        raise RefusalError(405, "not-supported", "That type can only be read here. /fhir/metadata says what can be written.")


def _resource_of_request(resource_type: str) -> Json:
    if request.mimetype not in _MEDIA_TYPES:
        raise RefusalError(415, "not-supported", f"Send {FHIR_JSON}.")
    resource = read_json(request.get_data())
    if not isinstance(resource, dict) or resource.get("resourceType") != resource_type:
        raise RefusalError(400, "invalid", "The body is not a resource of the type that the URL names.")
    if issues := problems(resource):
        refusal = RefusalError(422, "structure", "The resource is not as FHIR R4 has it.")
        refusal.response = fhir({"resourceType": "OperationOutcome", "issue": issues}, 422)
        raise refusal
    return resource


def _expected_version() -> str | None:
    given = request.headers.get("If-Match")
    if given is None:
        return None
    version = _VERSION.fullmatch(given.strip())
    if version is None:
        raise RefusalError(400, "invalid", 'If-Match has to name one version, such as W/"3".')
    return version[1]


def _conflict() -> RefusalError:
    return RefusalError(412, "conflict", "The resource has another version by now. Read it again.")


def _about_nobody(error: ValueError) -> RefusalError:
    return RefusalError(422, "business-rule", f"{error}.")


def _written(resource: Json, status: int, base: str) -> Response:
    location = {"Location": f"{base}/{resource['resourceType']}/{resource['id']}"} if status == 201 else {}
    return fhir(resource, status, version_headers(resource) | location)
