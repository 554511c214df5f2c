"""Which tests show which requirements: read from the source of the tests, where `@pytest.mark.requirement("J-4")` names them."""

import ast
from collections.abc import Iterator
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
    inside: set[ast.AST] = set()
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            for call in filter(_is_marker, ast.walk(function)):
                inside.add(call)
                yield from (Shown(name, file, function.name) for name in _ids(call, file))
    for call in filter(_is_marker, ast.walk(tree)):
        if call not in inside:
            yield from (Shown(name, file) for name in _ids(call, file))


def _is_marker(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.requirement"


def _ids(call: ast.AST, file: str) -> Iterator[str]:
    for argument in call.args if isinstance(call, ast.Call) else ():
        if not isinstance(argument, ast.Constant) or not isinstance(argument.value, str):
            raise MarkerError(f"{file}:{argument.lineno}: a requirement is named by literal text only")
        yield argument.value
