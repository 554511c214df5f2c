"""What can be changed in a chart with one click, and what it writes: the patient editor without pages."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import yaml

from sandbox import fhir_parts as fhir
from sandbox.bundles import write_line
from sandbox.charts import Chart
from sandbox.codes import read_codes
from sandbox.fhir_parts import HL7, SEVERITIES, SNOMED_CT, STOP_REASONS, Json
from sandbox.story import ConditionLine, Line, MedicationLine, ProcedureLine, ReportLine, ResultLine
from sandbox.summary import first, medicine_of, name_of

CHANGES_FILE = Path(__file__).with_name("changes.yaml")
WEAKNESS = "proximal_weakness"
STRENGTH = {"mild": "4", "moderate": "4", "severe": "3"}
"""By severity of weakness, the grade of the Medical Research Council that goes with it: severe is worse than 4."""

NUMBER = re.compile(r"\d{1,6}(\.\d{1,3})?", re.ASCII)
MOST_LETTERS = 200

Write = Callable[[Chart, date, str], Sequence[Json]]
"""From the chart, the day and what was typed: the resources afterwards; one without an id is new."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that can be changed.

    Args:
        key: stable name.
        title: in words.
        group: under which it is offered.
        write: what it does.
        asks: what has to be typed, such as `% predicted` or `dose`; empty for nothing.
        needs_number: whether it has to be a number; otherwise it may stay empty.
    """

    key: str
    title: str
    group: str
    write: Write
    asks: str = ""
    needs_number: bool = False


def changes_for(chart: Chart) -> tuple[Change, ...]:
    """Everything that can be changed in a chart, in the order of the groups."""
    groups = (_antibodies(), _values(), _diagnoses(chart), _severities(), _pregnancy(), _drugs(chart), _procedures())
    return tuple(change for group in groups for change in group)


@cache
def read_changes(path: Path = CHANGES_FILE) -> Mapping[str, tuple[str, ...]]:
    """Keys of `codes.csv` by the kind of change."""
    return {name: tuple(keys) for name, keys in yaml.safe_load(path.read_text("utf-8")).items()}


def _text(key: str) -> str:
    return read_codes()[key].text


def _adds(line: Callable[[str, str], Line]) -> Write:
    """A change that adds the resource of one line of a story, from the day and what was typed."""
    return lambda chart, today, typed: [_written(line(today.isoformat(), typed), chart)]


def _written(line: Line, chart: Chart) -> Json:
    """The resource of a line; a result takes the place of the one of the same day, as a corrected one does."""
    resource = write_line(line, chart.story, read_codes())
    for earlier in chart.of("Observation") if resource["resourceType"] == "Observation" else ():
        if all(earlier.get(name) == resource[name] for name in ("code", "effectiveDateTime")):
            return resource | {"id": earlier["id"]}
    return resource


def _antibodies() -> Iterator[Change]:
    for key in read_changes()["antibodies"]:
        for answer in ("positive", "negative"):
            yield Change(f"{key}-{answer}", f"{_text(key)} {answer}", "Antibodies", _adds(_answer(key, answer)))


def _answer(key: str, answer: str) -> Callable[[str, str], Line]:
    return lambda day, _: ResultLine(what=key, on=day, answer=answer)


def _values() -> Iterator[Change]:
    for key in read_changes()["values"]:
        unit = read_codes()[key].unit
        yield Change(key, _text(key), "Results", _adds(_measured(key)), asks=fhir.HUMAN_UNITS.get(unit, unit), needs_number=True)


def _measured(key: str) -> Callable[[str, str], Line]:
    return lambda day, typed: ResultLine(what=key, on=day, value=typed)


def _diagnoses(chart: Chart) -> Iterator[Change]:
    diagnoses = read_changes()["diagnoses"]
    for condition in _active(chart):
        title, name = name_of(condition.get("code")), condition["id"]
        if any(_means(condition, key) for key in diagnoses) or _is_told(condition, chart):
            yield Change(f"refute-{name}", f"{title}: refuted", "Diagnoses", _verification(name, "refuted"))
        yield Change(f"resolve-{name}", f"{title}: resolved", "Diagnoses", _resolution(name))
    for key in (*diagnoses, *read_changes()["conditions"]):
        if not any(_means(condition, key) for condition in _active(chart)):
            yield Change(f"add-{key}", f"{_text(key)}: on the problem list", "Diagnoses", _adds(_condition(key)))


def _is_told(condition: Json, chart: Chart) -> bool:
    """Whether it is the first problem of the story, which is the disease that it is about."""
    return bool(chart.story.conditions) and _means(condition, chart.story.conditions[0].what)


def _means(condition: Json, key: str) -> bool:
    """Whether a problem is the one of a key: by its text or, since FHIR asks for none, by a code."""
    concept, known = condition.get("code") or {}, read_codes()[key]
    coded = {(coding.get("system"), coding.get("code")) for coding in concept.get("coding", ())}
    return concept.get("text") == known.text or any((one.system, one.code) in coded for one in known.codings)


def _active(chart: Chart) -> tuple[Json, ...]:
    return tuple(one for one in chart.of("Condition") if _is_active(one))


def _is_active(condition: Json) -> bool:
    clinical, verification = (first(condition.get(name, {}).get("coding")) for name in ("clinicalStatus", "verificationStatus"))
    return clinical.get("code") == "active" and verification.get("code") not in ("refuted", "entered-in-error")


def _condition(key: str) -> Callable[[str, str], Line]:
    return lambda day, _: ConditionLine(what=key, onset=day, recorded=day)


def _of(chart: Chart, resource_type: str, resource_id: str) -> Json:
    return next(one for one in chart.of(resource_type) if one["id"] == resource_id)


def _verification(condition_id: str, status: str) -> Write:
    """FHIR forbids a clinical status only of what was entered in error; a refuted problem is not active any more."""

    def write(chart: Chart, today: date, typed: str) -> Sequence[Json]:
        condition = _of(chart, "Condition", condition_id)
        return [
            condition
            | {
                "verificationStatus": fhir.concept(f"{HL7}/condition-ver-status", status),
                "clinicalStatus": fhir.concept(f"{HL7}/condition-clinical", "inactive"),
            }
        ]

    return write


def _resolution(condition_id: str) -> Write:
    return lambda chart, today, typed: [_resolved(_of(chart, "Condition", condition_id), today)]


def _resolved(condition: Json, today: date) -> Json:
    status = fhir.concept(f"{HL7}/condition-clinical", "resolved")
    return condition | {"clinicalStatus": status, "abatementDateTime": today.isoformat()}


def _severities() -> Iterator[Change]:
    for severity, grade in STRENGTH.items():
        title = f"{_text(WEAKNESS)}: {severity}, MRC {grade} in all proximal groups"
        yield Change(f"weakness-{severity}", title, "Severity", _weakness(severity, grade))


def _weakness(severity: str, grade: str) -> Write:
    """The problem that there is gets the grade, otherwise it is added; and strength is tested today, since it says more."""

    def write(chart: Chart, today: date, typed: str) -> Sequence[Json]:
        day = today.isoformat()
        found = [one for one in _active(chart) if _means(one, WEAKNESS)]
        graded = [one | {"severity": fhir.concept(SNOMED_CT, *SEVERITIES[severity])} for one in found[:1]]
        added = ConditionLine(what=WEAKNESS, onset=day, recorded=day, severity=severity)
        tested = (ResultLine(what=key, on=day, value=grade) for key in read_changes()["strength"])
        return [*(graded or [_written(added, chart)]), *(_written(line, chart) for line in tested)]

    return write


def _pregnancy() -> Iterator[Change]:
    yield Change("pregnant", "Pregnant", "Pregnancy", _pregnant)
    yield Change("not-pregnant", "Not pregnant", "Pregnancy", _not_pregnant)


def _pregnant(chart: Chart, today: date, typed: str) -> Sequence[Json]:
    day = today.isoformat()
    lines = (
        ConditionLine(what="pregnancy", onset=day, recorded=day),
        ResultLine(what="pregnancy_status", on=day, coded="pregnancy"),
    )
    return [_written(line, chart) for line in lines]


def _not_pregnant(chart: Chart, today: date, typed: str) -> Sequence[Json]:
    ended = [_resolved(one, today) for one in _active(chart) if _means(one, "pregnancy")]
    line = ResultLine(what="pregnancy_status", on=today.isoformat(), coded="not_pregnant")
    return [*ended, _written(line, chart)]


def _drugs(chart: Chart) -> Iterator[Change]:
    for drug in chart.of("MedicationRequest"):
        if drug["status"] == "active":
            title, name = medicine_of(drug), drug["id"]
            for reason in STOP_REASONS:
                yield Change(
                    f"stop-{name}-{reason.replace(' ', '-')}", f"{title}: stopped, {reason}", "Drugs", _stop(name, reason)
                )
    for key in read_changes()["drugs"]:
        yield Change(f"start-{key}", f"{_text(key)}: started", "Drugs", _adds(_drug(key)), asks="dose, such as 15 mg weekly")


def _drug(key: str) -> Callable[[str, str], Line]:
    return lambda day, typed: MedicationLine(what=key, start=day, dose=typed)


def _stop(drug_id: str, reason: str) -> Write:
    def write(chart: Chart, today: date, typed: str) -> Sequence[Json]:
        drug = _of(chart, "MedicationRequest", drug_id)
        instructions = [_until(one, today) for one in drug.get("dosageInstruction") or [{}]]
        return [drug | {"status": "stopped", "statusReason": STOP_REASONS[reason], "dosageInstruction": instructions}]

    return write


def _until(instruction: Json, today: date) -> Json:
    timing = instruction.get("timing", {})
    repeat = {name: value for name, value in timing.get("repeat", {}).items() if name not in ("boundsDuration", "boundsRange")}
    period = repeat.get("boundsPeriod", {}) | {"end": today.isoformat()}
    return instruction | {"timing": timing | {"repeat": repeat | {"boundsPeriod": period}}}


def _procedures() -> Iterator[Change]:
    for key in read_changes()["procedures"]:
        yield Change(f"{key}-done", f"{_text(key)}: done today", "Procedures", _adds(_done(key)))
        yield Change(f"{key}-declined", f"{_text(key)}: declined by the patient", "Procedures", _adds(_declined(key)))


def _done(key: str) -> Callable[[str, str], Line]:
    """A report where the thing is filed with reports, otherwise a procedure."""
    if read_codes()[key].category:
        return lambda day, _: ReportLine(what=key, on=day, conclusion="No suspicious finding")
    return lambda day, _: ProcedureLine(what=key, on=day, outcome="No suspicious finding")


def _declined(key: str) -> Callable[[str, str], Line]:
    return lambda day, _: ProcedureLine(what=key, on=day, declined="yes")
