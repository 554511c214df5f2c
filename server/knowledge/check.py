"""Checking a knowledge folder or a site folder: every slip with its file, its line and what to do."""

import re
from collections.abc import Iterator
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

from cards.knowledge import Knowledge, knowledge, load_knowledge
from cards.layers import PACKAGED, RULE_FOLDERS, SWITCHES, TABLES, Layers, is_whole, read_document
from cards.orders import prove_templates
from cards.verdicts import RuleError
from fhir_profiles.clinical_definitions import concepts_named
from fhir_profiles.codes import Terminology, TerminologyError
from fhir_profiles.yaml_files import line_of
from server.knowledge.scenarios import ScenarioError, load_scenarios


def problems_in(folder: Path) -> tuple[str, ...]:
    """What is wrong in a folder.

    Args:
        folder: a whole knowledge folder, or a site folder that is read over the packaged one.

    Returns:
        One line for each problem, `file:line: what is wrong and what to do`; none where all is well.
    """
    layers = Layers(folder) if is_whole(folder) else Layers(PACKAGED, folder)
    problems = [*_unreadable(folder), *_about_terminology(folder)] or [*_about_rules(layers, folder), *_about_scenarios(folder)]
    return tuple(dict.fromkeys(located(problem, layers) for problem in problems))


def _unreadable(folder: Path) -> Iterator[str]:
    """What no other file is needed for to see."""
    files = [(folder / f"{name}.yaml", name) for name in TABLES] + [(folder / SWITCHES, "site")]
    files += [(path, kind) for kind in RULE_FOLDERS for path in sorted((folder / kind).glob("*.yaml"))]
    for path, schema in files:
        if path.exists():
            try:
                read_document(path, schema)
            except RuleError as error:
                yield str(error)


def _about_terminology(folder: Path) -> Iterator[str]:
    try:
        if (folder / "valuesets").is_dir():
            Terminology.load(folder / "valuesets")
    except TerminologyError as error:
        yield str(error)


def _about_rules(layers: Layers, folder: Path) -> Iterator[str]:
    try:
        known = load_knowledge(layers.folder, layers.site)
    except RuleError as error:
        yield from str(error).splitlines()
        return
    valuesets = folder / "valuesets"
    yield from _about_orders(known)
    yield from _about_concepts(known, Terminology.load(*([valuesets] if valuesets.is_dir() else [])))


def _about_orders(known: Knowledge) -> Iterator[str]:
    """An order that a site writes is to be valid FHIR, which its schema cannot tell."""
    packaged = knowledge().orders
    for key, order in known.orders.items():
        try:
            if order != packaged.get(key):
                prove_templates(replace(known, orders={key: order}))
        except RuleError as error:
            yield str(error)


def _about_concepts(known: Knowledge, terminology: Terminology) -> Iterator[str]:
    named = concepts_named(known.definitions) | {
        f"orders.yaml: {key}": {order["concept"]} for key, order in known.orders.items() if "concept" in order
    }
    for where, concepts in named.items():
        for concept in sorted(concepts - terminology.concepts):
            near = get_close_matches(concept, terminology.concepts, 3)
            yield f"{where}: no ValueSet is named `{concept}`; " + (f"did you mean {' or '.join(near)}?" if near else "name one")


def _about_scenarios(folder: Path) -> Iterator[str]:
    for file in sorted((folder / "scenarios").glob("*.yaml")):
        try:
            load_scenarios(file)
        except ScenarioError as error:
            yield str(error)


# --- where it stands --------------------------------------------------------------------------------------------------------

_FILE = r"(?P<file>[\w./-]+\.yaml)"
_WITH_LINE = re.compile(_FILE + r":(?P<line>\d+): (?P<rest>.*)", re.DOTALL)
_WITH_PLACE = re.compile(_FILE + r" at (?P<place>[^:]+): (?P<rest>.*)", re.DOTALL)
_WITH_ENTRY = re.compile(_FILE + r": (?P<entry>[A-Za-z0-9][\w-]*)\b(?P<rest>.*)", re.DOTALL)
_WITH_NOTHING = re.compile(r"(?P<file>[\w-]+\.yaml|\w+/[\w-]+\.yaml): (?P<rest>.*)", re.DOTALL)
_UNKNOWN_WORD = re.compile(r"unknown [\w ]+? ([\w-]+)[,;]|[`']([^`']+)[`']")


def located(problem: str, layers: Layers) -> str:
    """A message of the loaders, which begins with a file and a place or an entry in it, with the path and the line instead."""
    if found := _WITH_LINE.fullmatch(problem):
        return f"{_path_of(found['file'], layers)}:{found['line']}: {found['rest']}"
    if found := _WITH_PLACE.fullmatch(problem):
        path = _path_of(found["file"], layers)
        steps = [] if found["place"] == "top level" else found["place"].split("/")
        place = [int(step) if step.isdigit() else step for step in steps]
        line = line_of(path, place)
        return f"{path}:{_narrowed(path, line, found['rest'])}: {found['place']}: {found['rest']}"
    if (found := _WITH_ENTRY.match(problem)) and (at := _line_of_entry(found["file"], found["entry"], layers)):
        path, line = at
        return f"{path}:{_narrowed(path, line, found['rest'])}: {found['entry']}{found['rest']}"
    if found := _WITH_NOTHING.match(problem):
        path = _path_of(found["file"], layers)
        return f"{path}:{_narrowed(path, 1, found['rest'])}: {found['rest']}"
    return problem


def _paths_of(name: str, layers: Layers) -> list[Path]:
    """The files of that name, the one that wins first; a message about an unreadable file names its whole path."""
    if Path(name).is_absolute():
        return [Path(name)]
    return [path for folder in reversed(layers.folders()) for path in sorted(folder.rglob(name))]


def _path_of(name: str, layers: Layers) -> Path:
    return next(iter(_paths_of(name, layers)), Path(name))


def _line_of_entry(name: str, entry: str, layers: Layers) -> tuple[Path, int] | None:
    begins = re.compile(rf"\s*(- )?\{{?(id: )?[\"']?{re.escape(entry)}[\"']?(\s*[,:}}#]|\s*$)")
    for path in _paths_of(name, layers):
        for number, line in enumerate(_lines(path), start=1):
            if begins.match(line):
                return path, number
    return None


def _narrowed(path: Path, line: int, problem: str) -> int:
    """The line of the word that is wrong, where it stands in the same entry; else the line on which the entry begins."""
    word = next((one for found in [_UNKNOWN_WORD.search(problem)] if found for one in found.groups() if one), None)
    if word is None:
        return line
    for number, text in enumerate(_lines(path), start=1):
        if number > line and re.match(r"\s*- \{?id: ", text):
            break
        if number >= line and re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text):
            return number
    return line


def _lines(path: Path) -> list[str]:
    """The lines of a file; none of what cannot be read, which is what the message is about."""
    try:
        return path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
