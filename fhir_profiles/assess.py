"""`assess`: from what the chart says to what it means. Pure; the moment is in the record."""

from fhir_profiles.activity import find_activity
from fhir_profiles.antibodies import find_antibodies
from fhir_profiles.assessment import Assessment
from fhir_profiles.clinical_definitions import Definitions, definitions
from fhir_profiles.courses import read_courses
from fhir_profiles.dates import completed_years
from fhir_profiles.features import Ages, find_features
from fhir_profiles.findings import Finding, standing_of_any
from fhir_profiles.phenotypes import ADULT, Findings, Phenotype, find_phenotypes, first_day_of_disease
from fhir_profiles.record import PatientRecord
from fhir_profiles.sentences import say
from fhir_profiles.severity import Severity, find_severity
from fhir_profiles.strength import find_weakness
from fhir_profiles.treatment import Treatment, judge, treatment_findings

_SIGNS = ("severe-ild", "mild-or-moderate-weakness", "raised-creatine-kinase")
"""They prove no active disease, and are reason enough not to think it at rest."""


def assess(record: PatientRecord, known: Definitions | None = None) -> Assessment:
    """Assess one patient.

    Args:
        record: what the chart says, as of a moment.
        known: the clinical definitions; the packaged ones by default.

    Returns:
        The assessment. A record with another patient's data in it gives one without any finding: nothing in it may be used.
    """
    known = known or definitions()
    if record.is_mismatched:
        return _empty(record, known)
    parameters = known.treatment
    window = int(parameters["activity_window_months"])
    ages = _ages(record)
    features = find_features(record, known.features, ages, find_weakness(record, window), parameters)
    features["any-weakness"] = _any_weakness(features)
    antibodies = find_antibodies(record, known.antibodies, _immunosuppressants(known))
    phenotypes = find_phenotypes(record, Findings(features, antibodies), known)
    in_remission = _in_remission(phenotypes)
    began = first_day_of_disease(phenotypes)
    activity = find_activity(record, features, phenotypes, parameters["unimproved_fraction"], window)
    features |= {"active-disease": activity.finding, "relapse": activity.relapse}
    courses = read_courses(record, known.agents, began)
    treatment = judge(courses, activity, in_remission, parameters)
    severity = find_severity(features, ages[1] is not None and ages[1] < ADULT)
    is_known_active = activity.finding.is_present or severity.value == "severe" or any(features[s].is_present for s in _SIGNS)
    features |= treatment_findings(treatment, record, parameters, is_known_active)
    return Assessment(
        record=record,
        ages=ages,
        phenotypes=phenotypes,
        severity=severity,
        antibodies=antibodies,
        features=features,
        treatment=treatment,
        disease_began=began,
        in_remission=in_remission,
        issues=record.issues,
        definitions=known,
    )


def _empty(record: PatientRecord, known: Definitions) -> Assessment:
    nothing = Treatment("untreated", 0, {})
    return Assessment(record, (None, None), (), Severity("unknown"), {}, {}, nothing, None, False, record.issues, known)


def _ages(record: PatientRecord) -> Ages:
    if record.birth is None:
        return (None, None)
    return completed_years(record.birth.last, record.as_of), completed_years(record.birth.first, record.as_of)


def _immunosuppressants(known: Definitions) -> tuple[str, ...]:
    return tuple(
        drug for agent in known.agents.values() if agent.role in ("glucocorticoid", "immunosuppressant") for drug in agent.drugs
    )


def _any_weakness(features: dict[str, Finding]) -> Finding:
    parts = [features[code] for code in ("severe-weakness", "mild-or-moderate-weakness", "muscle-weakness")]
    evidence = tuple(dict.fromkeys(item for part in parts if part.is_present for item in part.evidence))
    return Finding("any-weakness", say("muscle weakness"), standing_of_any(part.standing for part in parts), evidence)


def _in_remission(phenotypes: tuple[Phenotype, ...]) -> bool:
    diagnoses = [fact for phenotype in phenotypes if phenotype.is_confirmed for fact in phenotype.diagnoses]
    return bool(diagnoses) and all(fact.clinical_status == "remission" for fact in diagnoses)
