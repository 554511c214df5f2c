"""Severe, non-severe or unknown; never non-severe by default (clinical/phenotypes.md section 3).

Source of the two definitions: `bmj-severity-severe-definition` and `bmj-severity-nonsevere-definition`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from fhir_profiles.findings import Answer, Evidence, Finding, Missing
from fhir_profiles.sentences import say

SEVERE_MARKERS = (
    "severe-weakness",
    "respiratory-failure-from-ild",
    "myocarditis",
    "severe-dysphagia",
    "other-life-threatening",
)
MILD_MARKER = "mild-or-moderate-weakness"

_FULL_STRENGTH = Missing(
    say("severity: no weakness, so the source's definitions do not apply; judge skin and lung"), "muscle_strength_mrc_proximal"
)


@dataclass(frozen=True, slots=True)
class Severity:
    """How severe the disease is.

    Args:
        value: `severe`, `non-severe` or `unknown`.
        evidence: what it rests on.
        missing: what would decide it.
    """

    value: str
    evidence: tuple[Evidence, ...] = ()
    missing: tuple[Missing, ...] = ()


def find_severity(features: Mapping[str, Finding], is_child: bool) -> Severity:
    """Severe if any marker is present; non-severe if mild to moderate weakness is on record and no marker is.

    Args:
        features: the findings.
        is_child: for a child the high-risk list of Enders 2017 counts as severe too (phenotypes.md section 3).
    """
    markers = [features[code] for code in (*SEVERE_MARKERS, *(("juvenile-high-risk",) if is_child else ()))]
    present = [marker for marker in markers if marker.is_present]
    if present:
        return Severity("severe", tuple(dict.fromkeys(item for marker in present for item in marker.evidence)))
    unsettled = [marker for marker in markers if marker.recorded is Answer.UNKNOWN]
    mild = features[MILD_MARKER]
    if mild.is_present and not unsettled:
        return Severity("non-severe", mild.evidence)
    undecided = unsettled or [mild]
    missing = tuple(dict.fromkeys(item for finding in undecided for item in finding.missing)) or (_FULL_STRENGTH,)
    return Severity("unknown", tuple(item for finding in undecided for item in finding.evidence), missing)
