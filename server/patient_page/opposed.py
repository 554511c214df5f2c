"""A supposition that the chart contradicts: it is added and replaces nothing, so its consequences cannot be worked out."""

from collections.abc import Iterable, Sequence

from fhir_profiles.antibodies import AntibodyResult
from fhir_profiles.assessment import Assessment
from fhir_profiles.hypotheses import Supposition
from fhir_profiles.sentences import say

_DENYING = {"negative", "normal", "absent", "not-pregnant", "grade-4", "grade-5", "clearance-95"}
_ASKED_OF = {
    "creatine-kinase": "raised-creatine-kinase",
    "dlco": "reduced-dlco",
    "fvc": "reduced-fvc",
    "infection": "active-infection",
    "kidney-function": "egfr-below-60",
    "leukocytes": "leukopenia",
    "malignancy": "active-malignancy",
    "platelets": "thrombocytopenia",
    "raynaud": "raynaud-phenomenon",
    "tpmt-activity": "low-thiopurine-metabolism",
}
"""The feature that a hypothesis is about, where it has another name."""


def opposed(supposed: Sequence[Supposition], before: Assessment, after: Assessment) -> tuple[str, ...]:
    """What the chart says against each supposition that denies it and does not prevail, in sentences.

    Args:
        supposed: what is supposed.
        before, after: the patient without and with it.
    """
    return tuple(
        say(
            "The chart says the opposite ({evidence}). "
            "A supposition adds to the chart and does not replace it, so this cannot be answered here.",
            evidence=evidence,
        )
        for one in supposed
        if one.answer.id in _DENYING
        for evidence in list(_against(one, before, after))[:1]
    )


def _against(supposed: Supposition, before: Assessment, after: Assessment) -> Iterable[str]:
    name = supposed.hypothesis.id
    was, stays = _antibody(name, before), _antibody(name, after)
    if was and stays and was.result == stays.result == "positive":
        yield str(was)
    code = _feature(supposed)
    if code in before.features and before.features[code].is_present and after.features[code].is_present:
        finding = before.features[code]
        yield from (item.text for item in finding.evidence) if finding.evidence else (finding.title,)


def _antibody(name: str, assessment: Assessment) -> AntibodyResult | None:
    return assessment.antibodies.get(name)


def _feature(supposed: Supposition) -> str:
    name, answer = supposed.hypothesis.id, supposed.answer.id
    if name == "proximal-strength":
        return "severe-weakness" if answer == "grade-4" else "any-weakness"
    return _ASKED_OF.get(name, name)
