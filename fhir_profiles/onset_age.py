"""Age at the first symptom: counted at the onset of the disease, not today (phenotypes.md section 1, rule 6, and section 4)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fhir_profiles.classification_criteria import Band
from fhir_profiles.dates import DateInterval, completed_years
from fhir_profiles.findings import Answer, Evidence, Finding, Standing
from fhir_profiles.phenotypes import ADULT, Phenotype
from fhir_profiles.record import Diagnosis, PatientRecord, facts_of
from fhir_profiles.sentences import say

_OLDEST = 150


@dataclass(frozen=True, slots=True)
class OnsetAge:
    """The ages in completed years at which the disease may have begun, and what they rest on."""

    youngest: int
    oldest: int
    evidence: tuple[Evidence, ...] = ()

    def bands(self, bands: Iterable[Band]) -> tuple[Band, ...]:
        """The bands that it may lie in."""
        return tuple(band for band in bands if band.youngest <= self.oldest and self.youngest <= band.oldest)

    @property
    def is_adult(self) -> Finding:
        """Whether the disease began at 18 or later, as the finding `adult-onset`."""
        certain = (
            Standing.PRESENT if self.youngest >= ADULT else Standing.RULED_OUT if self.oldest < ADULT else Standing.NOT_RECORDED
        )
        return Finding("adult-onset", say("onset at 18 or later"), certain, self.evidence)


def find_onset_age(record: PatientRecord, phenotypes: tuple[Phenotype, ...], first_symptoms: tuple[str, ...]) -> OnsetAge:
    """The age at the first symptom, as far as the chart tells.

    The earliest onset of a diagnosis behind the phenotypes, or of a problem that names the disease, is the first symptom. Without
    any onset the disease began at some age up to that of its first recording, or of today. A diagnosis that calls itself
    juvenile says that it began before 18.

    Args:
        record: the chart.
        phenotypes: those that hold.
        first_symptoms: ValueSets of the problems that count beside the diagnosis.
    """
    facts = [fact for phenotype in phenotypes for fact in phenotype.diagnoses]
    facts += [fact for fact in facts_of(record.diagnoses, first_symptoms) if not fact.suspected]
    if onsets := {fact.reference: fact.onset for fact in facts if fact.onset}:
        first = DateInterval(min(onset.first for onset in onsets.values()), min(onset.last for onset in onsets.values()))
        return _at(record, first, _evidence(onsets, first))
    juvenile = [phenotype for phenotype in phenotypes if phenotype.code.startswith("juvenile") and phenotype.is_confirmed]
    if juvenile:
        return OnsetAge(0, ADULT - 1, juvenile[0].evidence)
    return _before(record, facts)


def _at(record: PatientRecord, onset: DateInterval, evidence: tuple[Evidence, ...]) -> OnsetAge:
    if record.birth is None:
        return OnsetAge(0, _OLDEST, evidence)
    youngest, oldest = completed_years(record.birth.last, onset.first), completed_years(record.birth.first, onset.last)
    return OnsetAge(_plausible(youngest), _plausible(oldest), evidence)


def _before(record: PatientRecord, facts: list[Diagnosis]) -> OnsetAge:
    latest = min((fact.when.last for fact in facts if fact.when), default=record.as_of)
    if record.birth is None:
        return OnsetAge(0, _OLDEST)
    return OnsetAge(0, _plausible(completed_years(record.birth.first, latest)))


def _plausible(years: int) -> int:
    return min(max(0, years), _OLDEST)


def _evidence(onsets: Mapping[str, DateInterval], first: DateInterval) -> tuple[Evidence, ...]:
    reference = min(onsets, key=lambda one: (onsets[one], one))
    return (Evidence(say("first symptom on record: {day}", day=first), reference),)


def answer_of(possible: tuple[Band, ...], column: str) -> Answer:
    """Yes if the age certainly scores, no if it certainly does not."""
    scoring = {band.weights[column] > 0 for band in possible}
    return Answer.UNKNOWN if len(possible) != 1 else Answer.YES if True in scoring else Answer.NO
