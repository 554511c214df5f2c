"""The files of the knowledge: a whole knowledge folder, and over it, where there is one, a site's folder (`docs/site-folder.md`).

Tables are merged by key: an entry of the site replaces the packaged one as a whole, in its place. A statement or safety rule of
the site replaces the packaged one of the same id, in its place; every other one is added.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, ValidationError

from cards.verdicts import RuleError
from fhir_profiles.yaml_files import YamlError, parse_yaml, read_text

PACKAGED = Path(__file__).parent
TABLES = ("orders", "treatments", "sources", "topics", "populations", "contradictions")
RULE_FOLDERS = {"guidelines": "recommendations", "drug_safety": "rules"}
"""Folders of rules, and the member of a file that lists them."""

SWITCHES = "site.yaml"
REVIEW = "review.yaml"
_READ_IN = {**dict.fromkeys(RULE_FOLDERS, ".yaml"), "definitions": ".yaml", "valuesets": ".json", "scenarios": ".yaml"}
"""The folders, and how the names of the files end that are read in each."""

_DATA = (".yaml", ".yml", ".json")


@dataclass(frozen=True, slots=True)
class Entry:
    """One statement or safety rule as it is written.

    Args:
        file: the file that it is written in; errors name it.
        group: stem of the file whose place it takes: its guideline.
        content: its members.
        document: the whole file, for what its entries share.
        is_of_site: a site wrote it.
        overrides: a site wrote it in place of a packaged one.
    """

    file: Path
    group: str
    content: Mapping[str, Any]
    document: Mapping[str, Any]
    is_of_site: bool = False
    overrides: bool = False

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.content["id"])

    @property
    def where(self) -> str:
        """File and id, as error messages begin."""
        return f"{label(self.file)}: {self.id}"


@dataclass(frozen=True, slots=True)
class Layers:
    """A knowledge folder and a site's folder over it.

    Args:
        folder: holds all of `TABLES` and the folders of rules.
        site: holds what differs; None where nothing does.
    """

    folder: Path
    site: Path | None = None

    def table(self, name: str) -> dict[str, Any]:
        """A table, merged by key.

        Raises:
            RuleError: a file is not what its schema says.
        """
        merged: dict[str, Any] = {}
        for folder in self.folders():
            if folder == self.folder or (folder / f"{name}.yaml").exists():
                merged |= read_document(folder / f"{name}.yaml", name)
        return merged

    def groups(self, kind: str) -> list[list[Entry]]:
        """The entries of `guidelines` or `drug_safety`, file by file.

        Raises:
            RuleError: a file is not what its schema says, or a site gives an id twice.
        """
        groups = [list(_entries(file, kind)) for file in sorted((self.folder / kind).glob("*.yaml"))]
        groups.sort(key=_is_later)
        if self.site is None:
            return groups
        own = [[replace(e, is_of_site=True) for e in _entries(file, kind)] for file in sorted((self.site / kind).glob("*.yaml"))]
        by_id: dict[str, Entry] = {}
        for entry in (entry for group in own for entry in group):
            if entry.id in by_id:
                raise RuleError(f"{entry.where}: this id is used twice")
            by_id[entry.id] = entry
        packaged = {entry.id for group in groups for entry in group}
        added = [[entry for entry in group if entry.id not in packaged] for group in own]
        return [*([_overridden(entry, by_id) for entry in group] for group in groups), *filter(None, added)]

    def switches(self) -> tuple[frozenset[str], frozenset[str]]:
        """Ids that the site switches on, and off."""
        if self.site is None or not (self.site / SWITCHES).exists():
            return frozenset(), frozenset()
        document = read_document(self.site / SWITCHES, "site") or {}
        return frozenset(document.get("on", ())), frozenset(document.get("off", ()))

    def folders(self) -> tuple[Path, ...]:
        """The folders, the one that wins last."""
        return (self.folder,) if self.site is None else (self.folder, self.site)

    def check_names(self) -> None:
        """Whether everything in the folders is of use.

        Raises:
            RuleError: there is no such folder, or a file or folder in it that nobody reads.
        """
        for folder in (self.folder / kind for kind in RULE_FOLDERS):
            _check_folder(folder)
        if self.site is not None:
            _check_site(self.site)


def _check_site(site: Path) -> None:
    if not site.is_dir():
        raise RuleError(f"{site}: no such folder; correct the setting or create it")
    known = {*(f"{name}.yaml" for name in TABLES), SWITCHES, REVIEW, *_READ_IN}
    for path in filter(_is_data, sorted(site.iterdir())):
        if path.name not in known:
            raise RuleError(f"{path}: nothing of this name is read; known are {', '.join(sorted(known))}")
    for folder in (site / name for name in _READ_IN):
        _check_folder(folder)


def _check_folder(folder: Path) -> None:
    """A file whose name ends otherwise, or a folder within, would go unnoticed."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise RuleError(f"{folder}: must be a folder; put its files into a folder of this name")
    ending = _READ_IN[folder.name]
    for path in filter(_is_data, sorted(folder.iterdir())):
        if path.suffix != ending:
            raise RuleError(f"{path}: is not read; only files here whose names end in `{ending}` are, so rename or move it")


def _is_data(path: Path) -> bool:
    """Whether somebody may have put it there to be read; notes beside the data are left alone."""
    return not path.name.startswith(".") and (path.is_dir() or path.suffix.lower() in _DATA)


def label(path: Path) -> str:
    """A file as error messages name it: a guideline and a safety file may have the same name."""
    return f"{path.parent.name}/{path.name}" if path.parent.name in RULE_FOLDERS else path.name


def is_whole(folder: Path) -> bool:
    """Whether a folder holds all of the knowledge, not only what a site changes."""
    return all((folder / f"{name}.yaml").exists() for name in TABLES) and (folder / "guidelines").is_dir()


def read_document(path: Path, schema: str) -> Any:
    """Parse a YAML file and check it against `schemas/<schema>.schema.json`; what it says is shared, and not to be changed.

    Raises:
        RuleError: naming the file, the place and what is wrong.
    """
    try:
        return _checked(read_text(path), label(path), schema)
    except YamlError as error:
        raise RuleError(str(error)) from error


@lru_cache(maxsize=256)
def _checked(text: str, name: str, schema: str) -> Any:
    """What a file says: the packaged files are read with every site folder, and checked once."""
    document = parse_yaml(text, name)
    errors = sorted(_validator(schema).iter_errors(document), key=_by_place)
    if errors:
        at = "/".join(str(part) for part in errors[0].absolute_path) or "top level"
        raise RuleError(f"{name} at {at}: {in_words(errors[0])}")
    return document


def _by_place(problem: ValidationError) -> tuple[list[str], bool]:
    """In the order of the file; a misspelt name before the one that is therefore missing."""
    return list(map(str, problem.absolute_path)), problem.validator != "additionalProperties"


def in_words(problem: ValidationError) -> str:
    """What is wrong according to a schema; for a member too many, with those that there may be; for a choice, every way out."""
    schema, found = problem.schema, problem.instance
    if problem.validator == "additionalProperties" and isinstance(found, dict) and isinstance(schema, dict):
        unknown = [f"`{name}`" for name in sorted(set(found) - set(schema.get("properties", ())))]
        return f"unknown {', '.join(unknown)}; known are {', '.join(sorted(schema.get('properties', ())))}"
    if problem.validator in ("anyOf", "oneOf") and problem.context:
        return "; or ".join(dict.fromkeys(one.message for one in problem.context))
    return problem.message


@cache
def _validator(schema: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads((PACKAGED / "schemas" / f"{schema}.schema.json").read_text("utf-8")))


def _entries(file: Path, kind: str) -> Iterator[Entry]:
    document = read_document(file, kind)
    return (Entry(file, file.stem, content, document) for content in document[RULE_FOLDERS[kind]])


def _is_later(group: list[Entry]) -> bool:
    """What is newer than our source documents stands beside them, after them."""
    return any(entry.document.get("later", False) for entry in group)


def _overridden(entry: Entry, own: Mapping[str, Entry]) -> Entry:
    return replace(own[entry.id], group=entry.group, overrides=True) if entry.id in own else entry
