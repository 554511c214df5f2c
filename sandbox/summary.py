"""A chart in short, for people: rows of date, what, and details, by the parts of a chart."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sandbox.bundles import Json
from sandbox.charts import Chart
from sandbox.dates import in_words


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the chart page.

    Args:
        reference: the FHIR reference, `Type/id`.
        when: date in words, or empty.
        what: the thing itself.
        details: status, value, dose or conclusion.
    """

    reference: str
    when: str
    what: str
    details: str


def summarise(chart: Chart) -> dict[str, tuple[Row, ...]]:
    """The parts of the chart page, in its order; a part without entries is left out."""
    parts: dict[str, tuple[Callable[[Json], Row], Iterable[Json]]] = {
        "Problems": (_problem, chart.of("Condition")),
        "Medications": (_medication, chart.of("MedicationRequest", "MedicationStatement")),
        "Results": (_result, _newest_first(chart.of("Observation"), "effectiveDateTime")),
        "Reports": (_report, _newest_first(chart.of("DiagnosticReport"), "effectiveDateTime")),
        "Procedures": (_procedure, _newest_first(chart.of("Procedure"), "performedDateTime")),
        "Orders": (_order, chart.of("ServiceRequest")),
        "Allergies": (_allergy, chart.of("AllergyIntolerance")),
        "Family history": (_relative, chart.of("FamilyMemberHistory")),
    }
    rows = {title: tuple(map(write, resources)) for title, (write, resources) in parts.items()}
    return {title: part for title, part in rows.items() if part}


def _newest_first(resources: Iterable[Json], field: str) -> list[Json]:
    return sorted(resources, key=lambda resource: str(resource[field]), reverse=True)


def _row(resource: Json, day: str, concept: Json, details: Iterable[str]) -> Row:
    reference = f"{resource['resourceType']}/{resource['id']}"
    return Row(reference, in_words(day), concept["text"], "; ".join(detail for detail in details if detail))


def _problem(condition: Json) -> Row:
    verification, clinical = _code(condition["verificationStatus"]), _code(condition["clinicalStatus"])
    severity = condition["severity"]["coding"][0]["display"].lower() if "severity" in condition else ""
    details = (verification if verification != "confirmed" else "", clinical, severity, _notes(condition))
    return _row(condition, condition["onsetDateTime"], condition["code"], details)


def _medication(entry: Json) -> Row:
    instructions = entry.get("dosageInstruction") or entry.get("dosage") or [{}]
    course = entry.get("effectivePeriod") or instructions[0]["timing"]["repeat"]["boundsPeriod"]
    reasons = entry.get("statusReason", [])
    reason = reasons["text"] if isinstance(reasons, dict) else "; ".join(reason["text"] for reason in reasons)
    until = f"until {in_words(course['end'])}" if "end" in course else ""
    reported = "reported by the patient" if entry["resourceType"] == "MedicationStatement" else ""
    details = (instructions[0].get("text", ""), until or entry["status"], reason.lower(), reported, _notes(entry))
    return _row(entry, course["start"], entry["medicationCodeableConcept"], details)


def _result(observation: Json) -> Row:
    flags = [coding["display"].lower() for concept in observation.get("interpretation", []) for coding in concept["coding"]]
    value = _value(observation)
    details = (value, *(flag for flag in flags if flag not in value.lower()), _range(observation))
    return _row(observation, observation["effectiveDateTime"], observation["code"], details)


def _value(observation: Json) -> str:
    if "component" in observation:
        measured = [part["valueQuantity"] for part in observation["component"]]
        return "/".join(str(quantity["value"]) for quantity in measured) + f" {measured[0]['unit']}"
    if "valueCodeableConcept" in observation:
        return str(observation["valueCodeableConcept"]["text"])
    quantity = observation["valueQuantity"]
    return f"{quantity['value']} {quantity.get('unit', '')}".strip()


def _range(observation: Json) -> str:
    for limits in observation.get("referenceRange", []):
        low, high = (str(limits[name]["value"]) if name in limits else "" for name in ("low", "high"))
        return f"range {low}–{high}" if low and high else f"range from {low}" if low else f"range up to {high}"
    return ""


def _report(report: Json) -> Row:
    return _row(report, report["effectiveDateTime"], report["code"], (report["conclusion"],))


def _procedure(procedure: Json) -> Row:
    outcome = procedure.get("outcome") or procedure.get("statusReason") or {"text": procedure["status"]}
    return _row(procedure, procedure["performedDateTime"], procedure["code"], (outcome["text"],))


def _order(order: Json) -> Row:
    return _row(order, order["authoredOn"], order["code"], ("ordered, not done yet",))


def _allergy(allergy: Json) -> Row:
    reactions = [sign["text"] for reaction in allergy.get("reaction", []) for sign in reaction["manifestation"]]
    return _row(allergy, allergy["recordedDate"], allergy["code"], reactions)


def _relative(relative: Json) -> Row:
    return _row(relative, relative["date"], relative["condition"][0]["code"], (_display(relative["relationship"]),))


def _code(concept: Json) -> str:
    return str(concept["coding"][0]["code"])


def _display(concept: Json) -> str:
    return str(concept["coding"][0]["display"])


def _notes(resource: Json) -> str:
    return "; ".join(note["text"] for note in resource.get("note", []))
