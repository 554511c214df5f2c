"""Suppositions about a patient ("what if anti-MDA5 were positive?") as FHIR resources: data in, data out, nothing is written.

What can be supposed is data (`hypotheses.yaml`). A supposition is read by the same reader as the chart, so that it means exactly
what such a result would mean tomorrow.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from fhir_profiles.codes import Terminology
from fhir_profiles.narrowest_code import narrowest_coding
from fhir_profiles.yaml_files import read_yaml

Json = dict[str, Any]

_FILE = Path(__file__).parent / "hypotheses.yaml"
_HL7 = "http://terminology.hl7.org/CodeSystem"


class HypothesisError(ValueError):
    """A supposition that does not exist; the message names no value that a reader gave."""


@dataclass(frozen=True, slots=True)
class HypothesisAnswer:
    """One answer that can be supposed, and what the resource carries for it.

    Args:
        id: by which it is asked for (`positive`).
        title: in words.
        interpretation, value, severity: concepts of ours.
        verification: `confirmed` or `refuted`, for a Condition.
        number: the value of a measurement, in the unit of its hypothesis.
    """

    id: str
    title: str
    interpretation: str | None = None
    value: str | None = None
    severity: str | None = None
    verification: str | None = None
    number: float | None = None


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One datum that can be supposed.

    Args:
        id: by which it is asked for (`anti-mda5`).
        title: in words.
        group: title of the group that it is listed in.
        concept: the ValueSet that codes it.
        answers: by id, the most telling first.
        unit: UCUM code of answers that are numbers.
        supplies: concepts of missing data that it would answer, its own first.
    """

    id: str
    title: str
    group: str
    concept: str
    answers: Mapping[str, HypothesisAnswer]
    unit: str | None = None
    supplies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Supposition:
    """A hypothesis with one of its answers."""

    hypothesis: Hypothesis
    answer: HypothesisAnswer

    @property
    def id(self) -> str:
        """By which it is asked for: `anti-mda5:positive`."""
        return f"{self.hypothesis.id}:{self.answer.id}"

    @property
    def reference(self) -> str:
        """The reference by which evidence names it."""
        return f"{self._type}/hypothetical-{self.hypothesis.id}"

    @property
    def _type(self) -> str:
        return "Condition" if self.answer.verification else "Observation"


@cache
def hypotheses() -> Mapping[str, Hypothesis]:
    """Everything that can be supposed, by id, in the order of the file."""
    content = read_yaml(_FILE)
    answers = {name: HypothesisAnswer(id=name, **entry) for name, entry in content["answers"].items()}
    return {name: _hypothesis(name, entry, answers, content["groups"]) for name, entry in content["hypotheses"].items()}


def _hypothesis(
    name: str, entry: Mapping[str, Any], answers: Mapping[str, HypothesisAnswer], groups: Mapping[str, str]
) -> Hypothesis:
    return Hypothesis(
        id=name,
        title=entry["title"],
        group=groups[entry["group"]],
        concept=entry["concept"],
        answers={answer: answers[answer] for answer in entry["answers"]},
        unit=entry.get("unit"),
        supplies=(entry["concept"], *entry.get("supplies", ())),
    )


def supposition(words: str) -> Supposition:
    """What `anti-mda5:positive` means.

    Raises:
        HypothesisError: no such hypothesis, or not with that answer.
    """
    name, _, answer = words.partition(":")
    hypothesis = hypotheses().get(name)
    if hypothesis is None or answer not in hypothesis.answers:
        raise HypothesisError("there is no such supposition; choose one from the list")
    return Supposition(hypothesis, hypothesis.answers[answer])


def hypothetical_resource(supposed: Supposition, terminology: Terminology, *, patient_id: str, as_of: date) -> Json:
    """The FHIR resource that would say so.

    Args:
        supposed: what is supposed.
        terminology: where its codes come from.
        patient_id: FHIR id of the patient.
        as_of: the day that it is dated.
    """
    kind, _, name = supposed.reference.partition("/")
    resource: Json = {
        "resourceType": kind,
        "id": name,
        "subject": {"reference": f"Patient/{patient_id}"},
        "code": _codeable(supposed.hypothesis.concept, terminology),
    }
    answer, day = supposed.answer, as_of.isoformat()
    if answer.verification:
        return resource | _condition(answer, answer.verification, terminology, day)
    return resource | _observation(supposed, terminology, day)


def _condition(answer: HypothesisAnswer, verification: str, terminology: Terminology, day: str) -> Json:
    content: Json = {"verificationStatus": _hl7("condition-ver-status", verification), "recordedDate": day}
    if verification == "confirmed":
        content |= {"clinicalStatus": _hl7("condition-clinical", "active"), "onsetDateTime": day}
    if answer.severity:
        content["severity"] = _codeable(answer.severity, terminology)
    return content


def _observation(supposed: Supposition, terminology: Terminology, day: str) -> Json:
    answer = supposed.answer
    content: Json = {"status": "final", "effectiveDateTime": day}
    if answer.interpretation:
        content["interpretation"] = [_codeable(answer.interpretation, terminology)]
    if answer.value:
        content["valueCodeableConcept"] = _codeable(answer.value, terminology)
    if answer.number is not None:
        unit = supposed.hypothesis.unit
        content["valueQuantity"] = {
            "value": answer.number,
            "unit": unit,
            "system": "http://unitsofmeasure.org",
            "code": unit,
        }
    return content


def _codeable(concept: str, terminology: Terminology) -> Json:
    coding = narrowest_coding(terminology, concept)
    return {"coding": [{"system": coding.system, "code": coding.code, "display": coding.display}]}


def _hl7(system: str, code: str) -> Json:
    return {"coding": [{"system": f"{_HL7}/{system}", "code": code}]}
