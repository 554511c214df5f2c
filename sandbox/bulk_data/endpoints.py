"""The endpoints of Bulk Data Access, below `/fhir`, and the Groups that can be exported."""

from collections.abc import Callable, Collection, Mapping, Sequence
from time import time

from flask import Blueprint, Response, request

from sandbox.access import Access
from sandbox.bulk_data.exports import Exports
from sandbox.bulk_data.gathering import OF_PATIENTS, OF_THE_SYSTEM
from sandbox.bulk_data.groups import groups, members
from sandbox.bulk_data.jobs import Jobs
from sandbox.bundles import Json
from sandbox.chart_store import ChartStore
from sandbox.faults import Fault
from sandbox.fhir_answers import RefusalError, fhir
from sandbox.fhir_api import AccessOf, allow_other_origins, granted_by_request

PER_FILE = 100
"""Most resources of one file: small, so that many types have several."""


def bulk_data_blueprint(
    store: ChartStore,
    *,
    access: AccessOf | None = None,
    is_open: bool = False,
    faults: Callable[[], Mapping[str, Fault]] = dict,
    per_file: int = PER_FILE,
    now: Callable[[], float] = time,
) -> Blueprint:
    """`$export`, the status and the files of what was begun, and `Group`.

    Args:
        store: the charts.
        access, is_open, faults: as for `fhir_blueprint`; of the faults only `$export` counts here (`sandbox.bulk_data.faults`).
        per_file: most resources of one file.
        now: the clock, seconds since 1970.
    """
    blueprint = Blueprint("bulk_data", __name__, url_prefix="/fhir")
    exports = Exports(store, Jobs(now), per_file, faults)

    def granted() -> Access:
        return granted_by_request(access, is_open=is_open)

    def begun(offered: Sequence[str], patients: Collection[str] | None = None) -> Response:
        job = exports.begin(request, granted(), offered, patients)
        return Response(status=202, headers={"Content-Location": _status_url(job.id)})

    @blueprint.route("/$export", methods=["GET", "POST"])
    def export_everything() -> Response:
        return begun(OF_THE_SYSTEM)

    @blueprint.route("/Patient/$export", methods=["GET", "POST"])
    def export_patients() -> Response:
        return begun(OF_PATIENTS)

    @blueprint.route("/Group/<group_id>/$export", methods=["GET", "POST"])
    def export_group(group_id: str) -> Response:
        granted()  # before anybody is told which groups there are
        return begun(OF_PATIENTS, members(_group(store, group_id)))

    @blueprint.get("/bulk-data/<job_id>")
    def status(job_id: str) -> Response:
        needs_token = access is not None and not (is_open and "Authorization" not in request.headers)
        return exports.status(exports.find(job_id, granted()), _status_url(job_id), needs_token=needs_token)

    @blueprint.delete("/bulk-data/<job_id>")
    def delete(job_id: str) -> Response:
        exports.delete(exports.find(job_id, granted()))
        return Response(status=202)

    @blueprint.get("/bulk-data/<job_id>/<name>")
    def file(job_id: str, name: str) -> Response:
        return exports.file(exports.find(job_id, granted()), name, request)

    _add_groups(blueprint, store, granted)
    blueprint.register_error_handler(RefusalError, _refuse)
    blueprint.after_request(allow_other_origins)
    return blueprint


def _add_groups(blueprint: Blueprint, store: ChartStore, granted: Callable[[], Access]) -> None:
    """Read and search of Groups: how a client finds what it may export ("Endpoint - Group of Patients")."""

    @blueprint.get("/Group/<group_id>")
    def read_group(group_id: str) -> Response:
        _require_group(granted(), "read")
        return fhir(_group(store, group_id))

    @blueprint.get("/Group")
    def search_groups() -> Response:
        _require_group(granted(), "search-type")
        if set(request.args) - {"_id", "_format"}:
            raise RefusalError(400, "not-supported", "Groups are searched by _id, or all of them.")
        ids = [one for value in request.args.getlist("_id") for one in value.split(",")]
        return fhir(_searchset([group for group in groups(store.charts()) if not ids or group["id"] in ids]))

    @blueprint.route("/Group", methods=["POST", "PUT", "PATCH", "DELETE"])
    @blueprint.route("/Group/<group_id>", methods=["POST", "PUT", "PATCH", "DELETE"])
    def write_group(group_id: str = "") -> Response:
        raise RefusalError(405, "not-supported", "Groups come from the stories, none can be changed.")


def _require_group(granted: Access, interaction: str) -> None:
    """A Group names many patients, so that a token for one patient does not open it, whatever types it covers."""
    if granted.patient is not None or not granted.allows_type(interaction, "Group"):
        challenge = 'Bearer realm="Sandbox EHR", error="insufficient_scope"'
        raise RefusalError(403, "forbidden", "The token does not cover Groups.", WWW_Authenticate=challenge)


def _group(store: ChartStore, group_id: str) -> Json:
    found = next((group for group in groups(store.charts()) if group["id"] == group_id), None)
    if found is None:
        raise RefusalError(404, "not-found", "There is no such Group. GET /fhir/Group lists them.")
    return found


def _searchset(found: Sequence[Json]) -> Json:
    base = f"{request.root_url}fhir"
    entries = [{"fullUrl": f"{base}/Group/{one['id']}", "resource": one, "search": {"mode": "match"}} for one in found]
    bundle: Json = {"resourceType": "Bundle", "type": "searchset", "total": len(found)}
    bundle["link"] = [{"relation": "self", "url": request.url}]
    return bundle | ({"entry": entries} if entries else {})


def _status_url(job_id: str) -> str:
    return f"{request.root_url}fhir/bulk-data/{job_id}"


def _refuse(refusal: RefusalError) -> Response:
    return refusal.response
