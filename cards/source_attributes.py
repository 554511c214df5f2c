"""The thirteen source attributes of every statement, as certified EHRs must show them (45 CFR 170.315(b)(11)(iv)(A)).

What holds for the whole house stands in `source_attributes.yaml`. Citation and dates come from the statement's sources; whether
sex, date of birth and health status are used is found by following everything that the statement asks: its trigger, what goes
with it, the groups, findings and earlier statements behind these, and the drug-safety rules of what it names.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cards.knowledge import KNOWLEDGE_RELEASE, Knowledge, Rule
from cards.markdown import listed
from cards.plain_words import leaves
from cards.recommendation import Source
from fhir_profiles.clinical_definitions import Definitions
from fhir_profiles.sentences import join, say


@dataclass(frozen=True, slots=True)
class SourceAttribute:
    """One attribute of one statement: the regulation's name for it, and its value in words."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a statement reads of the patient.

    Args:
        to_hold: names of the inputs that decide whom it concerns: `sex`, `birth`, or the code of a finding.
        beside: those read only by what goes with it: orders, treatments, notes, contradictions, drug safety.
    """

    to_hold: frozenset[str]
    beside: frozenset[str]

    def use_of(self, names: frozenset[str]) -> str | None:
        """Where one of these inputs is used, in words; None if nowhere."""
        if names & self.to_hold:
            return say("to tell whom the statement concerns")
        return say("for the orders, options, notes or cautions that go with it") if names & self.beside else None


def source_attributes(rule: Rule, known: Knowledge) -> tuple[SourceAttribute, ...]:
    """All thirteen attributes of a statement, in the order of the regulation."""
    inputs = inputs_of(rule, known)
    return tuple(
        SourceAttribute(entry["name"], entry.get("value") or _COMPUTED[entry["computed"]](rule, inputs, entry))
        for entry in known.source_attributes
    )


def inputs_of(rule: Rule, known: Knowledge) -> Inputs:
    """What a statement reads of the patient, everything behind it included."""
    reader = _Reader(known, known.definitions)
    to_hold = frozenset(reader.of_rule(rule))
    return Inputs(to_hold, frozenset(reader.of_what_goes_with(rule)) - to_hold)


@dataclass(frozen=True, slots=True)
class _Reader:
    known: Knowledge
    definitions: Definitions

    def of_rule(self, rule: Rule) -> Iterator[str]:
        yield from self._of(rule.trigger)

    def of_what_goes_with(self, rule: Rule) -> Iterator[str]:
        parts = [part.trigger for part in rule.orders_if] + [o.trigger for o in rule.offers] + [n.trigger for n in rule.notes]
        for trigger in (*parts, *(one for code in rule.conflicts for one in self.known.disputes[code].triggers())):
            yield from self._of(trigger)
        named = {*rule.orders, *(order for part in rule.orders_if for order in part.orders), *(o.treatment for o in rule.offers)}
        for safety in self.known.safety:
            if named & set(safety.treatments):
                yield from self._of(safety.trigger)

    def _of(self, trigger: Mapping[str, Any] | None) -> Iterator[str]:
        for key, value in leaves(trigger):
            if key == "population":
                yield from self._of(self.known.populations[value])
            elif key == "settled":
                for rule in self.known.rules:
                    if rule.id in value:
                        yield from self.of_rule(rule)
                        yield from self.of_what_goes_with(rule)
            else:
                yield from self._of_leaf(key, value)

    def _of_leaf(self, key: str, value: Any) -> Iterator[str]:
        if key == "sex":
            yield "sex"
        if key in ("age", "severity") or (key.endswith("phenotype") and self._splits_by_age(value)):
            yield "birth"  # severity: a child has further grounds
        if key in ("present", "recorded"):
            yield from self._of_feature(value)

    def _splits_by_age(self, value: Any) -> bool:
        """Whether these phenotypes hold one form of a disease and not the other, which the age at onset tells apart."""
        codes = {value} if isinstance(value, str) else set(value)
        pairs = {
            (code, entry["juvenile"]) for code, entry in self.definitions.phenotypes["recorded"].items() if "juvenile" in entry
        }
        return any((adult in codes) is not (juvenile in codes) for adult, juvenile in pairs)

    def _of_feature(self, code: str) -> Iterator[str]:
        yield code
        feature = self.definitions.features.get(code)
        if feature is None:
            return
        if "sex" in feature.applies:
            yield "sex"
        if set(feature.applies) - {"sex"}:
            yield "birth"
        for part in (*feature.any, *feature.all):
            yield from self._of_feature(part)


def _cited(source: Source) -> str:
    year = f" ({source.year})" if source.year and str(source.year) not in source.citation else ""
    cited = join("", (source.citation, year))
    return say("{citation}, read in {source}", citation=cited, source=source.found_in) if source.found_in else cited


def _citation(rule: Rule, _: Inputs, __: Mapping[str, Any]) -> str:
    return join("", (join("; ", [_cited(source) for source in rule.sources]), "."))


def _dates(rule: Rule, _: Inputs, __: Mapping[str, Any]) -> str:
    return say(
        "Intervention: knowledge release {release}. Reference sources: {sources}.",
        release=KNOWLEDGE_RELEASE,
        sources=join("; ", [_with_year(source) for source in rule.sources]),
    )


def _with_year(source: Source) -> str:
    if source.year is None:
        return say("{source} (year not stated)", source=source.short)
    return source.short if str(source.year) in source.short else join("", (source.short, f" ({source.year})"))


def _sex(_: Rule, inputs: Inputs, __: Mapping[str, Any]) -> str:
    return _use("", inputs.use_of(frozenset({"sex"})))


def _date_of_birth(_: Rule, inputs: Inputs, __: Mapping[str, Any]) -> str:
    return _use("", inputs.use_of(frozenset({"birth"})))


def _health_status(_: Rule, inputs: Inputs, entry: Mapping[str, Any]) -> str:
    named = {code: title for code, title in entry["features"].items() if inputs.use_of(frozenset({code}))}
    return _use(listed(list(named.values())) if named else "", inputs.use_of(frozenset(named)))


def _use(what: str, use: str | None) -> str:
    if use is None:
        return say("Not used.")
    return say("Used: {what}, {use}.", what=what, use=use) if what else say("Used: {use}.", use=use)


_COMPUTED: Mapping[str, Callable[[Rule, Inputs, Mapping[str, Any]], str]] = {
    "citation": _citation,
    "dates": _dates,
    "sex": _sex,
    "date-of-birth": _date_of_birth,
    "health-status": _health_status,
}
