"""Reading YAML that clinicians write: `on`, `off`, `yes` and `no` are words, dates are text, and a key stands once."""

import re
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any

import yaml

_AMBIGUOUS = ("tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp")


class YamlError(ValueError):
    """A file that cannot be read as YAML; the message names file, line and what is wrong."""


class _Loader(yaml.CSafeLoader):
    """YAML 1.2 where it differs from 1.1 in a way that a clinician would trip over."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """A mapping, each of its keys once."""
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"`{key.value}` stands here twice; merge the two", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in _AMBIGUOUS]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
for _first, _word in (("t", "true"), ("f", "false")):
    _Loader.yaml_implicit_resolvers[_first] = [
        *_Loader.yaml_implicit_resolvers.get(_first, ()),
        ("tag:yaml.org,2002:bool", re.compile(f"^{_word}$")),
    ]


def read_yaml(path: Path, name: str | None = None) -> Any:
    """The content of a YAML file.

    Args:
        path: of the file.
        name: of the file in messages; its own by default.

    Raises:
        YamlError: it cannot be read, is not YAML, or holds a key twice.
    """
    return parse_yaml(read_text(path), name or path.name)


def read_text(path: Path) -> str:
    """The text of a file.

    Raises:
        YamlError: it cannot be read.
    """
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise YamlError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise YamlError(f"{path}: is not UTF-8; save it as UTF-8") from None


def parse_yaml(text: str, name: str) -> Any:
    """What a text says.

    Args:
        text: of a file.
        name: of the file in messages.

    Raises:
        YamlError: it is not YAML, or holds a key twice.
    """
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - it derives from CSafeLoader
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise YamlError(f"{name}{line}: not YAML that we can use: {error.problem}") from None
    except yaml.YAMLError as error:
        raise YamlError(f"{name}: not YAML: {error}") from None


def line_of(path: Path, place: Sequence[str | int]) -> int:
    """The line on which a part of a YAML file begins, counted from 1.

    Args:
        path: a file that is YAML.
        place: keys and positions that lead to the part; what does not exist is left out from there on.
    """
    node = yaml.compose(path.read_text("utf-8"), Loader=_Loader)
    line = 1
    for step in place:
        line, node = _step(node, step, line)
    return line


def _step(node: yaml.Node | None, step: str | int, line: int) -> tuple[int, yaml.Node | None]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(step):
                return key.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        found = node.value[step]
        return found.start_mark.line + 1, found
    return line, None
