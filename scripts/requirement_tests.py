"""Which tests show which requirements: read from the source of the tests, where `@pytest.mark.requirement("J-4")` names them.

A marker stands at a test, or in a table that some test uses; at anything that never runs it is an error, not a proof.
A table of many parameters may have a function that makes one row and takes the ids as its first argument, in one text:
`row("J-4 JWT-04", …)`, with `marks=pytest.mark.requirement(*shows.split())` inside.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath


class MarkerError(ValueError):
    """A marker that cannot be collected, or that no test stands for; the message says where."""


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


@dataclass(slots=True)
class _Module:
    """A file: what it defines at its top level, and what it imports from other files, by name."""

    file: str
    definitions: dict[str, ast.stmt] = field(default_factory=dict)
    imports: dict[str, tuple[str, str]] = field(default_factory=dict)
    others: list[ast.stmt] = field(default_factory=list)
    has_markers: bool = True

    @property
    def tests(self) -> Iterator[str]:
        """The test functions, as pytest finds them."""
        if PurePosixPath(self.file).name.startswith("test_"):
            yield from (name for name, node in self.definitions.items() if _is_test(name, node))


def shown_in(folder: Path) -> tuple[Shown, ...]:
    """Every marker below a folder, in order, each once.

    Raises:
        MarkerError: a marker names something else than literal text, or stands where no test runs or a test may be skipped.
    """
    modules = {file: _module(path, file) for path in folder.rglob("*.py") for file in [path.relative_to(folder).as_posix()]}
    running = _running(modules)
    found: set[Shown] = set()
    for module in (one for one in modules.values() if one.has_markers):
        found.update(_markers(module, {name for file, name in running if file == module.file}))
    return tuple(sorted(found))


_MARKER = "pytest.mark.requirement"
_MAY_NOT_RUN = {f"pytest.{name}" for name in ("skip", "xfail", "importorskip", "mark.skip", "mark.skipif", "mark.xfail")}


def _module(path: Path, file: str) -> _Module:
    text = path.read_text("utf-8")
    module = _Module(file, has_markers="requirement" in text)
    for node in ast.parse(text).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            module.imports |= {name.asname or name.name: (node.module, name.name) for name in node.names}
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            module.definitions[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            module.definitions |= {name: node for target in targets for name in _names(target)}
        else:
            module.others.append(node)
    return module


def _is_test(name: str, node: ast.stmt) -> bool:
    return name.startswith("test_") and isinstance(node, ast.FunctionDef)


def _running(modules: Mapping[str, _Module]) -> set[tuple[str, str]]:
    """Everything that a test is, or uses, or that is used by what it uses: by file and name."""
    waiting = [(module.file, test) for module in modules.values() for test in module.tests]
    reached: set[tuple[str, str]] = set()
    while waiting:
        place = file, name = waiting.pop()
        if place not in reached:
            reached.add(place)
            for used in _names(modules[file].definitions[name]):
                waiting.extend(_meant(used, modules[file], modules))
    return reached


def _meant(name: str, module: _Module, modules: Mapping[str, _Module]) -> Iterator[tuple[str, str]]:
    """Where a name that a file uses is defined: in the file itself, in another one of the tests, or not in the tests at all."""
    first, _, attribute = name.partition(".")
    if first in module.definitions:
        yield module.file, first
    elif first in module.imports:
        source, original = module.imports[first]
        for path, wanted in ((source, original), (f"{source}.{original}", attribute)):
            parts = path.split(".")
            for file in ("/".join(parts[start:]) + ".py" for start in range(len(parts))):
                if file in modules and wanted in modules[file].definitions:
                    yield file, wanted


def _names(tree: ast.AST) -> Iterator[str]:
    """Names in a piece of source, and `module.name`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}"


def _markers(module: _Module, running: set[str]) -> Iterator[Shown]:
    trees = [*module.definitions.items(), *(("", node) for node in module.others)]
    rows = [name for name, tree in trees if any(_makes_a_row(call) for call in _calls(tree, _MARKER))]
    is_idle = "pytestmark" in module.definitions and _may_not_run(module.definitions["pytestmark"])
    for name, tree in trees:
        ids = list(_ids(tree, rows, module.file))
        if ids and name not in running:
            raise MarkerError(f"{module.file}:{tree.lineno}: a requirement is named where no test runs")
        if ids and (is_idle or _may_not_run(tree)):
            raise MarkerError(f"{module.file}:{tree.lineno}: a requirement is named by a test that may be skipped")
        yield from (Shown(one, module.file, name if _is_test(name, tree) else "") for one in ids)


def _ids(tree: ast.AST, rows: Sequence[str], file: str) -> Iterator[str]:
    for call in _calls(tree, _MARKER):
        if not _makes_a_row(call):
            yield from _literals(call.args, file)
    for call in _calls(tree, *rows) if rows else ():
        (ids,) = _literals(call.args[:1], file)
        yield from ids.split()


def _may_not_run(tree: ast.AST) -> bool:
    return any(isinstance(node, ast.Attribute) and _dotted(node) in _MAY_NOT_RUN for node in ast.walk(tree))


def _calls(tree: ast.AST, *names: str) -> Iterator[ast.Call]:
    """The calls of functions that are written so."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call) and _dotted(node.func) in names)


def _dotted(node: ast.expr) -> str:
    """The name that an expression is, such as `pytest.mark.slow`; empty if it is none."""
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _makes_a_row(marker: ast.Call) -> bool:
    return [ast.unparse(argument) for argument in marker.args] == ["*shows.split()"]


def _literals(arguments: Iterable[ast.expr], file: str) -> Iterator[str]:
    for argument in arguments:
        if not isinstance(argument, ast.Constant) or not isinstance(argument.value, str):
            raise MarkerError(f"{file}:{argument.lineno}: a requirement is named by literal text only")
        yield argument.value
