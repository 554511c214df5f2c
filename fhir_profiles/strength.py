"""Muscle weakness and how severe it is, from graded strength and from recorded weakness (clinical/phenotypes.md section 3).

The source calls global weakness with strength worse than MRC 4 severe (`bmj-severity-severe-definition`). Read as: several
proximal groups, or a grade given for proximal or global strength as a whole, below 4. One muscle below 4 leaves it open.
"""

from fhir_profiles.code_words import word
from fhir_profiles.dates import add_months
from fhir_profiles.features import absence
from fhir_profiles.findings import Evidence, Finding, Missing, Standing
from fhir_profiles.record import Diagnosis, PatientRecord, Result, facts_of
from fhir_profiles.sentences import say
from fhir_profiles.wordings import graded_strength

WHOLE = "muscle_strength_mrc_proximal"
GROUPS = tuple(
    f"muscle_strength_mrc_{group}"
    for group in ("shoulder_abduction", "elbow_flexion", "hip_flexion", "knee_extension", "neck_flexion")
)
WEAKNESS = ("proximal_muscle_weakness", "muscle_weakness")
FULL, SEVERE_BELOW = 5.0, 4.0

_ASK = (Missing(say("graded proximal muscle strength (MRC)"), WHOLE),)


def find_weakness(record: PatientRecord, window_months: int) -> dict[str, Finding]:
    """Severe and mild-to-moderate weakness, from the data of the current episode.

    Args:
        record: the chart.
        window_months: how old a grade, or a weakness on the problem list, may be; severity is a state in time.

    Returns:
        `severe-weakness` and `mild-or-moderate-weakness`.
    """
    grades = _grades(record, window_months)
    severe, mild = _from_grades(grades) if grades else _from_diagnoses(record, window_months)
    return {
        "severe-weakness": Finding("severe-weakness", say("severe weakness (worse than MRC 4)"), *severe),
        "mild-or-moderate-weakness": Finding("mild-or-moderate-weakness", say("mild to moderate weakness"), *mild),
    }


Part = tuple[Standing, tuple[Evidence, ...], tuple[Missing, ...]]


def _grades(record: PatientRecord, window_months: int) -> dict[str, tuple[float, Result]]:
    """The newest grade of each muscle group inside the window; the weaker side where both were graded on one day."""
    since = add_months(record.as_of, -window_months)
    grades: dict[str, tuple[float, Result]] = {}
    for group in (WHOLE, *GROUPS):
        usable = [
            r
            for r in record.results.get(group, ())
            if r.quantity and not r.quantity.comparator and 0 <= r.quantity.value <= FULL and r.when and r.when.last >= since
        ]
        same_day = [r for r in usable if r.when == usable[0].when]
        if same_day:
            weakest = min(same_day, key=lambda r: (r.quantity.value if r.quantity else FULL, r.reference))
            grades[group] = (weakest.quantity.value if weakest.quantity else FULL, weakest)
    return grades


def _from_grades(grades: dict[str, tuple[float, Result]]) -> tuple[Part, Part]:
    below_four = {group: r for group, (grade, r) in grades.items() if grade < SEVERE_BELOW}
    weak = {group: r for group, (grade, r) in grades.items() if SEVERE_BELOW <= grade < FULL}
    evidence = tuple(
        Evidence(graded_strength(group, grade, result.when), result.reference) for group, (grade, result) in grades.items()
    )
    if WHOLE in below_four or len(below_four) > 1:
        return (Standing.PRESENT, evidence, ()), (Standing.RULED_OUT, evidence, ())
    if below_four:
        return (Standing.UNCLEAR, evidence, _ASK), (Standing.PRESENT, evidence, ())
    return (Standing.RULED_OUT, evidence, ()), (Standing.PRESENT if weak else Standing.RULED_OUT, evidence, ())


def _from_diagnoses(record: PatientRecord, window_months: int) -> tuple[Part, Part]:
    """What the problem list says; an entry from before the current episode leaves it open how strong the patient is now."""
    facts = [fact for fact in facts_of(record.diagnoses, WEAKNESS) if fact.is_active and not fact.suspected]
    if not facts:
        nothing = (absence(record, ("Condition", "Observation")), (), _ASK)
        return nothing, nothing
    fact = facts[0]
    evidence = (Evidence(_describe(fact), fact.reference),)
    if fact.severity is None or fact.is_of_before(add_months(record.as_of, -window_months)):
        return (Standing.UNCLEAR, evidence, _ASK), (Standing.UNCLEAR, evidence, _ASK)
    if fact.severity == "severe":
        return (Standing.PRESENT, evidence, ()), (Standing.RULED_OUT, evidence, ())
    return (Standing.RULED_OUT, evidence, ()), (Standing.PRESENT, evidence, ())


def _describe(fact: Diagnosis) -> str:
    if fact.severity is None:
        return say("muscle weakness on the problem list, not graded")
    return say("muscle weakness on the problem list, graded {severity}", severity=word(fact.severity))
