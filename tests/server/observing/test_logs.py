"""The log: lines of JSON that nobody can write into and nothing slips into."""

import json
import logging
import subprocess
import sys
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.observing.logs import ALLOWED, OneLine, logger, only_allowed
from server.observing.request_ids import begin_request

CANARY = "Canary7391"
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
    max_leaves=8,
)


class Kept(logging.Handler):
    """Keeps lines as they would be written."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(OneLine())
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def kept(caplog: pytest.LogCaptureFixture) -> Any:
    caplog.set_level(logging.DEBUG)
    handler = Kept()
    logging.getLogger().addHandler(handler)
    yield handler.lines
    logging.getLogger().removeHandler(handler)


def test_a_line_says_when_how_loud_who_what_and_then_the_fields(kept: list[str]) -> None:
    logger("security").warning("refused", reason="expired", client="hospital", cards=["a", "b"], ms=1.5)
    (line,) = map(json.loads, kept)
    assert datetime.fromisoformat(line.pop("time")).utcoffset() == timedelta(0)
    assert line == {
        "level": "warning",
        "logger": "myositis_cds.security",
        "event": "refused",
        "reason": "expired",
        "client": "hospital",
        "cards": ["a", "b"],
        "ms": 1.5,
    }


@pytest.mark.requirement("LOG-01", "LOG-02")
def test_what_is_not_on_the_list_is_dropped_and_counted(kept: list[str]) -> None:
    logger("security").warning("refused", reason="expired", patient=CANARY, token=CANARY, level=CANARY, time=CANARY)
    (line,) = map(json.loads, kept)
    assert line["dropped"] == 4
    assert line["level"] == "warning"
    assert CANARY not in kept[0]


@pytest.mark.requirement("LOG-04", "LOG-01")
@given(value=ANYTHING, event=st.text() | st.just("refused"), field=st.sampled_from(sorted(ALLOWED)))
def test_whatever_is_logged_it_is_one_short_printable_line(value: object, event: str, field: str) -> None:
    handler, log = Kept(), logging.getLogger("myositis_cds.law")
    log.addHandler(handler)
    log.propagate = False
    logger("law").error(event, **{field: value, "reason" if field != "reason" else "topic": [value, value]})
    (line,) = handler.lines
    log.removeHandler(handler)
    assert line.isascii()
    assert line.isprintable()
    assert len(line) < 2 * 64 * 256 * 6 + 200
    fields = json.loads(line, parse_constant=pytest.fail)
    assert fields["event"] in (event, "unlisted")
    for name in set(fields) - {"time", "level", "logger", "event", "dropped"}:
        single = fields[name] if isinstance(fields[name], list) else [fields[name]]
        assert all(one is None or isinstance(one, bool | int | float | str) for one in single)


@pytest.mark.requirement("LOG-04")
@pytest.mark.parametrize("evil", ["a\r\nb", "\x1b[2J", "\u202e", "\x9b31m", "\u2028", '"}\n{"event": "forged"'])
def test_a_value_cannot_end_the_line_or_move_the_cursor(kept: list[str], evil: str) -> None:
    logger("security").warning("refused", client=evil)
    (line,) = kept
    assert line.isprintable()
    assert line.isascii()
    assert json.loads(line)["client"] == evil


def test_an_event_that_is_no_word_of_ours_is_not_written(kept: list[str]) -> None:
    logger("security").warning(f"refused {CANARY}")
    assert json.loads(kept[0])["event"] == "unlisted"
    assert CANARY not in kept[0]


@pytest.mark.requirement("LOG-01", "ERR-01")
def test_of_an_exception_only_its_kind_and_place_are_written(kept: list[str]) -> None:
    try:
        raise KeyError(CANARY)
    except KeyError as error:
        logger("errors").error("failed", exc_info=error)
        logger("errors").exception("failed")
    assert CANARY not in "".join(kept)
    for line in map(json.loads, kept):
        assert (line["error"], line["level"]) == ("KeyError", "error")
        assert line["at"].startswith("test_logs.test_of_an_exception")
    assert len(kept) == 2


@pytest.mark.requirement("LOG-01", "LOG-02")
@pytest.mark.parametrize(
    "name", ["urllib3.connectionpool", "waitress", "sqlalchemy.engine.Engine", "alembic", "werkzeug", "root"]
)
def test_of_a_librarys_line_only_who_and_how_loud_is_kept_also_at_debug(kept: list[str], name: str) -> None:
    library = logging.getLogger(name)
    before = library.level
    library.setLevel(logging.DEBUG)
    try:
        library.debug("GET /fhir/Observation?patient=%s with %s", CANARY, {"Authorization": CANARY})
        library.error("%s", CANARY, extra={"token": CANARY}, stack_info=True)
        raise ValueError(CANARY)
    except ValueError:
        library.exception(CANARY)
    finally:
        library.setLevel(before)
    assert CANARY not in "".join(kept)
    lines = [json.loads(line) for line in kept]
    assert [(one["logger"], one["level"], one["event"]) for one in lines] == [
        (name.partition(".")[0], level, "library") for level in ("debug", "error", "error")
    ]
    assert lines[2]["error"] == "ValueError"


@pytest.mark.requirement("LOG-01")
def test_a_line_that_did_not_come_through_the_list_is_treated_as_a_librarys(kept: list[str]) -> None:
    logging.getLogger("myositis_cds.security").warning("refused %s", CANARY)
    assert json.loads(kept[0])["event"] == "library"
    assert CANARY not in kept[0]


def test_values_are_cut(kept: list[str]) -> None:
    logger("security").warning("refused", client="a" * 1000, cards=["b" * 1000] * 1000)
    line = json.loads(kept[0])
    assert (len(line["client"]), len(line["cards"]), len(line["cards"][0])) == (256, 64, 256)


def test_the_ids_of_a_request_end_with_it(kept: list[str]) -> None:
    begin_request(request="1", trace="2")
    logger("ehr").info("no_callback")
    begin_request(request="3")
    logger("ehr").info("no_callback")
    assert [(one["request"], one.get("trace")) for one in map(json.loads, kept)] == [("1", "2"), ("3", None)]


def test_the_processor_takes_nothing_from_the_caller() -> None:
    assert only_allowed(None, "info", {"event": "refused", "name": "Doe", "client": "a"}) == {
        "event": "refused",
        "client": "a",
        "dropped": 1,
    }


PROCESS = f"""
import logging, threading, warnings
from server.observing.logs import log_to_stderr, logger
log_to_stderr()
def die(): raise KeyError("{CANARY}")
thread = threading.Thread(target=die, name="{CANARY}")
thread.start(); thread.join()
warnings.warn("{CANARY}")
logging.getLogger("urllib3.connectionpool").debug("{CANARY}")
logging.getLogger("waitress").warning("{CANARY} %d", "{CANARY}")
logging.raiseExceptions = True
logger("requests").info("request", status=200)
"""


@pytest.mark.requirement("LOG-01", "LOG-04")
def test_what_a_process_writes_to_standard_error_is_the_log_and_nothing_else() -> None:
    run = subprocess.run([sys.executable, "-c", PROCESS], capture_output=True, text=True, check=True)
    assert CANARY not in run.stdout + run.stderr
    lines = [json.loads(line) for line in run.stderr.splitlines()]
    assert [(one["logger"], one["event"]) for one in lines] == [
        ("myositis_cds.process", "thread_failed"),
        ("py", "library"),
        ("waitress", "library"),
        ("myositis_cds.requests", "request"),
    ]
