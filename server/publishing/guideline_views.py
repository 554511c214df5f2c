"""What the `/guidelines` pages show, drawn from the knowledge: no HTML and no web framework here."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from cards.disputes import Dispute
from cards.knowledge import Knowledge, Offer, Rule, SafetyRule
from cards.markdown import capital
from cards.plain_words import Words, group_title, groups_in, plain_words
from cards.plan_definitions import strength_title
from cards.recommendation import Source
from cards.schedule import in_words
from cards.source_attributes import SourceAttribute, source_attributes
from cards.wording import LINE_WORDS
from server.knowledge.scenarios import packaged_scenarios

REVIEW, SUMMARY = "meyer-2019", "bmj-bp"
_INDICATORS = {"routine": "info", "soon": "warning", "urgent": "critical"}
LEVELS: Mapping[str, str] = {
    "stop": "Stop: not offered; a draft of the drug is met with a critical card.",
    "hold": "Hold: stays an option, without a ready-made order; a draft of the drug is met with a warning.",
    "warn": "Warn: said beside the option, which ranks lower; a draft of the drug is met with a warning.",
    "remind": "Remind: said beside the option, or beside the draft.",
}


@dataclass(frozen=True, slots=True)
class Guideline:
    """One guideline and how much of it is here.

    Args:
        source: the guideline.
        page: name of its page; None while nothing of it is transcribed.
        computed, stated, off: how many statements are computed, how many only stated, and how many switched off.
    """

    source: Source
    page: str | None
    computed: int = 0
    stated: int = 0
    off: int = 0


@dataclass(frozen=True, slots=True)
class Index:
    """The guidelines by kind, and every other source with how often it is cited."""

    fourteen: tuple[Guideline, ...]
    review_and_summary: tuple[Guideline, ...]
    later: tuple[Guideline, ...]
    cited: tuple[tuple[Source, int], ...]


@dataclass(frozen=True, slots=True)
class Part:
    """An order, a treatment or a note of a statement: what it is, a remark, and for whom, where not for everybody."""

    title: str
    remark: str
    when: Words | None
    order: str | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement, ready to be shown; `state` is `computed`, `stated` or `off`."""

    rule: Rule
    state: str
    strength: str
    line: str
    indicator: str
    calendar: str | None
    when: Words | None
    orders: tuple[Part, ...]
    treatments: tuple[Part, ...]
    avoid: tuple[str, ...]
    notes: tuple[Part, ...]
    disputes: tuple[tuple[str, str], ...]
    scenarios: tuple[str, ...]
    attributes: tuple[SourceAttribute, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """A named group of patients and what it means."""

    name: str
    title: str
    means: Words


def index(known: Knowledge) -> Index:
    """The fourteen of the review, the review itself and the point-of-care summary, later guidelines, and all other sources."""
    transcribed = _transcribed(known)
    review = known.sources[REVIEW]
    fourteen = [s for s in known.sources.values() if s.found_in == review.citation]
    named = [known.sources[key] for key in (REVIEW, SUMMARY)]
    first = {source.id for source in (*fourteen, *named)}
    rest = [source for source in known.sources.values() if source.id not in first]
    return Index(
        fourteen=tuple(_by_year(_guidelines(fourteen, transcribed, known))),
        review_and_summary=tuple(_guidelines(named, transcribed, known)),
        later=tuple(_by_year(_guidelines((source for source in rest if source.id in transcribed), transcribed, known))),
        cited=tuple((source, _citations(source, known)) for source in rest if source.id not in transcribed),
    )


def every_rule(known: Knowledge) -> tuple[Rule, ...]:
    """All statements, those that are switched off last."""
    return (*known.rules, *known.rules_off)


def state_of(rule: Rule, known: Knowledge) -> str:
    """`computed`, `stated` (shown, never fired) or `off`."""
    if rule in known.rules_off:
        return "off"
    return "computed" if rule.is_computed else "stated"


def tally(rules: Iterable[Rule], known: Knowledge) -> Counter[str]:
    """How many of these statements are in each state."""
    return Counter(state_of(rule, known) for rule in rules)


def _transcribed(known: Knowledge) -> dict[str, dict[str, list[Rule]]]:
    """The statements by the source that they transcribe, which is the first of each statement, and by their page."""
    rules: dict[str, dict[str, list[Rule]]] = {}
    for rule in every_rule(known):
        rules.setdefault(rule.sources[0].id, {}).setdefault(rule.guideline, []).append(rule)
    return rules


def _guidelines(
    sources: Iterable[Source], transcribed: Mapping[str, Mapping[str, list[Rule]]], known: Knowledge
) -> Iterator[Guideline]:
    """One for each page of each source: a site may have a page of its own about a packaged source."""
    for source in sources:
        pages = transcribed.get(source.id)
        if not pages:
            yield Guideline(source, None)
            continue
        for page, rules in pages.items():
            yield Guideline(source, page, **tally(rules, known))


def _by_year(guidelines: Iterable[Guideline]) -> list[Guideline]:
    return sorted(guidelines, key=lambda one: (one.source.year or 0, one.source.short))


def _citations(source: Source, known: Knowledge) -> int:
    rules = (*known.safety, *known.safety_off)
    return sum(source in rule.sources for rule in every_rule(known)) + sum(rule.source == source for rule in rules)


def statements(guideline: str, known: Knowledge) -> dict[str, list[Statement]]:
    """The statements of a guideline by the title of their card topic, in the order of cards; empty for no such guideline."""
    rules = [rule for rule in every_rule(known) if rule.guideline == guideline]
    topics = sorted({rule.topic for rule in rules}, key=lambda code: known.topics[code].rank)
    return {known.topics[t].display: [_statement(rule, known) for rule in rules if rule.topic == t] for t in topics}


def _statement(rule: Rule, known: Knowledge) -> Statement:
    orders = [_order(order, None, known) for order in rule.orders]
    orders += [_order(order, part.trigger, known) for part in rule.orders_if for order in part.orders]
    return Statement(
        rule=rule,
        state=state_of(rule, known),
        strength=strength_title(rule.strength),
        line=LINE_WORDS.get(rule.line, ""),
        indicator=_INDICATORS[rule.urgency],
        when=words(rule.trigger, known),
        orders=tuple(orders),
        treatments=tuple(_treatment(offer, known) for offer in rule.offers),
        avoid=tuple(known.treatments[key].title for key in rule.avoid),
        notes=tuple(Part(note.text, "", words(note.trigger, known)) for note in rule.notes),
        disputes=tuple((code, known.disputes[code].contradiction.title) for code in rule.conflicts),
        calendar=f"{capital(rule.schedule.title)}: {in_words(rule.schedule)}" if rule.schedule else None,
        scenarios=_scenarios_by_statement().get(rule.id, ()),
        attributes=source_attributes(rule, known),
    )


@cache
def _scenarios_by_statement() -> dict[str, tuple[str, ...]]:
    """Names of the packaged scenarios, by the statement that they are about."""
    named: dict[str, list[str]] = {}
    for scenario in packaged_scenarios():
        for statement in sorted(scenario.statements):
            named.setdefault(statement, []).append(scenario.name)
    return {statement: tuple(names) for statement, names in named.items()}


def _order(key: str, trigger: Mapping[str, Any] | None, known: Knowledge) -> Part:
    return Part(known.orders[key]["title"], "", words(trigger, known), key)


def _treatment(offer: Offer, known: Knowledge) -> Part:
    treatment = known.treatments[offer.treatment]
    partner = f"with {offer.partner}" if offer.partner else ""
    strength = strength_title(offer.strength).lower() if offer.strength else ""
    said = "; ".join(text for text in (partner, strength, offer.remark) if text)
    return Part(treatment.title, said, words(offer.trigger, known), treatment.order)


def words(trigger: Mapping[str, Any] | None, known: Knowledge) -> Words | None:
    """A trigger in words, or None where there is none."""
    return plain_words(trigger, known.titles) if trigger else None


def sides(dispute: Dispute, known: Knowledge) -> list[tuple[str, Words | None]]:
    """The sides of a contradiction, and the patients for whom each is printed first."""
    return [(side.text, words(side.trigger, known)) for side in dispute.contradiction.sides]


def groups(triggers: Iterable[Mapping[str, Any] | None], known: Knowledge) -> list[Group]:
    """The named groups that these triggers rest on, each with its meaning, in the order of their file."""
    used = {name for trigger in triggers for name in groups_in(trigger, known.populations)}
    return [Group(n, group_title(n), plain_words(node, known.titles)) for n, node in known.populations.items() if n in used]


def triggers_of(rules: Iterable[Rule]) -> Iterable[Mapping[str, Any] | None]:
    """Every condition that stands in these statements."""
    for rule in rules:
        yield rule.trigger
        yield from (part.trigger for part in rule.orders_if)
        yield from (offer.trigger for offer in rule.offers)
        yield from (note.trigger for note in rule.notes)


def safety_rules(known: Knowledge) -> dict[str, list[tuple[SafetyRule, bool]]]:
    """The drug-safety rules by level, each with whether it is on."""
    rules = [(rule, True) for rule in known.safety] + [(rule, False) for rule in known.safety_off]
    return {level: [item for item in rules if item[0].level.value == level] for level in LEVELS}


def subjects(rule: SafetyRule, known: Knowledge) -> list[str]:
    """The treatments and orders that a safety rule speaks about, in words."""
    return [known.treatments[key].title if key in known.treatments else known.orders[key]["title"] for key in rule.treatments]


def taking_part(code: str, known: Knowledge) -> list[Rule]:
    """The statements that take part in a contradiction."""
    return [rule for rule in known.rules if code in rule.conflicts]


def asked_for_by(order: str, known: Knowledge) -> list[Rule]:
    """The statements that ask for an order, or offer the treatment that it drafts."""
    treatments = {key for key, treatment in known.treatments.items() if treatment.order == order}
    return [
        rule
        for rule in known.rules
        if order in rule.orders
        or any(order in part.orders for part in rule.orders_if)
        or any(offer.treatment in treatments for offer in rule.offers)
    ]


def counts_as_done(entry: Mapping[str, Any], known: Knowledge) -> str:
    """What shows that a test was done or ordered, in words; nothing for a drug."""
    investigation = known.definitions.investigations.get(entry.get("investigation", ""))
    return investigation.title if investigation else ""


def pieces(said: Words) -> list[tuple[str, str | None]]:
    """A phrase cut where it names statements: text, and the id of the statement or None."""
    rest, cut = said.text, []
    for statement in said.statements:
        before, _, rest = rest.partition(statement)
        cut += [(before, None), (statement, statement)]
    return [*cut, (rest, None)]
