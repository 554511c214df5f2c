"""Verdicts: the answer to a condition, with its reasons, and what a condition is asked about."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, NamedTuple, TypeVar

from cards.recommendation import Contradiction
from cards.schedule import Due
from fhir_profiles.assessment import Assessment
from fhir_profiles.clinical_definitions import Definitions
from fhir_profiles.findings import Answer, Evidence, Missing
from fhir_profiles.record import DraftOrder

T = TypeVar("T")


class Verdict(NamedTuple):
    """The answer to a condition; a tuple, because hundreds are made in a call.

    Args:
        answer: yes, no or unknown.
        because: what in the chart decided it.
        missing: what would decide it, where it is unknown; or a caveat, where data of one kind were never supplied.
    """

    answer: Answer
    because: tuple[Evidence, ...] = ()
    missing: tuple[Missing, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """One patient at one evaluation.

    Args:
        assessment: what the chart means.
        outcomes: verdicts on recommendations already evaluated in this run, by id.
        answered: verdicts on conditions that many rules share, by what they ask; each is asked once in a run.
        disagreements: how each dispute stands for this patient, by its code; None where it does not matter.
        calendar: what fell due, or will, by statement.
        drafts: every order being written, whether just selected or not.
        considered: the treatment or order (key of `treatments.yaml` or `orders.yaml`) that a safety rule is asked about.
        draft: the draft that it is about; None where we ourselves would suggest it.
        triggers: what the condition of each statement came to, by id.
    """

    assessment: Assessment
    outcomes: dict[str, Answer] = field(default_factory=dict)
    answered: dict[str, Verdict] = field(default_factory=dict)
    disagreements: dict[str, Contradiction | None] = field(default_factory=dict)
    calendar: dict[str, Due] = field(default_factory=dict)
    drafts: tuple[DraftOrder, ...] = ()
    considered: str | None = None
    draft: DraftOrder | None = None
    triggers: dict[str, Answer] = field(default_factory=dict)

    def about(self, treatment: str, draft: DraftOrder | None) -> "Case":
        """The same case when it is asked about one treatment or order; asked a dozen times for a card, so without `replace`."""
        return Case(
            self.assessment,
            self.outcomes,
            self.answered,
            self.disagreements,
            self.calendar,
            self.drafts,
            treatment,
            draft,
            self.triggers,
        )


Condition = Callable[[Case], Verdict]


class RuleError(ValueError):
    """A rule cannot be compiled; the message says where, what is wrong, and what would be right."""


@dataclass(frozen=True, slots=True)
class TreatmentEntry:
    """A treatment that can be offered, or a drug that goes with or against one.

    Args:
        title: in words.
        course: the course (agent) that a use of it shows up as, or None for a drug that is no treatment of the sources.
        order: its order key if it can be ordered.
        drugs: ValueSets of the drug, where it has no course.
        adjunct: it goes beside the treatment of the disease and competes with none, for example for the skin.
    """

    title: str
    course: str | None
    order: str | None
    drugs: tuple[str, ...] = ()
    adjunct: bool = False


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What rules may refer to.

    Args:
        definitions: the clinical definitions of fhir_profiles.
        populations: named conditions, already compiled.
        earlier: ids of the statements that stand before the one being compiled.
        treatments: the entries of `treatments.yaml`.
    """

    definitions: Definitions
    populations: Mapping[str, Condition] = field(default_factory=dict)
    earlier: tuple[str, ...] = ()
    treatments: Mapping[str, TreatmentEntry] = field(default_factory=dict)


Compiler = Callable[[Any, Vocabulary, str], Condition]
"""Makes a condition of its YAML, what it may refer to, and where it stands."""


_YES = Verdict(Answer.YES)


def everyone(_: Case) -> Verdict:
    """The condition that always holds."""
    return _YES


def combined(answer: Answer, verdicts: list[Verdict]) -> Verdict:
    """Reasons of all parts; of the missing data, those of undecided parts come first."""
    lacking = [verdict for verdict in verdicts if verdict.missing]
    if len(lacking) > 1:
        lacking.sort(key=lambda verdict: verdict.answer is not Answer.UNKNOWN)
    return Verdict(
        answer,
        _each_once([verdict.because for verdict in verdicts if verdict.because]),
        _each_once([verdict.missing for verdict in lacking]),
    )


def _each_once(parts: list[tuple[T, ...]]) -> tuple[T, ...]:
    """All of them, in the order in which they come first; most often there is nothing to compare."""
    if not parts:
        return ()
    return parts[0] if len(parts) == len(parts[0]) == 1 else tuple(dict.fromkeys(chain.from_iterable(parts)))


def names_of(value: Any, known: Iterable[str], where: str, kind: str) -> list[str]:
    """One name or a list of names, all known. Raises RuleError otherwise."""
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise RuleError(f"{where}: name one {kind}, or a list of them")
    if unknown := [name for name in names if name not in set(known)]:
        raise RuleError(f"{where}: unknown {kind} {', '.join(unknown)}; known are {', '.join(sorted(known))}")
    return names


def check_numbers(key: str, value: Any, known: Iterable[str], where: str) -> None:
    """A mapping of known names to whole numbers, with at least one entry."""
    names = set(known)
    if not isinstance(value, dict) or not value or set(value) - names or any(type(n) is not int for n in value.values()):
        raise RuleError(f"{where}: `{key}` takes whole numbers under {', '.join(sorted(names))}")
