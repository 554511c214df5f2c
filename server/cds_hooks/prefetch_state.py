"""In which state the answer to one prefetch query is: what came, and what may be concluded from what did not.

Only an answer that was complete supports "not done" (design section 4, rule 1; SAF-08).
"""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from math import inf
from typing import Any

from fhir_profiles.elements import objects
from fhir_profiles.record import InputState
from fhir_profiles.sentences import Sentence, say
from server.cds_hooks.operation_outcomes import Report, read_outcome

Json = dict[str, Any]


class PrefetchState(StrEnum):
    """How a prefetch key was answered (conformance R-11 to R-15), the worst last; something beats nothing."""

    ABSENT = "absent"
    """Not sent, and not fetched."""
    NOT_OFFERED = "not offered"
    """The EHR says that it has no such resource type; as with a key that is never sent, nothing is known."""
    NULL = "null"
    """The query ran and found nothing."""
    EMPTY = "empty"
    """A Bundle without results, or an OperationOutcome that says so."""
    PRESENT = "present"
    TRUNCATED = "truncated"
    """Fewer results than the server counted, or none but what came with the answer to another query."""
    PAGINATED = "paginated"
    """There are further pages."""
    INCOMPLETE = "incomplete"
    """The sender reports that part is missing, or something in it cannot be read."""
    WRONG_TYPE = "wrong type"
    NOT_FHIR = "not FHIR"
    FAILED = "failed"
    DENIED = "denied"
    """The sender was not allowed to read it."""

    @property
    def is_answer(self) -> bool:
        """Whether the question was answered completely, be it with nothing."""
        return self in (PrefetchState.NULL, PrefetchState.EMPTY, PrefetchState.PRESENT)

    @property
    def brings_nothing(self) -> bool:
        """Whether there is nothing to judge by."""
        return self in _BRING_NOTHING

    @property
    def is_part(self) -> bool:
        """Whether there is something, and there may be more."""
        return self in (PrefetchState.TRUNCATED, PrefetchState.PAGINATED, PrefetchState.INCOMPLETE)

    @property
    def is_worth_fetching(self) -> bool:
        """Whether asking the EHR may bring more.

        Not where the EHR has said no: to ask again with the same user's token would be to try the door after a refusal, and in
        some EHRs to break the glass. Not where it says itself that its answer is incomplete: it would say so again.
        """
        return self in _WORTH_FETCHING

    @property
    def input(self) -> InputState:
        """What it means for the record."""
        if self in (PrefetchState.ABSENT, PrefetchState.NOT_OFFERED):
            return InputState.NOT_SUPPLIED
        if self in (PrefetchState.NULL, PrefetchState.EMPTY):
            return InputState.CONFIRMED_EMPTY
        return InputState.PRESENT if self is PrefetchState.PRESENT else InputState.FAILED


_BRING_NOTHING = frozenset(
    (
        *(PrefetchState.ABSENT, PrefetchState.NOT_OFFERED, PrefetchState.WRONG_TYPE, PrefetchState.NOT_FHIR),
        *(PrefetchState.FAILED, PrefetchState.DENIED),
    )
)
_WORTH_FETCHING = frozenset(
    (
        *(PrefetchState.ABSENT, PrefetchState.TRUNCATED, PrefetchState.PAGINATED, PrefetchState.WRONG_TYPE),
        *(PrefetchState.NOT_FHIR, PrefetchState.FAILED),
    )
)
_FROM_BEST = tuple(PrefetchState)


def worse(one: PrefetchState, other: PrefetchState) -> PrefetchState:
    """The worse of two answers for one kind of input."""
    return max(one, other, key=_FROM_BEST.index)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one prefetch value is.

    Args:
        state: its state.
        types: the resource types that the search found.
        problem: what is wrong with it, in words; None if nothing is.
        included: the resource types of what was only included with what it found.
    """

    state: PrefetchState
    types: frozenset[str] = frozenset()
    problem: Sentence | None = None
    included: frozenset[str] = frozenset()

    def beside(self, answered: frozenset[str]) -> frozenset[str]:
        """The resource types in it that it does not answer for."""
        return (self.types | self.included) - answered


def settle(sent: PrefetchState, fetched: Judgement) -> Judgement:
    """What holds of a key that was sent one way and fetched another.

    A failure takes nothing away from what was sent in part. Nor does "none": of two answers of which one shows some and the other
    denies that there are any, neither is to be believed (SAF-08). That happens where the token may read less than the EHR itself.

    Args:
        sent: the state of what was sent.
        fetched: the judgement of what was fetched.
    """
    if sent.is_part and fetched.state.input is InputState.CONFIRMED_EMPTY:
        return Judgement(sent, problem=say("was sent in part, and the EHR when asked had none; counted as incomplete"))
    if fetched.state.is_answer or sent.brings_nothing:
        return fetched
    return replace(fetched, state=sent)


def judge(content: Any, expected: str | None) -> Judgement:
    """Find out what a prefetch value says about its kind of input.

    Args:
        content: a resource, a Bundle, an OperationOutcome, null, or whatever was sent instead.
        expected: the resource type that was asked for; None for a key that is not ours.
    """
    if content is None:
        return Judgement(PrefetchState.NULL)
    kind = content.get("resourceType") if isinstance(content, dict) else None
    if not isinstance(kind, str):
        return Judgement(PrefetchState.NOT_FHIR, problem=say("is not a FHIR resource; counted as failed"))
    if kind == "OperationOutcome":
        return _OUTCOMES[read_outcome(content)]
    judgement = _judge_bundle(content, expected) if kind == "Bundle" else Judgement(PrefetchState.PRESENT, frozenset((kind,)))
    if expected and judgement.types and expected not in judgement.types:
        problem = say("holds no {kind}, though it was asked for; counted as failed", kind=expected)
        return replace(judgement, state=PrefetchState.WRONG_TYPE, problem=problem)
    return judgement


_OUTCOMES = {
    Report.NOTHING_AMISS: Judgement(PrefetchState.EMPTY),
    Report.PART_IS_MISSING: Judgement(
        PrefetchState.INCOMPLETE, problem=say("the sender reports that data may be missing; counted as incomplete")
    ),
    Report.ERROR: Judgement(PrefetchState.FAILED, problem=say("the sender reports an error; counted as failed")),
    Report.WITHHELD: Judgement(PrefetchState.DENIED, problem=say("the sender reports that it was withheld; counted as failed")),
}
_UNREADABLE = Judgement(
    PrefetchState.INCOMPLETE, problem=say("holds an entry that is not a FHIR resource; counted as incomplete")
)
_NO_MATCH = Judgement(PrefetchState.INCOMPLETE, problem=say("holds included resources without a match; counted as incomplete"))
_PAGINATED = Judgement(PrefetchState.PAGINATED, problem=say("holds only the first page of the results; counted as incomplete"))
_TRUNCATED = Judgement(PrefetchState.TRUNCATED, problem=say("holds only part of the results; counted as incomplete"))


@dataclass(slots=True)
class _Entries:
    """What the entries of a Bundle are.

    Args:
        found: how many resources the search found, by type.
        included: the types of what was only included with them.
        outcomes: what else came, which may take something away.
    """

    found: dict[str, int] = field(default_factory=dict)
    included: set[str] = field(default_factory=set)
    outcomes: list[Judgement] = field(default_factory=list)


def _judge_bundle(bundle: Json, expected: str | None) -> Judgement:
    entries = _sort(entries_of(bundle))
    types, included = frozenset(entries.found), frozenset(entries.included)
    troubles = [one for one in entries.outcomes if not one.state.is_answer]
    if has_next_page(bundle):
        troubles.append(_PAGINATED)
    if _total(bundle) > (sum(entries.found.values()) if expected is None else entries.found.get(expected, 0)):
        troubles.append(_TRUNCATED)
    if included and not types:
        troubles.append(_NO_MATCH)
    if not troubles:
        return Judgement(PrefetchState.PRESENT if types else PrefetchState.EMPTY, types, included=included)
    worst = max(troubles, key=lambda one: _FROM_BEST.index(one.state))
    # Beside data, an error or a refusal says that part is missing.
    state = PrefetchState.INCOMPLETE if types and worst.state.brings_nothing else worst.state
    return Judgement(state, types, worst.problem, included)


def _sort(entries: list[Any]) -> _Entries:
    sorted_out = _Entries()
    found = sorted_out.found
    for entry in entries:
        resource: Any = entry.get("resource") if isinstance(entry, dict) else None
        kind = resource.get("resourceType") if isinstance(resource, dict) else None
        if not isinstance(kind, str):
            sorted_out.outcomes.append(_UNREADABLE)
        elif kind == "OperationOutcome":
            sorted_out.outcomes.append(_OUTCOMES[read_outcome(resource)])
        elif _is_match(entry):
            found[kind] = found.get(kind, 0) + 1
        else:
            sorted_out.included.add(kind)
    return sorted_out


def entries_of(bundle: Json) -> list[Any]:
    """The entries, whatever they are; one alone is sometimes sent without a list around it."""
    entries = bundle.get("entry")
    return entries if isinstance(entries, list) else [] if entries is None else [entries]


def _is_match(entry: Json) -> bool:
    """Whether the search found this entry, instead of including it with one that it found."""
    search = entry.get("search")
    return not isinstance(search, dict) or search.get("mode") in (None, "match")


def has_next_page(bundle: Json) -> bool:
    """Whether the server says that there are further pages."""
    return any(link.get("relation") == "next" for link in objects(bundle.get("link")))


def _total(bundle: Json) -> float:
    """How many matches the server counted: zero where it does not say, any number where it says so unintelligibly."""
    total = bundle.get("total")
    if total is None:
        return 0
    if isinstance(total, str) and total.isascii() and total.strip().isdecimal():
        return float(total)
    is_number = isinstance(total, (int, float)) and not isinstance(total, bool)
    return total if is_number and total >= 0 else inf
