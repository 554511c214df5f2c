"""What a statement asks about sex and age, read from its conditions as they are written, not as they are evaluated."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cards.knowledge import Rule, SafetyRule, knowledge
from cards.recommendation import Level
from fhir_profiles.assessment import Assessment

_LIMITS = {
    "over": lambda age, limit: age > limit,
    "under": lambda age, limit: age < limit,
    "at_least": lambda age, limit: age >= limit,
    "at_most": lambda age, limit: age <= limit,
    "exactly": lambda age, limit: age == limit,
}
_ONSET = (  # one phenotype or the other, by the age at onset (fhir_profiles/definitions/phenotypes.yaml, `juvenile`)
    ("dermatomyositis", "juvenile-dermatomyositis"),
    ("polymyositis", "juvenile-myositis"),
    ("inflammatory-myopathy-unspecified", "juvenile-myositis"),
)
_FINDINGS = ("present", "recorded")
_PHENOTYPES = ("phenotype", "suspected_phenotype", "recorded_phenotype")
_CHILD = ("age", ("under", 18))


@dataclass(frozen=True)
class Asked:
    """Whether a statement asks about sex, at which ages its answers change, and whether it asks for the age at onset."""

    sex: bool
    limits: frozenset[tuple[str, int]]
    onset: bool

    def tells_apart(self, one: Assessment, other: Assessment) -> bool:
        """Whether something that it asks has another answer for the other patient."""
        ages = one.ages[0], other.ages[0]
        assert None not in ages, "both dates of birth are known"
        by_age = any(_LIMITS[name](ages[0], limit) != _LIMITS[name](ages[1], limit) for name, limit in self.limits)
        by_onset = self.onset and _juvenile(one) != _juvenile(other)
        return by_age or by_onset or (self.sex and one.sex != other.sex)


def asked_by(name: str) -> Asked:
    """What the statement or safety rule of this id asks, with the populations, features and orders that it names."""
    found = set(_of_rule(_rules()[name]))
    limits = frozenset(value for kind, value in found if kind == "age")
    return Asked(("sex", None) in found, limits, ("onset", None) in found)


def _rules() -> Mapping[str, Rule | SafetyRule]:
    return {rule.id: rule for rule in (*knowledge().rules, *knowledge().safety)}


def _juvenile(assessment: Assessment) -> set[str]:
    return {phenotype.code for phenotype in assessment.phenotypes if phenotype.code.startswith("juvenile")}


def _of_rule(rule: Rule | SafetyRule) -> Iterator[tuple[str, Any]]:
    yield from _of(rule.trigger)
    if isinstance(rule, Rule):
        orders = {*rule.orders, *(order for part in rule.orders_if for order in part.orders)}
        for part in (*rule.orders_if, *rule.offers):
            yield from _of(part.trigger)
        for safety in knowledge().safety:  # what holds an order of it back
            if safety.level is Level.STOP and orders & set(safety.treatments):
                yield from _of(safety.trigger)


def _of(condition: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(condition, list):
        for part in condition:
            yield from _of(part)
    elif isinstance(condition, Mapping):
        for key, value in condition.items():
            yield from _of_key(key, value)


def _of_key(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    if key in ("all", "any", "not"):
        yield from _of(value)
    elif key == "population":
        yield from _of(knowledge().populations[value])
    elif key == "sex":
        yield "sex", None
    elif key == "age":
        yield from (("age", limit) for limit in value.items())
    elif key == "severity":  # in a child the high-risk list of Enders 2017 counts as severe
        yield _CHILD
    elif key == "settled":
        for name in value:
            yield from _of_rule(_rules()[name])
    elif key in _FINDINGS:
        yield from _of_feature(value)
    elif key in _PHENOTYPES and _asks_for_onset([value] if isinstance(value, str) else value):
        yield "onset", None


def _asks_for_onset(codes: list[str]) -> bool:
    """A list that holds both of a pair is the same for child and adult; the anti-TIF1-γ subset is of adult onset."""
    is_split = any((adult in codes) != (juvenile in codes) for adult, juvenile in _ONSET)
    return is_split or codes == ["anti-tif1-gamma-dermatomyositis"]


def _of_feature(code: str) -> Iterator[tuple[str, Any]]:
    feature = knowledge().definitions.features.get(code)
    if feature is None:  # a finding that fhir_profiles computes
        return
    for name, value in feature.applies.items():
        yield ("sex", None) if name == "sex" else ("age", (name, value))
    for part in (*feature.any, *feature.all):
        yield from _of_feature(part)
