"""A chart in short, for people: rows of date, what, and details, by the parts of a chart.

What others wrote (an accepted suggestion, an order that came over the FHIR API) may lack whatever FHIR lets it lack.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sandbox.charts import Chart
from sandbox.dates import in_words
from sandbox.fhir_parts import Json

NO_NAME = "Without a name"


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
    """The parts of the chart page but the results, in its order; a part without entries is left out."""
    parts: dict[str, tuple[Callable[[Json], Row], Iterable[Json]]] = {
        "Problems": (_problem, chart.of("Condition")),
        "Medications": (_medication, chart.of("MedicationRequest", "MedicationStatement")),
        "Orders": (_order, newest_first(chart.of("ServiceRequest"), "authoredOn")),
        "Reports": (_report, newest_first(chart.of("DiagnosticReport"), "effectiveDateTime")),
        "Procedures": (_procedure, newest_first(chart.of("Procedure"), "performedDateTime")),
        "Allergies": (_allergy, chart.of("AllergyIntolerance")),
        "Family history": (_relative, chart.of("FamilyMemberHistory")),
    }
    rows = {title: tuple(map(write, resources)) for title, (write, resources) in parts.items()}
    return {title: part for title, part in rows.items() if part}


def newest_first(resources: Iterable[Json], field: str) -> list[Json]:
    """In the order of a date; those without one last."""
    return sorted(resources, key=lambda resource: str(resource.get(field, "")), reverse=True)


def name_of(concept: Json | None) -> str:
    """What a CodeableConcept says: its text, else a display, else a code."""
    coding = first((concept or {}).get("coding"))
    return str((concept or {}).get("text") or coding.get("display") or coding.get("code") or NO_NAME)


def medicine_of(entry: Json) -> str:
    """What a prescription or a statement is about: in itself, contained in it, or as its reference calls it."""
    reference = entry.get("medicationReference") or {}
    own = first(one for one in entry.get("contained", ()) if f"#{one.get('id')}" == reference.get("reference"))
    concept = entry.get("medicationCodeableConcept") or own.get("code")
    return name_of(concept or {"text": reference.get("display")})


def first(objects: Iterable[Json] | None) -> Json:
    """The first of a list in FHIR JSON; an empty object where there is none."""
    return next(iter(objects or ()), {})


def row_of(resource: Json, day: str, concept: Json | None, details: Iterable[str]) -> Row:
    """A row about a resource."""
    reference = f"{resource['resourceType']}/{resource['id']}"
    said = "; ".join(detail for detail in details if detail)
    return Row(reference, in_words(day) if day else "", name_of(concept), said)


def _problem(condition: Json) -> Row:
    verification, clinical = _code(condition.get("verificationStatus")), _code(condition.get("clinicalStatus"))
    severity = name_of(condition["severity"]).lower() if "severity" in condition else ""
    details = (verification if verification != "confirmed" else "", clinical, severity, _notes(condition))
    return row_of(condition, _day(condition, "onsetDateTime", "recordedDate"), condition.get("code"), details)


def _medication(entry: Json) -> Row:
    instructions = first(entry.get("dosageInstruction") or entry.get("dosage"))
    bounds = instructions.get("timing", {}).get("repeat", {}).get("boundsPeriod", {})
    course = entry.get("effectivePeriod") or bounds
    reasons = entry.get("statusReason", [])
    reason = "; ".join(name_of(reason) for reason in (reasons if isinstance(reasons, list) else [reasons]))
    until = f"until {in_words(course['end'])}" if "end" in course else ""
    reported = "reported by the patient" if entry["resourceType"] == "MedicationStatement" else ""
    route = name_of(instructions["route"]).lower() if "route" in instructions else ""
    status = until or entry.get("status", "")
    details = (instructions.get("text", ""), route, status, reason.lower(), reported, _notes(entry))
    day = course.get("start") or _day(entry, "authoredOn")
    return row_of(entry, day, {"text": medicine_of(entry)}, details)


def _report(report: Json) -> Row:
    return row_of(report, _day(report, "effectiveDateTime"), report.get("code"), (report.get("conclusion", ""),))


def _procedure(procedure: Json) -> Row:
    outcome = procedure.get("outcome") or procedure.get("statusReason") or {"text": procedure.get("status", "")}
    return row_of(procedure, _day(procedure, "performedDateTime"), procedure.get("code"), (name_of(outcome),))


def _order(order: Json) -> Row:
    status = order.get("status", "")
    said = "ordered, not done yet" if status == "active" else status
    return row_of(order, _day(order, "authoredOn"), order.get("code"), (said, _notes(order)))


def _allergy(allergy: Json) -> Row:
    reactions = [name_of(sign) for reaction in allergy.get("reaction", []) for sign in reaction.get("manifestation", [])]
    return row_of(allergy, _day(allergy, "recordedDate"), allergy.get("code"), reactions)


def _relative(relative: Json) -> Row:
    conditions = [name_of(condition.get("code")) for condition in relative.get("condition", [])]
    relationship = name_of(relative.get("relationship"))
    return row_of(relative, _day(relative, "date"), {"text": ", ".join(conditions) or NO_NAME}, (relationship,))


def _day(resource: Json, *fields: str) -> str:
    """The first of the dates that is there, without a time of day."""
    return next((str(resource[field])[:10] for field in fields if field in resource), "")


def _code(concept: Json | None) -> str:
    return str(first((concept or {}).get("coding")).get("code", ""))


def _notes(resource: Json) -> str:
    return "; ".join(note["text"] for note in resource.get("note", []) if "text" in note)
