"""Which tests show which requirements: read from the source of the tests, where `@pytest.mark.requirement("J-4")` names them.

A table of many parameters may have a function that makes one row and takes the ids as its first argument, in one text:
`row("J-4 JWT-04", …)`, with `marks=pytest.mark.requirement(*shows.split())` inside.
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path


class MarkerError(ValueError):
    """A marker that cannot be collected; the message says where."""


@dataclass(frozen=True, slots=True, order=True)
class Shown:
    """One requirement in one test.

    Args:
        id: of the requirement.
        file: of the test, relative to the folder that was searched.
        test: name of the test function; empty where the marker stands outside of one.
    """

    id: str
    file: str
    test: str = ""


def shown_in(folder: Path) -> tuple[Shown, ...]:
    """Every marker below a folder, in order, each once.

    Raises:
        MarkerError: a marker names something else than literal text.
    """
    found = {one for path in folder.rglob("*.py") for one in _markers(path, path.relative_to(folder).as_posix())}
    return tuple(sorted(found))


def _markers(path: Path, file: str) -> Iterator[Shown]:
    tree = ast.parse(path.read_text("utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    inside = {call: function.name for function in functions for call in _calls(function, _MARKER)}
    rows = [function.name for function in functions if any(_makes_a_row(call) for call in _calls(function, _MARKER))]
    for call in _calls(tree, _MARKER):
        if not _makes_a_row(call):
            yield from (Shown(name, file, inside.get(call, "")) for name in _literals(call.args, file))
    for call in _calls(tree, *rows):
        (ids,) = _literals(call.args[:1], file)
        yield from (Shown(name, file) for name in ids.split())


_MARKER = "pytest.mark.requirement"


def _calls(tree: ast.AST, *names: str) -> Iterator[ast.Call]:
    """The calls of functions that are written so."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) in names)


def _makes_a_row(marker: ast.Call) -> bool:
    return [ast.unparse(argument) for argument in marker.args] == ["*shows.split()"]


def _literals(arguments: Iterable[ast.expr], file: str) -> Iterator[str]:
    for argument in arguments:
        if not isinstance(argument, ast.Constant) or not isinstance(argument.value, str):
            raise MarkerError(f"{file}:{argument.lineno}: a requirement is named by literal text only")
        yield argument.value
