"""Which myositis it is: the recorded diagnosis first, refined or questioned by computed evidence.

The law is clinical/phenotypes.md sections 1 and 2; which codes mean which phenotype is data (`definitions/phenotypes.yaml`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any

from fhir_profiles.antibodies import AntibodyResult
from fhir_profiles.clinical_definitions import Definitions
from fhir_profiles.code_words import word
from fhir_profiles.dates import DateInterval, completed_years
from fhir_profiles.findings import Evidence, Finding
from fhir_profiles.record import Diagnosis, PatientRecord, facts_of
from fhir_profiles.sentences import join, say

ADULT = 18


class Certainty(StrEnum):
    """How sure the phenotype is (phenotypes.md section 1, rule 8); the first two allow therapy advice."""

    RECORDED = "recorded"
    SUPPORTED = "supported"
    CONFLICTING = "conflicting"
    COMPUTED = "computed"
    SUSPECTED = "suspected"


_CERTAINTY_ORDER = [
    Certainty.SUPPORTED,
    Certainty.RECORDED,
    Certainty.CONFLICTING,
    Certainty.COMPUTED,
    Certainty.SUSPECTED,
]


@dataclass(frozen=True, slots=True)
class Phenotype:
    """One phenotype that holds for the patient.

    Args:
        code: one of the phenotype codes of design section 5.
        title: in words.
        certainty: how sure.
        evidence: the diagnoses, antibodies and features it rests on.
        diagnoses: the recorded diagnoses behind it, newest first; empty where it is computed alone.
    """

    code: str
    title: str
    certainty: Certainty
    evidence: tuple[Evidence, ...]
    diagnoses: tuple[Diagnosis, ...] = ()

    @property
    def is_confirmed(self) -> bool:
        """Firm enough for therapy advice."""
        return self.certainty in (Certainty.RECORDED, Certainty.SUPPORTED)


@dataclass(frozen=True, slots=True)
class Findings:
    """What phenotypes are refined by."""

    features: Mapping[str, Finding]
    antibodies: Mapping[str, AntibodyResult]

    def present(self, codes: list[str]) -> tuple[Evidence, ...]:
        """Evidence of those features that are present."""
        return tuple(item for code in codes if self.features[code].is_present for item in self.features[code].evidence)

    def positive(self, codes: list[str]) -> tuple[Evidence, ...]:
        """Evidence of those antibodies that are positive (borderline is not)."""
        found = [self.antibodies[code] for code in codes if code in self.antibodies]
        return tuple(Evidence(a.text, a.source.reference) for a in found if a.result == "positive")


def find_phenotypes(record: PatientRecord, findings: Findings, definitions: Definitions) -> tuple[Phenotype, ...]:
    """All phenotypes that hold, the primary one first.

    Args:
        record: the chart.
        findings: features and antibodies.
        definitions: the clinical definitions.

    Returns:
        Phenotypes by certainty, then by the precedence of phenotypes.md section 1, rule 7.
    """
    rules = definitions.phenotypes
    held = _recorded(record, rules)
    _add_subsets(held, findings, rules)
    _add_antisynthetase(held, findings, definitions)
    _add_necrotising(held, findings, rules)
    _add_overlap(held, findings, rules)
    _support_and_question(held, findings, rules)
    precedence = rules["precedence"]
    return tuple(sorted(held.values(), key=lambda p: (_rank(p.certainty), precedence.index(p.code))))


def _rank(certainty: Certainty) -> int:
    """Recorded and supported rank alike: precedence decides between them."""
    return max(1, _CERTAINTY_ORDER.index(certainty))


Held = dict[str, Phenotype]
Rules = Mapping[str, Any]


def _recorded(record: PatientRecord, rules: Rules) -> Held:
    by_code: dict[str, list[Diagnosis]] = {}
    for code, rule in rules["recorded"].items():
        for fact in facts_of(record.diagnoses, tuple(rule["diagnoses"])):
            if fact.is_over or (set(fact.concepts) & set(rule.get("except", ()))):
                continue
            juvenile = "juvenile" in rule and _began_in_childhood(fact, record, rule)
            by_code.setdefault(rule["juvenile"] if juvenile else code, []).append(fact)
    if len(by_code) > 1:
        by_code = _without_what_a_finer_code_says(by_code)
    return {code: _recorded_phenotype(code, facts, rules) for code, facts in by_code.items()}


def _began_in_childhood(fact: Diagnosis, record: PatientRecord, rule: Rules) -> bool:
    """Whether the disease began before 18: the code says so, the onset says so, or it was already recorded then."""
    if set(fact.concepts) & set(rule["always_juvenile"]):
        return True
    latest_start = fact.onset or fact.when or DateInterval(record.as_of, record.as_of)
    return record.birth is not None and completed_years(record.birth.first, latest_start.last) < ADULT


def _without_what_a_finer_code_says(by_code: dict[str, list[Diagnosis]]) -> dict[str, list[Diagnosis]]:
    """A diagnosis that a finer phenotype rests on does not also count as "not further specified"."""
    finer = {fact.reference for code, facts in by_code.items() if code != "inflammatory-myopathy-unspecified" for fact in facts}
    kept = {
        code: [f for f in facts if code != "inflammatory-myopathy-unspecified" or f.reference not in finer]
        for code, facts in by_code.items()
    }
    return {code: facts for code, facts in kept.items() if facts}


def _recorded_phenotype(code: str, facts: list[Diagnosis], rules: Rules) -> Phenotype:
    certain = [fact for fact in facts if not fact.suspected]
    certainty = Certainty.RECORDED if certain else Certainty.SUSPECTED
    title = rules["titles"][code]
    evidence = tuple(Evidence(_describe(title, fact), fact.reference) for fact in certain or facts)
    return Phenotype(code, title, certainty, evidence, tuple(certain or facts))


def _describe(title: str, fact: Diagnosis) -> str:
    status = "suspected" if fact.suspected else fact.clinical_status
    details = [word(status) if status else say("clinical status not given")]
    if fact.when:
        details.append(say("since {day}", day=fact.when))
    if fact.matched_by_text:
        details.append(say("matched by text, not by code"))
    return say("{title} on the problem list ({details})", title=title, details=join(", ", details))


def _add_subsets(held: Held, findings: Findings, rules: Rules) -> None:
    """A recorded dermatomyositis with a positive antibody is also that antibody's subset."""
    for code, subset in rules["antibody_subsets"].items():
        antibody = findings.positive([subset["antibody"]])
        bases = [held[base] for base in rules["dermatomyositis_family"] if base in held]
        if subset.get("adult_only"):
            bases = [base for base in bases if not base.code.startswith("juvenile")]
        if antibody and bases:
            _add(held, code, rules, bases[0], antibody)


def _add_antisynthetase(held: Held, findings: Findings, definitions: Definitions) -> None:
    rules = definitions.phenotypes
    antibody = findings.positive([code for code, a in definitions.antibodies.items() if a.ars])
    if not antibody:
        return
    recorded = [p for p in held.values() if p.code != "inclusion-body-myositis"]
    features = findings.present(rules["antisynthetase_features"]) + _weak_with_raised_enzyme(findings)
    if recorded:
        _add(held, "antisynthetase-syndrome", rules, _firmest(recorded), antibody + features)
    elif features:
        title = rules["titles"]["antisynthetase-syndrome"]
        held["antisynthetase-syndrome"] = Phenotype("antisynthetase-syndrome", title, Certainty.COMPUTED, antibody + features)


def _add_necrotising(held: Held, findings: Findings, rules: Rules) -> None:
    """224th ENMC: high creatine kinase, proximal weakness and anti-SRP or anti-HMGCR; dermatomyositis stays what it is."""
    antibody = findings.positive(rules["necrotising_antibodies"])
    muscle = _weak_with_raised_enzyme(findings)
    bases = [p for p in held.values() if p.code in ("polymyositis", "inflammatory-myopathy-unspecified", _NECROTISING)]
    if antibody and bases and (muscle or _NECROTISING in held):
        _add(held, _NECROTISING, rules, _firmest(bases), antibody + muscle)
    elif antibody and muscle and not held:
        held[_NECROTISING] = Phenotype(_NECROTISING, rules["titles"][_NECROTISING], Certainty.COMPUTED, antibody + muscle)


def _weak_with_raised_enzyme(findings: Findings) -> tuple[Evidence, ...]:
    """Evidence of weakness and of raised creatine kinase; empty unless both are present."""
    weakness, enzyme = findings.present(["any-weakness"]), findings.present(["raised-creatine-kinase-ever"])
    return weakness + enzyme if weakness and enzyme else ()


_NECROTISING = "immune-mediated-necrotising-myopathy"


def _add_overlap(held: Held, findings: Findings, rules: Rules) -> None:
    disease = findings.present(rules["overlap_features"]) + findings.positive(rules["overlap_antibodies"])
    recorded = [p for p in held.values() if p.code != "inclusion-body-myositis"]
    if disease and recorded:
        _add(held, "overlap-myositis", rules, _firmest(recorded), disease)


def _firmest(phenotypes: list[Phenotype]) -> Phenotype:
    return min(phenotypes, key=lambda p: _CERTAINTY_ORDER.index(p.certainty))


def _add(held: Held, code: str, rules: Rules, base: Phenotype, evidence: tuple[Evidence, ...]) -> None:
    """A phenotype that rests on a recorded one and on further evidence: as sure as the record, and supported."""
    own = held.get(code, base)
    certainty = Certainty.SUPPORTED if own.is_confirmed else own.certainty
    evidence = tuple(dict.fromkeys(own.evidence + evidence))
    held[code] = Phenotype(code, rules["titles"][code], certainty, evidence, own.diagnoses)


def _support_and_question(held: Held, findings: Findings, rules: Rules) -> None:
    rash = findings.present(["dermatomyositis-rash"])
    for code in rules["dermatomyositis_family"]:
        if rash and code in held and held[code].is_confirmed:
            _add(held, code, rules, held[code], rash)
    questioned_by = [held[code] for code in rules["questions_polymyositis"] if code in held and held[code].is_confirmed]
    if "polymyositis" in held and questioned_by and held["polymyositis"].is_confirmed:
        against = tuple(Evidence(_against(phenotype), phenotype.evidence[-1].reference) for phenotype in questioned_by)
        polymyositis = held["polymyositis"]
        held["polymyositis"] = replace(polymyositis, certainty=Certainty.CONFLICTING, evidence=polymyositis.evidence + against)


def _against(phenotype: Phenotype) -> str:
    return say("against polymyositis alone: {title}", title=phenotype.title)


def first_day_of_disease(phenotypes: tuple[Phenotype, ...]) -> date | None:
    """The earliest day that any recorded diagnosis behind the phenotypes gives for its onset or recording."""
    days = [fact.when.first for phenotype in phenotypes for fact in phenotype.diagnoses if fact.when]
    return min(days, default=None)
