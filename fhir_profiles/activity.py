"""Whether the disease was active in the recent past (clinical/phenotypes.md section 5).

A recorded relapse, severe weakness, lung disease that began to progress rapidly or to fail, or creatine kinase above the
laboratory's limit that has not come down. Mild weakness alone may be damage that stayed: no reason to escalate. An enzyme that is
normal or falling settles nothing: skin and lung can be active without it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from fhir_profiles.code_words import word
from fhir_profiles.dates import add_months
from fhir_profiles.findings import Evidence, Finding, Missing, Standing
from fhir_profiles.phenotypes import Phenotype
from fhir_profiles.record import Diagnosis, PatientRecord, Result
from fhir_profiles.sentences import say
from fhir_profiles.strength import GROUPS, WHOLE
from fhir_profiles.wordings import on_day

TITLE = say("active disease in the last 3 months")
STRENGTH = (WHOLE, *GROUPS)
LUNG = ("rapidly-progressive-ild", "respiratory-failure-from-ild")


@dataclass(frozen=True, slots=True)
class Activity:
    """The findings `active-disease` and `relapse`, and the newest day on which the activity was seen."""

    finding: Finding
    relapse: Finding
    last_seen: date | None = None


def find_activity(
    record: PatientRecord,
    features: Mapping[str, Finding],
    phenotypes: tuple[Phenotype, ...],
    unimproved_fraction: float,
    window_months: int,
) -> Activity:
    """Whether the disease was active, and when.

    Args:
        record: the chart.
        features: findings made so far.
        phenotypes: the phenotypes that hold.
        unimproved_fraction: a raised creatine kinase counts if it is at least this fraction of its earlier peak (house default).
        window_months: how long ago the lungs may have turned worse (working definition).
    """
    diagnoses = {fact.reference: fact for p in phenotypes for fact in p.diagnoses}.values()
    relapses = [fact for fact in diagnoses if fact.clinical_status in ("relapse", "recurrence")]
    evidence = tuple(Evidence(_describe(fact), fact.reference) for fact in relapses)
    relapse = Finding("relapse", word("relapse"), Standing.PRESENT if evidence else Standing.NOT_RECORDED, evidence)
    weakness = features["severe-weakness"]
    enzyme = _unimproved_enzyme(record, features["raised-creatine-kinase"], unimproved_fraction)
    evidence += weakness.evidence if weakness.is_present else ()
    evidence += _lung(record, features, window_months)
    evidence += enzyme.evidence if enzyme.is_present else ()
    if not evidence:
        return Activity(Finding("active-disease", TITLE, enzyme.standing, enzyme.evidence, enzyme.missing), relapse)
    evidence = tuple(dict.fromkeys(evidence))
    return Activity(Finding("active-disease", TITLE, Standing.PRESENT, evidence), relapse, _last_seen(record, evidence))


def _describe(fact: Diagnosis) -> str:
    return say("{status} on the problem list", status=word(fact.clinical_status or ""))


def _lung(record: PatientRecord, features: Mapping[str, Finding], months: int) -> tuple[Evidence, ...]:
    """Rapid progression or failure of the lungs that is dated inside the window; an older entry may long be over."""
    since = add_months(record.as_of, -months)
    recent = {d.reference for filed in record.diagnoses.values() for d in filed if d.when and not d.is_of_before(since)}
    found = (item for code in LUNG if features[code].is_present for item in features[code].evidence)
    return tuple(item for item in found if item.reference in recent)


def _last_seen(record: PatientRecord, evidence: tuple[Evidence, ...]) -> date:
    """The newest result or lung diagnosis among the evidence; a relapse on the problem list is seen today."""
    lung = (d for filed in record.diagnoses.values() for d in filed if d.clinical_status not in ("relapse", "recurrence"))
    results = (r for concept in ("creatine_kinase", *STRENGTH) for r in record.results.get(concept, ()))
    days = {fact.reference: fact.when.last for fact in (*lung, *results) if fact.when}
    return max(days.get(item.reference, record.as_of) for item in evidence)


def _unimproved_enzyme(record: PatientRecord, raised: Finding, fraction: float) -> Finding:
    """The raised enzyme, as long as it has not fallen below a fraction of its earlier peak; else unclear, and never a no.

    Nothing is asked for then: skin, lung and strength are judged at the bedside, and no one datum would decide it.
    """
    if raised.standing is Standing.RULED_OUT:
        return Finding(raised.code, raised.title, Standing.UNCLEAR, raised.evidence)
    if not raised.is_present:
        return raised
    newest, *earlier = record.results.get("creatine_kinase", ())
    peak = max((value for value in map(_value, earlier) if value is not None), default=None)
    now = _value(newest)
    if now is None or peak is None:
        again = Missing(say("a further creatine kinase: one raised value does not tell whether it falls"), "creatine_kinase")
        return Finding(raised.code, raised.title, Standing.UNCLEAR, raised.evidence, (again,))
    if now < fraction * peak:
        falls = now < (_value(earlier[0]) or 0)
        words = (
            say("creatine kinase falling, measured") if falls else say("creatine kinase below its peak and not falling, measured")
        )
        return Finding(raised.code, raised.title, Standing.UNCLEAR, (Evidence(on_day(words, newest.when), newest.reference),))
    return raised


def _value(result: Result) -> float | None:
    return result.quantity.value if result.quantity else None
