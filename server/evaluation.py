"""The one pipeline: FHIR data in, cards out. The HTTP hook, the command line and the benchmark all go this way."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from cards.knowledge import Knowledge
from cards.recommend import recommend
from cards.recommendation import Recommendation
from cards.said import said_on
from cards.schedule import Due
from cards.show import EVERYTHING, Show
from cards.to_cards import to_cards
from fhir_profiles.assess import assess
from fhir_profiles.assessment import Assessment
from fhir_profiles.findings import Answer
from fhir_profiles.identity import is_mismatch
from fhir_profiles.reader import read_drafts, read_record
from fhir_profiles.record import DraftOrder, InputState, Issue, PatientRecord
from server.basis import Basis, packaged_basis
from server.interpreter import turn_to_evaluate

PHASES = ("turn", "read", "assess", "recommend", "cards")


@dataclass(frozen=True, slots=True)
class Drafts:
    """The orders being written.

    Args:
        orders: Bundle of draft orders (`context.draftOrders`).
        selections: references of those just selected; None for all of them.
    """

    orders: object
    selections: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Everything that was found out about one patient.

    Args:
        record: what the chart says.
        assessment: what it means.
        recommendations: which statements hold, or would hold were a datum known.
        cards: CDS Hooks cards.
        issues: what could not be used, a patient mismatch first.
        seconds: time spent, by phase.
        knowledge: what it rests on.
        triggers: what the condition of each rule came to, by id; none for draft orders.
        calendar: what falls due and when, by id of the rule; none for draft orders.
    """

    record: PatientRecord
    assessment: Assessment
    recommendations: tuple[Recommendation, ...]
    cards: tuple[dict[str, Any], ...]
    issues: tuple[Issue, ...]
    seconds: Mapping[str, float]
    knowledge: Knowledge
    triggers: Mapping[str, Answer] = field(default_factory=dict)
    calendar: Mapping[str, Due] = field(default_factory=dict)

    @property
    def is_mismatched(self) -> bool:
        """Whether data of another patient was among the input, so that nothing was evaluated."""
        return self.record.is_mismatched or any(is_mismatch(issue) for issue in self.issues)


def silenced_of(evaluation: Evaluation, show: Show) -> frozenset[str]:
    """Ids of the recommendations that a card would speak of, had no clinician silenced them.

    Args:
        evaluation: what was found out.
        show: what was left out of it.
    """
    if not show.silenced:
        return frozenset()
    quiet = frozenset(one.id for one in evaluation.recommendations if one.is_worth_a_card and show.is_quiet_about(one))
    return quiet - said_on(evaluation.cards)


def evaluate(
    parts: Iterable[object],
    *,
    as_of: date,
    seed: str,
    patient_id: str | None = None,
    inputs: Mapping[str, InputState] | None = None,
    drafts: Drafts | None = None,
    several_patients: bool = False,
    servers: tuple[str, ...] = (),
    issues: tuple[Issue, ...] = (),
    show: Show = EVERYTHING,
    basis: Basis | None = None,
    timer: Callable[[], float] = time.perf_counter,
) -> Evaluation:
    """Evaluate one patient.

    Args:
        parts: parsed JSON values: Bundles, resources, lists of them, None.
        as_of: the day of the evaluation, in UTC.
        seed: makes the uuids of cards repeatable; the hook instance.
        patient_id: FHIR id of the patient; None to take it from the input.
        inputs: what is known about kinds of input, by resource type (see `read_record`).
        drafts: the orders being written; None when the chart is opened.
        several_patients: the input holds other Patients on purpose (needs `patient_id`).
        servers: base URLs of the FHIR servers on which the patient has this id; none where that is not known.
        issues: what the caller found wrong before.
        show: which cards to leave out.
        basis: terminology and knowledge; the packaged ones by default.
        timer: a clock in seconds, for `seconds` only.

    Returns:
        The evaluation; without recommendations and cards if data of another patient is among the input.
    """
    basis = basis or packaged_basis()
    ticks = [timer()]
    with turn_to_evaluate():
        ticks.append(timer())
        record = read_record(
            parts,
            terminology=basis.terminology,
            as_of=as_of,
            patient_id=patient_id,
            inputs=inputs,
            several_patients=several_patients,
            servers=servers,
        )
        orders, order_issues = _read_drafts(drafts, record, servers, basis)
        ticks.append(timer())
        assessment = assess(record, basis.knowledge.definitions)
        ticks.append(timer())
        mismatched = record.is_mismatched or any(is_mismatch(issue) for issue in order_issues)
        triggers: dict[str, Answer] = {}
        falls_due: dict[str, Due] = {}
        recommendations = [] if mismatched else recommend(assessment, orders, basis.knowledge, triggers, falls_due)
        ticks.append(timer())
        cards = to_cards(recommendations, assessment, seed=seed, show=show, known=basis.knowledge)
        ticks.append(timer())
    return Evaluation(
        record=record,
        assessment=assessment,
        recommendations=tuple(recommendations),
        cards=tuple(cards),
        issues=_mismatch_first((*assessment.issues, *order_issues, *issues)),
        seconds={phase: after - before for phase, before, after in zip(PHASES, ticks, ticks[1:], strict=False)},
        knowledge=basis.knowledge,
        triggers=triggers,
        calendar=falls_due,
    )


def _read_drafts(
    drafts: Drafts | None, record: PatientRecord, servers: tuple[str, ...], basis: Basis
) -> tuple[tuple[DraftOrder, ...] | None, tuple[Issue, ...]]:
    if drafts is None:
        return None, ()
    return read_drafts(
        drafts.orders,
        drafts.selections,
        terminology=basis.terminology,
        as_of=record.as_of,
        patient_id=record.patient_id,
        servers=servers,
    )


def _mismatch_first(issues: tuple[Issue, ...]) -> tuple[Issue, ...]:
    return tuple(sorted(issues, key=lambda issue: not is_mismatch(issue)))
