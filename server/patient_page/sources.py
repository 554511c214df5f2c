"""Where it comes from: the sources of what is said, and the thirteen attributes of each statement (45 CFR 170.315(b)(11))."""

from collections.abc import Iterable
from dataclasses import dataclass

from cards.knowledge import Knowledge
from cards.recommendation import Recommendation, Source
from cards.source_attributes import SourceAttribute, source_attributes
from server.patient_page.facts import begin
from server.patient_page.statements import guideline_link


@dataclass(frozen=True, slots=True)
class StatementAttributes:
    """The attributes in which one statement differs from the others."""

    says: str
    link: str
    attributes: tuple[SourceAttribute, ...]


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where everything on the page comes from.

    Args:
        sources: every source cited, in alphabetical order.
        common: the attributes that are the same for every statement here.
        statements: the others, statement by statement.
    """

    sources: tuple[Source, ...]
    common: tuple[SourceAttribute, ...]
    statements: tuple[StatementAttributes, ...]


def provenance(recommendations: Iterable[Recommendation], known: Knowledge) -> Provenance:
    """Sources and attributes of what was recommended."""
    said = list(recommendations)
    wanted = {r.id for r in said}
    rules = [rule for rule in known.rules if rule.id in wanted]
    attributes = {rule.id: source_attributes(rule, known) for rule in rules}
    values: dict[str, set[str]] = {}
    for of_rule in attributes.values():
        for attribute in of_rule:
            values.setdefault(attribute.name, set()).add(attribute.value)
    common = {name for name, found in values.items() if len(found) == 1}
    return Provenance(
        sources=_sources(said),
        common=tuple(a for a in next(iter(attributes.values()), ()) if a.name in common),
        statements=tuple(
            StatementAttributes(
                begin(rule.says), guideline_link(rule.id, known), tuple(a for a in attributes[rule.id] if a.name not in common)
            )
            for rule in rules
        ),
    )


def _sources(recommendations: Iterable[Recommendation]) -> tuple[Source, ...]:
    cited: dict[str, Source] = {}
    for recommendation in recommendations:
        for source in _cited(recommendation):
            cited.setdefault(source.id, source)
    return tuple(sorted(cited.values(), key=lambda source: source.citation.casefold()))


def _cited(recommendation: Recommendation) -> Iterable[Source]:
    """The sources of the statement, of its options and what is raised about them, and of who disagrees."""
    yield from recommendation.sources
    for option in recommendation.options:
        yield from (backing.source for backing in option.backing)
        yield from (caution.source for caution in (*option.cautions, *option.reminders, *option.undecided))
    for dispute in recommendation.disputes:
        for side in dispute.sides:
            yield from side.who
