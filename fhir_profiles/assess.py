"""`assess`: from what the chart says to what it means. Pure; the moment is in the record."""

from fhir_profiles.antibodies import find_antibodies
from fhir_profiles.assessment import Assessment
from fhir_profiles.clinical_definitions import Definitions, definitions
from fhir_profiles.dates import completed_years
from fhir_profiles.features import Ages, find_features
from fhir_profiles.findings import Evidence, Finding, Standing, standing_of_any
from fhir_profiles.phenotypes import Findings, Phenotype, find_phenotypes, first_day_of_disease
from fhir_profiles.record import PatientRecord
from fhir_profiles.severity import Severity, find_severity
from fhir_profiles.strength import find_weakness
from fhir_profiles.treatment import Treatment, judge, read_courses, treatment_findings


def assess(record: PatientRecord) -> Assessment:
    """Assess one patient.

    Args:
        record: what the chart says, as of a moment.

    Returns:
        The assessment. A record with another patient's data in it gives one without any finding: nothing in it may be used.
    """
    known = definitions()
    if record.is_mismatched:
        return _empty(record)
    parameters = known.treatment
    ages = _ages(record)
    features = find_features(record, known.features, ages, find_weakness(record, int(parameters["activity_window_months"])))
    features["any-weakness"] = _any_weakness(features)
    antibodies = find_antibodies(record, known.antibodies, _immunosuppressants(known))
    phenotypes = find_phenotypes(record, Findings(features, antibodies), known)
    in_remission = _in_remission(phenotypes)
    features["active-disease"] = _activity(features, phenotypes)
    treatment = judge(read_courses(record, known.agents), record, features["active-disease"], in_remission, parameters)
    features |= treatment_findings(treatment, record, parameters)
    return Assessment(
        record=record,
        ages=ages,
        phenotypes=phenotypes,
        severity=find_severity(features),
        antibodies=antibodies,
        features=features,
        treatment=treatment,
        disease_began=first_day_of_disease(phenotypes),
        in_remission=in_remission,
        issues=record.issues,
    )


def _empty(record: PatientRecord) -> Assessment:
    return Assessment(
        record, (None, None), (), Severity("unknown"), {}, {}, Treatment("untreated", 0, {}), None, False, record.issues
    )


def _ages(record: PatientRecord) -> Ages:
    if record.birth is None:
        return (None, None)
    return completed_years(record.birth.last, record.as_of), completed_years(record.birth.first, record.as_of)


def _immunosuppressants(known: Definitions) -> tuple[str, ...]:
    return tuple(drug for agent in known.agents.values() if agent.role != "other" for drug in agent.drugs)


def _any_weakness(features: dict[str, Finding]) -> Finding:
    parts = [features[code] for code in ("severe-weakness", "mild-or-moderate-weakness", "muscle-weakness")]
    evidence = tuple(dict.fromkeys(item for part in parts if part.is_present for item in part.evidence))
    return Finding("any-weakness", "muscle weakness", standing_of_any(part.standing for part in parts), evidence)


def _in_remission(phenotypes: tuple[Phenotype, ...]) -> bool:
    diagnoses = [fact for phenotype in phenotypes if phenotype.is_confirmed for fact in phenotype.diagnoses]
    return bool(diagnoses) and all(fact.clinical_status == "remission" for fact in diagnoses)


def _activity(features: dict[str, Finding], phenotypes: tuple[Phenotype, ...]) -> Finding:
    """Active disease in the recent past (phenotypes.md section 5): a recorded relapse, a raised enzyme, or severe weakness.

    Mild weakness alone does not count: it may be damage that stayed, which is no reason to escalate.
    """
    relapses = [f for p in phenotypes for f in p.diagnoses if f.clinical_status in ("relapse", "recurrence")]
    recorded = tuple(dict.fromkeys(Evidence(f"{fact.clinical_status} on the problem list", fact.reference) for fact in relapses))
    parts = [features[code] for code in ("raised-creatine-kinase", "severe-weakness")]
    evidence = recorded + tuple(item for part in parts if part.is_present for item in part.evidence)
    standing = Standing.PRESENT if recorded else standing_of_any(part.standing for part in parts)
    return Finding("active-disease", "active disease in the last 3 months", standing, tuple(dict.fromkeys(evidence)))
