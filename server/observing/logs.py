"""Logs: one JSON object to a line, of events and fields that are on a list; whatever is not on it does not reach the line.

Nothing that a caller sent is ever a field, except a hook instance that really is a UUID and the number of a trace (LOG-01,
LOG-02, LOG-04, LOG-05). What libraries write down may hold URLs, headers and bodies: of theirs, only who spoke and how loudly
is kept.
"""

import json
import logging
import math
import re
import sys
import threading
from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from server.observing.places import place_of

ALLOWED = frozenset(
    [
        "action",
        "after",
        "at",
        "before",
        "card",
        "chain",
        "cards",
        "client",
        "clients",
        "commit",
        "days",
        "doing",
        "endpoint",
        "entries",
        "error",
        "exception",
        "fetch_failed",
        "fetched",
        "instance",
        "issues",
        "key",
        "keys",
        "knowledge",
        "method",
        "ms",
        "number",
        "outcome",
        "position",
        "process",
        "reason",
        "recommendations",
        "refused",
        "repeated",
        "request",
        "resources",
        "seconds",
        "sequence",
        "service",
        "shown",
        "silenced",
        "snoozed",
        "status",
        "topic",
        "trace",
        "unknown",
        "unusable",
        "version",
        "workers",
        "database",
    ]
)
"""Names of fields that may be written; their values are words out of closed sets, numbers, registered names and our own ids."""

OURS = "myositis_cds"
LIBRARY = "library"
"""The event of every line that a library wrote."""

_LONGEST = 256  # characters of a value: a registered name, a place in the source; ids of all cards of an answer come as a list
_MOST = 64  # values of a list
_EVENT = re.compile(r"[a-z][a-z0-9_]{0,63}")


class Line(str):
    """A line that was made here; whatever else is logged is a library's."""

    __slots__ = ()


def logger(name: str) -> Any:
    """The logger of a part of the service.

    Args:
        name: of the part, such as `security`.
    """
    return _Logger(name)


class _Logger:
    """Loads structlog when there is something to say: the supervisor, for which everybody waits, may never say a word."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, method: str) -> Any:
        return getattr(_logger(self._name), method)


@cache
def _logger(name: str) -> Any:
    import structlog

    return structlog.wrap_logger(
        logging.getLogger(f"{OURS}.{name}"),
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.contextvars.merge_contextvars,
            _without_exception,
            only_allowed,
            _as_line,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def only_allowed(log: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor of structlog: drops what is not on the list or of no plain kind, and says how many fields that were."""
    name = event.pop("event", "")
    kept = {field: _plain(value) for field, value in event.items() if field in ALLOWED and _is_plain(value)}
    if len(kept) < len(event):
        kept["dropped"] = len(event) - len(kept)
    return {"event": name if _EVENT.fullmatch(str(name)) else "unlisted", **kept}


def log_to_stderr(level: int = logging.INFO) -> None:
    """Write the log to standard error, and nothing but the log: warnings and threads that died go the same way."""
    handler = _Handler(sys.stderr)
    handler.setFormatter(OneLine())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger(OURS).setLevel(level)
    logging.captureWarnings(True)
    threading.excepthook = lambda failed: _log.error("thread_failed", exc_info=failed.exc_value)


class OneLine(logging.Formatter):
    """Our lines as they are; of what a library says, its name, the level, and the kind and place of an exception."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        if isinstance(record.msg, Line):
            return record.msg
        fault = record.exc_info[1] if record.exc_info else None
        return _line(record.levelname.lower(), record.name.partition(".")[0][:_LONGEST], LIBRARY, _told(fault))


class _Handler(logging.StreamHandler[Any]):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is Python's
        """Nothing: Python would print what was to be logged, with all its arguments."""


def _without_exception(log: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Of an exception only its kind and where it came from: what it says may hold anything."""
    given = event.pop("exc_info", None)
    fault = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    return {**event, **_told(fault)}


def _told(fault: BaseException | None) -> dict[str, str]:
    return {} if fault is None else {"error": type(fault).__name__, "at": place_of(fault.__traceback__)}


def _as_line(log: Any, method: str, event: MutableMapping[str, Any]) -> Line:
    fields = {name: value for name, value in event.items() if name != "event"}
    return _line("error" if method == "exception" else method, log.name, event["event"], fields)


def _line(level: str, name: str, event: str, fields: Mapping[str, Any]) -> Line:
    """ASCII only, so that no character can move a terminal's cursor, end the line or turn its direction."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    return Line(json.dumps({"time": now, "level": level, "logger": name, "event": event, **fields}))


def _is_plain(value: object) -> bool:
    if isinstance(value, list | tuple):
        return all(_is_single(one) for one in value)
    return _is_single(value)


def _is_single(value: object) -> bool:
    return value is None or (isinstance(value, str | int | float) and (not isinstance(value, float) or math.isfinite(value)))


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return value[:_LONGEST]
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value[:_MOST]]
    return value


_log = logger("process")
