"""The shapes of resources: JSON text with places, made once for each hospital, so that a resource costs one formatting.

A place is a `%s`. What goes in is a number, a day, an id or JSON text from here, and needs no escaping.
"""

import orjson

from server.cohort.synthesis.codes import Codes
from server.cohort.synthesis.measures import Measure

_HL7 = "http://terminology.hl7.org/CodeSystem"
_UCUM = "http://unitsofmeasure.org"
_INTERPRETATION = f"{_HL7}/v3-ObservationInterpretation"


def json_text(value: object) -> str:
    """JSON text without places."""
    return orjson.dumps(value).decode()


def status(system: str, code: str) -> str:
    """A CodeableConcept of an HL7 code system."""
    return json_text({"coding": [{"system": f"{_HL7}/{system}", "code": code}]})


FLAGS = {
    flag: f',"interpretation":[{json_text({"coding": [{"system": _INTERPRETATION, "code": flag}]})}]'
    for flag in ("H", "L", "N", "POS", "NEG", "IND")
} | {"": ""}
"""What an Observation says of its result; nothing for none."""

ANSWERS = {"positive": ("Positive", "POS"), "negative": ("Negative", "NEG"), "borderline": ("Borderline", "IND")}

CLINICAL = {
    code: f',"clinicalStatus":{status("condition-clinical", code)}' for code in ("active", "remission", "resolved", "inactive")
} | {"": ""}
VERIFICATION = {code: status("condition-ver-status", code) for code in ("confirmed", "provisional", "refuted")}

DIAGNOSIS = (
    '{"resourceType":"Condition","id":"%s","verificationStatus":%s%s%s,"category":['
    + status("condition-category", "problem-list-item")
    + '],"code":%s,"subject":{"reference":"Patient/%s"}%s,"recordedDate":"%s"}'
)
"""Places: id, verification status, clinical status, severity, code, patient, onset and end, day of recording."""

DRUG = (
    '{"resourceType":"MedicationRequest","id":"%s","status":"%s"%s,"intent":"order",%s,"subject":{"reference":"Patient/%s"},'
    '"authoredOn":"%s","dosageInstruction":[{"timing":{"repeat":{"boundsPeriod":{"start":"%s"%s}%s}}%s}]}'
)
"""Places: id, status, reason, drug, patient, day, start, end, how often, dose."""

VISIT = (
    '{"resourceType":"Encounter","id":"%s","status":"finished","class":{"system":"'
    + f"{_HL7}/v3-ActCode"
    + '","code":"AMB"},"type":[%s],"subject":{"reference":"Patient/%s"},"period":{"start":"%sT09:00:00Z","end":"%sT09:30:00Z"}}'
)
"""Places: id, code, patient, day, day."""

RELATIVE = (
    '{"resourceType":"FamilyMemberHistory","id":"%s","status":"completed","patient":{"reference":"Patient/%s"},"relationship":'
    + status("v3-RoleCode", "MTH")
    + ',"condition":[{"code":%s}]}'
)
"""Places: id, patient, code."""

ALLERGY = (
    '{"resourceType":"AllergyIntolerance","id":"%s","clinicalStatus":'
    + status("allergyintolerance-clinical", "active")
    + ',"verificationStatus":'
    + status("allergyintolerance-verification", "confirmed")
    + ',"code":%s,"patient":{"reference":"Patient/%s"},"recordedDate":"%s"}'
)
"""Places: id, code, patient, day."""

PATIENT = (
    '{"resourceType":"Patient","id":"%s","meta":{"security":[{"system":"'
    + f"{_HL7}/v3-ActReason"
    + '","code":"HTEST","display":"test health data"}]},"identifier":[{"system":"https://synthetic-cohort.example/fhir/number",'
    '"value":"%s"}],"name":[{"use":"official","family":"Synthetic","given":["Patient %s"]}],"gender":"%s"%s%s,'
    '"managingOrganization":{"reference":"Organization/%s"}}'
)
"""Places: id, number, number, sex, birth, death, organisation."""


class Shapes:
    """The shapes of one hospital.

    Args:
        codes: how it codes.
    """

    def __init__(self, codes: Codes) -> None:
        """Shapes are made when they are first asked for."""
        self.codes = codes
        self._made: dict[tuple[str, str], str] = {}

    def measurement(self, measure: Measure) -> str:
        """Places: id, patient, day, value, interpretation."""
        key = ("measurement", measure.concept)
        if key not in self._made:
            self._made[key] = _measurement(measure, self.codes.of(measure.concept))
        return self._made[key]

    def answer(self, test: str, answer: str) -> str:
        """A test that was positive, negative or borderline. Places: id, patient, day."""
        key = (answer, test)
        if key not in self._made:
            words, flag = ANSWERS[answer]
            self._made[key] = (
                '{"resourceType":"Observation","id":"%s","status":"final","category":['
                + _literal(status("observation-category", "laboratory"))
                + '],"code":'
                + _literal(self.codes.presence_of(test))
                + ',"subject":{"reference":"Patient/%s"},"effectiveDateTime":"%s","valueCodeableConcept":'
                + json_text({"text": words})
                + FLAGS[flag]
                + "}"
            )
        return self._made[key]

    def simple(self, kind: str, concept: str) -> str:
        """A Procedure, DiagnosticReport, ServiceRequest or Immunization of a concept. Places: id, status, patient, day."""
        key = (kind, concept)
        if key not in self._made:
            self._made[key] = shape_of(kind, self.codes.of(concept))
        return self._made[key]


def shape_of(kind: str, code: str) -> str:
    """A resource of a code.

    Args:
        kind: Procedure, DiagnosticReport, ServiceRequest or Immunization.
        code: CodeableConcept as JSON text.

    Returns:
        JSON text with places: id, status, patient, day.
    """
    code = _literal(code)
    return {
        "Procedure": '{"resourceType":"Procedure","id":"%s","status":"%s","code":'
        + code
        + ',"subject":{"reference":"Patient/%s"},"performedDateTime":"%s"}',
        "DiagnosticReport": '{"resourceType":"DiagnosticReport","id":"%s","status":"%s","code":'
        + code
        + ',"subject":{"reference":"Patient/%s"},"effectiveDateTime":"%s"}',
        "ServiceRequest": '{"resourceType":"ServiceRequest","id":"%s","intent":"order","status":"%s","code":'
        + code
        + ',"subject":{"reference":"Patient/%s"},"authoredOn":"%s"}',
        "Immunization": '{"resourceType":"Immunization","id":"%s","status":"%s","vaccineCode":'
        + code
        + ',"patient":{"reference":"Patient/%s"},"occurrenceDateTime":"%s"}',
    }[kind]


def _measurement(measure: Measure, code: str) -> str:
    unit = {"unit": measure.unit, "system": _UCUM, "code": measure.unit}
    limits = {
        name: {"value": value, **unit} for name, value in (("low", measure.low), ("high", measure.high)) if value is not None
    }
    reference_range = f',"referenceRange":{json_text([limits])}' if limits else ""
    return (
        '{"resourceType":"Observation","id":"%s","status":"final","category":['
        + status("observation-category", measure.category)
        + '],"code":'
        + _literal(code)
        + ',"subject":{"reference":"Patient/%s"},"effectiveDateTime":"%sT08:30:00Z","valueQuantity":{"value":%s,'
        + _literal(json_text(unit)[1:])
        + _literal(reference_range)
        + "%s}"
    )


def _literal(text: str) -> str:
    """Text without places, in a text that has some."""
    return text.replace("%", "%%")
