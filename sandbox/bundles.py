"""From a story to FHIR R4: the Bundle that an EHR could have exported for this patient.

Shapes follow US Core where that costs nothing (categories, codings with words, UCUM units, reference ranges).
The same story always gives the same Bundle.
"""

from collections import Counter
from collections.abc import Iterator, Mapping

from sandbox import fhir_parts as fhir
from sandbox.codes import Concept
from sandbox.fhir_parts import (
    CLINICIAN,
    DECLINED,
    HL7,
    OBSERVATION_CATEGORIES,
    RELATIVES,
    REPORT_SECTIONS,
    SEVERITIES,
    SNOMED_CT,
    STOP_REASONS,
)
from sandbox.fhir_parts import Json as Json
from sandbox.result_values import answered, measured
from sandbox.story import (
    AllergyLine,
    ConditionLine,
    FamilyLine,
    Line,
    MedicationLine,
    OrderLine,
    ProcedureLine,
    ReportLine,
    ResultLine,
    Story,
    StoryError,
)

FHIR_BASE = "https://myositis-cds.example/sandbox/fhir"
LONGEST_ID = 64  # https://hl7.org/fhir/R4/datatypes.html#id


def build_bundle(story: Story, codes: Mapping[str, Concept]) -> Json:
    """The patient's chart as a FHIR R4 collection Bundle.

    Args:
        story: the patient.
        codes: concepts by key, from `read_codes`.

    Raises:
        StoryError: the story names a key that `codes.csv` does not have, or a result that a report sums up is not told.
    """
    writer = _Writer(story, codes)
    return {
        "resourceType": "Bundle",
        "id": story.slug,
        "type": "collection",
        "timestamp": f"{story.as_of.isoformat()}T08:00:00Z",
        "entry": [
            {"fullUrl": f"{FHIR_BASE}/{resource['resourceType']}/{resource['id']}", "resource": resource}
            for resource in writer.resources()
        ],
    }


def write_line(line: Line, patient: Story, codes: Mapping[str, Concept]) -> Json:
    """The resource of one line that is added to the chart of a patient later; it has no id yet.

    Args:
        line: what happened.
        patient: to whom.
        codes: concepts by key, from `read_codes`.

    Raises:
        StoryError: as for `build_bundle`.
    """
    resource = _Writer(patient, codes).resource(line)
    del resource["id"]
    return resource


class _Writer:
    """Writes the resources of one story; remembers the ids it gave, so that each is given once."""

    def __init__(self, story: Story, codes: Mapping[str, Concept]) -> None:
        self._story = story
        self._codes = codes
        self._given: Counter[tuple[str, str]] = Counter()
        self._result_references: dict[tuple[str, str], str] = {}
        self._subject = {"reference": f"Patient/{story.slug}", "display": story.name}

    def resources(self) -> Iterator[Json]:
        """The patient, then each part of the story in its order."""
        yield self._patient()
        story = self._story
        parts = (story.conditions, story.medications, story.results, story.procedures, story.reports, story.orders)
        for lines in (*parts, story.allergies, story.family):
            for resource in map(self.resource, lines):
                if len(resource["id"]) > LONGEST_ID:
                    raise StoryError(f"{story.slug}: the id {resource['id']} has more than {LONGEST_ID} characters")
                yield resource

    def resource(self, line: Line) -> Json:
        """The resource of one line."""
        match line:
            case ConditionLine():
                return self._condition(line)
            case MedicationLine():
                return self._medication(line)
            case ResultLine():
                return self._result(line)
            case ProcedureLine():
                return self._procedure(line)
            case ReportLine():
                return self._report(line)
            case OrderLine():
                return self._order(line)
            case AllergyLine():
                return self._allergy(line)
            case FamilyLine():
                return self._relative(line)

    def _patient(self) -> Json:
        given, family = self._story.name.split(" ", 1)
        record_number = {"coding": [fhir.coding(f"{HL7}/v2-0203", "MR")], "text": "Medical record number"}
        return {
            "resourceType": "Patient",
            "id": self._story.slug,
            "meta": {"security": [fhir.coding(f"{HL7}/v3-ActReason", "HTEST", "test health data")]},
            "identifier": [
                {
                    "type": record_number,
                    "system": f"{FHIR_BASE}/record-number",
                    "value": f"SYNTHETIC-{self._story.slug}",
                }
            ],
            "active": True,
            "name": [{"use": "official", "family": family, "given": [given]}],
            "gender": self._story.sex,
            "birthDate": self._story.born.isoformat(),
        }

    def _condition(self, line: ConditionLine) -> Json:
        return self._resource("Condition", line.what) | fhir.present(
            clinicalStatus=fhir.concept(f"{HL7}/condition-clinical", line.status),
            verificationStatus=fhir.concept(f"{HL7}/condition-ver-status", line.verification),
            category=[fhir.concept(f"{HL7}/condition-category", "problem-list-item", "Problem List Item")],
            severity=fhir.concept(SNOMED_CT, *SEVERITIES[line.severity]) if line.severity else None,
            code=self._codeable(line.what),
            subject=self._subject,
            onsetDateTime=line.onset,
            abatementDateTime=line.ended,
            recordedDate=line.recorded or line.onset,
            note=fhir.note(line.note),
        )

    def _medication(self, line: MedicationLine) -> Json:
        status = "stopped" if line.stopped else "completed" if line.end else "active"
        course = fhir.present(start=line.start, end=line.end)
        drug = self._codeable(line.what)
        if line.reported:
            return self._resource("MedicationStatement", line.what) | fhir.present(
                status=status,
                statusReason=[STOP_REASONS[line.stopped]] if line.stopped else None,
                medicationCodeableConcept=drug,
                subject=self._subject,
                effectivePeriod=course,
                dosage=[fhir.dosage(line.dose, None)] if line.dose else None,
                note=fhir.note(line.note),
            )
        return self._resource("MedicationRequest", line.what) | fhir.present(
            status=status,
            statusReason=STOP_REASONS[line.stopped] if line.stopped else None,
            intent="order",
            category=[fhir.concept(f"{HL7}/medicationrequest-category", line.setting, line.setting.capitalize())],
            medicationCodeableConcept=drug,
            subject=self._subject,
            authoredOn=line.start,
            requester=CLINICIAN,
            note=fhir.note(line.note),
            dosageInstruction=[
                fhir.dosage(line.dose, course) | fhir.present(route=self._codeable(line.route) if line.route else None)
            ],
        )

    def _result(self, line: ResultLine) -> Json:
        concept = self._look_up(line.what)
        observation = self._resource("Observation", line.what)
        self._result_references[line.what, line.on] = f"Observation/{observation['id']}"
        return observation | fhir.present(
            status="final",
            category=[fhir.concept(f"{HL7}/observation-category", concept.category, OBSERVATION_CATEGORIES[concept.category])],
            code=self._codeable(line.what),
            subject=self._subject,
            effectiveDateTime=line.on,
            **self._value(line, concept),
        )

    def _value(self, line: ResultLine, concept: Concept) -> Json:
        """The value[x] and what goes with it, by the field that the story filled."""
        if line.answer:
            return answered(line.answer)
        if line.coded:
            return {"valueCodeableConcept": self._codeable(line.coded)}
        if "/" in line.value:
            return {"component": self._blood_pressure(line.value)}
        return measured(line.value, concept.unit, line.range)

    def _blood_pressure(self, value: str) -> list[Json]:
        parts = zip(("systolic", "diastolic"), value.split("/"), strict=True)
        return [
            {"code": self._codeable(key), "valueQuantity": fhir.quantity(number, self._look_up(key).unit)}
            for key, number in parts
        ]

    def _procedure(self, line: ProcedureLine) -> Json:
        return self._resource("Procedure", line.what) | fhir.present(
            status="not-done" if line.declined else "completed",
            statusReason=DECLINED if line.declined else None,
            code=self._codeable(line.what),
            subject=self._subject,
            performedDateTime=line.on,
            outcome={"text": line.outcome} if line.outcome else None,
        )

    def _report(self, line: ReportLine) -> Json:
        section = self._look_up(line.what).category
        return self._resource("DiagnosticReport", line.what) | fhir.present(
            status="final",
            category=[fhir.concept(f"{HL7}/v2-0074", section, REPORT_SECTIONS[section])] if section else None,
            code=self._codeable(line.what),
            subject=self._subject,
            effectiveDateTime=line.on,
            result=[{"reference": self._reference_to_result(key, line)} for key in line.of],
            conclusion=line.conclusion,
        )

    def _reference_to_result(self, key: str, report: ReportLine) -> str:
        try:
            return self._result_references[key, report.on]
        except KeyError:
            problem = f"report {report.what} sums up {key}, but no such result of its day is told"
            raise StoryError(f"{self._story.slug}: {problem}") from None

    def _order(self, line: OrderLine) -> Json:
        return self._resource("ServiceRequest", line.what) | {
            "status": "active",
            "intent": "order",
            "code": self._codeable(line.what),
            "subject": self._subject,
            "authoredOn": line.on,
            "requester": CLINICIAN,
        }

    def _allergy(self, line: AllergyLine) -> Json:
        return self._resource("AllergyIntolerance", line.what) | fhir.present(
            clinicalStatus=fhir.concept(f"{HL7}/allergyintolerance-clinical", "active"),
            verificationStatus=fhir.concept(f"{HL7}/allergyintolerance-verification", "confirmed"),
            code=self._codeable(line.what),
            patient=self._subject,
            recordedDate=line.recorded,
            reaction=[{"manifestation": [{"text": line.reaction}]}] if line.reaction else None,
        )

    def _relative(self, line: FamilyLine) -> Json:
        return self._resource("FamilyMemberHistory", f"{line.relation}_{line.what}") | {
            "status": "completed",
            "patient": self._subject,
            "date": line.recorded,
            "relationship": fhir.concept(f"{HL7}/v3-RoleCode", *RELATIVES[line.relation]),
            "condition": [{"code": self._codeable(line.what)}],
        }

    def _resource(self, resource_type: str, key: str) -> Json:
        """Type and a readable id, `<slug>.<key>`, numbered from the second of its kind on."""
        self._given[resource_type, key] += 1
        number = self._given[resource_type, key]
        suffix = f"-{number}" if number > 1 else ""
        return {"resourceType": resource_type, "id": f"{self._story.slug}.{key.replace('_', '-')}{suffix}"}

    def _look_up(self, key: str) -> Concept:
        try:
            return self._codes[key]
        except KeyError:
            raise StoryError(f"{self._story.slug}: {key} is not a key of codes.csv") from None

    def _codeable(self, key: str) -> Json:
        return fhir.codeable(self._look_up(key))
