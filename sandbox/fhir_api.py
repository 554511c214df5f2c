"""The FHIR R4 API of the sandbox: read, search, create, update and delete, as an EHR offers them.

https://hl7.org/fhir/R4/http.html. Searches are for patients by `patient` or `subject`, or for resources by `_id` or `identifier`;
nobody needs a search through all charts. With tokens asked for, every interaction is held against the scopes of the token.
"""

from collections.abc import Callable, Mapping

from flask import Blueprint, Response, request

from sandbox.access import EVERYTHING, Access
from sandbox.capability_statement import capability_statement
from sandbox.chart_store import ChartStore
from sandbox.faults import Fault, spoil
from sandbox.fhir_answers import FHIR_JSON, RefusalError, fhir
from sandbox.fhir_reading import found_by_search, read_resource
from sandbox.fhir_writing import create_resource, delete_resource, update_resource
from sandbox.search_parameters import PARAMETERS

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "Accept, Authorization, Content-Type, If-Match, Prefer",
    "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE",
    "Access-Control-Expose-Headers": "Content-Location, ETag, Location, Retry-After, X-Progress",
}
"""Pages of other origins may call: browser apps, and the public CDS Hooks sandbox. No cookie counts here."""

_FORMATS = ("json", "text/json", "application/json", FHIR_JSON)

Faults = Callable[[], Mapping[str, Fault]]
AccessOf = Callable[[str], Access | None]


def fhir_blueprint(
    store: ChartStore, *, access: AccessOf | None = None, is_open: bool = False, faults: Faults = dict
) -> Blueprint:
    """The API, below `/fhir`.

    Args:
        store: the charts.
        access: what a bearer token grants, None for a token that is not, or not any more, valid; without this no token is looked
            at, and the API is open.
        is_open: serve those without a token too; a token that is sent still counts.
        faults: those that are switched on, by resource type (`*` for every type); they spoil reads and searches.
    """
    blueprint = Blueprint("fhir", __name__, url_prefix="/fhir")

    def granted_for(resource_type: str) -> Access:
        _require_json()
        granted = granted_by_request(access, is_open=is_open)
        if resource_type not in PARAMETERS:
            raise RefusalError(404, "not-supported", "There is no such resource type here.")
        return granted

    @blueprint.get("/metadata")
    def metadata() -> Response:
        return fhir(capability_statement(_base(), store.today(), needs_token=access is not None and not is_open))

    @blueprint.get("/<resource_type>/<resource_id>")
    def read(resource_type: str, resource_id: str) -> Response:
        granted = granted_for(resource_type)
        return _spoilt(resource_type, lambda _: read_resource(store, granted, resource_type, resource_id))

    @blueprint.get("/<resource_type>")
    @blueprint.post("/<resource_type>/_search")
    def search(resource_type: str) -> Response:
        granted = granted_for(resource_type)
        return _spoilt(resource_type, lambda fault: _found(store, granted, resource_type, _page_size(fault)))

    @blueprint.post("/<resource_type>")
    def create(resource_type: str) -> Response:
        return create_resource(store, granted_for(resource_type), resource_type, _base())

    @blueprint.put("/<resource_type>/<resource_id>")
    def update(resource_type: str, resource_id: str) -> Response:
        return update_resource(store, granted_for(resource_type), resource_type, resource_id, _base())

    @blueprint.delete("/<resource_type>/<resource_id>")
    def delete(resource_type: str, resource_id: str) -> Response:
        return delete_resource(store, granted_for(resource_type), resource_type, resource_id)

    def _spoilt(resource_type: str, sound: Callable[[Fault | None], Response]) -> Response:
        switched_on = faults()
        fault = switched_on.get(resource_type) or switched_on.get("*")
        response = sound(fault)
        return spoil(response, fault) if fault and fault.kind != "paginated" else response

    blueprint.add_url_rule("/", view_func=_elsewhere, methods=_METHODS)
    blueprint.add_url_rule("/<path:rest>", view_func=_elsewhere, methods=_METHODS)
    blueprint.register_error_handler(RefusalError, _refuse)
    blueprint.after_request(allow_other_origins)
    return blueprint


def _elsewhere(rest: str = "") -> Response:
    status = 404 if request.method == "GET" else 405
    raise RefusalError(status, "not-supported", "That is not offered here. /fhir/metadata says what is.")


def _refuse(refusal: RefusalError) -> Response:
    return refusal.response


def allow_other_origins(response: Response) -> Response:
    """Let pages of other origins read an answer."""
    response.headers.update(_CORS)
    return response


def granted_by_request(access: AccessOf | None, *, is_open: bool) -> Access:
    """What the request may do, by its bearer token (RFC 6750).

    Args:
        access, is_open: as for `fhir_blueprint`.

    Raises:
        RefusalError: there is no token, or none that is valid.
    """
    given = request.headers.get("Authorization", "")
    if access is None or (is_open and not given):
        return EVERYTHING
    scheme, _, token = given.partition(" ")
    if scheme.lower() != "bearer" or not token:
        challenge = 'Bearer realm="Sandbox EHR"'
        raise RefusalError(401, "login", "Send the access token: Authorization: Bearer.", WWW_Authenticate=challenge)
    granted = access(token)
    if granted is None:
        challenge = 'Bearer realm="Sandbox EHR", error="invalid_token"'
        raise RefusalError(401, "login", "The access token is not known, or has expired.", WWW_Authenticate=challenge)
    return granted


def _require_json() -> None:
    """`_format` of the request (https://hl7.org/fhir/R4/http.html#parameters); an unescaped plus has arrived as a space.

    Raises:
        RefusalError: another format is asked for.
    """
    if request.values.get("_format", "json").replace(" ", "+") not in _FORMATS:
        raise RefusalError(406, "not-supported", f"This server speaks {FHIR_JSON} only.")


def _page_size(fault: Fault | None) -> str | None:
    return fault.value if fault and fault.kind == "paginated" else None


def _found(store: ChartStore, granted: Access, resource_type: str, page_size: str | None) -> Response:
    given = [*request.args.items(multi=True), *request.form.items(multi=True)]
    asked = [(name, value) for name, value in given if name not in ("_format", "_page", *(("_count",) if page_size else ()))]
    if page_size:
        asked.append(("_count", page_size))
    return found_by_search(store, granted, resource_type, asked, _base())


def _base() -> str:
    return f"{request.root_url}fhir"
