"""Write the ValueSets, one per clinical concept, from the reviewed tables in `terminology/`.

`python -m fhir_profiles.generate_valuesets` writes them; with `--check` it writes nothing and fails if a committed
ValueSet differs from what the tables say. The output is deterministic.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from fhir_profiles.phrases import MATCHING_DRUG_NAME, MATCHING_PHRASE, phrase_key
from fhir_profiles.systems import ATC, CANONICAL, HIERARCHICAL_SYSTEMS, ICD_10, LOCAL_CONCEPT, RXNORM, normalise_code

HERE: Final = Path(__file__).parent
TABLES: Final = HERE / "terminology"
OUTPUT: Final = HERE / "valuesets"
VERSION: Final = "2026.1"
REMEDY: Final = "`python -m fhir_profiles.generate_valuesets`"

_CODE_TABLES: Final = ("additions", "conditions", "drugs", "labs", "orders")
_ATC_SUBSTANCE_LENGTH: Final = 7
_SHORTEST_CATEGORY: Final = 3


@dataclass(frozen=True, slots=True, order=True)
class Row:
    """One line of a table: a code of a concept, with where it was seen."""

    concept: str
    system: str
    code: str
    display: str
    status: str
    evidence: str

    @property
    def is_category(self) -> bool:
        """Whether the code stands for everything below it, as far as its own table line says."""
        if self.system == ATC:
            return len(self.code) < _ATC_SUBSTANCE_LENGTH
        # National editions subdivide the WHO's last level; a code below a leaf is that leaf, told more closely.
        who_leaf = self.system == ICD_10 and "(leaf)" in self.evidence
        return self.system in HIERARCHICAL_SYSTEMS and ("(category" in self.evidence or who_leaf)


@dataclass(slots=True)
class Concept:
    """Everything that the tables say of one concept."""

    rows: dict[tuple[str, str], Row] = field(default_factory=dict)
    phrases: dict[str, str] = field(default_factory=dict)
    drug_names: dict[str, str] = field(default_factory=dict)


def read_rows() -> list[Row]:
    """All lines of all tables; a RxNorm product is a line of its ingredient."""
    rows = [Row(**line) for table in _CODE_TABLES for line in _lines(table)]
    products = [
        Row(line["ingredient"], RXNORM, line["rxcui"], line["display"], "verified", line["evidence"])
        for line in _lines("drug_products")
    ]
    return rows + products


def _lines(table: str) -> list[dict[str, str]]:
    with (TABLES / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _yaml(name: str) -> Any:
    return yaml.load((TABLES / name).read_text(encoding="utf-8"), yaml.CSafeLoader)


def _phrases() -> Iterator[tuple[str, str]]:
    """(concept, phrase) for every phrase of phrases.yaml, its forms written out."""
    table = _yaml("phrases.yaml")
    for concept, names in table["antibodies"].items():
        bare = names.get("bare", [])
        yield from ((concept, name) for name in bare)
        for name in [*bare, *names["names"]]:
            yield from ((concept, form.format(name=name)) for form in table["antibody_forms"])
    for concept, phrases in table["phrases"].items():
        yield from ((concept, phrase) for phrase in phrases)
    for concept, muscles in table["mrc_groups"].items():
        for muscle in muscles:
            phrases = [form.format(name=muscle) for form in table["mrc_forms"]]
            yield from ((concept, side.format(phrase=phrase)) for phrase in phrases for side in table["mrc_sides"])
            yield from (
                (concept, form.format(name=f"{side} {muscle}")) for form in table["mrc_forms"] for side in ("left", "right")
            )


def concepts() -> dict[str, Concept]:
    """Every concept of the tables, by name."""
    found: dict[str, Concept] = {}
    for row in read_rows():
        found.setdefault(row.concept, Concept()).rows.setdefault((row.system, row.code), row)
    for concept, phrase in _phrases():
        found.setdefault(concept, Concept()).phrases.setdefault(phrase_key(phrase), phrase)
    for concept, names in _yaml("phrases.yaml")["drugs"].items():
        drug = found.setdefault(concept, Concept())
        for name in names:
            drug.drug_names.setdefault(phrase_key(name), name)
    return found


def _prefix_rows(all_rows: Iterable[Row]) -> set[tuple[str, str, str]]:
    """(concept, system, code) of the categories that may be matched by prefix.

    An ICD category may not, if any code listed below it does not belong to its concept: WHO ICD-10 M33 has both
    dermatomyositis and, as M33.2, polymyositis. An ATC class always may: a drug belongs to its class.
    """
    rows = [(row, normalise_code(row.system, row.code)) for row in all_rows if row.system in HIERARCHICAL_SYSTEMS]
    holders: dict[tuple[str, str], set[str]] = {}
    for row, code in rows:
        holders.setdefault((row.system, code), set()).add(row.concept)
    below: dict[tuple[str, str], list[set[str]]] = {}
    for (system, code), holding in holders.items():
        for length in range(_SHORTEST_CATEGORY, len(code)):
            below.setdefault((system, code[:length]), []).append(holding)
    return {
        (row.concept, row.system, row.code)
        for row, code in rows
        if row.is_category and (row.system == ATC or all(row.concept in holding for holding in below.get((row.system, code), [])))
    }


def _title(name: str, titles: dict[str, str]) -> str:
    return titles.get(name) or name.replace("_", " ").capitalize()


def _include(system: str, rows: list[Row], prefixes: set[tuple[str, str, str]]) -> Iterator[dict[str, Any]]:
    """The parts of a ValueSet for one system: its codes, then each category with all that is below it."""
    yield {"system": system, "concept": [{"code": row.code, "display": row.display} for row in rows]}
    for row in rows:
        if (row.concept, row.system, row.code) in prefixes:
            yield {"system": system, "filter": [{"property": "concept", "op": "is-a", "value": row.code}]}


def value_set(name: str, concept: Concept, title: str, prefixes: set[tuple[str, str, str]]) -> dict[str, Any]:
    """The FHIR R4 ValueSet of one concept."""
    identifier = name.replace("_", "-")
    extensions = [
        {"url": url, "valueString": phrase}
        for url, phrases in ((MATCHING_DRUG_NAME, concept.drug_names), (MATCHING_PHRASE, concept.phrases))
        for phrase in sorted(phrases.values())
    ]
    by_system: dict[str, list[Row]] = {}
    for row in sorted(concept.rows.values(), key=lambda row: (row.system, row.code)):
        by_system.setdefault(row.system, []).append(row)
    include = [part for system, rows in by_system.items() for part in _include(system, rows, prefixes)]
    if not include:
        include = [{"system": LOCAL_CONCEPT, "concept": [{"code": identifier, "display": title}]}]
    resource = {
        "resourceType": "ValueSet",
        "id": identifier,
        "extension": extensions,
        "url": f"{CANONICAL}/ValueSet/{identifier}",
        "version": VERSION,
        "name": "".join(word.capitalize() for word in name.split("_") if word),
        "title": title,
        "status": "active",
        "experimental": False,
        "compose": {"include": include},
    }
    return {member: value for member, value in resource.items() if value != []}


def value_sets() -> dict[str, str]:
    """File name to file content, for every concept."""
    titles = _yaml("titles.yaml")
    found = concepts()
    prefixes = _prefix_rows(row for concept in found.values() for row in concept.rows.values())
    return {
        f"{name.replace('_', '-')}.json": json.dumps(
            value_set(name, concept, _title(name, titles), prefixes), indent=1, ensure_ascii=False
        )
        + "\n"
        for name, concept in sorted(found.items())
    }


def differences() -> list[str]:
    """Names of ValueSet files that are missing, out of date, or no longer wanted."""
    wanted = value_sets()
    present = {path.name: path.read_text(encoding="utf-8") for path in OUTPUT.glob("*.json")}
    return sorted(name for name in wanted.keys() | present.keys() if wanted.get(name) != present.get(name))


def write() -> int:
    """Write every ValueSet, remove those that no table asks for, and return how many there are."""
    wanted = value_sets()
    OUTPUT.mkdir(exist_ok=True)
    for path in OUTPUT.glob("*.json"):
        if path.name not in wanted:
            path.unlink()
    for name, content in wanted.items():
        (OUTPUT / name).write_text(content, encoding="utf-8")
    return len(wanted)


def main(arguments: list[str]) -> int:
    """Command line: nothing writes, `--check` compares. Returns the exit code."""
    if arguments not in ([], ["--check"]):
        sys.stderr.write("usage: python -m fhir_profiles.generate_valuesets [--check]\n")
        return 2
    if not arguments:
        sys.stdout.write(f"{write()} ValueSets written to fhir_profiles/valuesets\n")
        return 0
    stale = differences()
    for name in stale:
        sys.stderr.write(f"fhir_profiles/valuesets/{name} differs from the tables; run {REMEDY}\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
