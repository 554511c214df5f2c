"""The knowledge of a run as plain data, kept beside its results, so that two runs can be told apart by what they rest on."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

from cards.knowledge import Knowledge
from fhir_profiles.valueset_files import Index

Json = Any


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is written otherwise.

    Args:
        entry: what it is about, such as `statement eular-ild-…` or `feature active-disease`.
        place: within it, such as `schedule.months`; empty where the whole entry is new or gone.
        before, after: what stands there; None where nothing does.
    """

    entry: str
    place: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        """`statement x, schedule.months: 12 became 6`."""
        if not self.place:
            return f"{self.entry} is {'new' if self.before is None else 'gone'}"
        return f"{self.entry}, {self.place}: {_or_nothing(self.before)} became {_or_nothing(self.after)}"


def kept(known: Knowledge) -> dict[str, Json]:
    """Everything that decides what is said to whom, by entry."""
    definitions = known.definitions
    tables: Mapping[str, Mapping[str, Any]] = {
        "statement": {rule.id: rule for rule in known.rules},
        "safety rule": {rule.id: rule for rule in known.safety},
        "population": known.populations,
        "treatment": known.treatments,
        "order": known.orders,
        "feature": definitions.features,
        "investigation": definitions.investigations,
        "antibody": definitions.antibodies,
        "agent": definitions.agents,
        "phenotypes": definitions.phenotypes,
        "parameter": definitions.treatment,
    }
    return {f"{kind} {name}": _plain(entry) for kind, table in tables.items() for name, entry in table.items()}


def terminology_kept(site: Path | None, terminology: Path | None) -> dict[str, Json]:
    """Every code and every text, by the clinical concept that it stands for.

    Args:
        site, terminology: folders of a site, as for `server.basis.load_basis`.
    """
    index = Index.of_the_package()
    if site and (site / "valuesets").is_dir():  # a site need not have any
        index.add_site_folder(site / "valuesets")
    if terminology:
        index.add_site_folder(terminology)
    stands_for = {
        "code": {"|".join(code): concepts for code, concepts in index.exact.items()},
        "codes below": {"|".join(code): concepts for code, concepts in index.below.items()},
        "text": index.phrases,
        "text of a denial": index.denials,
        "name of a drug": index.drug_names,
    }
    found: dict[str, Json] = defaultdict(dict)
    for kind, table in stands_for.items():
        for written, concepts in sorted(table.items()):
            for concept in concepts:
                found[f"concept {concept}"][f"{kind} {written}"] = "listed"
    return dict(sorted(found.items()))


def changes_between(before: Mapping[str, Json], after: Mapping[str, Json]) -> list[Change]:
    """What is written otherwise, entry by entry.

    Args:
        before, after: what `kept` said.
    """
    changes = []
    for entry in sorted({*before, *after}):
        if entry not in before or entry not in after:
            changes.append(Change(entry, "", *("" if entry in side else None for side in (before, after))))
        elif before[entry] != after[entry]:
            old, new = dict(_leaves(before[entry])), dict(_leaves(after[entry]))
            places = [place for place in {**old, **new} if old.get(place) != new.get(place)]
            changes += [Change(entry, place, old.get(place), new.get(place)) for place in places]
    return changes


def entries_behind(statement: str, known: Mapping[str, Json]) -> frozenset[str]:
    """The entries that a statement is made of: itself, and whatever they name, and whatever that names.

    Args:
        statement: its id.
        known: what `kept` said.
    """
    by_name: dict[str, list[str]] = {}
    for entry in known:
        by_name.setdefault(entry.rpartition(" ")[2], []).append(entry)
    found: set[str] = set()
    waiting = [entry for entry in by_name.get(statement, ()) if entry.startswith(("statement ", "safety rule "))]
    while waiting:
        entry = waiting.pop()
        if entry in found:
            continue
        found.add(entry)
        # A treatment's safety rules name it, not the other way round.
        waiting += [one for word in _words(known[entry]) for one in by_name.get(word, ()) if not one.startswith("statement ")]
    return frozenset(found)


def _plain(value: Any) -> Json:
    """As JSON has it, without compiled conditions: each stands beside the one that is written."""
    if is_dataclass(value) and not isinstance(value, type):
        value = {one.name: getattr(value, one.name) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items() if not callable(item)}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(map(str, value))
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _leaves(value: Json, place: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for name, item in value.items():
            yield from _leaves(item, f"{place}.{name}" if place else name)
    elif isinstance(value, list) and value:
        for number, item in enumerate(value):
            yield from _leaves(item, f"{place}[{number}]")
    else:
        yield place, str(value)


def _words(value: Json) -> Iterator[str]:
    """Every text in it that may be a name, the names of members too."""
    items: Iterable[Any] = ()
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        items = (*value, *value.values())
    elif isinstance(value, list):
        items = value
    for item in items:
        yield from _words(item)


def _or_nothing(text: str | None) -> str:
    return "nothing" if text is None else text
