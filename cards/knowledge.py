"""The knowledge of this room, loaded once: guidelines, drug safety, orders, treatments, contradictions.

Every file is checked against its JSON Schema and every name in it against the definitions, so that a wrong file stops the start
and says where and why.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from cards.braces import IN_THE_DATA_SUPPLIED, ON_RECORD, check_braces, filled_in
from cards.conditions import compile_about_patients, compile_condition
from cards.disputes import Dispute, read_dispute
from cards.layers import PACKAGED as FOLDER
from cards.layers import REVIEW, Entry, Layers, label, read_document
from cards.recommendation import Level, Source
from cards.review import Review, read_review
from cards.schedule import Schedule, read_schedule
from cards.titles import Titles, titles, titles_of
from cards.verdicts import Condition, RuleError, TreatmentEntry, Vocabulary, everyone
from fhir_profiles.clinical_definitions import FOLDER as DEFINITIONS
from fhir_profiles.clinical_definitions import DefinitionError, Definitions, load_definitions

KNOWLEDGE_RELEASE = "2026.11"

HEADLINE_WORDS = ("found", "place", "orders", "options", "due", "suspected", "avoided")
"""What the braces of a headline may name; `summary` fills them in (docs/rule-vocabulary.md)."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A treatment that a statement names.

    Args:
        treatment: key in `treatments.yaml`.
        when: for whom.
        partner: what it goes with.
        remark: what the source says of it.
        strength: where it differs from that of the statement.
        trigger: `when`, as it is written.
    """

    treatment: str
    when: Condition
    partner: str | None = None
    remark: str | None = None
    strength: str | None = None
    trigger: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """A further sentence, for those it concerns."""

    when: Condition
    text: str
    trigger: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class ConditionalOrders:
    """Orders of a statement that only some of its patients need."""

    when: Condition
    orders: tuple[str, ...]
    trigger: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One statement of a guideline, compiled. A `stated` rule cannot be computed and is shown, never fired.

    `guideline` names its file; `trigger`, here and in the parts, is the condition as it stands there, for those who explain
    it. `headline` is the sentence of a card that this statement leads (see `summary`). `said_by` are the drug-safety rules that
    say it where a drug is suggested or drafted. `read_in` and `confidence` (H, M) tell where a statement newer than our two
    source documents was read (clinical/beyond-sources.md).
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
    schedule: Schedule | None
    headline: str | None
    asks_about: tuple[str, ...]
    counts_from_months_before_onset: int | None
    stated: str | None
    said_by: tuple[str, ...]
    read_in: str | None
    confidence: str | None
    concerns_everyone: bool

    @property
    def is_computed(self) -> bool:
        """Held against the patient, here or by the drug-safety rules that say it."""
        return self.stated is None


@dataclass(frozen=True, slots=True)
class SafetyRule:
    """One drug-safety rule, compiled.

    `basis`: S, stated in the source documents; P, in a named public source; K, background knowledge, unverified; site, its own.
    `about`: orders that are drafted, those that we would suggest, or both. `alternatives`: by treatment, or for any of them.
    `says_of_partial_data`: the same where data of one kind were not supplied, so that "none on record" would claim too much.
    `says_when_unknown`: the same where the deciding datum is missing, so that "on record" would claim too much.
    """

    id: str
    basis: str
    about: str
    orders: tuple[str, ...]
    alternatives: Mapping[str, Sequence[str]]
    note_on_draft: str | None
    remove: bool
    treatments: tuple[str, ...]
    level: Level
    says: str
    says_of_partial_data: str
    says_when_unknown: str
    source: Source
    when: Condition
    trigger: Mapping[str, Any] | None
    while_taken: bool
    instead: str | None
    warn_when_unknown: bool
    ranks_last: bool
    without_myositis: bool


@dataclass(frozen=True, slots=True)
class Topic:
    """A card topic.

    Args:
        code: stable, letters only.
        display: its name.
        rank: place in the order of cards, 1 first.
        asks_alone: it may show a card only to ask for a missing datum.
        can_wait: while a critical card is up, its routine cards would only stand in the way.
    """

    code: str
    display: str
    rank: int
    asks_alone: bool = False
    can_wait: bool = False


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Everything that cards are made from.

    Args:
        version: release and the beginning of the hash, so that a card tells exactly what it rests on.
        digest: SHA-256 over every file, in hexadecimal.
        off: rules that are there as data and switched off: they are shown, and never evaluated.
        definitions: the clinical definitions that the rules were compiled with, and that patients are to be assessed by.
        review: until when it may be taken for current.
        of_site: ids of the rules that a site wrote, in place of packaged ones or besides them.
        safety: the drug-safety rules that are on.
        rule_of: the rules of guidelines that are on, by id.
        safety_about: those that speak about a treatment or order, by its key.
        order_that_supplies: the key of the test that answers what is missing, by its concept.
        populations: the named groups of patients, as they stand in their file.
        sources: every source, by id.
        source_attributes: the thirteen attributes of `source_attributes.yaml`, in order.
        titles: what conditions are said with in words.
    """

    version: str
    rules: tuple[Rule, ...]
    safety: tuple[SafetyRule, ...]
    treatments: Mapping[str, TreatmentEntry]
    orders: Mapping[str, Mapping[str, Any]]
    topics: Mapping[str, Topic]
    disputes: Mapping[str, Dispute]
    definitions: Definitions
    review: Review
    off: tuple[Rule | SafetyRule, ...] = ()
    of_site: frozenset[str] = frozenset()
    populations: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    sources: Mapping[str, Source] = field(default_factory=dict)
    source_attributes: tuple[Mapping[str, str], ...] = ()
    titles: Titles = field(default_factory=titles)
    digest: str = ""
    rule_of: Mapping[str, Rule] = field(init=False)
    safety_about: Mapping[str, tuple[SafetyRule, ...]] = field(init=False)
    order_that_supplies: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        """Look up once the rules by id, which safety rules speak about a treatment or order, and which tests answer what."""
        object.__setattr__(self, "rule_of", {rule.id: rule for rule in self.rules})
        about: dict[str, tuple[SafetyRule, ...]] = {}
        for rule in self.safety:
            for treatment in dict.fromkeys(rule.treatments):
                about[treatment] = (*about.get(treatment, ()), rule)
        object.__setattr__(self, "safety_about", about)
        supplies = {e["concept"]: key for key, e in self.orders.items() if "concept" in e and "investigation" in e}
        object.__setattr__(self, "order_that_supplies", supplies)

    @property
    def rules_off(self) -> tuple[Rule, ...]:
        """The statements that are switched off."""
        return tuple(rule for rule in self.off if isinstance(rule, Rule))

    @property
    def safety_off(self) -> tuple[SafetyRule, ...]:
        """The drug-safety rules that are switched off."""
        return tuple(rule for rule in self.off if isinstance(rule, SafetyRule))


@cache
def knowledge() -> Knowledge:
    """The packaged knowledge.

    Raises:
        RuleError: a file is not what its schema says, or names something that does not exist.
    """
    return load_knowledge(FOLDER)


def load_knowledge(folder: Path = FOLDER, site: Path | None = None) -> Knowledge:
    """Load a knowledge folder, and a site's folder over it.

    Args:
        folder: holds `guidelines/`, `drug_safety/` and the YAML tables.
        site: holds what a site adds or overrides (`docs/site-folder.md`).

    Raises:
        RuleError: with file, entry and remedy; one line for each entry that is wrong.
    """
    layers = Layers(folder, site)
    layers.check_names()
    known = _definitions(layers)
    orders = layers.table("orders")
    treatments = {
        key: TreatmentEntry(e["title"], e.get("course"), e.get("order"), tuple(e.get("drugs", ())), e.get("adjunct", False))
        for key, e in layers.table("treatments").items()
    }
    topics = {code: Topic(code, **entry) for code, entry in layers.table("topics").items()}
    _check_tables(orders, treatments, known)
    sources = _sources(layers.table("sources"))
    vocabulary = _vocabulary(layers.table("populations"), known)
    disputes = {code: read_dispute(code, e, vocabulary, sources) for code, e in layers.table("contradictions").items()}
    guidelines, safety_files = layers.groups("guidelines"), layers.groups("drug_safety")
    safety_rules = {entry.id: entry for group in safety_files for entry in group}
    loader = _Loader(replace(vocabulary, treatments=treatments), sources, orders, treatments, topics, disputes, safety_rules, [])
    rules = [rule for group in guidelines for rule in loader.guideline(group)]
    safety = [rule for group in safety_files for rule in loader.safety(group)]
    entries = [entry for group in (*guidelines, *safety_files) for entry in group]
    _check_unique(entry.id for entry in entries)
    if loader.problems:
        raise RuleError("\n".join(loader.problems))
    off = _switched_off(entries, layers)
    every: tuple[Rule | SafetyRule, ...] = (*rules, *safety)
    digest = _digest(layers)
    return Knowledge(
        version_of(digest),
        tuple(rule for rule in rules if rule.id not in off),
        tuple(rule for rule in safety if rule.id not in off),
        treatments,
        orders,
        topics,
        disputes,
        known,
        read_review(layers),
        off=tuple(rule for rule in every if rule.id in off),
        of_site=frozenset(entry.id for entry in entries if entry.is_of_site),
        populations=layers.table("populations"),
        sources=sources,
        source_attributes=tuple(read_document(layers.folder / "source_attributes.yaml", "source_attributes")),
        titles=titles_of(known, {key: treatment.title for key, treatment in treatments.items()}),
        digest=digest,
    )


def _definitions(layers: Layers) -> Definitions:
    try:
        return load_definitions(*(folder / "definitions" for folder in layers.folders()))
    except DefinitionError as error:
        raise RuleError(str(error)) from error


def _switched_off(entries: Iterable[Entry], layers: Layers) -> set[str]:
    """Ids of the rules that are off: by their own word, or by the site's."""
    by_default = {entry.id: entry.content.get("enabled", True) for entry in entries}
    on, off = layers.switches()
    for name in sorted((on | off) - set(by_default)):
        raise RuleError(f"site.yaml: `{name}` is no rule; `myositis-cds knowledge list` names them")
    for name in sorted(on & off):
        raise RuleError(f"site.yaml: `{name}` is switched on and off; leave one of the two out")
    return {name for name, is_on in by_default.items() if name in off or not (is_on or name in on)}


def _vocabulary(table: Mapping[str, Any], known: Definitions) -> Vocabulary:
    """Populations may build on those defined before them."""
    populations: dict[str, Condition] = {}
    for name, node in table.items():
        populations[name] = compile_about_patients(node, Vocabulary(known, populations), f"populations.yaml: {name}")
    return Vocabulary(known, populations)


@dataclass(frozen=True, slots=True)
class _Loader:
    vocabulary: Vocabulary
    sources: Mapping[str, Source]
    orders: Mapping[str, Any]
    treatments: Mapping[str, TreatmentEntry]
    topics: Mapping[str, Topic]
    disputes: Mapping[str, Dispute]
    safety_rules: Mapping[str, Entry]
    problems: list[str]

    def guideline(self, entries: Iterable[Entry]) -> Iterable[Rule]:
        earlier: tuple[str, ...] = ()
        for one in entries:
            try:
                yield replace(self, vocabulary=replace(self.vocabulary, earlier=earlier))._rule(one)
            except RuleError as error:
                self.problems.append(str(error))
            earlier = (*earlier, one.id)

    def _rule(self, one: Entry) -> Rule:
        entry, where = one.content, one.where
        default = self._sources(one.document["source"], label(one.file))
        self._check(where, "topic", [entry["topic"]], self.topics)
        self._check(where, "order", entry.get("orders", ()), self.orders)
        orders_if = entry.get("orders_if", ())
        self._check(where, "order", [key for part in orders_if for key in part["orders"]], self.orders)
        self._check(where, "contradiction", entry.get("conflicts", ()), self.disputes)
        self._check(where, "drug-safety rule", entry.get("said_by", ()), self.safety_rules)
        offers = tuple(
            Offer(o["treatment"], self._when(o, where), o.get("with"), o.get("remark"), o.get("strength"), o.get("when"))
            for o in entry.get("offers", ())
        )
        self._check(where, "treatment", [o.treatment for o in offers], self.treatments)
        self._check(where, "treatment", entry.get("avoid", ()), self.treatments)
        check_braces(where, "headline", entry.get("headline", ""), HEADLINE_WORDS)
        return Rule(
            id=entry["id"],
            guideline=one.group,
            topic=entry["topic"],
            says=entry["says"],
            strength=entry["strength"],
            urgency=entry.get("urgency", "routine"),
            sources=default + (self._sources(entry["sources"], where) if "sources" in entry else ()),
            when=self._when(entry, where),
            trigger=entry.get("when"),
            orders=tuple(entry.get("orders", ())),
            orders_if=tuple(
                ConditionalOrders(compile_condition(o["when"], self.vocabulary, where), tuple(o["orders"]), o["when"])
                for o in orders_if
            ),
            offers=offers,
            avoid=tuple(entry.get("avoid", ())),
            line=entry.get("line", "any"),
            fits=entry.get("fits", 0),
            notes=tuple(
                Note(compile_condition(n["when"], self.vocabulary, where), n["text"], n["when"]) for n in entry.get("notes", ())
            ),
            conflicts=tuple(entry.get("conflicts", ())),
            schedule=self._schedule(entry, where),
            headline=entry.get("headline"),
            asks_about=tuple(dict.fromkeys(_features_in(entry.get("when")))),
            counts_from_months_before_onset=entry.get("counts_from_months_before_onset"),
            stated=entry.get("stated"),
            said_by=tuple(entry.get("said_by", ())),
            read_in=entry.get("read_in"),
            confidence=entry.get("confidence"),
            concerns_everyone="when" not in entry,
        )

    def _schedule(self, entry: Mapping[str, Any], where: str) -> Schedule | None:
        if "schedule" not in entry:
            return None
        schedule = read_schedule(entry["schedule"])
        self._check(where, "investigation", [schedule.of], self.vocabulary.definitions.investigations)
        if list(schedule.at_months) != sorted(set(schedule.at_months)):
            raise RuleError(f"{where}: `at_months` must ascend, each time once; write {sorted(set(schedule.at_months))}")
        return schedule

    def safety(self, entries: Iterable[Entry]) -> Iterable[SafetyRule]:
        for one in entries:
            try:
                yield self._safety_rule(one)
            except RuleError as error:
                self.problems.append(str(error))

    def _safety_rule(self, one: Entry) -> SafetyRule:
        entry, where = one.content, one.where
        treatments = tuple(entry.get("treatments") or one.document["treatments"])
        alternatives = entry.get("alternatives", {})
        self._check(where, "treatment or order", treatments, {**self.treatments, **self.orders})
        self._check(where, "order", entry.get("orders", ()), self.orders)
        self._check(where, "treatment", [name for names in alternatives.values() for name in names], self.treatments)
        self._check(where, "treatment of this rule", alternatives, {"any": (), **dict.fromkeys(treatments)})
        check_braces(where, "says", entry["says"], ("place",))
        return SafetyRule(
            id=entry["id"],
            basis=entry.get("basis", "site"),
            about=entry.get("about", "both"),
            orders=tuple(entry.get("orders", ())),
            alternatives=alternatives,
            note_on_draft=entry.get("note_on_draft"),
            remove=entry.get("remove", False),
            treatments=treatments,
            level=Level(entry["level"]),
            says=filled_in(entry["says"], {"place": ON_RECORD}),
            says_of_partial_data=filled_in(entry["says"], {"place": IN_THE_DATA_SUPPLIED}),
            says_when_unknown=entry.get("says_when_unknown") or filled_in(entry["says"], {"place": ON_RECORD}),
            source=self._sources(entry["source"], where)[0],
            when=self._when(entry, where),
            trigger=entry.get("when"),
            while_taken=entry.get("while_taken", False),
            instead=entry.get("instead"),
            warn_when_unknown=entry.get("warn_when_unknown", False),
            ranks_last=entry.get("ranks_last", False),
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


def _features_in(node: Any) -> Iterable[str]:
    """The features that a condition names, in their order."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from [value] if key in ("recorded", "present") else _features_in(value)
    elif isinstance(node, list):
        for part in node:
            yield from _features_in(part)


def _check_tables(orders: Mapping[str, Any], treatments: Mapping[str, TreatmentEntry], known: Definitions) -> None:
    """Orders and treatments refer to investigations, courses and each other."""
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
            specialty=entry.get("specialty"),
        )
    return sources


def _check_unique(ids: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in ids:
        if name in seen:
            raise RuleError(f"{name}: this id is used twice")
        seen.add(name)


def version_of(digest: str) -> str:
    """The version that a card names.

    Args:
        digest: of the knowledge.
    """
    return f"{KNOWLEDGE_RELEASE}+{digest[:12]}"


def _digest(layers: Layers) -> str:
    digest = hashlib.sha256()
    spoken = [path for path in sorted(layers.folder.rglob("*.yaml")) if path.parent.name != "scenarios" and path.name != REVIEW]
    clinical = (*DEFINITIONS.glob("*.yaml"), *(DEFINITIONS.parent / "valuesets").glob("*.json"))
    own = (
        ()
        if layers.site is None
        else (
            path
            for path in layers.site.rglob("*")
            if path.is_file() and path.suffix in (".yaml", ".json") and path.name != REVIEW
        )
    )
    for path in (*spoken, *sorted(clinical), *sorted(own)):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
