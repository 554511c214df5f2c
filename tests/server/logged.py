"""What was logged, as tests read it: each line is one JSON object, and `event=… name=value …` says what is in it."""

import json
import logging
from collections.abc import Iterable
from typing import Any

import pytest

FRAME = ("time", "level", "logger")
IDS = ("request", "trace")


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """All fields of a line of ours; it is one line, printable, and complete."""
    line = record.getMessage()
    assert line.isascii()
    assert line.isprintable()
    fields: dict[str, Any] = json.loads(line)
    assert tuple(fields)[:4] == (*FRAME, "event")
    assert (fields["logger"], fields["level"]) == (record.name, record.levelname.lower())
    assert "dropped" not in fields
    assert record.exc_info is None
    return fields


def lines(records: "pytest.LogCaptureFixture | Iterable[logging.LogRecord]", logger: str | None = None) -> list[str]:
    """What our parts said, in short: without the time, and without the ids of the request.

    Args:
        records: what was logged.
        logger: only of this part, such as `security`.
    """
    all_of = records.records if isinstance(records, pytest.LogCaptureFixture) else records
    wanted = f"myositis_cds.{logger or ''}"
    return [_in_short(fields_of(one)) for one in all_of if one.name.startswith(wanted)]


def text(log: pytest.LogCaptureFixture) -> str:
    """All of it, a line each."""
    return "\n".join(lines(log))


def lines_of_process(stderr: str) -> list[str]:
    """The same of what a process wrote; every line of it is of the log."""
    return [_in_short(json.loads(line)) for line in stderr.splitlines()]


def _in_short(fields: dict[str, Any]) -> str:
    return " ".join(f"{name}={_value(value)}" for name, value in fields.items() if name not in (*FRAME, *IDS))


def _value(value: Any) -> str:
    return ",".join(value) if isinstance(value, list) else str(value)
