"""What if …: the same three pure functions over the chart and a supposition. Nothing is written, and nothing is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from cards.recommend import recommend
from cards.recommendation import Recommendation
from fhir_profiles.assess import assess
from fhir_profiles.assessment import Assessment
from fhir_profiles.hypotheses import HypothesisError, Supposition, hypothetical_resource, supposition
from fhir_profiles.reader import read_record
from fhir_profiles.record import PatientRecord
from server.patient_page.opened import Opened

MOST_SUPPOSED = 12
"""More suppositions at once describe another patient."""


@dataclass(frozen=True, slots=True)
class Considered:
    """What follows from the chart, or from the chart and suppositions."""

    record: PatientRecord
    assessment: Assessment
    recommendations: tuple[Recommendation, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address of the page supposes.

    Args:
        supposed: by hypothesis, one answer each; the later of two holds.
        has_unknown: something in it cannot be supposed.
    """

    supposed: tuple[Supposition, ...] = ()
    has_unknown: bool = False

    @property
    def words(self) -> str:
        """As it stands in the address."""
        return ",".join(one.id for one in self.supposed)

    def without(self, gone: Supposition) -> "Asked":
        """The others."""
        return Asked(tuple(one for one in self.supposed if one != gone))


def asked_by(query: Mapping[str, str]) -> Asked:
    """Read `suppose=anti-mda5:positive,fvc:low` and, from the form that adds one, `and=pregnancy:pregnant`."""
    given = [word for name in ("suppose", "and") for word in query.get(name, "").split(",") if word]
    supposed: dict[str, Supposition] = {}
    has_unknown = len(given) > MOST_SUPPOSED
    for word in given[:MOST_SUPPOSED]:
        try:
            one = supposition(word)
        except HypothesisError:
            has_unknown = True
        else:
            supposed[one.hypothesis.id] = one
    return Asked(tuple(supposed.values()), has_unknown)


def as_it_is(opened: Opened) -> Considered:
    """What was found without any supposition."""
    evaluation = opened.evaluation
    return Considered(evaluation.record, evaluation.assessment, evaluation.recommendations)


def can_suppose(opened: Opened) -> bool:
    """Not without knowing whose chart it is, and not over a patient who has died."""
    record = opened.evaluation.record
    return bool(record.patient_id) and not record.is_deceased


def suppose(opened: Opened, supposed: Sequence[Supposition]) -> Considered:
    """Evaluate the chart with suppositions.

    Args:
        opened: the patient; `can_suppose` holds.
        supposed: any number of suppositions.
    """
    if not supposed:
        return as_it_is(opened)
    assessment = assess_supposing(opened, supposed)
    return Considered(assessment.record, assessment, tuple(recommend(assessment, None, opened.basis.knowledge)))


def assess_supposing(opened: Opened, supposed: Sequence[Supposition]) -> Assessment:
    """What the chart would mean, before any guideline is asked.

    A supposition adds a fact and tells nothing about the completeness of what was supplied: a kind of input that nobody sent is
    still not supplied, although one hypothetical resource of it was read.
    """
    real, basis = opened.evaluation.record, opened.basis
    hypothetical = [
        hypothetical_resource(one, basis.terminology, patient_id=real.patient_id or "", as_of=real.as_of) for one in supposed
    ]
    read = read_record(
        [*opened.parts, hypothetical],
        terminology=basis.terminology,
        as_of=real.as_of,
        patient_id=real.patient_id,
        inputs=opened.inputs,
        servers=opened.servers,
    )
    return assess(replace(read, inputs=real.inputs), basis.knowledge.definitions)
