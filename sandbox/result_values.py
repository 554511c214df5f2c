"""What a result says, as FHIR R4 has it: an answer, or a number with its unit and what the laboratory makes of it."""

from collections.abc import Mapping

from sandbox import fhir_parts as fhir
from sandbox.fhir_parts import ANSWERS, FLAGS, HL7, Json

INTERPRETATION = f"{HL7}/v3-ObservationInterpretation"


def answered(answer: str) -> Json:
    """The elements of an Observation for a key of `ANSWERS`."""
    interpretation = fhir.concept(INTERPRETATION, *ANSWERS[answer])
    return {"valueCodeableConcept": {"text": answer.capitalize()}, "interpretation": [interpretation]}


def measured(value: str, unit: str, limits: str) -> Json:
    """The elements of an Observation for a number.

    Args:
        value: as it is written.
        unit: of UCUM, or empty.
        limits: the range of the laboratory, `26..192`, `..20` or `5..`; empty for no range.
    """
    return {"valueQuantity": fhir.quantity(value, unit)} | (_judged(value, unit, limits) if limits else {})


def _judged(value: str, unit: str, limits: str) -> Json:
    sides = zip(("low", "high"), limits.split(".."), strict=True)
    known = {name: fhir.quantity(limit, unit) for name, limit in sides if limit}
    flag = _flag(fhir.number(value), known)
    return {"interpretation": [fhir.concept(INTERPRETATION, flag, FLAGS[flag])], "referenceRange": [known]}


def _flag(value: float, limits: Mapping[str, Json]) -> str:
    """High, low or normal."""
    if "low" in limits and value < limits["low"]["value"]:
        return "L"
    return "H" if "high" in limits and value > limits["high"]["value"] else "N"
