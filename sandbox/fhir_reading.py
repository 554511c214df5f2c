"""Reads and searches of the FHIR API: what is there, as far as the token shows it."""

from collections.abc import Iterable
from datetime import datetime
from email.utils import format_datetime
from urllib.parse import urlencode

from flask import Response

from sandbox.access import Access
from sandbox.bundles import Json
from sandbox.chart_store import ChartStore
from sandbox.clinic import PRACTITIONERS, encounter
from sandbox.fhir_answers import RefusalError, fhir
from sandbox.resource_types import PATIENT_OF
from sandbox.search import Asked, UnsupportedQueryError, search
from sandbox.search_parameters import PARAMETERS

_NAMES_PATIENTS = ("patient", "subject")
_NARROW = (*_NAMES_PATIENTS, "_id", "identifier")


def read_resource(store: ChartStore, granted: Access, resource_type: str, resource_id: str) -> Response:
    """One resource.

    Raises:
        RefusalError: it is not there, or not for this token.
    """
    require_type(granted, "read", resource_type)
    found = next(iter(_by_id(store, resource_type, [resource_id])), None)
    if found is None:
        raise RefusalError(404, "not-found", "There is no resource of that type and id.")
    require(granted, "read", found)
    return fhir(found, headers=version_headers(found))


def found_by_search(store: ChartStore, granted: Access, resource_type: str, asked: Asked, base: str) -> Response:
    """A searchset.

    Raises:
        RefusalError: the search is too wide, unknown, or about a patient who is not the token's.
    """
    require_type(granted, "search-type", resource_type)
    if not any(name in _NARROW and value for name, value in asked):
        raise RefusalError(400, "required", f"Search by {_ways(resource_type)}.")
    patients = _patients(resource_type, asked)
    if granted.is_about_another(patients):
        raise _insufficient("The token is for another patient.")
    ids = [one for name, value in asked if name == "_id" for one in value.split(",")]
    found = _by_id(store, resource_type, ids) if ids and not patients else _of_patients(store, resource_type, patients)
    candidates = (each for each in found if granted.allows("search-type", each))
    try:
        bundle = search(resource_type, asked, candidates, base)
    except UnsupportedQueryError as error:
        raise RefusalError(400, "not-supported", f"{error}.") from error
    itself = {"relation": "self", "url": f"{base}/{resource_type}?{urlencode(asked)}"}
    return fhir(bundle | {"link": [*bundle.get("link", []), itself]})


def require_type(granted: Access, interaction: str, resource_type: str) -> None:
    """Whether the token may do that with resources of the type at all.

    Raises:
        RefusalError: no scope says so.
    """
    reads_user = interaction == "read" and granted.user.startswith(f"{resource_type}/")
    if not granted.allows_type(interaction, resource_type) and not reads_user:
        raise _insufficient(f"No scope of the token covers {interaction} of {resource_type}.")


def require(granted: Access, interaction: str, resource: Json) -> None:
    """Whether the token may do that with this resource.

    Raises:
        RefusalError: it is another patient's, or outside of what the scopes cover.
    """
    if not granted.allows(interaction, resource):
        raise _insufficient("The token is for another patient, or its scopes do not cover this resource.")


def version_headers(resource: Json) -> dict[str, str]:
    """`ETag` and `Last-Modified`, of what has versions."""
    meta = resource.get("meta", {})
    if "versionId" not in meta:
        return {}
    updated = format_datetime(datetime.fromisoformat(meta["lastUpdated"]), usegmt=True)
    return {"ETag": f'W/"{meta["versionId"]}"', "Last-Modified": updated}


def _ways(resource_type: str) -> str:
    """What a search of a type has to have one of, in words."""
    return " or ".join(name for name in (*_NAMES_PATIENTS, "identifier", "_id") if name in PARAMETERS[resource_type])


def _insufficient(text: str) -> RefusalError:
    challenge = 'Bearer realm="Sandbox EHR", error="insufficient_scope"'
    return RefusalError(403, "forbidden", text, WWW_Authenticate=challenge)


def _patients(resource_type: str, asked: Asked) -> list[str]:
    """Ids of the patients that a search names; several values with a comma are alternatives."""
    names = (*_NAMES_PATIENTS, "_id") if resource_type == "Patient" else _NAMES_PATIENTS
    return [one.rpartition("/")[2] for name, value in asked if name in names and value for one in value.split(",")]


def _of_patients(store: ChartStore, resource_type: str, patients: list[str]) -> Iterable[Json]:
    charts = [store.chart(patient) for patient in dict.fromkeys(patients)] if patients else store.charts()
    present = [chart for chart in charts if chart is not None]
    if resource_type == "Practitioner":
        return PRACTITIONERS
    if resource_type == "Encounter":
        return [encounter(chart.story, store.today()) for chart in present]
    return [resource for chart in present for resource in chart.of(resource_type)]


def _by_id(store: ChartStore, resource_type: str, ids: Iterable[str]) -> list[Json]:
    """These resources, whosever they are."""
    if resource_type in PATIENT_OF:
        return [found for each in dict.fromkeys(ids) if (found := store.find(resource_type, each))]
    wanted = set(ids)
    return [each for each in _of_patients(store, resource_type, []) if each["id"] in wanted]
