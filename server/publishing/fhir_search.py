"""Searching the published knowledge: which parameters there are, what they match, and the page of a searchset Bundle.

A parameter that is not known is ignored, as FHIR R4 asks of a server, and left out of the `self` link; with
`Prefer: handling=strict` it is refused. A modifier that is not known is refused always, since it would change what is found.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from server.errors import ParameterError

Json = dict[str, Any]

PARAMETERS: Mapping[str, tuple[str, str]] = {
    "_id": ("token", "the id of the resource"),
    "url": ("uri", "its canonical url"),
    "name": ("string", "its computer name, from the beginning; `:contains` and `:exact` are understood"),
    "title": ("string", "its title, from the beginning; `:contains` and `:exact` are understood"),
    "status": ("token", "active, draft or retired"),
}
"""Type and meaning of each search parameter, which is also the member that it looks at."""

_CONTROLS = ("_count", "_offset")
_NEUTRAL = ("_format", "_pretty")
_MOST = 200
_DEFAULT_COUNT = 50


@dataclass(frozen=True, slots=True)
class Query:
    """A search, understood.

    Args:
        wanted: parameter (with its modifier) and value, as given.
        count, offset: which page.
    """

    wanted: tuple[tuple[str, str], ...]
    count: int
    offset: int


def read_query(arguments: Iterable[tuple[str, str]], *, is_strict: bool) -> Query:
    """Understand the query of a search.

    Args:
        arguments: names and values of the query string, in their order.
        is_strict: an unknown parameter is refused.

    Raises:
        ParameterError: a parameter that cannot be used.
    """
    wanted = []
    controls = {"_count": _DEFAULT_COUNT, "_offset": 0}
    for name, value in arguments:
        if name in _CONTROLS:
            controls[name] = _whole_number(name, value)
        elif name.partition(":")[0] in PARAMETERS:
            _check_modifier(name)
            wanted.append((name, value))
        elif is_strict and name not in _NEUTRAL:
            raise ParameterError(f"A search parameter is not known here. Known are {', '.join((*PARAMETERS, *_CONTROLS))}.")
    return Query(tuple(wanted), min(controls["_count"], _MOST), controls["_offset"])


def _whole_number(name: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) < 7):
        raise ParameterError(f"`{name}` must be a whole number from 0 upwards.")
    return int(value)


def _check_modifier(name: str) -> None:
    parameter, _, modifier = name.partition(":")
    if modifier and not (PARAMETERS[parameter][0] == "string" and modifier in ("contains", "exact")):
        raise ParameterError(
            f"`{parameter}` has a modifier that is not known here; `:contains` and `:exact` go with name and title."
        )


def search(resources: Iterable[Json], query: Query, address: str) -> Json:
    """The searchset Bundle of one page.

    Args:
        resources: all resources of the type.
        query: the search.
        address: path of the search, for the links.
    """
    found = [resource for resource in resources if all(_matches(resource, name, value) for name, value in query.wanted)]
    page = found[query.offset : query.offset + query.count]
    bundle: Json = {"resourceType": "Bundle", "type": "searchset", "total": len(found)}
    bundle["link"] = [{"relation": relation, "url": url} for relation, url in _links(query, len(found), address)]
    if page:
        bundle["entry"] = [{"fullUrl": r["url"], "resource": r, "search": {"mode": "match"}} for r in page]
    return bundle


def _links(query: Query, total: int, address: str) -> Sequence[tuple[str, str]]:
    def link(offset: int) -> str:
        return f"{address}?{urlencode([*query.wanted, ('_count', query.count), ('_offset', offset)])}"

    links = [("self", link(query.offset))]
    if query.count and query.offset:
        links.append(("previous", link(max(0, query.offset - query.count))))
    if query.count and query.offset + query.count < total:
        links.append(("next", link(query.offset + query.count)))
    return links


def _matches(resource: Json, name: str, value: str) -> bool:
    """Whether one of the values, which commas separate, matches."""
    parameter, _, modifier = name.partition(":")
    text = str(resource.get("id" if parameter == "_id" else parameter, ""))
    kind = PARAMETERS[parameter][0]
    if kind == "token":
        return any(_is_token(parameter, text, part) for part in _split(value, ","))
    matcher = _MATCHERS[(modifier or "begins") if kind == "string" else "exact"]
    return any(matcher(text, _plain(part)) for part in _split(value, ","))


_SYSTEMS = {"status": "http://hl7.org/fhir/publication-status"}
"""Code systems that the token parameters are bound to; an id has none."""


def _is_token(parameter: str, text: str, part: str) -> bool:
    """`code`, `system|code`, `system|` for every code of it, or `|code` where no system is written beside the code."""
    pieces = [_plain(piece) for piece in _split(part, "|")]
    system, code = ("", pieces[0]) if len(pieces) == 1 else (pieces[0], "|".join(pieces[1:]))
    if system and system != _SYSTEMS.get(parameter):
        return False
    return text == code or (code == "" and bool(system))


def _split(value: str, separator: str) -> list[str]:
    """Cut at every separator that no backslash stands before."""
    pieces = [""]
    for found in re.findall(r"\\?.", value, re.DOTALL):
        if found == separator:
            pieces.append("")
        else:
            pieces[-1] += found
    return pieces


def _plain(text: str) -> str:
    """Without the backslashes with which FHIR escapes its own signs in a value."""
    return re.sub(r"\\([,|$\\])", r"\1", text)


def _folded(text: str) -> str:
    """Without case and accents, as FHIR compares strings."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter)).casefold()


_MATCHERS: Mapping[str, Callable[[str, str], bool]] = {
    "exact": lambda text, part: text == part,
    "begins": lambda text, part: _folded(text).startswith(_folded(part)),
    "contains": lambda text, part: _folded(part) in _folded(text),
}
