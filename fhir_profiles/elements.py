"""One JSON object of a resource, and what can safely be taken from it.

Nothing here raises. What has the wrong JSON type is reported as an issue, by place and never by value, and counts as not given.
What some senders write as an object and others as a list of objects is read either way.
"""

from dataclasses import dataclass
from math import isfinite

from fhir_profiles.dates import DateInterval, parse_fhir_date
from fhir_profiles.record import Issue
from fhir_profiles.sentences import AsWritten, say

Json = dict[str, object]

_LONGEST_DATE = 40
"""An instant with nanoseconds and a zone has 35 characters."""

Times = tuple[DateInterval | None, DateInterval | None]
"""Start and end of a Period, either of them None where it is not given."""


@dataclass(slots=True)
class Element:
    """A resource, or one object inside it.

    Args:
        content: the parsed JSON object.
        type: type of the resource that it is part of.
        reference: reference of that resource, `Type/id`.
        issues: where problems are reported.
        path: place inside the resource (`.component[1]`); empty for the resource itself.
    """

    content: Json
    type: str
    reference: str
    issues: list[Issue]
    path: str = ""

    def report(self, field: str, problem: str) -> None:
        """Note that a field of this object cannot be used; `field` is empty for the object as a whole."""
        place = f"{self.reference}{self.path}"
        self.issues.append(Issue(AsWritten(f"{place}.{field}" if field else place), problem))

    def code(self, name: str) -> str:
        """A coded string in lower case, as status is (some senders capitalise it); empty if not given or not a string."""
        value = self.content.get(name)
        return value.strip().lower() if type(value) is str else ""

    def date(self, name: str) -> DateInterval | None:
        """A date, dateTime or instant."""
        value = self.content.get(name)
        if value is None:
            return None
        interval = parse_fhir_date(value) if type(value) is str and len(value) <= _LONGEST_DATE else None
        if interval is None:
            self.report(name, say("is not a FHIR date; read as not given"))
        return interval

    def bounds(self, name: str) -> Times:
        """Start and end of a Period; a period that ends before it starts is reported and has neither."""
        period = self.child(name)
        if period is None:
            return None, None
        start, end = period.date("start"), period.date("end")
        if start and end and end.last < start.first:
            self.report(name, say("ends before it starts; read as not given"))
            return None, None
        return start, end

    def time(self, choice: str) -> DateInterval | None:
        """The days that a choice such as `effective[x]` may mean: dateTime, instant, or Period."""
        return self.date(f"{choice}DateTime") or self.date(f"{choice}Instant") or self.span(f"{choice}Period")

    def span(self, name: str) -> DateInterval | None:
        """The days of a Period; without an end it is read as its start, since it may have ended on any later day."""
        start, end = self.bounds(name)
        return DateInterval(start.first, max(start.last, end.last)) if start and end else start or end

    def number(self, name: str) -> float | None:
        """A finite JSON number; a number written as a string is reported, not guessed at."""
        value = self.content.get(name)
        if value is None:
            return None
        number = as_number(value)
        if number is None:
            self.report(name, say("is not a number; not evaluated"))
        return number

    def child(self, name: str) -> "Element | None":
        """The object of that name, the first one where a list was sent."""
        value = self.content.get(name)
        if value is None:
            return None
        if isinstance(value, dict):
            return self.at(name, value)
        children = self.children(name)
        return children[0] if children else None

    def children(self, name: str) -> list["Element"]:
        """The objects of that name."""
        value = self.content.get(name)
        if value is None:
            return []
        if isinstance(value, dict):
            return [self.at(name, value)]
        if not isinstance(value, list):
            self.report(name, say("is not an object; read as not given"))
            return []
        children = []
        for index, item in enumerate(value):
            if isinstance(item, dict):
                children.append(self.at(f"{name}[{index}]", item))
            elif item is not None:
                self.report(f"{name}[{index}]", say("is not an object; passed over"))
        return children

    def at(self, field: str, content: Json) -> "Element":
        """An object inside this one."""
        return Element(content, self.type, self.reference, self.issues, f"{self.path}.{field}")


def as_number(value: object) -> float | None:
    """A JSON number as a float, or None where it is no finite number (true and false are none)."""
    if type(value) is float:
        return value if isfinite(value) else None
    if type(value) is not int:
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def objects(value: object) -> list[Json]:
    """The JSON objects in a value that should be an object or a list of objects; anything else is passed over."""
    if isinstance(value, dict):
        return [value]
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def codes_of(codeable: object) -> set[str]:
    """The codes of a CodeableConcept in lower case, whatever their system; a plain string and a lone text count as a code.

    For the small required value sets of FHIR itself (verification status, clinical status), where the code says it all.
    """
    if isinstance(codeable, str):
        return {codeable.strip().lower()}
    codes: set[str] = set()
    for concept in objects(codeable):
        found = {code.strip().lower() for coding in objects(concept.get("coding")) if isinstance(code := coding.get("code"), str)}
        text = concept.get("text")
        codes |= found or ({text.strip().lower()} if isinstance(text, str) else set())
    return codes
