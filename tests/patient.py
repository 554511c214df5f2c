"""A synthetic patient in clinical words: real FHIR R4 JSON, read by the real reader.

    woman = Patient(sex="female", born="1964-02-01").has("dermatomyositis", since="2026-08").takes("prednisone", dose=40)
    woman.antibody("anti_tif1_gamma", "positive").cards()

Every method returns a further patient and leaves this one as it was. Codes come from our ValueSets, by concept. Every kind of
input counts as supplied, and as confirmed empty where nothing of it was said, until `without` or `failed` says otherwise.
"""

from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from typing import Any

from cards.recommend import recommend
from cards.recommendation import Recommendation
from cards.to_cards import to_cards
from fhir_profiles.assess import assess
from fhir_profiles.assessment import Assessment
from fhir_profiles.codes import Terminology
from fhir_profiles.reader import read_drafts, read_record
from fhir_profiles.record import DraftOrder, InputState, PatientRecord

Json = dict[str, Any]

AS_OF = date(2026, 11, 22)
KINDS = (
    "Patient",
    "Condition",
    "Observation",
    "DiagnosticReport",
    "Procedure",
    "ServiceRequest",
    "MedicationRequest",
    "MedicationStatement",
    "AllergyIntolerance",
)

_HL7 = "http://terminology.hl7.org/CodeSystem"
_INTERPRETATIONS = {
    "positive": "POS",
    "negative": "NEG",
    "borderline": "IND",
    "high": "H",
    "low": "L",
    "abnormal": "A",
    "normal": "N",
}
_UNITS = {
    "creatine_kinase": "U/L",
    "fvc": "L",
    "fvc_percent_predicted": "%",
    "dlco_percent_predicted": "%",
    "egfr": "mL/min/{1.73_m2}",
    "leukocytes": "10*9/L",
    "platelets": "10*9/L",
    "neutrophils": "10*9/L",
    "alt": "U/L",
    "ast": "U/L",
    "ggt": "U/L",
    "cmas": "{score}",
    "mmt8": "{score}",
}
_SYSTEMS = ("http://snomed.info/sct", "http://loinc.org", "http://www.nlm.nih.gov/research/umls/rxnorm")
"""In what a chart is coded best; the first of them that has a code for the concept is taken."""


@cache
def terminology() -> Terminology:
    """The packaged terminology, read once for all tests."""
    return Terminology.load()


@cache
def coding_of(concept: str) -> tuple[str, str, str]:
    """System, code and display of the coding that says this concept and as little else as possible."""

    def breadth(coding: Any) -> tuple[int, int]:
        preference = _SYSTEMS.index(coding.system) if coding.system in _SYSTEMS else len(_SYSTEMS)
        return len(terminology().concepts_of(coding.system, coding.code)), preference

    chosen = min(terminology().codings(concept), key=breadth)
    return chosen.system, chosen.code, chosen.display


def codeable(concept: str) -> Json:
    """A CodeableConcept of one of our concepts, `system|code` for any other code, or `text:…` for words alone."""
    if concept.startswith("text:"):
        return {"text": concept.removeprefix("text:")}
    system, code, display = (*concept.rsplit("|", 1), "") if "|" in concept else coding_of(concept)
    return {"coding": [{"system": system, "code": code} | ({"display": display} if display else {})]}


@dataclass(frozen=True)
class Patient:
    """One synthetic patient; `sex` and `born` may be None for "not given"."""

    sex: str | None = "female"
    born: str | None = "1964-02-01"
    resources: tuple[Json, ...] = ()
    unsupplied: frozenset[str] = frozenset()
    broken: frozenset[str] = frozenset()

    # --- what the patient has -------------------------------------------------------------------------------------------

    def has(
        self,
        problem: str,
        since: str | None = None,
        *,
        status: str | None = "active",
        verification: str | None = "confirmed",
        severity: str | None = None,
        recorded: str | None = None,
    ) -> "Patient":
        """A problem on the problem list; `since` is its onset, `recorded` the day of recording."""
        return self.add(
            "Condition",
            code=codeable(problem),
            clinicalStatus=status and _code("condition-clinical", status),
            verificationStatus=verification and _code("condition-ver-status", verification),
            severity=severity and codeable(f"severity_{severity}"),
            onsetDateTime=since,
            recordedDate=recorded,
        )

    def cannot_tolerate(self, drug: str, *, verification: str = "confirmed", status: str = "active") -> "Patient":
        """An allergy or intolerance on record."""
        return self.add(
            "AllergyIntolerance",
            code=codeable(drug),
            clinicalStatus=_code("allergyintolerance-clinical", status),
            verificationStatus=_code("allergyintolerance-verification", verification),
        )

    # --- what was measured ----------------------------------------------------------------------------------------------

    def antibody(self, which: str, answer: str, on: str | None = "2026-10-01") -> "Patient":
        """An antibody that the laboratory calls `positive`, `negative` or `borderline`."""
        return self.add(
            "Observation", status="final", code=codeable(which), effectiveDateTime=on, interpretation=[_interpretation(answer)]
        )

    def result(
        self,
        test: str,
        value: float | None = None,
        *,
        low: float | None = None,
        high: float | None = None,
        flag: str | None = None,
        on: str | None = "2026-11-01",
    ) -> "Patient":
        """A number with the laboratory's own range, or only its flag."""
        unit = _UNITS.get(test, "1")
        limits = {name: _quantity(limit, unit) for name, limit in (("low", low), ("high", high)) if limit is not None}
        return self.add(
            "Observation",
            status="final",
            code=codeable(test),
            effectiveDateTime=on,
            valueQuantity=None if value is None else _quantity(value, unit),
            referenceRange=[limits] if limits else None,
            interpretation=[_interpretation(flag)] if flag else None,
        )

    def raised_ck(self, on: str = "2026-11-01") -> "Patient":
        """Creatine kinase of 2,000 U/L, above the laboratory's limit of 190."""
        return self.result("creatine_kinase", 2000, low=26, high=190, on=on)

    def normal_ck(self, on: str = "2026-11-01") -> "Patient":
        """Creatine kinase of 90 U/L, inside the laboratory's range."""
        return self.result("creatine_kinase", 90, low=26, high=190, on=on)

    def strength(self, group: str, grade: float, on: str | None = "2026-11-10") -> "Patient":
        """An MRC grade: `hip_flexion`, `shoulder_abduction`, … or `proximal` for proximal strength as a whole."""
        return self.add(
            "Observation",
            status="final",
            code=codeable(f"muscle_strength_mrc_{group}"),
            effectiveDateTime=on,
            valueQuantity={"value": grade},
        )

    def answered(self, question: str, answer: str, on: str | None = "2026-11-10") -> "Patient":
        """A coded answer, for example pregnancy status: not pregnant."""
        return self.add(
            "Observation", status="final", code=codeable(question), effectiveDateTime=on, valueCodeableConcept=codeable(answer)
        )

    # --- what was given -------------------------------------------------------------------------------------------------

    def takes(
        self, drug: str, since: str | None = "2026-10-25", *, dose: float | None = None, route: str | None = None
    ) -> "Patient":
        """A current prescription; `dose` in milligrams a day."""
        return self.add(
            "MedicationRequest",
            status="active",
            intent="order",
            medicationCodeableConcept=codeable(drug),
            authoredOn=since,
            dosageInstruction=_dosage(dose=dose, route=route),
        )

    def stopped(
        self, drug: str, because: str | None = None, *, since: str | None = "2026-01-10", until: str | None = "2026-10-10"
    ) -> "Patient":
        """A prescription that was stopped: `ineffective`, `intolerance`, `pregnancy`, … or without a reason."""
        return self.add(
            "MedicationRequest",
            status="stopped",
            intent="order",
            medicationCodeableConcept=codeable(drug),
            authoredOn=since,
            statusReason=because and codeable(f"stop_reason_{because}"),
            dosageInstruction=_dosage(until=until),
        )

    # --- what was done --------------------------------------------------------------------------------------------------

    def had(self, test: str, on: str | None = "2026-10-15") -> "Patient":
        """A completed Procedure."""
        return self.add("Procedure", status="completed", code=codeable(test), performedDateTime=on)

    def reported(self, test: str, on: str | None = "2026-10-15") -> "Patient":
        """A final DiagnosticReport."""
        return self.add("DiagnosticReport", status="final", code=codeable(test), effectiveDateTime=on)

    def ordered(self, test: str, on: str | None = "2026-11-15") -> "Patient":
        """An active ServiceRequest."""
        return self.add("ServiceRequest", status="active", intent="order", code=codeable(test), authoredOn=on)

    # --- what was sent --------------------------------------------------------------------------------------------------

    def add(self, kind: str, **fields: Any) -> "Patient":
        """A resource of any type; members that are None are left out."""
        number = sum(one["resourceType"] == kind for one in self.resources) + 1
        subject = "patient" if kind in ("AllergyIntolerance", "Immunization", "FamilyMemberHistory") else "subject"
        resource = {"resourceType": kind, "id": f"{kind.lower()}-{number}", subject: {"reference": "Patient/1"}, **fields}
        return replace(self, resources=(*self.resources, {name: value for name, value in resource.items() if value is not None}))

    def without(self, *kinds: str) -> "Patient":
        """As a client sends it that does not supply these kinds at all."""
        kept = tuple(one for one in self.resources if one["resourceType"] not in kinds)
        return replace(self, resources=kept, unsupplied=self.unsupplied | set(kinds))

    def failed(self, *kinds: str) -> "Patient":
        """As it is when these kinds were asked for and could not be read."""
        kept = tuple(one for one in self.resources if one["resourceType"] not in kinds)
        return replace(self, resources=kept, broken=self.broken | set(kinds))

    def shuffled(self, order: list[int]) -> "Patient":
        """The same chart with its resources in another order."""
        return replace(self, resources=tuple(self.resources[index] for index in order))

    def bundle(self) -> Json:
        """Everything as a FHIR Bundle."""
        who = {"resourceType": "Patient", "id": "1", "gender": self.sex, "birthDate": self.born}
        everything = [{name: value for name, value in who.items() if value is not None}, *self.resources]
        return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in everything]}

    # --- what we make of it ---------------------------------------------------------------------------------------------

    def record(self) -> PatientRecord:
        """What the chart says."""
        empty = {kind: InputState.CONFIRMED_EMPTY for kind in KINDS if kind not in self.unsupplied}
        inputs = empty | dict.fromkeys(self.broken, InputState.FAILED)
        return read_record([self.bundle()], terminology=terminology(), as_of=AS_OF, patient_id="1", inputs=inputs)

    def assess(self) -> Assessment:
        """What it means."""
        return assess(self.record())

    def drafts(self, *orders: str) -> tuple[DraftOrder, ...]:
        """Draft prescriptions, as `context.draftOrders` carries them."""
        entries = [
            {
                "resource": {
                    "resourceType": "MedicationRequest",
                    "id": f"draft-{number}",
                    "status": "draft",
                    "intent": "order",
                    "subject": {"reference": "Patient/1"},
                    "medicationCodeableConcept": codeable(order),
                }
            }
            for number, order in enumerate(orders, 1)
        ]
        bundle = {"resourceType": "Bundle", "entry": entries}
        drafts, issues = read_drafts(bundle, None, terminology=terminology(), as_of=AS_OF, patient_id="1")
        assert not issues, issues
        return drafts

    def recommendations(self, drafting: tuple[str, ...] | None = None) -> list[Recommendation]:
        """What the guidelines say; about drafted drugs where some are given."""
        return recommend(self.assess(), None if drafting is None else self.drafts(*drafting))

    def cards(self, drafting: tuple[str, ...] | None = None, seed: str = "hook-1", cap: int = 5) -> list[Json]:
        """The cards of one answer."""
        return to_cards(self.recommendations(drafting), self.assess(), seed=seed, cap=cap)


def _code(system: str, code: str) -> Json:
    return {"coding": [{"system": f"{_HL7}/{system}", "code": code}]}


def _interpretation(answer: str) -> Json:
    return _code("v3-ObservationInterpretation", _INTERPRETATIONS[answer])


def _quantity(value: float, unit: str) -> Json:
    return {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}


def _dosage(dose: float | None = None, route: str | None = None, until: str | None = None) -> list[Json] | None:
    repeat: Json = {"boundsPeriod": {"end": until}} if until else {}
    if dose is not None:
        repeat |= {"frequency": 1, "period": 1, "periodUnit": "d"}
    dosage: Json = {"timing": {"repeat": repeat}} if repeat else {}
    if dose is not None:
        dosage["doseAndRate"] = [{"doseQuantity": _quantity(dose, "mg")}]
    if route:
        dosage["route"] = codeable(f"route_{route}")
    return [dosage] if dosage else None
