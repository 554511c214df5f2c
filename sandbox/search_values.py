"""How one value of a search parameter is held against one element (https://hl7.org/fhir/R4/search.html)."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.bundles import Json

_DATE = re.compile(r"(eq|ne|lt|gt|le|ge|sa|eb)?(\d{4}(?:-\d\d(?:-\d\d(?:T.+)?)?)?)", re.ASCII)
_EVER = datetime.max.replace(tzinfo=UTC)
_NEVER = datetime.min.replace(tzinfo=UTC)
_LONGEST = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Span:
    """The time that a date of some precision means: from its beginning to just before its end."""

    begin: datetime
    end: datetime


def elements(resource: Json, path: str) -> Iterator[Any]:
    """The elements at a dotted path; each item of a list."""
    found: list[Any] = [resource]
    for name in path.split("."):
        found = [value for node in found if isinstance(node, dict) for value in _each(node.get(name))]
    yield from found


def _each(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]


def token_matches(wanted: str, element: Any) -> bool:
    """Whether a code, Coding, CodeableConcept or Identifier is what a token asks for.

    Args:
        wanted: `code`, `system|code`, `|code` (without a system) or `system|`.
        element: the element of the resource.
    """
    if not isinstance(element, dict):
        return wanted.rpartition("|")[2] == str(element)
    system, has_system, code = wanted.rpartition("|")
    return any((not code or code == one) and (not has_system or system == of) for of, one in _codes(element))


def _codes(element: Json) -> Iterator[tuple[str, str]]:
    for coding in element.get("coding", [element]):
        yield coding.get("system", ""), coding.get("code", coding.get("value", ""))


def reference_matches(wanted: str, element: Any, base: str) -> bool:
    """Whether a reference is the one asked for.

    Args:
        wanted: `id`, `Type/id` or a URL below the base.
        element: the Reference of the resource.
        base: URL of the server that answers.
    """
    reference = str(element.get("reference", "")).removeprefix(f"{base}/")
    wanted = wanted.removeprefix(f"{base}/")
    return wanted == reference or ("/" not in wanted and wanted == reference.rpartition("/")[2])


def span_of(text: str) -> Span:
    """What a FHIR date or dateTime means; without a time zone it is UTC.

    Raises:
        ValueError: it is none.
    """
    year, month, day = (*map(int, text[:10].split("-")), None, None)[:3]
    if year is None or month is None or day is None:
        begin = datetime(year or 0, month or 1, 1, tzinfo=UTC)
        return Span(begin, _first_of_next(begin, whole_year=month is None))
    moment = datetime.fromisoformat(text)
    moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    return Span(moment, min(moment, _EVER - _LONGEST) + _precision(text[10:]))


def _first_of_next(begin: datetime, *, whole_year: bool) -> datetime:
    if begin.year == _EVER.year:
        return _EVER
    if whole_year or begin.month == 12:
        return datetime(begin.year + 1, 1, 1, tzinfo=UTC)
    return datetime(begin.year, begin.month + 1, 1, tzinfo=UTC)


def _precision(time: str) -> timedelta:
    if not time:
        return _LONGEST
    if "." in time:
        return timedelta(milliseconds=1)
    return timedelta(seconds=1) if re.match(r"T\d\d:\d\d:\d\d", time) else timedelta(minutes=1)


def span_of_element(element: Any) -> Span:
    """The same for an element: a date, or a Period, which may be open at an end."""
    if isinstance(element, dict):
        begin = span_of(element["start"]).begin if "start" in element else _NEVER
        return Span(begin, span_of(element["end"]).end if "end" in element else _EVER)
    return span_of(str(element))


def _equal(asked: Span, found: Span) -> bool:
    return asked.begin <= found.begin and found.end <= asked.end


_COMPARED: Mapping[str, Callable[[Span, Span], bool]] = {
    "eq": _equal,
    "ne": lambda asked, found: not _equal(asked, found),
    "gt": lambda asked, found: found.end > asked.end,
    "lt": lambda asked, found: found.begin < asked.begin,
    "ge": lambda asked, found: found.end > asked.end or _equal(asked, found),
    "le": lambda asked, found: found.begin < asked.begin or _equal(asked, found),
    "sa": lambda asked, found: found.begin >= asked.end,
    "eb": lambda asked, found: found.end <= asked.begin,
}
DATE_PREFIXES = tuple(_COMPARED)
"""How a date may be compared; the first where no prefix is given."""


def read_date(wanted: str) -> Callable[[Any], bool]:
    """The question that a date parameter asks of an element.

    Raises:
        ValueError: it is no date with one of the prefixes.
    """
    read = _DATE.fullmatch(wanted)
    if read is None:
        raise ValueError("no date")
    compared, asked = _COMPARED[read[1] or DATE_PREFIXES[0]], span_of(read[2])
    return lambda element: compared(asked, span_of_element(element))
