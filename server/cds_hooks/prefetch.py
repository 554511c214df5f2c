"""Prefetch: what we ask an EHR for, and in which state each kind of input came back.

The queries keep to the restricted subset of CDS Hooks 2.0.1 (section "Prefetch query restrictions"). Each is sorted newest first,
so that a server which cuts a long answer leaves out the oldest; the sort parameter is the date that R4 defines for the type
(https://hl7.org/fhir/R4/searchparameter-registry.html: there is no `date` for orders, statements and administrations that means
when they were written).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fhir_profiles.elements import objects
from fhir_profiles.record import InputState, Issue

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Template:
    """One prefetch template.

    Args:
        key: name of the prefetch member.
        resource_type: FHIR type that answers it.
        sort: R4 search parameter to sort by, newest first; None for the one resource that is read by id.
        count: most resources wanted in one answer.
    """

    key: str
    resource_type: str
    sort: str | None = None
    count: int = 1

    @property
    def query(self) -> str:
        """The FHIR query, as discovery publishes it."""
        if self.sort is None:
            return f"{self.resource_type}/{{{{context.patientId}}}}"
        return f"{self.resource_type}?patient={{{{context.patientId}}}}&_sort=-{self.sort}&_count={self.count}"


TEMPLATES = (
    Template("patient", "Patient"),
    Template("conditions", "Condition", "recorded-date", 500),
    Template("medicationRequests", "MedicationRequest", "authoredon", 500),
    Template("medicationStatements", "MedicationStatement", "effective", 500),
    Template("medicationAdministrations", "MedicationAdministration", "effective-time", 500),
    Template("observations", "Observation", "date", 1000),
    Template("diagnosticReports", "DiagnosticReport", "date", 500),
    Template("procedures", "Procedure", "date", 500),
    Template("serviceRequests", "ServiceRequest", "authored", 500),
    Template("allergyIntolerances", "AllergyIntolerance", "date", 200),
)
"""All of them together stay within the number of resources that one request may hold (`intake.MOST_RESOURCES`)."""

_TYPES = {template.key: template.resource_type for template in TEMPLATES}


@dataclass(frozen=True, slots=True)
class Prefetched:
    """What came with a call.

    Args:
        parts: the values to read.
        inputs: kinds of input that came back empty, or failed or incomplete, by resource type. What is not named here is
            present if it was sent, and not supplied otherwise.
        unanswered: keys of ours that brought nothing to judge by: not sent, failed, or no FHIR.
        issues: what was wrong with the values.
    """

    parts: tuple[Json, ...]
    inputs: Mapping[str, InputState]
    unanswered: tuple[str, ...]
    issues: tuple[Issue, ...]


@dataclass(frozen=True, slots=True)
class _Value:
    """One prefetch value: its state, the resource types in it, and what is wrong with it."""

    state: InputState
    types: frozenset[str] = frozenset()
    problem: str | None = None


def prefetch_templates() -> dict[str, str]:
    """The templates as discovery publishes them, by key."""
    return {template.key: template.query for template in TEMPLATES}


def read_prefetch(prefetch: Mapping[str, Any]) -> Prefetched:
    """Find out what each prefetch value says about its kind of input (conformance R-10 to R-16).

    A key that is not ours is judged by what it holds, since some EHRs name keys themselves.

    Args:
        prefetch: values by key, as sent: a resource, a Bundle, null, or an OperationOutcome.
    """
    inputs: dict[str, InputState] = {}
    issues: list[Issue] = []
    answered: set[str] = set()
    for key, content in prefetch.items():
        ours = {_TYPES[key]} if key in _TYPES else set()
        value = _judge(content, _TYPES.get(key))
        if value.problem:
            issues.append(Issue(f"prefetch.{key}" if ours else "prefetch", value.problem))
        if value.types or value.state is InputState.CONFIRMED_EMPTY:
            answered |= value.types | ours
        for resource_type in value.types | ours:
            _note(inputs, resource_type, value.state)
    return Prefetched(
        parts=tuple(content for content in prefetch.values() if isinstance(content, dict)),
        inputs={kind: state for kind, state in inputs.items() if state is not InputState.PRESENT},
        unanswered=tuple(template.key for template in TEMPLATES if template.resource_type not in answered),
        issues=tuple(issues),
    )


_WORST_LAST = (InputState.CONFIRMED_EMPTY, InputState.PRESENT, InputState.FAILED)


def _note(inputs: dict[str, InputState], resource_type: str, state: InputState) -> None:
    """Of several values of one kind the worst counts, and something beats nothing."""
    inputs[resource_type] = max(inputs.get(resource_type, state), state, key=_WORST_LAST.index)


def _judge(content: Any, expected: str | None) -> _Value:
    if content is None:
        return _Value(InputState.CONFIRMED_EMPTY)
    if not isinstance(content, dict) or not isinstance(content.get("resourceType"), str):
        return _Value(InputState.FAILED, problem="is not a FHIR resource; counted as failed")
    if content["resourceType"] == "Bundle":
        value = _judge_bundle(content)
    elif content["resourceType"] == "OperationOutcome":
        value = _judge_outcome(content)
    else:
        value = _Value(InputState.PRESENT, frozenset((content["resourceType"],)))
    if expected and value.types and expected not in value.types:
        return _Value(InputState.FAILED, problem=f"holds no {expected}, though it was asked for; counted as failed")
    return value


def _judge_outcome(outcome: Json) -> _Value:
    """A warning or an information is how some servers say "no results" (conformance R-14)."""
    if _is_error(outcome):
        return _Value(InputState.FAILED, problem="the sender reports an error; counted as failed")
    return _Value(InputState.CONFIRMED_EMPTY)


def _judge_bundle(bundle: Json) -> _Value:
    types: set[str] = set()
    problems: list[str] = []
    matches = 0
    for entry in _entries(bundle):
        resource: Any = entry.get("resource") if isinstance(entry, dict) else None
        kind = resource.get("resourceType") if isinstance(resource, dict) else None
        if not isinstance(kind, str):
            problems.append("holds an entry that is not a FHIR resource; counted as incomplete")
        elif kind != "OperationOutcome":
            types.add(kind)
            matches += _is_match(entry)
        elif _is_error(resource):
            problems.append("the sender reports an error; counted as failed")
    if _has_next_page(bundle) or _total(bundle) > matches:
        problems.append("holds only part of the results; counted as incomplete")
    if problems:
        return _Value(InputState.FAILED, frozenset(types), problems[0])
    return _Value(InputState.PRESENT if types else InputState.CONFIRMED_EMPTY, frozenset(types))


def _entries(bundle: Json) -> list[Any]:
    """The entries, whatever they are; one alone is sometimes sent without a list around it."""
    entries = bundle.get("entry")
    return entries if isinstance(entries, list) else [] if entries is None else [entries]


def _is_match(entry: Json) -> bool:
    """Whether the search found this entry, instead of including it with one that it found."""
    search = entry.get("search")
    return not isinstance(search, dict) or search.get("mode", "match") == "match"


def _has_next_page(bundle: Json) -> bool:
    return any(link.get("relation") == "next" for link in objects(bundle.get("link")))


def _total(bundle: Json) -> int:
    """How many matches the server counted; zero where it does not say."""
    total = bundle.get("total")
    return total if isinstance(total, int) else 0


def _is_error(outcome: Json) -> bool:
    return any(issue.get("severity") in ("error", "fatal") for issue in objects(outcome.get("issue")))
