"""Verdicts: the answer to a condition, with its reasons, and what a condition is asked about."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cards.schedule import Due
from fhir_profiles.assessment import Assessment
from fhir_profiles.clinical_definitions import Definitions
from fhir_profiles.findings import Answer, Evidence, Missing
from fhir_profiles.record import DraftOrder


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to a condition.

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
        populations: verdicts on populations, each asked once in a run.
        calendar: what fell due, or will, by statement.
        drafts: every order being written, whether just selected or not.
        considered: the treatment or order (key of `treatments.yaml` or `orders.yaml`) that a safety rule is asked about.
        draft: the draft that it is about; None where we ourselves would suggest it.
        triggers: what the condition of each statement came to, by id.
    """

    assessment: Assessment
    outcomes: dict[str, Answer] = field(default_factory=dict)
    populations: dict[str, Verdict] = field(default_factory=dict)
    calendar: dict[str, Due] = field(default_factory=dict)
    drafts: tuple[DraftOrder, ...] = ()
    considered: str | None = None
    draft: DraftOrder | None = None
    triggers: dict[str, Answer] = field(default_factory=dict)

    def about(self, treatment: str, draft: DraftOrder | None) -> "Case":
        """The same case when it is asked about one treatment or order; asked a dozen times for a card, so without `replace`."""
        return Case(self.assessment, self.outcomes, self.populations, self.calendar, self.drafts, treatment, draft, self.triggers)


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


def everyone(_: Case) -> Verdict:
    """The condition that always holds."""
    return Verdict(Answer.YES)


def combined(answer: Answer, verdicts: list[Verdict]) -> Verdict:
    """Reasons of all parts; of the missing data, those of undecided parts come first."""
    if len(verdicts) == 1 and _is_said_once(verdicts[0]) and verdicts[0].answer is answer:
        return verdicts[0]
    ordered = sorted(verdicts, key=lambda verdict: verdict.answer is not Answer.UNKNOWN)
    because = dict.fromkeys(item for verdict in verdicts for item in verdict.because)
    missing = dict.fromkeys(item for verdict in ordered for item in verdict.missing)
    return Verdict(answer, tuple(because), tuple(missing))


def _is_said_once(verdict: Verdict) -> bool:
    return len(verdict.because) <= 1 and len(verdict.missing) <= 1


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
