"""Every call of a logger in the source, held against the lists that people have read."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from server.observing.events import EVENTS
from server.observing.logs import ALLOWED

ROOT = Path(__file__).parents[3]
METHODS = ("debug", "info", "warning", "error", "exception", "critical")
BESIDE = {"exc_info"}  # becomes `error` and `at`
OF_THE_FRAME = {"library", "unlisted"}  # events that no call names
FIELDS_OF_A_REQUEST = "server/request_log.py"


@dataclass(frozen=True, slots=True)
class Logged:
    """One call of a logger."""

    where: str
    event: str | None
    fields: frozenset[str | None]


def calls_of_loggers() -> Iterator[Logged]:
    """Every call of a method of something whose name is a logger's in that file."""
    for path in sorted((ROOT / "server").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        loggers = {
            t.id
            for n in ast.walk(tree)
            if isinstance(n, ast.Assign) and _makes_logger(n)
            for t in n.targets
            if isinstance(t, ast.Name)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in METHODS:
                holder = node.func.value
                if isinstance(holder, ast.Name) and holder.id in loggers:
                    yield _logged(f"{path.relative_to(ROOT)}:{node.lineno}", node)


def _makes_logger(node: ast.Assign) -> bool:
    return isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Name) and node.value.func.id == "logger"


def _logged(where: str, call: ast.Call) -> Logged:
    event = call.args[0].value if len(call.args) == 1 and isinstance(call.args[0], ast.Constant) else None
    return Logged(where, event if isinstance(event, str) else None, frozenset(one.arg for one in call.keywords))


@cache
def all_calls() -> tuple[Logged, ...]:
    return tuple(calls_of_loggers())


@pytest.mark.requirement("LOG-01", "LOG-02", "LOG-04")
def test_every_event_is_a_word_of_the_list() -> None:
    assert len(all_calls()) > 20
    assert [one for one in all_calls() if one.event not in EVENTS] == []


@pytest.mark.requirement("LOG-01", "LOG-02")
def test_every_field_is_on_the_list() -> None:
    """The line of a request takes its fields from `note`, below."""
    assert [one for one in all_calls() if not one.fields - {None} <= ALLOWED | BESIDE] == []
    assert {one.where.partition(":")[0] for one in all_calls() if None in one.fields} == {FIELDS_OF_A_REQUEST}


@pytest.mark.requirement("LOG-01", "LOG-02")
def test_every_field_that_a_request_is_noted_with_is_on_the_list() -> None:
    noted: set[str | None] = set()
    for path in (ROOT / "server").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "note":
                noted |= {one.arg for one in node.keywords}
    assert {"service", "client", "cards"} <= noted
    assert noted - {None} <= ALLOWED


def test_no_event_is_listed_that_nobody_writes() -> None:
    assert set(EVENTS) - OF_THE_FRAME == {one.event for one in all_calls()}


@pytest.mark.requirement("LOG-01")
def test_nobody_logs_past_the_list() -> None:
    """Python's own logging is known to the room that keeps the list, and to three that silence libraries."""
    users = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "server").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import) and any(one.name == "logging" for one in node.names)
    }
    silencing = {"server/http_server.py", "server/outbound/adapter.py", "server/store/database.py"}
    assert users == {"server/observing/logs.py", *silencing}
