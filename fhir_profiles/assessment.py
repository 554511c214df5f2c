"""What the chart means: the `Assessment`, the only thing that guidelines are held against."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from fhir_profiles.antibodies import AntibodyResult
from fhir_profiles.classification import Classification, classify
from fhir_profiles.clinical_definitions import Definitions, definitions
from fhir_profiles.features import Ages
from fhir_profiles.findings import Finding, Missing
from fhir_profiles.improvement import Improvement, find_improvement
from fhir_profiles.investigations import Investigation, days_done, investigate, unreadable
from fhir_profiles.phenotypes import Phenotype
from fhir_profiles.record import Issue, PatientRecord, Refusal
from fhir_profiles.refusals import refused_treatments, standing_refusals
from fhir_profiles.severity import Severity
from fhir_profiles.treatment import Treatment


@dataclass(frozen=True, slots=True)
class Assessment:
    """What the chart says about one patient's myositis, as of a moment.

    Args:
        record: the chart it was made from; asked for tests and orders, never scanned.
        ages: youngest and oldest possible age in completed years.
        phenotypes: those that hold, the primary first; empty where the chart shows no myositis.
        severity: severe, non-severe or unknown.
        antibodies: answered autoantibodies by code.
        features: findings by code: organ features, contexts, treatment.
        treatment: courses, phase and line.
        disease_began: first day that a diagnosis behind the phenotypes gives, or None.
        in_remission: every diagnosis behind the confirmed phenotypes is in remission.
        issues: what was wrong with the data, a patient mismatch first.

    What was investigated is remembered, so that each question is answered once; that is no part of the value.
    """

    record: PatientRecord
    ages: Ages
    phenotypes: tuple[Phenotype, ...]
    severity: Severity
    antibodies: Mapping[str, AntibodyResult]
    features: Mapping[str, Finding]
    treatment: Treatment
    disease_began: date | None
    in_remission: bool
    issues: tuple[Issue, ...] = ()
    definitions: Definitions = field(default_factory=definitions, repr=False, compare=False)
    _investigated: dict[tuple[str, date | None], Investigation] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def as_of(self) -> date:
        """The moment of the assessment."""
        return self.record.as_of

    @property
    def sex(self) -> str | None:
        """`female`, `male` or None."""
        return self.record.sex

    @property
    def primary(self) -> Phenotype | None:
        """The phenotype that decides which rules apply, or None."""
        return self.phenotypes[0] if self.phenotypes else None

    def phenotype(self, code: str) -> Phenotype | None:
        """The phenotype of that code, if it holds."""
        return next((phenotype for phenotype in self.phenotypes if phenotype.code == code), None)

    @property
    def classification(self) -> Classification | None:
        """The 2017 EULAR/ACR classification, worked out when asked for: no card needs it."""
        return classify(self.record, self.ages, self.phenotypes, self.treatment)

    @property
    def improvement(self) -> Improvement | None:
        """The 2016 ACR/EULAR Total Improvement Score, worked out when asked for; never reason for a card."""
        return find_improvement(self.record, self.phenotypes)

    def investigation(self, code: str, since: date | None = None) -> Investigation:
        """Whether a test or referral was done on or after a day, or is ordered.

        Raises:
            KeyError: no such investigation in `definitions/investigations.yaml`.
        """
        asked = (code, since)  # by several statements, and answered once
        if asked not in self._investigated:
            self._investigated[asked] = investigate(self.record, code, self.definitions.investigations[code], since)
        return self._investigated[asked]

    @property
    def declined(self) -> tuple[Refusal, ...]:
        """What the patient declined and nothing later has overtaken, newest first."""
        return standing_refusals(self.record)

    def refusal_of_treatment(self, agent: str | None) -> Refusal | None:
        """The patient's refusal of a treatment of `definitions/agents.yaml`, if one stands."""
        return refused_treatments(self.record, self.definitions.agents).get(agent) if agent else None

    def unreadable(self, code: str) -> tuple[Missing, ...]:
        """What is missing where data that could show a test could not be read; nothing where they could."""
        return unreadable(self.record, self.definitions.investigations[code])

    def days_done(self, code: str, since: date | None = None) -> tuple[date, ...]:
        """The days on which a test was done, oldest first."""
        return days_done(self.record, self.definitions.investigations[code], since)

    def is_ordered(self, code: str, after: date) -> bool:
        """Whether the test was ordered after a day and is not done yet."""
        concepts = {c for combination in self.definitions.investigations[code].shown_by for c in combination}
        orders = [order for concept in concepts for order in self.record.orders.get(concept, ())]
        return any(order.when is None or order.when.last > after for order in orders)
