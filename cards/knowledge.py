"""The knowledge of this room, loaded once: guidelines, drug safety, orders, treatments, contradictions.

Every file is checked against its JSON Schema and every name in it against the definitions, so that a wrong file stops the start
and says where and why.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from cards.conditions import compile_condition
from cards.recommendation import Contradiction, Level, Source
from cards.verdicts import Condition, RuleError, TreatmentEntry, Vocabulary, everyone
from fhir_profiles.clinical_definitions import FOLDER as DEFINITIONS
from fhir_profiles.clinical_definitions import definitions

FOLDER = Path(__file__).parent
KNOWLEDGE_RELEASE = "2026.11"


@dataclass(frozen=True, slots=True)
class Offer:
    """A treatment that a statement names: key in `treatments.yaml`, for whom, with what, and what the source says of it."""

    treatment: str
    when: Condition
    partner: str | None = None
    remark: str | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """A further sentence, for those it concerns."""

    when: Condition
    text: str


@dataclass(frozen=True, slots=True)
class ConditionalOrders:
    """Orders of a statement that only some of its patients need."""

    when: Condition
    orders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """One statement of a guideline, compiled. A `stated` rule cannot be computed and is shown, never fired.

    `guideline` names its file; `trigger` is the condition as it stands there, for those who explain it.
    """

    id: str
    guideline: str
    topic: str
    says: str
    strength: str
    urgency: str
    sources: tuple[Source, ...]
    when: Condition
    trigger: Mapping[str, Any] | None
    orders: tuple[str, ...]
    orders_if: tuple[ConditionalOrders, ...]
    offers: tuple[Offer, ...]
    avoid: tuple[str, ...]
    line: str
    fits: int
    notes: tuple[Note, ...]
    conflicts: tuple[str, ...]
    counts_from_months_before_onset: int | None
    stated: str | None
    concerns_everyone: bool


@dataclass(frozen=True, slots=True)
class SafetyRule:
    """One drug-safety rule, compiled.

    `basis`: S, stated in the source documents; P, in a named public source; K, background knowledge, unverified.
    `about`: orders that are drafted, those that we would suggest, or both. `alternatives`: by treatment, or for any of them.
    """

    id: str
    basis: str
    enabled: bool
    about: str
    orders: tuple[str, ...]
    alternatives: Mapping[str, Sequence[str]]
    note_on_draft: str | None
    remove: bool
    treatments: tuple[str, ...]
    level: Level
    says: str
    source: Source
    when: Condition
    trigger: Mapping[str, Any] | None
    while_taken: bool
    instead: str | None
    warn_when_unknown: bool
    without_myositis: bool


@dataclass(frozen=True, slots=True)
class Topic:
    """A card topic: display name and place in the order of cards (1 first)."""

    code: str
    display: str
    rank: int


@dataclass(frozen=True, slots=True)
class Dispute:
    """A contradiction, and for whom it matters."""

    contradiction: Contradiction
    matters: Condition


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Everything that cards are made from.

    Args:
        version: release and a hash over every file, so that a card tells exactly what it rests on.
        safety, safety_off: the drug-safety rules that speak, and those that are there and switched off.
    """

    version: str
    rules: tuple[Rule, ...]
    safety: tuple[SafetyRule, ...]
    safety_off: tuple[SafetyRule, ...]
    treatments: Mapping[str, TreatmentEntry]
    orders: Mapping[str, Mapping[str, Any]]
    topics: Mapping[str, Topic]
    disputes: Mapping[str, Dispute]


@cache
def knowledge() -> Knowledge:
    """The packaged knowledge.

    Raises:
        RuleError: a file is not what its schema says, or names something that does not exist.
    """
    return load_knowledge(FOLDER)


def load_knowledge(folder: Path, on: Iterable[str] = (), off: Iterable[str] = ()) -> Knowledge:
    """Load a knowledge folder.

    Args:
        folder: holds `guidelines/`, `drug_safety/`, `schemas/` and the YAML tables.
        on, off: ids of drug-safety rules that a site switches on or off.

    Raises:
        RuleError: with file, entry and remedy.
    """
    orders = _read(folder / "orders.yaml", folder)
    treatments = {
        key: TreatmentEntry(e["title"], e.get("course"), e.get("order"), tuple(e.get("drugs", ())))
        for key, e in _read(folder / "treatments.yaml", folder).items()
    }
    topics = {code: Topic(code, e["display"], e["rank"]) for code, e in _read(folder / "topics.yaml", folder).items()}
    _check_tables(orders, treatments)
    sources = _sources(_read(folder / "sources.yaml", folder))
    vocabulary = _vocabulary(folder)
    disputes = {code: _dispute(code, e, vocabulary) for code, e in _read(folder / "contradictions.yaml", folder).items()}
    loader = _Loader(replace(vocabulary, treatments=treatments), sources, orders, treatments, topics, disputes)
    files = sorted((folder / "guidelines").glob("*.yaml"))
    rules = [rule for file in files for rule in loader.guideline(file, _read(file, folder))]
    _check_unique(rule.id for rule in rules)
    safety_files = sorted((folder / "drug_safety").glob("*.yaml"))
    safety = [rule for file in safety_files for rule in loader.safety(file, _read(file, folder))]
    _check_unique(rule.id for rule in safety)
    on, off = set(on), set(off)
    safety = _switched(safety, on, off)
    speaking = tuple(rule for rule in safety if rule.enabled)
    silent = tuple(rule for rule in safety if not rule.enabled)
    return Knowledge(_version(folder, on, off), tuple(rules), speaking, silent, treatments, orders, topics, disputes)


def _switched(rules: list[SafetyRule], on: set[str], off: set[str]) -> list[SafetyRule]:
    """The rules as a site wants them."""
    known = {rule.id for rule in rules}
    if wrong := sorted((on | off) - known) or sorted(on & off):
        raise RuleError(f"drug_safety: cannot switch {', '.join(wrong)} on or off; each must be a rule, and in one list only")
    return [replace(rule, enabled=rule.id not in off and (rule.enabled or rule.id in on)) for rule in rules]


def _vocabulary(folder: Path) -> Vocabulary:
    """Populations may build on those defined before them."""
    populations: dict[str, Condition] = {}
    for name, node in _read(folder / "populations.yaml", folder).items():
        populations[name] = compile_condition(node, Vocabulary(definitions(), populations), f"populations.yaml: {name}")
    return Vocabulary(definitions(), populations)


@dataclass(frozen=True, slots=True)
class _Loader:
    vocabulary: Vocabulary
    sources: Mapping[str, Source]
    orders: Mapping[str, Any]
    treatments: Mapping[str, TreatmentEntry]
    topics: Mapping[str, Topic]
    disputes: Mapping[str, Dispute]

    def guideline(self, file: Path, document: Mapping[str, Any]) -> Iterable[Rule]:
        default = self._sources(document["source"], file.name)
        earlier: tuple[str, ...] = ()
        for entry in document["recommendations"]:
            yield replace(self, vocabulary=replace(self.vocabulary, earlier=earlier))._rule(file, entry, default)
            earlier = (*earlier, entry["id"])

    def _rule(self, file: Path, entry: Mapping[str, Any], default: tuple[Source, ...]) -> Rule:
        where = f"{file.name}: {entry['id']}"
        self._check(where, "topic", [entry["topic"]], self.topics)
        self._check(where, "order", entry.get("orders", ()), self.orders)
        orders_if = entry.get("orders_if", ())
        self._check(where, "order", [key for part in orders_if for key in part["orders"]], self.orders)
        self._check(where, "contradiction", entry.get("conflicts", ()), self.disputes)
        offers = tuple(
            Offer(o["treatment"], self._when(o, where), o.get("with"), o.get("remark")) for o in entry.get("offers", ())
        )
        self._check(where, "treatment", [o.treatment for o in offers], self.treatments)
        self._check(where, "treatment", entry.get("avoid", ()), self.treatments)
        return Rule(
            id=entry["id"],
            guideline=file.stem,
            topic=entry["topic"],
            says=entry["says"],
            strength=entry["strength"],
            urgency=entry.get("urgency", "routine"),
            sources=default + (self._sources(entry["sources"], where) if "sources" in entry else ()),
            when=self._when(entry, where),
            trigger=entry.get("when"),
            orders=tuple(entry.get("orders", ())),
            orders_if=tuple(
                ConditionalOrders(compile_condition(o["when"], self.vocabulary, where), tuple(o["orders"])) for o in orders_if
            ),
            offers=offers,
            avoid=tuple(entry.get("avoid", ())),
            line=entry.get("line", "any"),
            fits=entry.get("fits", 0),
            notes=tuple(Note(compile_condition(n["when"], self.vocabulary, where), n["text"]) for n in entry.get("notes", ())),
            conflicts=tuple(entry.get("conflicts", ())),
            counts_from_months_before_onset=entry.get("counts_from_months_before_onset"),
            stated=entry.get("stated"),
            concerns_everyone="when" not in entry,
        )

    def safety(self, file: Path, document: Mapping[str, Any]) -> Iterable[SafetyRule]:
        for entry in document["rules"]:
            where = f"{file.name}: {entry['id']}"
            treatments = tuple(entry.get("treatments") or document["treatments"])
            alternatives = entry.get("alternatives", {})
            self._check(where, "treatment or order", treatments, {**self.treatments, **self.orders})
            self._check(where, "order", entry.get("orders", ()), self.orders)
            self._check(where, "treatment", [name for names in alternatives.values() for name in names], self.treatments)
            self._check(where, "treatment of this rule", alternatives, {"any": (), **dict.fromkeys(treatments)})
            yield SafetyRule(
                id=entry["id"],
                basis=entry["basis"],
                enabled=entry.get("enabled", True),
                about=entry.get("about", "both"),
                orders=tuple(entry.get("orders", ())),
                alternatives=alternatives,
                note_on_draft=entry.get("note_on_draft"),
                remove=entry.get("remove", False),
                treatments=treatments,
                level=Level(entry["level"]),
                says=entry["says"],
                source=self._sources(entry["source"], where)[0],
                when=self._when(entry, where),
                trigger=entry.get("when"),
                while_taken=entry.get("while_taken", False),
                instead=entry.get("instead"),
                warn_when_unknown=entry.get("warn_when_unknown", False),
                without_myositis=entry.get("without_myositis", False),
            )

    def _when(self, entry: Mapping[str, Any], where: str) -> Condition:
        return compile_condition(entry["when"], self.vocabulary, where) if "when" in entry else everyone

    def _sources(self, ids: str | list[str], where: str) -> tuple[Source, ...]:
        names = [ids] if isinstance(ids, str) else ids
        self._check(where, "source", names, self.sources)
        return tuple(self.sources[name] for name in names)

    @staticmethod
    def _check(where: str, kind: str, names: Iterable[str], known: Mapping[str, Any]) -> None:
        if unknown := [name for name in names if name not in known]:
            raise RuleError(f"{where}: unknown {kind} {', '.join(unknown)}; known are {', '.join(sorted(known))}")


def _check_tables(orders: Mapping[str, Any], treatments: Mapping[str, TreatmentEntry]) -> None:
    """Orders and treatments refer to investigations, courses and each other."""
    known = definitions()
    for key, order in orders.items():
        is_test = order["resource"] == "ServiceRequest"
        if is_test and order.get("investigation") not in known.investigations:
            raise RuleError(
                f"orders.yaml: {key} needs an entry of definitions/investigations.yaml, not `{order.get('investigation')}`"
            )
    for key, treatment in treatments.items():
        if treatment.course not in (None, *known.agents):
            raise RuleError(
                f"treatments.yaml: {key} has unknown course `{treatment.course}`; known are {', '.join(sorted(known.agents))}"
            )
        if treatment.order not in (None, *orders):
            raise RuleError(
                f"treatments.yaml: {key} has unknown order `{treatment.order}`; known are {', '.join(sorted(orders))}"
            )


def _dispute(code: str, entry: Mapping[str, Any], vocabulary: Vocabulary) -> Dispute:
    matters = compile_condition(entry["when"], vocabulary, f"contradictions.yaml: {code}") if "when" in entry else everyone
    return Dispute(Contradiction(code, entry["title"], tuple(entry["sides"])), matters)


def _sources(table: Mapping[str, Any]) -> dict[str, Source]:
    """Sources by id; one that was read in another gets that one's address."""
    sources = {}
    for key, entry in table.items():
        read_in = entry.get("read_in")
        if read_in is not None and "url" not in table.get(read_in, {}):
            raise RuleError(f"sources.yaml: {key} was read in `{read_in}`, which has no entry with a url")
        found = table[read_in] if read_in else entry
        sources[key] = Source(
            id=key,
            short=entry["short"],
            citation=entry["citation"],
            evidence=entry["evidence"],
            year=entry.get("year"),
            url=found.get("url"),
            found_in=found["citation"] if read_in else None,
        )
    return sources


def _read(path: Path, folder: Path) -> Any:
    """Parse a YAML file and check it against `schemas/<table or folder>.schema.json`."""
    try:
        document = yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise RuleError(f"{path.name}: not YAML: {error}") from error
    name = path.stem if path.parent == folder else path.parent.name
    schema = json.loads((FOLDER / "schemas" / f"{name}.schema.json").read_text("utf-8"))
    errors = sorted(Draft202012Validator(schema).iter_errors(document), key=lambda e: list(map(str, e.absolute_path)))
    if errors:
        at = "/".join(str(part) for part in errors[0].absolute_path) or "top level"
        raise RuleError(f"{path.name} at {at}: {errors[0].message}")
    return document


def _check_unique(ids: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in ids:
        if name in seen:
            raise RuleError(f"{name}: this id is used twice")
        seen.add(name)


def _version(folder: Path, on: Iterable[str], off: Iterable[str]) -> str:
    digest = hashlib.sha256(repr((sorted(on), sorted(off))).encode())
    clinical = (*DEFINITIONS.glob("*.yaml"), *(DEFINITIONS.parent / "valuesets").glob("*.json"))
    for path in (*sorted(folder.rglob("*.yaml")), *sorted(clinical)):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return f"{KNOWLEDGE_RELEASE}+{digest.hexdigest()[:12]}"
