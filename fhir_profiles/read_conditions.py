"""Condition: what the patient has, is suspected to have, or was found not to have (phenotypes.md section 1, rules 1 to 3)."""

from dataclasses import replace
from datetime import date, timedelta

from fhir_profiles.chart import Chart
from fhir_profiles.dates import DateInterval, add_months
from fhir_profiles.elements import Element, codes_of
from fhir_profiles.record import Diagnosis
from fhir_profiles.sentences import say

_CLINICAL_STATUSES = {"active", "recurrence", "relapse", "inactive", "remission", "resolved"}
_SUSPECTED = {"provisional", "differential", "unconfirmed"}
_VERIFICATION_STATUSES = {"confirmed", "refuted", "entered-in-error", *_SUSPECTED}
_SEVERITIES = {"severity_mild": "mild", "severity_moderate": "moderate", "severity_severe": "severe"}
_MONTHS = {"a": 12, "years": 12, "year": 12, "yr": 12, "mo": 1, "months": 1, "month": 1}
_LONGEST_LIFE = 130 * 12


def read_condition(condition: Element, chart: Chart) -> None:
    """File a Condition under `diagnoses`, or under `refuted`; entered in error, it never was.

    A verification status that we do not know counts as suspected: it allows work-up and no therapy.
    """
    code = chart.coded(condition, "code")
    if code.is_irrelevant or not chart.is_sound(condition):
        return
    verification = _status(condition, "verificationStatus", _VERIFICATION_STATUSES)
    if verification == "entered-in-error" or not chart.has_code(condition, code):
        return
    onset = _plausible(_onset(condition, chart.birth), condition, chart.birth)
    recorded = condition.date("recordedDate")
    when = onset or recorded
    if chart.is_future(condition, when):
        return
    diagnosis = Diagnosis(
        reference=condition.reference,
        concepts=code.concepts,
        when=when,
        matched_by_text=code.by_text,
        clinical_status=_clinical_status(condition, chart.as_of),
        suspected=verification in _SUSPECTED or verification == "",
        onset=onset,
        recorded=recorded,
        severity=_severity(condition, chart),
    )
    filed = chart.refuted if verification == "refuted" else chart.diagnoses
    filed.append(diagnosis)
    if finer := chart.finer_by_text(condition, "code", code):
        filed.append(replace(diagnosis, concepts=finer, matched_by_text=True))


def _status(condition: Element, name: str, known: set[str]) -> str | None:
    """The one known code of a status; None if it was not given, empty if it says nothing we know, or several things."""
    sent = condition.content.get(name)
    if sent is None:
        return None
    codes = codes_of(sent)
    found = codes & known
    if "entered-in-error" in found:
        return "entered-in-error"
    if len(found) == 1:
        return found.pop()
    condition.report(name, say("is none of the codes that FHIR knows, or several of them; taken as not certain"))
    return ""


def _clinical_status(condition: Element, as_of: date) -> str | None:
    """The clinical status; without one, an abatement that has begun says resolved."""
    status = _status(condition, "clinicalStatus", _CLINICAL_STATUSES)
    if status:
        return status
    abated = condition.time("abatement")
    has_abated = abated is not None and abated.first <= as_of
    return "resolved" if has_abated or condition.children("abatementAge") or condition.children("abatementRange") else None


def _severity(condition: Element, chart: Chart) -> str | None:
    concepts = chart.coded(condition, "severity").concepts
    grades = {_SEVERITIES[concept] for concept in concepts if concept in _SEVERITIES}
    return grades.pop() if len(grades) == 1 else None


def _onset(condition: Element, birth: DateInterval | None) -> DateInterval | None:
    """The days on which it may have begun; an onset given as an age is counted from the date of birth."""
    dated = condition.time("onset")
    if dated or birth is None:
        return dated
    if age := condition.child("onsetAge"):
        return _days_at_age(birth, _months(age), _months(age))
    if ages := condition.child("onsetRange"):
        low, high = ages.child("low"), ages.child("high")
        return _days_at_age(birth, _months(low), _months(high)) if low and high else None
    return None


def _plausible(onset: DateInterval | None, condition: Element, birth: DateInterval | None) -> DateInterval | None:
    """The onset, unless it lies before the birth."""
    if onset and birth and onset.last < birth.first:
        condition.report("onset", say("lies before the date of birth; taken as not given"))
        return None
    return onset


def _months(age: Element | None) -> tuple[int, int] | None:
    """Months of a FHIR Age and the length of its unit in months; None if it is no such age."""
    if age is None or age.content.get("comparator") is not None:
        return None
    value = age.number("value")
    length = _MONTHS.get(age.code("code") or age.code("unit"))
    if value is None or length is None or not 0 <= value * length <= _LONGEST_LIFE:
        return None
    return int(value * length), length


def _days_at_age(birth: DateInterval, low: tuple[int, int] | None, high: tuple[int, int] | None) -> DateInterval | None:
    """From the day on which the lower age may have begun to the last day of the upper age."""
    if low is None or high is None or low > high:
        return None
    first = add_months(birth.first, low[0])
    return DateInterval(first, add_months(birth.last, high[0] + high[1]) - timedelta(days=1))
