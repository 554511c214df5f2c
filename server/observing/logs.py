"""Logs: one JSON object to a line, of events and fields that are on a list; whatever is not on it does not reach the line.

Nothing that a caller sent is ever a field, except a hook instance that really is a UUID (LOG-01, LOG-02, LOG-04).
"""

import logging
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

ALLOWED = frozenset(
    [
        "action",
        "at",
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
        "from",
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
        "resources",
        "seconds",
        "sequence",
        "service",
        "shown",
        "silenced",
        "snoozed",
        "status",
        "to",
        "topic",
        "unknown",
        "unusable",
        "version",
        "workers",
        "database",
        "event",
        "level",
        "logger",
        "time",
    ]
)
"""Names of fields that may be written; their values are words out of closed sets, numbers, registered names and our own ids."""


def logger(name: str) -> Any:
    """The logger of a part of the service.

    Args:
        name: of the part, such as `security`.
    """
    return structlog.stdlib.get_logger(f"myositis_cds.{name}")


def only_allowed(log: Any, method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """A processor of structlog: drops what is not on the list, and says how many fields that were."""
    kept = {name: value for name, value in event.items() if name in ALLOWED}
    return kept if len(kept) == len(event) else kept | {"dropped": len(event) - len(kept)}


def log_to_stderr(level: int = logging.INFO) -> None:
    """Write the log to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, structlog.processors.JSONRenderer()]
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
