"""A FHIR read or search, answered from one chart in memory: just what prefetch templates ask.

Supported are instance reads, and searches by `patient` or `subject`, `_id`, `category`, `_sort` and `_count`
(the restricted subset of CDS Hooks 2.0.1, section "Prefetch query restrictions"). Pages are told apart by `_offset`, which
only the links of the sandbox itself carry.
"""

from urllib.parse import parse_qsl, urlencode

from sandbox.bundles import FHIR_BASE, Json
from sandbox.charts import Chart

SORT_BY_DATE = {
    "AllergyIntolerance": "date",
    "Condition": "recorded-date",
    "DiagnosticReport": "date",
    "Immunization": "date",
    "MedicationAdministration": "effective-time",
    "MedicationRequest": "authoredon",
    "MedicationStatement": "effective",
    "Observation": "date",
    "Procedure": "date",
    "ServiceRequest": "authored",
}
"""The R4 search parameter for the date of each type (https://hl7.org/fhir/R4/searchparameter-registry.html)."""

DATES = ("effectiveDateTime", "performedDateTime", "authoredOn", "recordedDate")
"""Where the resources of the charts have that date."""


class UnsupportedQueryError(ValueError):
    """The query uses something that this small EHR does not know; the message names it."""


def answer(query: str, chart: Chart, base: str = FHIR_BASE) -> Json | None:
    """Answer a query as this patient's EHR would.

    Args:
        query: a relative FHIR URL, `Patient/123` or `Observation?patient=123&category=laboratory&_sort=-date`.
        chart: the only patient that can be found.
        base: base URL of the FHIR server that answers, for links.

    Returns:
        The resource that was read (None if there is none), or a searchset Bundle; where nothing matches, an empty one.

    Raises:
        UnsupportedQueryError: a parameter, or a value of one, that is not supported.
    """
    path, is_search, parameters = query.partition("?")
    if not is_search:
        resource_type, _, resource_id = path.partition("/")
        return next((found for found in chart.of(resource_type) if found["id"] == resource_id), None)
    asked = dict(parse_qsl(parameters, keep_blank_values=True))
    matches = _sorted(_matching(list(chart.of(path)), asked, chart), path, asked.pop("_sort", ""))
    count, offset = _number(asked, "_count", len(matches)), _number(asked, "_offset", 0)
    if asked:
        raise UnsupportedQueryError(f"search parameter {', '.join(sorted(asked))} is not supported")
    return _searchset(f"{base}/{query}", matches, offset, count)


def _number(asked: dict[str, str], parameter: str, default: int) -> int:
    """Take a number out of the parameters."""
    text = asked.pop(parameter, "")
    if not text:
        return default
    if not text.isascii() or not text.isdecimal():
        raise UnsupportedQueryError(f"{parameter} is not a number")
    return int(text)


def _matching(resources: list[Json], asked: dict[str, str], chart: Chart) -> list[Json]:
    """Take `patient`, `subject`, `_id` and `category` out of the parameters and apply them."""
    for parameter in ("patient", "subject"):
        if (patient := asked.pop(parameter, None)) and patient.removeprefix("Patient/") != chart.patient_id:
            resources = []
    if ids := asked.pop("_id", ""):
        resources = [resource for resource in resources if resource["id"] in ids.split(",")]
    if category := asked.pop("category", ""):
        wanted = set(category.split(","))
        resources = [resource for resource in resources if wanted & _tokens(resource.get("category", []))]
    return resources


def _tokens(concepts: list[Json]) -> set[str]:
    """A coding is found by its code alone and by `system|code`."""
    codings = [coding for concept in concepts for coding in concept.get("coding", [])]
    return {coding["code"] for coding in codings} | {f"{coding['system']}|{coding['code']}" for coding in codings}


def _sorted(resources: list[Json], resource_type: str, order: str) -> list[Json]:
    if not order:
        return resources
    if order.removeprefix("-") != SORT_BY_DATE.get(resource_type):
        raise UnsupportedQueryError(f"_sort={order} is not supported for {resource_type}")
    return sorted(resources, key=_date, reverse=order.startswith("-"))


def _date(resource: Json) -> str:
    period = resource.get("effectivePeriod", {})
    return str(next((resource[field] for field in DATES if field in resource), period.get("start", "")))


def _searchset(url: str, matches: list[Json], offset: int, count: int) -> Json:
    """A searchset Bundle with one page; a `next` link says that there is more."""
    base = url.partition("?")[0].rpartition("/")[0]
    bundle: Json = {"resourceType": "Bundle", "type": "searchset", "total": len(matches)}
    if len(matches) > offset + count:
        bundle["link"] = [{"relation": "next", "url": _page(url, offset + count)}]
    entries = [
        {
            "fullUrl": f"{base}/{resource['resourceType']}/{resource['id']}",
            "resource": resource,
            "search": {"mode": "match"},
        }
        for resource in matches[offset : offset + count]
    ]
    return bundle | ({"entry": entries} if entries else {})


def _page(url: str, offset: int) -> str:
    path, _, parameters = url.partition("?")
    asked = dict(parse_qsl(parameters)) | {"_offset": str(offset)}
    return f"{path}?{urlencode(asked)}"
