"""The FHIR R4 API of the sandbox: read and search, as an EHR offers them to a service that calls back.

https://hl7.org/fhir/R4/http.html: `metadata`, `[type]/[id]`, `[type]?…`, and searches by POST. Searches are for one patient at a
time, by `patient`, `subject` or `_id`.
"""

import hmac
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from urllib.parse import parse_qs, urlencode

from flask import Blueprint, Response, request

from sandbox.bundles import Json
from sandbox.charts import Chart, load_charts
from sandbox.faults import FHIR_JSON, Fault, outcome, read_faults, spoil
from sandbox.search import SORT_BY_DATE, UnsupportedQueryError, answer

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_TYPES = ("Patient", *SORT_BY_DATE)


def fhir_blueprint(today: Callable[[], date], *, token: str | None = None, faults: Path | None = None) -> Blueprint:
    """The API, below `/fhir`.

    Args:
        today: the day that the stories are moved to.
        token: the bearer token to ask for; None for an open server.
        faults: file of the faults that are switched on, see `sandbox.faults`.
    """
    blueprint = Blueprint("fhir", __name__, url_prefix="/fhir")
    charts = load_charts()

    @blueprint.get("/metadata")
    def metadata() -> Response:
        return Response(json.dumps(_capabilities(today())), content_type=FHIR_JSON)

    @blueprint.get("/<resource_type>/<resource_id>")
    def read(resource_type: str, resource_id: str) -> Response:
        return _spoilt(resource_type, lambda _: _read(resource_type, resource_id, charts, today()))

    @blueprint.get("/<resource_type>")
    def search(resource_type: str) -> Response:
        return _spoilt(resource_type, lambda fault: _search(resource_type, _asked(fault), charts, today()))

    @blueprint.post("/<resource_type>/_search")
    def search_by_post(resource_type: str) -> Response:
        return _spoilt(resource_type, lambda fault: _search(resource_type, _asked(fault), charts, today()))

    def _spoilt(resource_type: str, sound: Callable[[Fault | None], Response]) -> Response:
        given = request.headers.get("Authorization", "")
        if token is not None and not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
            return outcome(401, "error", "login", "Send the access token: Authorization: Bearer.")
        if resource_type not in _TYPES:
            return outcome(404, "error", "not-supported", "There is no such resource type here.")
        switched_on = read_faults(faults)
        fault = switched_on.get(resource_type) or switched_on.get("*")
        response = sound(fault)
        return spoil(response, fault) if fault and fault.kind != "paginated" else response

    @blueprint.route("/", defaults={"rest": ""}, methods=_METHODS)
    @blueprint.route("/<path:rest>", methods=_METHODS)
    def elsewhere(rest: str) -> Response:
        status = 404 if request.method == "GET" else 405
        return outcome(status, "error", "not-supported", "That is not offered here. /fhir/metadata says what is.")

    return blueprint


def _asked(fault: Fault | None) -> dict[str, str]:
    """The parameters of the URL and of a form; repeated ones are alternatives to us."""
    given = parse_qs(request.query_string.decode("latin-1"), keep_blank_values=True)
    for name, values in request.form.lists():
        given.setdefault(name, []).extend(values)
    asked = {name: ",".join(values) for name, values in given.items()}
    return asked | ({"_count": fault.value} if fault and fault.kind == "paginated" else {})


def _read(resource_type: str, resource_id: str, charts: dict[str, Chart], today: date) -> Response:
    for chart in charts.values():
        if any(found["id"] == resource_id for found in chart.of(resource_type)):
            return _fhir(answer(f"{resource_type}/{resource_id}", chart.as_of(today), _base()))
    return outcome(404, "error", "not-found", "There is no resource of that type and id.")


def _search(resource_type: str, asked: dict[str, str], charts: dict[str, Chart], today: date) -> Response:
    asked.pop("_format", None)
    ours = _chart_of(resource_type, asked, charts)
    if ours is None:
        return outcome(400, "error", "required", "Search by patient, by subject, or by _id.")
    asked.pop("_page", None)
    try:
        return _fhir(answer(f"{resource_type}?{urlencode(asked)}", ours.as_of(today), _base()))
    except UnsupportedQueryError as error:
        return outcome(400, "error", "not-supported", f"{error}.")


def _chart_of(resource_type: str, asked: dict[str, str], charts: dict[str, Chart]) -> Chart | None:
    """The chart that a search is about; any other for a patient who is not here, in which nothing will be found."""
    anyone = next(iter(charts.values()))
    patient = asked.get("patient") or asked.get("subject")
    if patient:
        return charts.get(patient.removeprefix("Patient/"), anyone)
    if "_id" not in asked:
        return None
    ids = asked["_id"].split(",")
    return next((chart for chart in charts.values() if any(one["id"] in ids for one in chart.of(resource_type))), anyone)


def _base() -> str:
    return f"{request.root_url}fhir"


def _fhir(resource: Json | None) -> Response:
    return Response(json.dumps(resource), content_type=FHIR_JSON)


def _capabilities(today: date) -> Json:
    """https://hl7.org/fhir/R4/capabilitystatement.html."""
    resources = [
        {
            "type": resource_type,
            "interaction": [{"code": "read"}, {"code": "search-type"}],
            "searchParam": [{"name": "_id", "type": "token"}]
            + ([{"name": "patient", "type": "reference"}] if resource_type != "Patient" else []),
        }
        for resource_type in _TYPES
    ]
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": today.isoformat(),
        "kind": "instance",
        "implementation": {"description": "The sandbox of myositis-cds: synthetic patients", "url": _base()},
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "rest": [{"mode": "server", "resource": resources}],
    }
