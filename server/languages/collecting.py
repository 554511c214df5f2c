"""Collects what there is to translate: sentences from Python and from templates, texts from the knowledge."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, nodes

from server.languages.knowledge_texts import ROOT, knowledge_texts
from server.languages.speaking import has_words

ROOMS = ("fhir_profiles", "cards", "server")
_PATTERNS = {"say": 1, "say_number": 2}
"""The functions that make sentences, and how many patterns each is given."""


class NotLiteralError(ValueError):
    """A pattern that is put together while the program runs, so that no translator can be shown it."""


@dataclass(frozen=True, slots=True)
class Found:
    """Something to translate.

    Args:
        text: a pattern or a whole text.
        plural: the pattern for a number other than one, or empty.
        file: where it stands, from the root of the repository.
    """

    text: str
    plural: str
    file: str


def collect(root: Path = ROOT) -> list[Found]:
    """Everything that has words in it, sorted, each once for every file.

    Raises:
        NotLiteralError: a sentence is made from a pattern that is no literal.
    """
    found = {one for one in (*_in_python(root), *_in_templates(root), *_in_knowledge(root)) if has_words(one.text)}
    return sorted(found, key=lambda one: (one.text, one.plural, one.file))


def _in_python(root: Path) -> Iterator[Found]:
    for path in _files(root, "*.py"):
        yield from patterns_of_python(path.read_text("utf-8"), path.relative_to(root).as_posix())


def patterns_of_python(source: str, file: str) -> Iterator[Found]:
    """The patterns of one module.

    Args:
        source: its text.
        file: its name, for messages.

    Raises:
        NotLiteralError: a pattern is no literal.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _PATTERNS:
            given = [one.value if isinstance(one, ast.Constant) else None for one in node.args]
            yield _found(node.func.id, given, f"{file}:{node.lineno}", file)


def _in_templates(root: Path) -> Iterator[Found]:
    for path in _files(root, "*.html"):
        yield from patterns_of_template(path.read_text("utf-8"), path.relative_to(root).as_posix())


def patterns_of_template(source: str, file: str) -> Iterator[Found]:
    """The patterns of one template; as for Python."""
    for node in Environment(autoescape=True).parse(source).find_all(nodes.Call):
        if isinstance(node.node, nodes.Name) and node.node.name in _PATTERNS:
            given = [one.value if isinstance(one, nodes.Const) else None for one in node.args]
            yield _found(node.node.name, given, f"{file}:{node.lineno}", file)


def _found(function: str, given: Iterable[object], where: str, file: str) -> Found:
    wanted = _PATTERNS[function]
    patterns = [one for one in list(given)[:wanted] if isinstance(one, str)]
    if len(patterns) < wanted:
        raise NotLiteralError(f"{where}: `{function}` needs its patterns as literals; fill in what varies by name, in braces")
    return Found(patterns[0], patterns[1] if wanted > 1 else "", file)


def _in_knowledge(root: Path) -> Iterator[Found]:
    return (Found(text, "", file) for text, file in knowledge_texts(root))


def _files(root: Path, pattern: str) -> Iterator[Path]:
    return (path for room in ROOMS for path in sorted((root / room).rglob(pattern)))
