"""A FHIR read or search, answered from one chart, or any other resources, in memory.

What can be asked is the table of `sandbox.search_parameters`, and `_sort`, `_count` and `_include`. Values with a comma are
alternatives; a parameter that is given twice has to hold twice. Whatever is not known is refused, never ignored: half a filter
would return what nobody asked for. Pages are told apart by `_offset`, which only the links of the sandbox itself carry.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from urllib.parse import parse_qsl, urlencode

from sandbox.bundles import FHIR_BASE, Json
from sandbox.charts import Chart
from sandbox.search_parameters import INCLUDES, PARAMETERS, Parameter
from sandbox.search_values import elements, read_date, reference_matches, span_of_element, token_matches

Asked = Sequence[tuple[str, str]]
"""Names and values of the parameters, as in a query."""

_OF_THE_RESULT = ("_sort", "_count", "_offset", "_include")


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
    return search(path, parse_qsl(parameters, keep_blank_values=True), chart.of(path), base)


def search(resource_type: str, asked: Asked, resources: Iterable[Json], base: str = FHIR_BASE) -> Json:
    """Search these resources.

    Args:
        resource_type: of all of them.
        asked: the parameters.
        resources: where to look.
        base: base URL of the FHIR server that answers, for links.

    Raises:
        UnsupportedQueryError: a parameter, or a value of one, that is not supported.
    """
    result = {name: value for name, value in asked if name in _OF_THE_RESULT}
    if result.get("_include", "") not in ("", *INCLUDES.get(resource_type, ())):
        raise UnsupportedQueryError(f"this _include is not supported for {resource_type}")
    matches = matching(resource_type, [each for each in asked if each[0] not in _OF_THE_RESULT], resources, base)
    ordered = _sorted(resource_type, result.get("_sort", ""), matches)
    count, offset = _number(result, "_count", len(ordered)), _number(result, "_offset", 0)
    return _searchset(f"{base}/{resource_type}", asked, ordered, offset, count)


def matching(resource_type: str, asked: Asked, resources: Iterable[Json], base: str = FHIR_BASE) -> list[Json]:
    """The resources for which every parameter holds, in their order.

    Raises:
        UnsupportedQueryError: as for `search`.
    """
    known = PARAMETERS.get(resource_type, {})
    if unknown := sorted({name for name, _ in asked if name not in known}):
        raise UnsupportedQueryError(f"search parameter {', '.join(unknown)} is not supported")
    questions = [_question(name, known[name], value, base) for name, value in asked if value]
    return [resource for resource in resources if all(holds(resource) for holds in questions)]


def _question(name: str, parameter: Parameter, value: str, base: str) -> Callable[[Json], bool]:
    """Whether one of the values, separated by commas, is in the resource."""
    alternatives = [_alternative(name, parameter, wanted, base) for wanted in value.split(",")]

    def holds(resource: Json) -> bool:
        found = [element for path in parameter.elements for element in elements(resource, path)]
        return any(alternative(element) for alternative in alternatives for element in found)

    return holds


def _alternative(name: str, parameter: Parameter, wanted: str, base: str) -> Callable[[object], bool]:
    if parameter.kind == "token":
        return lambda element: token_matches(wanted, element)
    if parameter.kind == "reference":
        return lambda element: reference_matches(wanted, element, base)
    try:
        return read_date(wanted)
    except ValueError:
        raise UnsupportedQueryError(f"{name} is not a date, with or without a prefix") from None


def _number(result: Mapping[str, str], parameter: str, default: int) -> int:
    text = result.get(parameter, "")
    if not text:
        return default
    if not text.isascii() or not text.isdecimal() or len(text) > 9:
        raise UnsupportedQueryError(f"{parameter} is not a number")
    return int(text)


def _sorted(resource_type: str, order: str, resources: list[Json]) -> list[Json]:
    """By each of the names in turn, the earliest first; what has no such date comes before it."""
    for rule in reversed(order.split(",") if order else []):
        name = rule.removeprefix("-")
        parameter = PARAMETERS[resource_type].get(name)
        if parameter is None or parameter.kind == "reference" or (parameter.kind == "token" and name != "_id"):
            raise UnsupportedQueryError(f"_sort={rule} is not supported for {resource_type}")
        resources = sorted(resources, key=_sort_key(parameter), reverse=rule.startswith("-"))
    return resources


def _sort_key(parameter: Parameter) -> Callable[[Json], tuple[bool, str]]:
    def key(resource: Json) -> tuple[bool, str]:
        element = next(chain.from_iterable(elements(resource, path) for path in parameter.elements), None)
        if element is None:
            return False, ""
        return True, span_of_element(element).begin.isoformat() if parameter.kind == "date" else str(element)

    return key


def _searchset(url: str, asked: Asked, matches: list[Json], offset: int, count: int) -> Json:
    """A searchset Bundle with one page; a `next` link says that there is more. `_count=0` asks for the number only."""
    base = url.rpartition("/")[0]
    bundle: Json = {"resourceType": "Bundle", "type": "searchset", "total": len(matches)}
    if count and len(matches) > offset + count:
        next_page = [each for each in asked if each[0] != "_offset"] + [("_offset", str(offset + count))]
        bundle["link"] = [{"relation": "next", "url": f"{url}?{urlencode(next_page)}"}]
    entries = [
        {
            "fullUrl": f"{base}/{resource['resourceType']}/{resource['id']}",
            "resource": resource,
            "search": {"mode": "match"},
        }
        for resource in matches[offset : offset + count]
    ]
    return bundle | ({"entry": entries} if entries else {})
