"""A chart in clinical words: synthetic FHIR R4 JSON for scenarios and tests, to be read by the real reader.

    woman = ClinicalChart(sex="female", born="1964-02-01").has("dermatomyositis", since="2026-08").takes("prednisone", dose=40)
    woman.antibody("anti_tif1_gamma", "positive").bundle()

Every method returns a further chart and leaves this one as it was. Codes come from our ValueSets, by concept. A date is an ISO
date (`2026-11-01`, `2026-11`, `2026`) or a distance from the day of the chart (`10 days ago`, `3 months ago`).
"""

import re
from dataclasses import dataclass, replace
from datetime import date, timedelta
from difflib import get_close_matches
from functools import cache
from typing import Any, Self

from fhir_profiles.clinical_definitions import definitions
from fhir_profiles.dates import add_months
from fhir_profiles.narrowest_code import narrowest_coding
from fhir_profiles.record import InputState
from server.basis import packaged_terminology as terminology

Json = dict[str, Any]

AS_OF = date(2026, 11, 22)
"""The day of a chart that names no other."""

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
"""The kinds of input that count as supplied, and as confirmed empty where nothing of them is said."""


class ChartWordError(ValueError):
    """A word of a chart that means nothing to us; the message says which, and what may have been meant."""


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


@cache
def coding_of(concept: str) -> tuple[str, str, str]:
    """System, code and display of the coding that says this concept and as little else as possible."""

    chosen = narrowest_coding(terminology(), _known_concept(concept))
    return chosen.system, chosen.code, chosen.display


def _known_concept(word: str) -> str:
    concept = word.replace("-", "_")  # the ids of ValueSets are written with hyphens
    if concept in terminology().concepts:
        return concept
    by_words = {_sorted_words(known): known for known in terminology().concepts}
    near = [by_words[match] for match in get_close_matches(_sorted_words(concept), by_words, 3, 0.7)]
    raise ChartWordError(
        f"`{word}` is no concept of ours"
        + (f"; did you mean {' or '.join(near)}?" if near else "; write a ValueSet's id, `system|code`, or `text:words`")
    )


def _sorted_words(concept: str) -> str:
    """`juvenile_dermatomyositis` is to be found as `dermatomyositis_juvenile`."""
    return "_".join(sorted(concept.split("_")))


def codeable(concept: str) -> Json:
    """A CodeableConcept of one of our concepts, `system|code` for any other code, or `text:…` for words alone.

    Raises:
        ChartWordError: there is no such concept.
    """
    if concept.startswith("text:"):
        return {"text": concept.removeprefix("text:").strip()}
    system, code, display = (*concept.rsplit("|", 1), "") if "|" in concept else coding_of(concept)
    return {"coding": [{"system": system, "code": code} | ({"display": display} if display else {})]}


def _one_of(prefix: str, word: str) -> Json:
    """A CodeableConcept of the concept `prefix_word`."""
    if f"{prefix}_{word}" not in terminology().concepts:
        known = sorted(c.removeprefix(f"{prefix}_") for c in terminology().concepts if c.startswith(f"{prefix}_"))
        raise ChartWordError(f"`{word}` is none of {', '.join(known)}")
    return codeable(f"{prefix}_{word}")


@dataclass(frozen=True)
class ClinicalChart:
    """One synthetic chart; `sex` and `born` may be None for "not given"; ages and distances count from `as_of`.

    Args:
        unsupplied: kinds of input that nobody sent.
        broken: kinds of input that could not be read.
        drafts_written: the orders being written; None while the chart is only looked at.
    """

    sex: str | None = "female"
    born: str | None = "1964-02-01"
    resources: tuple[Json, ...] = ()
    unsupplied: frozenset[str] = frozenset()
    broken: frozenset[str] = frozenset()
    as_of: date = AS_OF
    deceased: bool = False
    drafts_written: tuple[Json, ...] | None = None

    # --- what the patient has -------------------------------------------------------------------------------------------

    def has(
        self,
        what: str,
        since: str | None = None,
        *,
        status: str | None = "active",
        verification: str | None = "confirmed",
        severity: str | None = None,
        recorded: str | None = None,
    ) -> Self:
        """A problem on the problem list; `since` is its onset, `recorded` the day of recording."""
        return self.add(
            "Condition",
            code=codeable(what),
            clinicalStatus=status and _code("condition-clinical", status),
            verificationStatus=verification and _code("condition-ver-status", verification),
            severity=severity and _one_of("severity", severity),
            onsetDateTime=self._day(since),
            recordedDate=self._day(recorded),
        )

    def cannot_tolerate(self, what: str, *, verification: str = "confirmed", status: str = "active") -> Self:
        """An allergy or intolerance on record."""
        return self.add(
            "AllergyIntolerance",
            code=codeable(what),
            clinicalStatus=_code("allergyintolerance-clinical", status),
            verificationStatus=_code("allergyintolerance-verification", verification),
        )

    # --- what was measured ----------------------------------------------------------------------------------------------

    def antibody(self, what: str, answer: str, on: str | None = "52 days ago") -> Self:
        """An antibody that the laboratory calls `positive`, `negative` or `borderline`."""
        return self.add(
            "Observation",
            status="final",
            code=codeable(what),
            effectiveDateTime=self._day(on),
            interpretation=[_interpretation(answer)],
        )

    def result(
        self,
        what: str,
        value: float | None = None,
        *,
        low: float | None = None,
        high: float | None = None,
        flag: str | None = None,
        unit: str | None = None,
        on: str | None = "21 days ago",
    ) -> Self:
        """A number with the laboratory's own range, or only its flag; `unit` is a UCUM code."""
        unit = unit or _UNITS.get(what.replace("-", "_"), "1")
        limits = {name: _quantity(limit, unit) for name, limit in (("low", low), ("high", high)) if limit is not None}
        return self.add(
            "Observation",
            status="final",
            code=codeable(what),
            effectiveDateTime=self._day(on),
            valueQuantity=None if value is None else _quantity(value, unit),
            referenceRange=[limits] if limits else None,
            interpretation=[_interpretation(flag)] if flag else None,
        )

    def strength(self, what: str, grade: float, on: str | None = "12 days ago") -> Self:
        """An MRC grade: `hip_flexion`, `shoulder_abduction`, … or `proximal` for proximal strength as a whole."""
        return self.add(
            "Observation",
            status="final",
            code=_one_of("muscle_strength_mrc", what),
            effectiveDateTime=self._day(on),
            valueQuantity={"value": grade},
        )

    def answered(self, what: str, answer: str, on: str | None = "12 days ago") -> Self:
        """A coded answer, for example pregnancy status: not pregnant."""
        return self.add(
            "Observation",
            status="final",
            code=codeable(what),
            effectiveDateTime=self._day(on),
            valueCodeableConcept=codeable(answer),
        )

    # --- what was given -------------------------------------------------------------------------------------------------

    def takes(self, what: str, since: str | None = "28 days ago", *, dose: float | None = None, route: str | None = None) -> Self:
        """A current prescription; `dose` in milligrams a day."""
        return self.add(
            "MedicationRequest",
            status="active",
            intent="order",
            medicationCodeableConcept=codeable(what),
            authoredOn=self._day(since),
            dosageInstruction=_dosage(dose=dose, route=route),
        )

    def stopped(
        self, what: str, because: str | None = None, *, since: str | None = "316 days ago", until: str | None = "43 days ago"
    ) -> Self:
        """A prescription that was stopped: `ineffective`, `intolerance`, `pregnancy`, … or without a reason."""
        return self.add(
            "MedicationRequest",
            status="stopped",
            intent="order",
            medicationCodeableConcept=codeable(what),
            authoredOn=self._day(since),
            statusReason=because and _one_of("stop_reason", because),
            dosageInstruction=_dosage(until=self._day(until)),
        )

    def given(self, what: str, on: str | None = "28 days ago") -> Self:
        """A completed MedicationAdministration, for example an infusion."""
        return self.add(
            "MedicationAdministration",
            status="completed",
            medicationCodeableConcept=codeable(what),
            effectiveDateTime=self._day(on),
        )

    def vaccinated(self, what: str, on: str | None = "38 days ago") -> Self:
        """A completed Immunization."""
        return self.add("Immunization", status="completed", vaccineCode=codeable(what), occurrenceDateTime=self._day(on))

    def drafts(
        self,
        what: str,
        *,
        kind: str = "MedicationRequest",
        dose: float | None = None,
        route: str | None = None,
        text: str | None = None,
    ) -> Self:
        """An order being written: a MedicationRequest, `dose` in milligrams a day or in words (`text`), or a ServiceRequest."""
        is_drug = kind == "MedicationRequest"
        written = self.drafts_written or ()
        draft: Json = {
            "resourceType": kind,
            "id": f"draft-{len(written) + 1}",
            "status": "draft",
            "intent": "order",
            "subject": {"reference": "Patient/1"},
            "medicationCodeableConcept" if is_drug else "code": codeable(what),
        }
        if is_drug and (dosage := _dosage(dose=dose, route=route, text=text)):
            draft["dosageInstruction"] = dosage
        return replace(self, drafts_written=(*written, draft))

    # --- what was done --------------------------------------------------------------------------------------------------

    def had(self, what: str, on: str | None = "38 days ago") -> Self:
        """A completed Procedure."""
        return self.add("Procedure", status="completed", code=codeable(what), performedDateTime=self._day(on))

    def reported(self, what: str, on: str | None = "38 days ago") -> Self:
        """A final DiagnosticReport."""
        return self.add("DiagnosticReport", status="final", code=codeable(what), effectiveDateTime=self._day(on))

    def ordered(self, what: str, on: str | None = "7 days ago") -> Self:
        """An active ServiceRequest."""
        return self.add("ServiceRequest", status="active", intent="order", code=codeable(what), authoredOn=self._day(on))

    def declined(self, what: str, on: str | None = "203 days ago", *, route: str | None = None) -> Self:
        """The patient said no: to a drug, as a statement that it is not taken; to anything else, as a Procedure not done."""
        reason = codeable("patient_refusal")
        if any(what.replace("-", "_") in agent.drugs for agent in definitions().agents.values()):
            return self.add(
                "MedicationStatement",
                status="not-taken",
                statusReason=[reason],
                medicationCodeableConcept=codeable(what),
                dateAsserted=self._day(on),
                dosage=_dosage(route=route),
            )
        return self.add("Procedure", status="not-done", statusReason=reason, code=codeable(what), performedDateTime=self._day(on))

    # --- what was sent --------------------------------------------------------------------------------------------------

    def add(self, kind: str, **fields: Any) -> Self:
        """A resource of any type; members that are None are left out."""
        number = sum(one["resourceType"] == kind for one in self.resources) + 1
        subject = "patient" if kind in ("AllergyIntolerance", "Immunization", "FamilyMemberHistory") else "subject"
        resource = {"resourceType": kind, "id": f"{kind.lower()}-{number}", subject: {"reference": "Patient/1"}, **fields}
        return replace(self, resources=(*self.resources, {name: value for name, value in resource.items() if value is not None}))

    def without(self, *kinds: str) -> Self:
        """As a client sends it that does not supply these kinds at all."""
        kept = tuple(one for one in self.resources if one["resourceType"] not in kinds)
        return replace(self, resources=kept, unsupplied=self.unsupplied | set(kinds))

    def failed(self, *kinds: str) -> Self:
        """As it is when these kinds were asked for and could not be read."""
        kept = tuple(one for one in self.resources if one["resourceType"] not in kinds)
        return replace(self, resources=kept, broken=self.broken | set(kinds))

    def bundle(self) -> Json:
        """Everything as a FHIR Bundle."""
        who = {
            "resourceType": "Patient",
            "id": "1",
            "gender": self.sex,
            "birthDate": self._day(self.born),
            "deceasedBoolean": self.deceased or None,
        }
        everything = [{name: value for name, value in who.items() if value is not None}, *self.resources]
        return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in everything]}

    def draft_orders(self) -> Json | None:
        """The orders being written, as `context.draftOrders` carries them."""
        if self.drafts_written is None:
            return None
        return {"resourceType": "Bundle", "entry": [{"resource": one} for one in self.drafts_written]}

    def inputs(self) -> dict[str, InputState]:
        """What is known about each kind of input."""
        empty = {kind: InputState.CONFIRMED_EMPTY for kind in KINDS if kind not in self.unsupplied}
        return empty | dict.fromkeys(self.broken, InputState.FAILED)

    def _day(self, words: str | None) -> str | None:
        """An ISO date, as written or counted back from the day of the chart."""
        if words is None or re.fullmatch(r"\d{4}(-\d\d(-\d\d)?)?", words):
            return words
        if (found := re.fullmatch(r"(\d+) (day|week|month|year)s? ago", words)) is None:
            raise ChartWordError(f"`{words}` is no date; write 2026-11-01, 2026-11, 2026, `10 days ago` or `3 months ago`")
        count, unit = int(found[1]), found[2]
        if unit in _DAYS:
            return (self.as_of - timedelta(days=count * _DAYS[unit])).isoformat()
        return add_months(self.as_of, -count * _MONTHS[unit]).isoformat()


_DAYS = {"day": 1, "week": 7}
_MONTHS = {"month": 1, "year": 12}


def _code(system: str, code: str) -> Json:
    return {"coding": [{"system": f"{_HL7}/{system}", "code": code}]}


def _interpretation(answer: str) -> Json:
    return _code("v3-ObservationInterpretation", _INTERPRETATIONS[answer])


def _quantity(value: float, unit: str) -> Json:
    return {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}


def _dosage(
    dose: float | None = None, route: str | None = None, until: str | None = None, text: str | None = None
) -> list[Json] | None:
    repeat: Json = {"boundsPeriod": {"end": until}} if until else {}
    if dose is not None:
        repeat |= {"frequency": 1, "period": 1, "periodUnit": "d"}
    dosage: Json = {"timing": {"repeat": repeat}} if repeat else {}
    if dose is not None:
        dosage["doseAndRate"] = [{"doseQuantity": _quantity(dose, "mg")}]
    if route:
        dosage["route"] = _one_of("route", route)
    if text:
        dosage["text"] = text
    return [dosage] if dosage else None
