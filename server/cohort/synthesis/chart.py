"""The chart of one made-up patient: FHIR resources as lines of JSON, by type."""

from dataclasses import dataclass
from random import Random

from server.cohort.synthesis.days import written
from server.cohort.synthesis.measures import Measure
from server.cohort.synthesis.proportions import Site
from server.cohort.synthesis.shapes import (
    ALLERGY,
    CLINICAL,
    DIAGNOSIS,
    DRUG,
    FLAGS,
    PATIENT,
    RELATIVE,
    VERIFICATION,
    VISIT,
    Shapes,
    shape_of,
)

_DAILY = ',"frequency":1,"period":1,"periodUnit":"d"'
_DOSE = ',"doseAndRate":[{"doseQuantity":{"value":%g,"unit":"mg","system":"http://unitsofmeasure.org","code":"mg"}}]'
_HOW_OFTEN = {
    "methotrexate": ',"frequency":1,"period":1,"periodUnit":"wk"',
    "immunoglobulin_iv": ',"frequency":1,"period":4,"periodUnit":"wk"',
    "rituximab": "",
    "cyclophosphamide": "",
    "methylprednisolone": "",
}


@dataclass(frozen=True, slots=True)
class Person:
    """Who it is. Days are ordinals.

    Args:
        number: in the cohort, from 0.
        is_female: or male.
        birth: day.
        last_day: of the chart: today, or the day of death.
        is_deceased: before today.
        is_birth_known: the chart says it.
        site: where the chart is kept.
    """

    number: int
    is_female: bool
    birth: int
    last_day: int
    is_deceased: bool
    is_birth_known: bool
    site: Site

    @property
    def id(self) -> str:
        """FHIR id."""
        return f"s{self.number:06}"

    def age_on(self, day: int) -> float:
        """Years."""
        return (day - self.birth) / 365.25


class Chart:
    """Takes down what happened, in the words of the patient's hospital. What the hospital never holds is not taken down.

    Args:
        person: whose it is.
        shapes: of the hospital.
        chance: decides what is left out.
    """

    __slots__ = ("_missing", "_never", "_number", "_patient", "chance", "lines", "person", "shapes")

    def __init__(self, person: Person, shapes: Shapes, chance: Random, missing_interpretation: float) -> None:
        """The Patient alone."""
        self.person = person
        self.shapes = shapes
        self.chance = chance
        self.lines: dict[str, list[str]] = {}
        self._never = person.site.never
        self._patient = person.id
        self._number = 0
        self._missing = missing_interpretation
        self._take_down_the_patient()

    @property
    def size(self) -> int:
        """How many resources there are."""
        return sum(map(len, self.lines.values()))

    def diagnosis(
        self,
        concept: str,
        recorded: int,
        *,
        onset: int | None = None,
        abated: int | None = None,
        clinical: str = "active",
        verification: str = "confirmed",
        severity: str = "",
        in_words: bool = False,
    ) -> None:
        """A Condition of one of our concepts.

        Args:
            concept: what it is.
            recorded: day.
            onset: day, if the chart says it.
            abated: day on which it was over; it is resolved then, whatever `clinical` says.
            clinical: clinical status; empty for none.
            verification: verification status.
            severity: `mild`, `moderate` or `severe`; empty for none.
            in_words: without a code.
        """
        codes = self.shapes.codes
        code = codes.in_words(concept) if in_words else codes.of(concept)
        course = "" if onset is None else f',"onsetDateTime":"{written(onset)}"'
        if abated is not None:
            course, clinical = f'{course},"abatementDateTime":"{written(abated)}"', "resolved"
        graded = f',"severity":{codes.of(f"severity_{severity}")}' if severity else ""
        what = (
            self._id(),
            VERIFICATION[verification],
            CLINICAL[clinical],
            graded,
            code,
            self._patient,
            course,
            written(recorded),
        )
        self._add("Condition", DIAGNOSIS % what)

    def local_diagnosis(self, recorded: int) -> None:
        """A Condition of a made-up code."""
        code = self.shapes.codes.local(self.chance)
        what = (self._id(), VERIFICATION["confirmed"], CLINICAL["active"], "", code, self._patient, "", written(recorded))
        self._add("Condition", DIAGNOSIS % what)

    def measurement(self, measure: Measure, day: int, value: float) -> None:
        """An Observation of a number; mostly with the flag of the laboratory."""
        flag = "" if measure.has_no_limits or self.chance.random() < self._missing else _flag(measure, value)
        number = f"{value:.{measure.decimals}f}"
        self._add(
            "Observation", self.shapes.measurement(measure) % (self._id(), self._patient, written(day), number, FLAGS[flag])
        )

    def answer(self, test: str, day: int, answer: str) -> None:
        """An Observation that is positive, negative or borderline."""
        self._add("Observation", self.shapes.answer(test, answer) % (self._id(), self._patient, written(day)))

    def report(self, concept: str, day: int) -> None:
        """A DiagnosticReport: the examination was done."""
        self._simple("DiagnosticReport", concept, day, "final")

    def procedure(self, concept: str, day: int) -> None:
        """A Procedure that was done."""
        self._simple("Procedure", concept, day, "completed")

    def refusal(self, concept: str, day: int) -> None:
        """A Procedure that the patient declined."""
        reason = f'"status":"not-done","statusReason":{self._why("patient_refusal")}'
        line = self.shapes.simple("Procedure", concept) % (self._id(), "not-done", self._patient, written(day))
        self._add("Procedure", line.replace('"status":"not-done"', reason, 1))

    def order(self, concept: str, day: int) -> None:
        """A ServiceRequest that nobody has seen to."""
        self._simple("ServiceRequest", concept, day, "active")

    def vaccination(self, concept: str, day: int) -> None:
        """An Immunization."""
        self._simple("Immunization", concept, day, "completed")

    def local(self, kind: str, day: int, code_status: str) -> None:
        """A Procedure, DiagnosticReport or ServiceRequest of a made-up code."""
        shape = shape_of(kind, self.shapes.codes.local(self.chance))
        self._add(kind, shape % (self._id(), code_status, self._patient, written(day)))

    def drug(self, concept: str, start: int, end: int | None, *, why: str = "", dose: float | None = None) -> None:
        """A MedicationRequest of one of our concepts.

        Args:
            concept: the drug.
            start: first day.
            end: last day; None while it is taken.
            why: it ended: `ineffective`, `intolerance`, or empty for neither.
            dose: milligrams, each time.
        """
        if self.person.site.refers_to_drugs:
            named = f'"medicationReference":{{"reference":"Medication/{medication_id(concept)}"}}'
        else:
            named = f'"medicationCodeableConcept":{self.shapes.codes.of(concept)}'
        self._take_down_a_drug(named, start, end, why, _HOW_OFTEN.get(concept, _DAILY), dose)

    def refused_drug(self, concept: str, day: int) -> None:
        """A MedicationRequest that the patient did not want."""
        named = f'"medicationCodeableConcept":{self.shapes.codes.of(concept)}'
        first = written(day)
        reason = f',"statusReason":{self._why("patient_refusal")}'
        self._add("MedicationRequest", DRUG % (self._id(), "cancelled", reason, named, self._patient, first, first, "", "", ""))

    def local_drug(self, start: int, end: int | None) -> None:
        """A MedicationRequest of a made-up code."""
        self._take_down_a_drug(
            f'"medicationCodeableConcept":{self.shapes.codes.local(self.chance)}', start, end, "", _DAILY, None
        )

    def visit(self, day: int) -> None:
        """An Encounter."""
        when = written(day)
        self._add("Encounter", VISIT % (self._id(), self.shapes.codes.local(self.chance), self._patient, when, when))

    def no_allergy(self, day: int) -> None:
        """An AllergyIntolerance that says that there is none."""
        code = self.shapes.codes.of("no_known_drug_allergy")
        self._add("AllergyIntolerance", ALLERGY % (self._id(), code, self._patient, written(day)))

    def sick_mother(self, concept: str) -> None:
        """A FamilyMemberHistory."""
        self._add("FamilyMemberHistory", RELATIVE % (self._id(), self._patient, self.shapes.codes.of(concept)))

    def _take_down_the_patient(self) -> None:
        person = self.person
        birth = f',"birthDate":"{written(person.birth)}"' if person.is_birth_known else ""
        death = f',"deceasedDateTime":"{written(person.last_day)}"' if person.is_deceased else ""
        sex = "female" if person.is_female else "male"
        self.lines["Patient"] = [PATIENT % (person.id, person.id, person.number, sex, birth, death, person.site.id)]

    def _take_down_a_drug(self, named: str, start: int, end: int | None, why: str, often: str, dose: float | None) -> None:
        first = written(start)
        last = "" if end is None else f',"end":"{written(end)}"'
        reason = f',"statusReason":{self._why(f"stop_reason_{why}")}' if why else ""
        state = "active" if end is None else "stopped" if why else "completed"
        amount = "" if dose is None else _DOSE % dose
        what = (self._id(), state, reason, named, self._patient, first, first, last, often, amount)
        self._add("MedicationRequest", DRUG % what)

    def _why(self, concept: str) -> str:
        return self.shapes.codes.of(concept)

    def _simple(self, kind: str, concept: str, day: int, code_status: str) -> None:
        self._add(kind, self.shapes.simple(kind, concept) % (self._id(), code_status, self._patient, written(day)))

    def _id(self) -> str:
        self._number += 1
        return f"{self._patient}-{self._number}"

    def _add(self, kind: str, line: str) -> None:
        if kind not in self._never:
            self.lines.setdefault(kind, []).append(line)


def medication_id(concept: str) -> str:
    """The id of the Medication of a drug."""
    return concept.replace("_", "-")


def _flag(measure: Measure, value: float) -> str:
    if measure.low is not None and value < measure.low:
        return "L"
    return "H" if measure.high is not None and value > measure.high else "N"
