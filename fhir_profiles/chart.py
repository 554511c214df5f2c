"""The chart as it is being read: the desk on which the readers of single resource types put their facts.

A resource that cannot be used might have been the very one that says "done" or "not tolerated". So it is not only reported:
its type counts as incomplete from then on, and "not done" is no longer concluded from that type (SAF-08). A resource whose code
could be read and is none of ours is no such loss; it is passed over without looking any further, which also makes it cheap.
"""

from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from fhir_profiles.codes import Concepts, Terminology
from fhir_profiles.dates import DateInterval
from fhir_profiles.elements import Element, objects
from fhir_profiles.identity import Identity
from fhir_profiles.record import (
    Diagnosis,
    DrugEntry,
    Event,
    FactType,
    InputState,
    Intolerance,
    Issue,
    Order,
    PatientRecord,
    Refusal,
    Result,
    newest_first,
)
from fhir_profiles.sentences import say

UNSUPPORTED_VERSION = say("has the shape of an unsupported FHIR version (we read R4); not used")

# Fields of R5, STU3 and DSTU2 that R4 does not have and that change what a resource means (R5: reference diff of the R4B and
# R5 packages, SAF-17; STU3 and DSTU2: their negations, which R4 moved into `status`).
_FOREIGN_FIELDS: Mapping[str, tuple[str, ...]] = {
    "AdverseEvent": ("code", "status", "occurrenceDateTime", "occurrencePeriod", "occurrenceTiming"),
    "AllergyIntolerance": ("participant", "substance", "status"),
    "Condition": ("participant", "patient", "assertedDate", "dateRecorded"),
    "DiagnosticReport": ("study", "codedDiagnosis"),
    "Encounter": ("actualPeriod", "admission"),
    "Immunization": ("notGiven", "wasNotGiven", "explanation", "informationSource"),
    "MedicationAdministration": ("medication", "notGiven", "wasNotGiven", "occurenceDateTime", "occurencePeriod"),
    "MedicationDispense": ("medication", "notDone"),
    "MedicationRequest": ("medication",),
    "MedicationStatement": ("medication", "adherence", "taken", "notTaken", "wasNotTaken"),
    "Procedure": (
        "occurrenceDateTime",
        "occurrencePeriod",
        "occurrenceString",
        "occurrenceAge",
        "occurrenceRange",
        "occurrenceTiming",
        "notDone",
        "notPerformed",
    ),
    "ServiceRequest": ("reason", "location"),
}


class Coded(NamedTuple):
    """What a code means to us.

    Args:
        concepts: our concepts; none if the code is not one of ours.
        by_text: only its text gave them.
        is_readable: there was a code to read.
    """

    concepts: tuple[str, ...] = ()
    by_text: bool = False
    is_readable: bool = False

    @property
    def is_irrelevant(self) -> bool:
        """Readable, and none of ours."""
        return self.is_readable and not self.concepts


UNREADABLE = Coded()
_IRRELEVANT = Coded(is_readable=True)


@dataclass(slots=True)
class Chart:
    """What has been read so far, of one patient.

    Args:
        terminology: what codes mean.
        as_of: the day of the record.
        identity: whose chart it is.
        birth: date of birth, for an onset that is given as an age.
    """

    terminology: Terminology
    as_of: date
    identity: Identity
    birth: DateInterval | None = None
    diagnoses: list[Diagnosis] = field(default_factory=list)
    refuted: list[Diagnosis] = field(default_factory=list)
    drugs: list[DrugEntry] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    intolerances: list[Intolerance] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    failed: set[str] = field(default_factory=set)

    def coded(self, element: Element, name: str) -> Coded:
        """The meaning of a field that is a CodeableConcept."""
        return _coded(self.terminology.concepts_of_codeable, element.content.get(name))

    def finer_by_text(self, element: Element, name: str, coded: Coded) -> tuple[str, ...]:
        """What a coded field's own text says beyond its codes (G72.49 with the text "necrotising myopathy")."""
        codeable = element.content.get(name)
        text = codeable.get("text") if isinstance(codeable, dict) else None
        if coded.by_text or not coded.concepts or not isinstance(text, str):
            return ()
        return tuple(concept for concept in self.terminology.concepts_of_text(text) if concept not in coded.concepts)

    def coded_drug(self, element: Element, name: str) -> Coded:
        """The meaning of a field that is a CodeableConcept and names a drug; its text is read as drug texts are written."""
        return _coded(self.terminology.concepts_of_medication, element.content.get(name))

    def meaning(self, codeable: object) -> Coded:
        """The meaning of a CodeableConcept."""
        return _coded(self.terminology.concepts_of_codeable, codeable)

    def admit(self, element: Element, code: Coded, counted: Set[str], ignored: Set[str]) -> str | None:
        """The status of a resource that is to become a fact, or None.

        Args:
            element: the resource; passed over silently if its code is none of ours or its status is ignored.
            code: the meaning of its code.
            counted, ignored: status codes, as for `counted_status`.
        """
        if code.is_irrelevant:
            return None
        status = self.counted_status(element, counted, ignored)
        return status if status and self.has_code(element, code) else None

    def counted_status(self, element: Element, counted: Set[str], ignored: Set[str]) -> str | None:
        """The status of a resource of which we know all that could change its meaning, or None.

        Args:
            element: the resource.
            counted: status codes that make a fact.
            ignored: status codes that do not (entered in error, not done …). Any other status leaves it open whether
                there is a fact, and makes the type incomplete.
        """
        if not self.is_sound(element):
            return None
        status = element.code("status")
        if status in counted:
            return status
        if status not in ignored:
            self.lose(element, "status", say("is missing or not known; not used"))
        return None

    def has_code(self, element: Element, code: Coded) -> bool:
        """Whether there was a code to read; what the resource is about cannot be told otherwise."""
        if not code.is_readable:
            self.lose(element, "", say("has no readable code for what it is about; not used"))
        return code.is_readable

    def is_sound(self, element: Element) -> bool:
        """Whether we know all that could change what it means (SAF-07: unknown modifierExtension; SAF-17: other versions)."""
        content = element.content
        if content.get("modifierExtension"):
            self.lose(element, "modifierExtension", say("may change the meaning in a way we do not know; not used"))
            return False
        code = content.get("code")
        if isinstance(code, dict) and "concept" in code:
            self.lose(element, "code", UNSUPPORTED_VERSION)
            return False
        for name in _FOREIGN_FIELDS.get(element.type, ()):
            if name in content:
                self.lose(element, name, UNSUPPORTED_VERSION)
                return False
        return True

    def is_prohibition(self, element: Element) -> bool:
        """Whether a request says not to do it (`doNotPerform`); an unreadable value is reported and counts as yes."""
        value = element.content.get("doNotPerform")
        if value is None or value is False:
            return False
        if value is not True:
            self.lose(element, "doNotPerform", say("is neither true nor false; not used"))
        return True

    def is_future(self, element: Element, when: DateInterval | None) -> bool:
        """Whether a date certainly lies after the day of the record; reported, since such a fact is dropped."""
        if when is None or when.first <= self.as_of:
            return False
        element.report("", say("is dated after the day of this assessment; not used"))
        return True

    def lose(self, element: Element, field: str, problem: str) -> None:
        """Report a resource that cannot be used, and count its type as incomplete."""
        element.report(field, problem)
        self.failed.add(element.type)

    def record(
        self, birth: DateInterval | None, sex: str | None, is_deceased: bool, inputs: Mapping[str, InputState]
    ) -> PatientRecord:
        """All that was read, filed by concept."""
        return PatientRecord(
            as_of=self.as_of,
            patient_id=self.identity.patient_id,
            birth=birth,
            sex=sex,
            is_deceased=is_deceased,
            diagnoses=filed(self.diagnoses),
            refuted=filed(self.refuted),
            drugs=filed(self.drugs),
            results=filed(self.results),
            events=filed(self.events),
            orders=filed(self.orders),
            intolerances=filed(self.intolerances),
            refusals=filed(self.refusals),
            inputs=inputs,
            issues=in_order(self.identity.collection.issues),
        )


def _coded(read: Callable[[object], tuple[Concepts, bool]], codeable: object) -> Coded:
    concepts, by_text = read(codeable)
    if concepts:
        return Coded(concepts, by_text, True)
    return _IRRELEVANT if says_something(codeable) else UNREADABLE


def says_something(codeable: object) -> bool:
    """Whether a CodeableConcept holds a code or a text, so that a look at it can tell what it is not."""
    if not isinstance(codeable, dict):
        return False
    coding = codeable.get("coding")
    if isinstance(coding, list) and coding and isinstance(coding[0], dict) and coding[0].get("code"):
        return True
    return bool(codeable.get("text")) or any(one.get("code") or one.get("display") for one in objects(coding))


def filed(facts: Iterable[FactType]) -> dict[str, tuple[FactType, ...]]:
    """Facts by concept, newest first; the order in which they were read leaves no trace."""
    by_concept: dict[str, list[FactType]] = {}
    for fact in facts:
        for concept in fact.concepts:
            by_concept.setdefault(concept, []).append(fact)
    return {concept: tuple(_newest_first(same)) for concept, same in sorted(by_concept.items())}


def in_order(issues: Iterable[Issue]) -> tuple[Issue, ...]:
    """Each issue once, by reference."""
    return tuple(sorted(set(issues), key=lambda issue: (issue.reference, issue.problem)))


def _newest_first(facts: list[FactType]) -> list[FactType]:
    by_key = {newest_first(fact): fact for fact in facts}
    if len(by_key) == len(facts):
        return [by_key[key] for key in sorted(by_key)]
    # Several components of one resource, or resources without an id: their content decides, equal ones count once.
    return sorted(dict.fromkeys(facts), key=lambda fact: (newest_first(fact), repr(fact)))
