"""Rules for people at a terminal: one line each, or everything about one of them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from cards.knowledge import Knowledge, Rule, SafetyRule
from cards.layers import PACKAGED, RULE_FOLDERS, Entry, Layers
from cards.recommendation import Source
from fhir_profiles.yaml_files import line_of
from server.knowledge.scenarios import Scenario


@dataclass(frozen=True, slots=True)
class Summary:
    """One line of the list.

    Args:
        id: of the statement or safety rule.
        kind: `statement` or `safety rule`.
        topic: of the card that it appears on.
        strength: the source's word, or the level of a safety rule.
        state: `computed`, `stated` (shown, never fired) or `off`.
        of_site: a site wrote it.
    """

    id: str
    kind: str
    topic: str
    strength: str
    state: str
    of_site: bool

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "id": self.id,
            "kind": self.kind,
            "topic": self.topic,
            "strength": self.strength,
            "state": self.state,
            "ofSite": self.of_site,
        }


def summaries(known: Knowledge) -> list[Summary]:
    """Every rule: statements first, in the order of their guidelines, then safety rules."""
    off = {rule.id for rule in known.off}
    every = (*known.rules, *known.safety, *known.off)
    return [_summary(rule, known, off) for rule in sorted(every, key=lambda rule: isinstance(rule, SafetyRule))]


def _summary(rule: Rule | SafetyRule, known: Knowledge, off: set[str]) -> Summary:
    of_site = rule.id in known.of_site
    if isinstance(rule, SafetyRule):
        return Summary(rule.id, "safety rule", "drugSafety", rule.level.value, "off" if rule.id in off else "computed", of_site)
    state = "off" if rule.id in off else "computed" if rule.stated is None else "stated"
    return Summary(rule.id, "statement", rule.topic, rule.strength, state, of_site)


def table(rows: Iterable[Summary]) -> str:
    """The list, in columns."""
    cells = [(r.id, r.topic, r.strength, r.state + (", the site's" if r.of_site else "")) for r in rows]
    widths = [max((len(row[column]) for row in cells), default=0) for column in range(3)]
    return "\n".join("  ".join((*(text.ljust(width) for text, width in zip(row, widths, strict=False)), row[3])) for row in cells)


def explained(rule: Rule | SafetyRule, known: Knowledge, layers: Layers, scenarios: Iterable[Scenario]) -> str:
    """Everything about one rule.

    Args:
        rule: what is explained.
        known: the knowledge that it is part of.
        layers: the files of that knowledge.
        scenarios: those that may be about it.
    """
    entry = _entry_of(rule.id, layers)
    (summary,) = (one for one in summaries(known) if one.id == rule.id)
    sources = rule.sources if isinstance(rule, Rule) else (rule.source,)
    content = {key: value for key, value in entry.content.items() if key not in ("id", "says", "when", "notes")}
    parts = [
        rule.id,
        _indented([_sentence(rule.says)]),
        _section("What it is", [f"{summary.kind}, {summary.strength}, {summary.state}", f"card topic: {summary.topic}"]),
        _section("Written in", [_place(entry)]),
        _section("Sources", [_cited(source) for source in sources]),
        _section("When" if entry.content.get("when") else "When: for everybody", _yaml(entry.content.get("when"))),
        _section("Populations", _yaml(_populations(entry.content.get("when"), layers.table("populations")))),
        _section("Notes", [f"{note['text']} (when {_inline(note['when'])})" for note in entry.content.get("notes", ())]),
        _section("As written", _yaml(content)),
        _section("Orders", _orders(rule, known)),
        _section("Where guidelines disagree", _disputes(rule, known)),
        _section("Scenarios", _about(rule.id, scenarios)),
    ]
    return "\n\n".join(part for part in parts if part)


def _entry_of(name: str, layers: Layers) -> Entry:
    return next(entry for kind in RULE_FOLDERS for group in layers.groups(kind) for entry in group if entry.id == name)


def _place(entry: Entry) -> str:
    kind = entry.file.parent.name
    position = next(n for n, one in enumerate(entry.document[RULE_FOLDERS[kind]]) if one["id"] == entry.id)
    line = line_of(entry.file, (RULE_FOLDERS[kind], position))
    file = entry.file.relative_to(PACKAGED.parent) if entry.file.is_relative_to(PACKAGED) else entry.file
    by_site = ", the site's, in place of the packaged one" if entry.overrides else ", the site's"
    return f"{file}:{line}" + (by_site if entry.is_of_site else "")


def _cited(source: Source) -> str:
    year = "" if source.year is None or str(source.year) in source.citation else f", {source.year}"
    read = f"; read in {source.found_in}" if source.found_in else ""
    return f"{source.citation}{year} ({source.evidence}){read}" + (f" <{source.url}>" if source.url else "")


def _orders(rule: Rule | SafetyRule, known: Knowledge) -> Iterator[str]:
    if isinstance(rule, Rule):
        keys = dict.fromkeys((*rule.orders, *(key for part in rule.orders_if for key in part.orders)))
        for key in keys:
            yield f"{key}: {known.orders[key]['title']}{_coded(known.orders[key])}"
        for offer in rule.offers:
            treatment = known.treatments[offer.treatment]
            yield f"{offer.treatment}: {treatment.title}" + ("" if treatment.order else " (in words only)")


def _coded(order: Mapping[str, Any]) -> str:
    codes = [f"{coding['system']}|{coding['code']}" for coding in order.get("coding", ())]
    return f" ({', '.join(codes)})" if codes else " (in words only)"


def _disputes(rule: Rule | SafetyRule, known: Knowledge) -> Iterator[str]:
    for code in rule.conflicts if isinstance(rule, Rule) else ():
        contradiction = known.disputes[code].contradiction
        yield f"{code}: {contradiction.title}"
        yield from (f"  {line}" for line in contradiction.lines)


def _about(name: str, scenarios: Iterable[Scenario]) -> Iterator[str]:
    words = {"holds": "holds", "unknown": "waits for a datum", "not": "does not apply"}
    for scenario in scenarios:
        for key, word in words.items():
            if name in scenario.expected.get(key, ()):
                yield f"{word}: {scenario.name} ({scenario.file.name})"


def _populations(node: object, table: Mapping[str, Any]) -> dict[str, Any]:
    """The populations that a condition names, and those that they build on."""
    found: dict[str, Any] = {}
    if isinstance(node, dict):
        if isinstance(name := node.get("population"), str):
            found |= {name: table[name]} | _populations(table[name], table)
        for part in node.values():
            found |= _populations(part, table)
    elif isinstance(node, list):
        for part in node:
            found |= _populations(part, table)
    return found


def _yaml(content: object) -> list[str]:
    if not content:
        return []
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110).splitlines()


def _inline(content: object) -> str:
    return " ".join(yaml.safe_dump(content, default_flow_style=True, allow_unicode=True, width=1000).split())


def _section(title: str, lines: Iterable[str]) -> str:
    content = list(lines)
    if not content:
        return title if title.endswith("everybody") else ""
    return f"{title}\n{_indented(content)}"


def _indented(lines: Iterable[str]) -> str:
    return "\n".join(f"  {line}" for line in lines)


def _sentence(says: str) -> str:
    return f"{says[:1].upper()}{says[1:]}."
