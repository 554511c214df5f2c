"""Which of several equally urgent drug-safety rules speaks first: the order of checks of clinical/drug-safety.md section 3."""

from cards.knowledge import SafetyRule
from cards.plain_words import leaves

_PREGNANCY = {"pregnancy", "trying-to-conceive", "breastfeeding"}
_INTOLERANCE = {"immunoglobulin-anaphylaxis", "iga-deficiency"}
_INFECTION = {
    *("active-infection", "serious-infection", "sepsis", "hepatitis-b", "hepatitis-b-core-antibody", "hepatitis-c"),
    *("hepatitis-b-tested", "hepatitis-b-core-tested", "tuberculosis", "tuberculosis-tested", "past-leukoencephalopathy"),
}
_BLOOD_KIDNEY_LIVER = {
    *("leukopenia", "pancytopenia", "thrombocytopenia", "neutrophils-below-2", "blood-count-below-cut-off"),
    *(
        "low-thiopurine-metabolism",
        "kidney-disease",
        "advanced-kidney-disease",
        "egfr-below-25",
        "egfr-below-35",
        "egfr-below-60",
    ),
    *("liver-disease", "liver-injury-beyond-muscle"),
}
_FEATURES = (_PREGNANCY, _INTOLERANCE, set[str](), _INFECTION, _BLOOD_KIDNEY_LIVER)
_KEYS = {
    "earlier_course": 1,
    **dict.fromkeys(("phenotype", "suspected_phenotype", "antibody_ever_positive"), 2),
    **dict.fromkeys(("given", "given_together", "taking"), 5),
    **dict.fromkeys(("drafted_times_a_week", "taken_times_a_week", "drafted_in_words", "drafted_prednisolone_mg"), 6),
}
_COMORBIDITY, _BASELINE = 7, 8


def check_order(rule: SafetyRule) -> int:
    """Place of a rule: pregnancy first, missing baseline tests last."""
    if rule.orders:
        return _BASELINE
    return min((_place(key, value) for key, value in leaves(rule.trigger)), default=_COMORBIDITY)


def _place(key: str, value: object) -> int:
    if key in ("recorded", "present"):
        return next((place for place, codes in enumerate(_FEATURES) if value in codes), _COMORBIDITY)
    return _KEYS.get(key, _COMORBIDITY)
