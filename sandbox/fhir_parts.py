"""The parts that FHIR resources of the sandbox are written from: words, codes, quantities, doses."""

import re
from collections.abc import Mapping
from typing import Any

from sandbox.codes import Concept

Json = dict[str, Any]

HL7 = "http://terminology.hl7.org/CodeSystem"
UCUM = "http://unitsofmeasure.org"
SNOMED_CT = "http://snomed.info/sct"
CLINICIAN = {"display": "Dr Ada Sandbox (synthetic)"}

# http://hl7.org/fhir/ValueSet/condition-severity, R4
SEVERITIES = {"mild": ("255604002", "Mild"), "moderate": ("6736007", "Moderate"), "severe": ("24484000", "Severe")}
ANSWERS = {"positive": ("POS", "Positive"), "negative": ("NEG", "Negative"), "borderline": ("IND", "Indeterminate")}
FLAGS = {"H": "High", "L": "Low", "N": "Normal"}
OBSERVATION_CATEGORIES = {
    "laboratory": "Laboratory",
    "vital-signs": "Vital Signs",
    "exam": "Exam",
    "procedure": "Procedure",
    "social-history": "Social History",
}
REPORT_SECTIONS = {"LAB": "Laboratory", "PF": "Pulmonary Function", "RAD": "Radiology"}
HUMAN_UNITS = {"mL/min/{1.73_m2}": "mL/min/1.73 m²", "mm[Hg]": "mmHg"}
"""UCUM codes that people do not write that way."""

RELATIVES = {"mother": ("MTH", "mother")}
# HL7 has no code for "ineffective"; the words are what charts carry.
STOP_REASONS: Mapping[str, Json] = {
    "ineffective": {"text": "Ineffective"},
    "not tolerated": {
        "coding": [{"system": f"{HL7}/medicationrequest-status-reason", "code": "sintol"}],
        "text": "Not tolerated",
    },
}
DECLINED: Json = {
    "coding": [{"system": SNOMED_CT, "code": "105480006", "display": "Procedure declined by patient (situation)"}],
    "text": "Declined by the patient",
}
DOSE = re.compile(r"(?P<mg>\d+(\.\d+)?) mg (?P<how_often>daily|twice daily|weekly)")
HOW_OFTEN: Mapping[str, Json] = {
    "daily": {"frequency": 1, "period": 1, "periodUnit": "d"},
    "twice daily": {"frequency": 2, "period": 1, "periodUnit": "d"},
    "weekly": {"frequency": 1, "period": 1, "periodUnit": "wk"},
}


def present(**fields: Any) -> Json:
    """The fields that say something: FHIR JSON has no nulls, empty strings or empty lists."""
    return {name: value for name, value in fields.items() if value not in (None, "", [], ())}


def coding(system: str, code: str, display: str = "") -> Json:
    """A Coding."""
    return present(system=system, code=code, display=display)


def concept(system: str, code: str, display: str = "") -> Json:
    """A CodeableConcept of one code."""
    return {"coding": [coding(system, code, display)]}


def codeable(what: Concept) -> Json:
    """A CodeableConcept: the words, with every code that there is."""
    return present(coding=[coding(one.system, one.code, one.display) for one in what.codings], text=what.text)


def note(text: str) -> list[Json]:
    """Annotations: one, or none for no text."""
    return [{"text": text}] if text else []


def number(text: str) -> int | float:
    """A number as it is written."""
    return float(text) if "." in text else int(text)


def quantity(value: str, unit: str) -> Json:
    """A Quantity; `unit` is of UCUM, or empty."""
    if not unit:
        return {"value": number(value)}
    return {"value": number(value), "unit": HUMAN_UNITS.get(unit, unit), "system": UCUM, "code": unit}


def dosage(dose: str, course: Json | None) -> Json:
    """The dose in words and, where they have a known form, in numbers; `course` bounds it in time."""
    known = DOSE.fullmatch(dose)
    repeat = present(boundsPeriod=course) | (HOW_OFTEN[known["how_often"]] if known else {})
    return present(
        text=dose,
        timing={"repeat": repeat} if repeat else None,
        doseAndRate=[{"doseQuantity": quantity(known["mg"], "mg")}] if known else None,
    )
