"""What the chart says, as of a moment: the `PatientRecord` and the facts in it.

Every fact keeps the FHIR reference it came from. Facts are filed under clinical concepts (the ids of our ValueSets) while the
input is read, once; whoever asks later looks a concept up and never scans resources again.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import TypeVar

from fhir_profiles.dates import DateInterval

_FHIR_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")


class InputState(StrEnum):
    """What is known about one kind of input, a FHIR resource type (design section 4, rule 1).

    Only `CONFIRMED_EMPTY`, or `PRESENT` without the fact in question, supports "not done".
    """

    PRESENT = "present"
    CONFIRMED_EMPTY = "confirmed empty"
    NOT_SUPPLIED = "not supplied"
    FAILED = "failed or incomplete"


@dataclass(frozen=True, slots=True)
class Issue:
    """Something in the data that we could not use, or that is wrong.

    Args:
        reference: the resource, for example `Observation/ck-3`, with the field where it helps (`Observation/ck-3.valueQuantity`).
        problem: what was wrong and what we did about it; never the patient's value.
    """

    reference: str
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One statement of the chart.

    Args:
        reference: the FHIR reference, `Type/id`.
        concepts: ids of our ValueSets that the resource's code belongs to.
        when: clinically relevant date (onset, effective, performed, authored); None if the chart gives none.
        matched_by_text: True where no code was known and an exact phrase was matched instead.
    """

    reference: str
    concepts: tuple[str, ...]
    when: DateInterval | None = None
    matched_by_text: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis(Fact):
    """A Condition that is neither refuted nor entered in error; `when` is its onset, else the day it was recorded.

    Args:
        clinical_status: HL7 condition-clinical code (`active`, `relapse`, `remission`, `resolved` …) or None.
        suspected: verificationStatus is `provisional`, `differential` or `unconfirmed`.
        onset: onset[x] alone, without the fallback to the day of recording.
        recorded: the day of recording.
        severity: `mild`, `moderate`, `severe` or None.
    """

    clinical_status: str | None = None
    suspected: bool = False
    onset: DateInterval | None = None
    recorded: DateInterval | None = None
    severity: str | None = None

    def is_of_before(self, day: date) -> bool:
        """Whether it began and was written down before a day, and is not said to have come back: is it still so?

        Args:
            day: first day of the present episode.
        """
        said = [when.last for when in (self.onset, self.recorded) if when]
        return bool(said) and max(said) < day and self.clinical_status not in ("recurrence", "relapse")

    @property
    def is_active(self) -> bool:
        """Active, relapsing, or without a clinical status (phenotypes.md section 1, rule 2)."""
        return self.clinical_status in (None, "active", "recurrence", "relapse")

    @property
    def is_over(self) -> bool:
        """Recorded as inactive or resolved."""
        return self.clinical_status in ("inactive", "resolved")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A measured number in the unit we compute with.

    Args:
        value: the number, converted to `unit` where a listed conversion applied.
        unit: UCUM code after conversion, or the unit as sent, or an empty string where none was sent.
        comparator: FHIR comparator `<`, `<=`, `>=`, `>` or None.
    """

    value: float
    unit: str
    comparator: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result(Fact):
    """An Observation (or a component or a member of a panel) with a usable status; `when` is its effective time.

    Args:
        quantity: the measured value.
        low, high: the laboratory's own reference range, in the unit of `quantity`.
        answer: `positive`, `negative` or `borderline`, from interpretation, coded value or a strictly read string.
        interpretation: `high`, `low`, `abnormal` or `normal`, from Observation.interpretation.
        answer_concepts: concepts of a coded value (`pregnancy`, `not_pregnant`, …).
    """

    quantity: Quantity | None = None
    low: float | None = None
    high: float | None = None
    answer: str | None = None
    interpretation: str | None = None
    answer_concepts: tuple[str, ...] = ()

    @property
    def is_above_range(self) -> bool | None:
        """Above the laboratory's own upper limit; None where neither interpretation nor range decides it."""
        if self.interpretation in ("high", "low", "normal"):
            return self.interpretation == "high"
        if self.quantity is None or self.high is None:
            return None
        value, comparator = self.quantity.value, self.quantity.comparator
        if comparator in ("<", "<="):
            return False if value <= self.high else None
        if comparator in (">", ">="):
            return True if value > self.high or (comparator == ">" and value == self.high) else None
        return value > self.high

    @property
    def is_below_range(self) -> bool | None:
        """Below the laboratory's own lower limit; None where neither interpretation nor range decides it."""
        if self.interpretation in ("high", "low", "normal"):
            return self.interpretation == "low"
        if self.quantity is None or self.low is None:
            return None
        value, comparator = self.quantity.value, self.quantity.comparator
        if comparator in (">", ">="):
            return False if value >= self.low else None
        if comparator in ("<", "<="):
            return True if value < self.low or (comparator == "<" and value == self.low) else None
        return value < self.low


@dataclass(frozen=True, slots=True, kw_only=True)
class DrugEntry(Fact):
    """One MedicationRequest, MedicationStatement, MedicationAdministration or MedicationDispense; `when` is its start.

    Args:
        status: FHIR status as sent.
        is_current: being taken at the moment of the record.
        was_given: counts as exposure (a proposal, a plan that nobody reported as taken, or a draft does not).
        end: end of the entry, if the chart gives one.
        route: `intravenous`, `subcutaneous`, `oral`, `topical`, `ophthalmic` or None.
        daily_dose_mg: milligrams a day, only where dose and timing are structured.
        times_a_week: how often a week at the most; None where no timing is structured.
        stop_reason: `ineffective`, `intolerance`, `pregnancy`, `other` or None.
    """

    status: str
    is_current: bool
    was_given: bool
    end: DateInterval | None = None
    route: str | None = None
    daily_dose_mg: float | None = None
    times_a_week: float | None = None
    stop_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event(Fact):
    """Something done to the patient or reported: a Procedure, DiagnosticReport, Immunization or Encounter that took place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order(Fact):
    """Something ordered and not done yet: an open ServiceRequest, or a Procedure under way; `when` is the day of the order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intolerance(Fact):
    """An active AllergyIntolerance, or an AdverseEvent, whose substance is one of our drug concepts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal(Fact):
    """Something that was not done, or not taken, because the patient declined it; `when` is the day that the chart gives.

    Args:
        title: what was declined, in our words.
        route: route of a declined drug, as in `DrugEntry`.
    """

    title: str
    route: str | None = None


FactType = TypeVar("FactType", bound=Fact)
Filed = Mapping[str, tuple[FactType, ...]]
"""Facts by concept, newest first, undated last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientRecord:
    """What the chart says about one patient, as of a moment.

    Args:
        as_of: the day for which the record was read; later facts are not in it.
        patient_id: FHIR id; None where no Patient and no subject was given.
        birth: date of birth, possibly partial.
        sex: `female`, `male` or None (unknown, other, or not given).
        is_deceased: Patient.deceased[x] is set and not false.
        diagnoses: Conditions that stand, by concept.
        refuted: Conditions that were considered and refuted, by concept.
        drugs, results, events, orders, intolerances, refusals: the other facts, by concept.
        inputs: state of each kind of input, by FHIR resource type; a type that is absent was not supplied.
        issues: what could not be read or used, in the order met; a patient mismatch comes first.
        is_mismatched: data of another patient was among the input; nothing else in the record may be used.
    """

    as_of: date
    patient_id: str | None = None
    birth: DateInterval | None = None
    sex: str | None = None
    is_deceased: bool = False
    diagnoses: Filed[Diagnosis] = field(default_factory=dict)
    refuted: Filed[Diagnosis] = field(default_factory=dict)
    drugs: Filed[DrugEntry] = field(default_factory=dict)
    results: Filed[Result] = field(default_factory=dict)
    events: Filed[Event] = field(default_factory=dict)
    orders: Filed[Order] = field(default_factory=dict)
    intolerances: Filed[Intolerance] = field(default_factory=dict)
    refusals: Filed[Refusal] = field(default_factory=dict)
    inputs: Mapping[str, InputState] = field(default_factory=dict)
    issues: tuple[Issue, ...] = ()
    is_mismatched: bool = False

    def input_state(self, resource_type: str) -> InputState:
        """The state of one kind of input, `NOT_SUPPLIED` where it was neither sent nor asked for."""
        return self.inputs.get(resource_type, InputState.NOT_SUPPLIED)


@dataclass(frozen=True, slots=True)
class DraftOrder:
    """An order that the clinician is writing (`context.draftOrders`).

    Args:
        reference: `MedicationRequest/id` or `ServiceRequest/id`, as `context.selections` names it.
        concepts: our concepts of the drug or service; empty while nothing is chosen.
        is_selected: named in `context.selections` (order-select), or part of an order-sign.
        route: `intravenous`, `subcutaneous`, `oral`, `topical`, `ophthalmic` or None.
        daily_dose_mg: milligrams a day, only where dose and timing are structured.
        times_a_week: how often a week at the most, by all its dosages together; None where no timing is structured.
        is_in_words: how often is written in words alone, which are not read.
        resource: the order as it was sent, to be given back unchanged in an `update`; never logged, never compared.
    """

    reference: str
    concepts: tuple[str, ...]
    is_selected: bool = True
    route: str | None = None
    daily_dose_mg: float | None = None
    times_a_week: float | None = None
    is_in_words: bool = False
    resource: Mapping[str, object] = field(default_factory=dict, repr=False, compare=False)

    @property
    def has_id(self) -> bool:
        """Whether an action can name it: some clients send drafts without an id, or with one that no FHIR server would take."""
        name = self.resource.get("id")
        is_id = isinstance(name, str) and _FHIR_ID.fullmatch(name) is not None
        return is_id and self.reference == f"{self.resource.get('resourceType')}/{name}"


def facts_of(filed: Filed[FactType], concepts: tuple[str, ...]) -> tuple[FactType, ...]:
    """The facts filed under any of the concepts, each once, newest first, undated last."""
    found = [filed[concept] for concept in concepts if concept in filed]
    if len(found) < 2:
        return found[0] if found else ()
    unique = {id(fact): fact for facts in found for fact in facts}
    return tuple(sorted(unique.values(), key=newest_first))


def newest_first(fact: Fact) -> tuple[int, int, str]:
    """Sort key: by last possible day, newest first; undated last; then by reference, so that entry order does not matter."""
    if fact.when is None:
        return (1, 0, fact.reference)
    return (0, -fact.when.last.toordinal(), fact.reference)
