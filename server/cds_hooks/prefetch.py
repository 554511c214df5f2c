"""Prefetch: what we ask an EHR for, and in which state each kind of input came back.

The queries keep to the restricted subset of CDS Hooks 2.0.1 (section "Prefetch query restrictions"). Each is sorted newest first,
so that a server which cuts a long answer leaves out the oldest; the sort parameter is the date that R4 defines for the type
(https://hl7.org/fhir/R4/searchparameter-registry.html: there is no `date` for orders, statements and administrations that means
when they were written).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from fhir_profiles.record import InputState, Issue
from fhir_profiles.sentences import say
from server.cds_hooks.prefetch_state import Judgement, PrefetchState, judge, settle, worse

Json = dict[str, Any]


class Need(StrEnum):
    """What the advice loses without an answer to a query."""

    REQUIRED = "required"
    """Everything: nobody can be told whether there is anything to say."""
    DEGRADE = "degrade"
    """Certainty: the cards say what could not be assessed, or what was not supplied."""


@dataclass(frozen=True, slots=True)
class Template:
    """One prefetch template.

    Args:
        key: name of the prefetch member.
        resource_type: FHIR type that answers it.
        need: what the advice loses without it.
        sort: R4 search parameter to sort by, newest first; None for the one resource that is read by id.
        count: most resources wanted in one answer.
    """

    key: str
    resource_type: str
    need: Need
    sort: str | None = None
    count: int = 1

    @property
    def query(self) -> str:
        """The FHIR query, as discovery publishes it."""
        return self.query_for("{{context.patientId}}")

    def query_for(self, patient_id: str) -> str:
        """The FHIR query for one patient, relative to the base of the server.

        Args:
            patient_id: FHIR id; letters, digits, '-' and '.' (the envelope lets nothing else in).
        """
        if self.sort is None:
            return f"{self.resource_type}/{patient_id}"
        return f"{self.resource_type}?patient={patient_id}&_sort=-{self.sort}&_count={self.count}"


TEMPLATES = (
    Template("patient", "Patient", Need.REQUIRED),
    Template("conditions", "Condition", Need.REQUIRED, "recorded-date", 500),
    Template("medicationRequests", "MedicationRequest", Need.DEGRADE, "authoredon", 500),
    Template("medicationStatements", "MedicationStatement", Need.DEGRADE, "effective", 500),
    Template("medicationAdministrations", "MedicationAdministration", Need.DEGRADE, "effective-time", 500),
    Template("observations", "Observation", Need.DEGRADE, "date", 1000),
    Template("diagnosticReports", "DiagnosticReport", Need.DEGRADE, "date", 500),
    Template("procedures", "Procedure", Need.DEGRADE, "date", 500),
    Template("serviceRequests", "ServiceRequest", Need.DEGRADE, "authored", 500),
    Template("allergyIntolerances", "AllergyIntolerance", Need.DEGRADE, "date", 200),
)
"""All of them together stay within the number of resources that one request may hold (`intake.MOST_RESOURCES`)."""

_TYPES = {template.key: template.resource_type for template in TEMPLATES}
_ONLY_ONE = {template.resource_type for template in TEMPLATES if template.sort is None}
_GOES_WITHOUT_SAYING = (InputState.PRESENT, InputState.NOT_SUPPLIED)


@dataclass(frozen=True, slots=True)
class Prefetched:
    """What came with a call, and what was fetched for it.

    Args:
        parts: the values to read.
        inputs: kinds of input that came back empty, or failed or incomplete, by resource type; present, where it was fetched
            whole after it had come in part. What is not named here is present if it was sent, and not supplied otherwise.
        unanswered: keys of ours that brought nothing to judge by: not sent, denied, failed, or no FHIR.
        issues: what was wrong with the values.
        states: how each of our keys was answered in the end.
        fetched, fetch_failed: number of keys that were asked for at the EHR, and of those that were not answered completely.
        beside: resource types of which some came with the answer to a query for another type.
    """

    parts: tuple[Json, ...]
    inputs: Mapping[str, InputState]
    unanswered: tuple[str, ...]
    issues: tuple[Issue, ...]
    states: Mapping[str, PrefetchState] = field(default_factory=dict)
    fetched: int = 0
    fetch_failed: int = 0
    beside: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Fetched:
    """How asking the EHR for one key ended.

    Args:
        judgement: the state of the answer, and what is wrong with it.
        parts: what was read of it.
        reason: why it is not complete, one word out of a closed set, fit for a log; None if it is.
    """

    judgement: Judgement
    parts: tuple[Json, ...] = ()
    reason: str | None = None


def prefetch_templates() -> dict[str, str]:
    """The templates as discovery publishes them, by key."""
    return {template.key: template.query for template in TEMPLATES}


def read_prefetch(prefetch: Mapping[str, Any]) -> Prefetched:
    """Find out what each prefetch value says about its kind of input (conformance R-10 to R-16).

    A key of ours speaks for its own type only. One that is not ours is judged by what it holds, since some EHRs name keys
    themselves (P-14). Neither speaks for what was merely included with the matches: that need not be all there is of its type.

    Args:
        prefetch: values by key, as sent: a resource, a Bundle, null, or an OperationOutcome.
    """
    by_type: dict[str, PrefetchState] = {}
    beside: set[str] = set()
    issues: list[Issue] = []
    for key, content in prefetch.items():
        judgement = judge(content, _TYPES.get(key))
        if judgement.problem:
            issues.append(_issue(key, judgement.problem))
        answered = frozenset((_TYPES[key],)) if key in _TYPES else judgement.types
        beside |= judgement.beside(answered)
        for resource_type in answered:
            by_type[resource_type] = worse(by_type.get(resource_type, judgement.state), judgement.state)
    by_type = {t.resource_type: by_type.get(t.resource_type, PrefetchState.ABSENT) for t in TEMPLATES} | by_type
    for key, resource_type in _TYPES.items():
        alone = by_type[resource_type]
        together = by_type[resource_type] = _also_beside(alone, resource_type) if resource_type in beside else alone
        if together is not alone and not together.is_answer:
            issues.append(_issue(key, say("came only with the answer to another query; counted as incomplete")))
    states = {template.key: by_type[template.resource_type] for template in TEMPLATES}
    return Prefetched(
        parts=tuple(content for content in prefetch.values() if isinstance(content, dict)),
        inputs={kind: state.input for kind, state in by_type.items() if state.input not in _GOES_WITHOUT_SAYING},
        unanswered=_unanswered(states),
        issues=tuple(issues),
        states=states,
        beside=frozenset(beside),
    )


def with_fetched(sent: Prefetched, fetched: Mapping[str, Fetched]) -> Prefetched:
    """What was sent and what was fetched, as one.

    Args:
        sent: what came with the call.
        fetched: how asking the EHR ended, by key.
    """
    states = dict(sent.states)
    inputs = dict(sent.inputs)
    settled = {key: settle(sent.states[key], one.judgement) for key, one in fetched.items()}
    beside = sent.beside.union(*(one.judgement.beside(frozenset((_TYPES[key],))) for key, one in fetched.items()))
    for key, judgement in settled.items():
        states[key] = judgement.state
    for key in states:
        if _TYPES[key] in beside:
            states[key] = _also_beside(states[key], _TYPES[key])
        if key in settled or states[key] is not sent.states[key]:
            inputs[_TYPES[key]] = states[key].input
    return Prefetched(
        parts=(*sent.parts, *_parts(fetched.values())),
        inputs={kind: state for kind, state in inputs.items() if state is not InputState.NOT_SUPPLIED},
        unanswered=_unanswered(states),
        issues=(*sent.issues, *(_issue(key, one.problem) for key, one in settled.items() if one.problem)),
        states=states,
        fetched=len(fetched),
        fetch_failed=sum(not one.state.is_answer for one in settled.values()),
        beside=beside,
    )


def _also_beside(state: PrefetchState, resource_type: str) -> PrefetchState:
    """The state of a kind of which some came with the answer to another query: it is not "none", and need not be all (SAF-08)."""
    if state.input not in (InputState.NOT_SUPPLIED, InputState.CONFIRMED_EMPTY):
        return state
    return PrefetchState.PRESENT if resource_type in _ONLY_ONE else PrefetchState.TRUNCATED


def _parts(fetched: Iterable[Fetched]) -> list[Json]:
    return [part for one in fetched for part in one.parts]


def _issue(key: str, problem: str) -> Issue:
    """Only a key of ours is named: what somebody else calls a key could be anything."""
    return Issue(f"prefetch.{key}" if key in _TYPES else "prefetch", problem)


def _unanswered(states: Mapping[str, PrefetchState]) -> tuple[str, ...]:
    return tuple(key for key, state in states.items() if state.brings_nothing)
