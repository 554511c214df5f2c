"""Reading ValueSet and ConceptMap files, the packaged ones and a site's own, into one index of codes and phrases."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

import orjson

from fhir_profiles.phrases import MATCHING_DRUG_NAME, MATCHING_PHRASE, is_guarded, phrase_key
from fhir_profiles.systems import HIERARCHICAL_SYSTEMS, LOCAL_CONCEPT, normalise_code, normalise_system

PACKAGED: Final = Path(__file__).parent / "valuesets"

# A local code may be read as a target that means the same or more; as a narrower one it would claim too much.
_USABLE: Final = frozenset({"equal", "equivalent", "wider", "subsumes"})
_IGNORED: Final = frozenset({"unmatched", "disjoint"})

_Kind = TypeVar("_Kind")

Key = tuple[str, str]
"""Canonical code system and normalised code."""


class TerminologyError(ValueError):
    """A ValueSet or ConceptMap file that cannot be used: says which file, what is wrong and what to do."""

    def __init__(self, path: Path, problem: str, remedy: str) -> None:
        """`path` of the file or folder, the problem, and what the reader can do about it."""
        super().__init__(f"{path}: {problem}; {remedy}")


@dataclass(frozen=True, slots=True)
class Coding:
    """A code of a concept, as it is written into FHIR."""

    system: str
    code: str
    display: str


@dataclass(slots=True)
class Index:
    """The index while it is being built: codes, categories and phrases, each with the concepts it stands for."""

    exact: dict[Key, set[str]] = field(default_factory=dict)
    below: dict[Key, set[str]] = field(default_factory=dict)
    phrases: dict[str, set[str]] = field(default_factory=dict)
    denials: dict[str, set[str]] = field(default_factory=dict)
    drug_names: dict[str, set[str]] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    codings: dict[str, list[Coding]] = field(default_factory=dict)

    @classmethod
    def of_the_package(cls) -> Index:
        """Every ValueSet of the package, each one a concept; read once, and copied for whoever adds to it."""
        tables = {table.name: getattr(_packaged(), table.name) for table in fields(cls)}
        return cls(**{name: {key: copy(value) for key, value in table.items()} for name, table in tables.items()})

    def add_packaged(self) -> None:
        """Add every ValueSet of the package; each one is a concept."""
        for path in sorted(PACKAGED.glob("*.json")):
            resource = orjson.loads(path.read_bytes())
            concept = resource["id"].replace("-", "_")
            self.titles[concept] = resource["title"]
            self.codings[concept] = []
            self._add_value_set(path, concept, resource)

    def add_site_folder(self, folder: Path) -> None:
        """Add a site's ValueSets and ConceptMaps to the packaged concepts.

        Raises TerminologyError for a folder that does not exist, and for a JSON file that cannot be used.
        """
        if not folder.is_dir():
            raise TerminologyError(folder, "no such folder", "correct the configured terminology folder or create it")
        for path in sorted(folder.glob("*.json")):
            resource = _read(path)
            match resource.get("resourceType"):
                case "ValueSet":
                    self._add_value_set(path, self._concept_named(path, _identifier(path, resource)), resource)
                case "ConceptMap":
                    self._add_concept_map(path, resource)
                case other:
                    raise TerminologyError(
                        path, f"resourceType {other!r} is not used here", "give a ValueSet or a ConceptMap (FHIR R4)"
                    )

    def _concept_named(self, path: Path, name: str) -> str:
        concept = name.replace("-", "_")
        if concept in self.titles:
            return concept
        near = difflib.get_close_matches(concept, self.titles, n=1)
        hint = f"did you mean {near[0].replace('_', '-')!r}?" if near else "use the id of a packaged ValueSet"
        raise TerminologyError(path, f"no concept is named {name!r}", hint)

    def _add_value_set(self, path: Path, concept: str, resource: dict[str, Any]) -> None:
        compose = _member(path, resource, "compose", dict)
        if compose.get("exclude"):
            raise TerminologyError(path, "compose.exclude is not supported", "list only the codes that belong")
        for include in _parts(path, compose, "include", required=True):
            self._add_include(path, concept, include)
        for extension in _parts(path, resource, "extension"):
            self._add_phrase(concept, extension.get("url"), extension.get("valueString"))

    def _add_include(self, path: Path, concept: str, include: dict[str, Any]) -> None:
        if include.get("valueSet"):
            raise TerminologyError(path, "compose.include must list codes", "give system and concept in each include")
        system = normalise_system(_member(path, include, "system", str))
        for entry in _parts(path, include, "concept"):
            code = _member(path, entry, "code", str)
            self.exact.setdefault((system, normalise_code(system, code)), set()).add(concept)
            self.codings[concept].append(Coding(system, code, str(entry.get("display") or self.titles[concept])))
        for rule in _parts(path, include, "filter"):
            if rule.get("property") != "concept" or rule.get("op") != "is-a" or system not in HIERARCHICAL_SYSTEMS:
                raise TerminologyError(
                    path,
                    "only the filter 'concept is-a' on ICD-10, ICD-10-CM or ATC is supported",
                    "list the codes in include.concept",
                )
            category = normalise_code(system, _member(path, rule, "value", str))
            self.below.setdefault((system, category), set()).add(concept)
        if not include.get("concept") and not include.get("filter"):
            raise TerminologyError(path, f"an include takes all of {system}", "list the codes in include.concept")

    def _add_phrase(self, concept: str, url: object, phrase: object) -> None:
        if not isinstance(phrase, str) or not (key := phrase_key(phrase)):
            return
        if url == MATCHING_DRUG_NAME:
            self.drug_names.setdefault(key, set()).add(concept)
        elif url == MATCHING_PHRASE:
            table = self.denials if is_guarded(phrase) else self.phrases
            table.setdefault(key, set()).add(concept)

    def _add_concept_map(self, path: Path, resource: dict[str, Any]) -> None:
        for group in _parts(path, resource, "group", required=True):
            source = normalise_system(_member(path, group, "source", str))
            target_system = normalise_system(_member(path, group, "target", str))
            for element in _parts(path, group, "element", required=True):
                code = _member(path, element, "code", str)
                for target in _targets(path, code, element):
                    for concept in self._concepts_of_target(path, target_system, target):
                        self.exact.setdefault((source, normalise_code(source, code)), set()).add(concept)
                        display = str(element.get("display") or self.titles[concept])
                        self.codings[concept].append(Coding(source, code, display))

    def _concepts_of_target(self, path: Path, system: str, code: str) -> set[str]:
        if system == LOCAL_CONCEPT:
            return {self._concept_named(path, code)}
        concepts = self.exact.get((system, normalise_code(system, code)))
        if not concepts:
            raise TerminologyError(
                path,
                f"target {code!r} of {system} belongs to no concept",
                f"map to a code of a packaged ValueSet, or to {LOCAL_CONCEPT} with the id of one",
            )
        return set(concepts)


@cache
def _packaged() -> Index:
    index = Index()
    index.add_packaged()
    return index


def _targets(path: Path, code: str, element: dict[str, Any]) -> Iterator[str]:
    for target in _parts(path, element, "target"):
        equivalence = target.get("equivalence")
        if equivalence in _USABLE:
            yield _member(path, target, "code", str)
        elif equivalence not in _IGNORED:
            raise TerminologyError(
                path,
                f"equivalence {equivalence!r} of local code {code!r} does not say that the target covers it",
                f"use one of {', '.join(sorted(_USABLE))}, or remove the target",
            )


def _identifier(path: Path, resource: dict[str, Any]) -> str:
    """The concept that a ValueSet adds to: its `id`, or the last part of its `url`."""
    identifier = resource.get("id") or str(resource.get("url", "")).rpartition("/")[2]
    if not isinstance(identifier, str) or not identifier:
        raise TerminologyError(path, "the ValueSet has neither id nor url", "give it the id of a packaged ValueSet")
    return identifier


def _read(path: Path) -> dict[str, Any]:
    try:
        resource = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise TerminologyError(path, f"not JSON ({error.msg}, line {error.lineno})", "correct the file") from error
    except OSError as error:
        raise TerminologyError(path, error.strerror or "cannot be read", "check the file's permissions") from error
    if not isinstance(resource, dict):
        raise TerminologyError(path, "not a FHIR resource", "give a ValueSet or a ConceptMap (FHIR R4)")
    return resource


def _parts(path: Path, holder: dict[str, Any], name: str, *, required: bool = False) -> list[dict[str, Any]]:
    """A member that is a list of objects; empty when it may be left out and is."""
    if name not in holder and not required:
        return []
    parts = _member(path, holder, name, list)
    if not all(isinstance(part, dict) for part in parts):
        raise TerminologyError(path, f"{name} has a part that is not an object", "see FHIR R4")
    return parts


def _member(path: Path, holder: dict[str, Any], name: str, kind: type[_Kind]) -> _Kind:
    value = holder.get(name)
    if not isinstance(value, kind) or not value:
        raise TerminologyError(path, f"{name} is missing or not a {kind.__name__}", "see FHIR R4")
    return value
