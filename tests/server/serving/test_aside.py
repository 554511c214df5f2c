"""What is only proved is proved in a child, which ends; what it finds wrong stops the start all the same."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cards.verdicts import RuleError
from server.serving.aside import aside
from server.serving.exits import MACHINE_TROUBLE, UNUSABLE
from tests.end_to_end.conftest import COMMAND
from tests.end_to_end.serving import children_of
from tests.site import site_with

OWN_ORDER = """\
colonoscopy:
  resource: ServiceRequest
  title: our colonoscopy
  investigation: colonoscopy
  coding: [{system: "https://hospital.example/orders", code: CO  LO, display: colonoscopy}]
"""

FAILING = """
import sys
from cards.verdicts import RuleError
from server.serving.aside import aside

def fail():
    raise eval(sys.argv[1])

with aside(fail):
    pass
print("went on")
"""

PREPARED = """
import os, sys
from server.config import Config
from server.serving.preparing import prepare

prepare(Config.from_environment(os.environ))
print(*sorted({name.split(".")[0] for name in sys.modules} | {name for name in sys.modules if "postgresql" in name}))
"""


def environment(folder: Path, **settings: str) -> dict[str, str]:
    named = {f"MYOSITIS_CDS_{name}": value for name, value in settings.items()}
    return {"PATH": os.defpath, "XDG_STATE_HOME": str(folder / "state")} | named


def test_work_that_does_not_fail_leaves_nothing_but_that(tmp_path: Path) -> None:
    before = set(children_of(os.getpid()))  # what other tests of this process have started
    done = tmp_path / "done"
    with aside(done.touch):
        pass
    assert done.exists()
    assert set(children_of(os.getpid())) <= before


@pytest.mark.requirement("PR-06")
@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        ('RuleError("a rule")', UNUSABLE, r"myositis-cds: a rule\n"),
        ('ValueError("ours")', MACHINE_TROUBLE, r"Traceback .*\nValueError: ours\n"),
        ("SystemExit(71)", 71, ""),
    ],
    ids=["what cannot be used", "a fault of ours", "what has said so itself"],
)
def test_work_that_fails_says_why_and_ends_who_waits_for_it(error: str, status: int, words: str) -> None:
    run = subprocess.run([sys.executable, "-c", FAILING, error], capture_output=True, text=True, timeout=60, check=False)
    assert (run.returncode, run.stdout) == (status, "")
    assert re.fullmatch(words, run.stderr, re.DOTALL)


def test_work_that_is_killed_has_not_succeeded() -> None:
    with pytest.raises(SystemExit) as end, aside(lambda: os.kill(os.getpid(), signal.SIGKILL)):
        pass
    assert end.value.code == MACHINE_TROUBLE


def test_nobody_waits_for_work_after_a_failure_of_his_own() -> None:
    before = set(children_of(os.getpid()))  # what other tests of this process have started
    began = time.monotonic()
    with pytest.raises(RuleError, match="mine"), aside(lambda: time.sleep(60)):
        raise RuleError("mine")
    assert time.monotonic() < began + 30
    assert set(children_of(os.getpid())) <= before


def test_work_does_not_keep_the_port_open(tmp_path: Path) -> None:
    assert not is_open_aside(tmp_path)


def test_a_file_is_closed_whatever_the_limit_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sysconf", lambda name: 4)  # as where it was lowered after more files were opened
    assert not is_open_aside(tmp_path)


def test_a_file_is_closed_also_where_the_system_has_no_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.serving.aside._LIST", str(tmp_path / "none"))
    assert not is_open_aside(tmp_path)


def is_open_aside(folder: Path) -> bool:
    """Whether the work has a file that its parent has open, as it has written down itself."""
    read, write = os.pipe()
    found = folder / "found"
    try:
        with aside(lambda: found.write_text(str(_is_open(write)))):
            pass
        assert _is_open(write)
    finally:
        os.close(read)
        os.close(write)
    return {"True": True, "False": False}[found.read_text()]


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


@pytest.mark.requirement("PR-06")
def test_a_service_whose_order_is_not_valid_fhir_does_not_start_and_says_why(tmp_path: Path) -> None:
    site = site_with(tmp_path / "site", orders=OWN_ORDER)
    command = [COMMAND, "serve", "--port", "0"]
    run = subprocess.run(
        command, env=environment(tmp_path, SITE=str(site)), capture_output=True, text=True, timeout=120, check=False
    )
    assert run.returncode == UNUSABLE
    (said,) = [line for line in run.stderr.splitlines() if not line.startswith("{")]  # the others are of the log
    assert said.startswith("myositis-cds: orders.yaml: colonoscopy: not valid FHIR: code/coding/0/code: ")
    assert "serves" not in run.stdout


def test_what_only_the_start_needs_is_in_no_workers_memory_and_what_calls_need_is(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", PREPARED], env=environment(tmp_path), capture_output=True, text=True, timeout=120, check=True
    )
    loaded = set(run.stdout.split())
    assert not loaded & {
        "fhir",
        "pydantic",
        "alembic",
        "sqlalchemy.dialects.postgresql",
        "opentelemetry",
        "duckdb",
        "distributed",
    }
    assert loaded >= {"flask", "structlog", "sqlalchemy", "waitress", "prometheus_client"}


def test_the_supervisor_loads_next_to_nothing() -> None:
    code = "import sys, server.command_line, server.serving.supervisor, server.serving.port; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert not {name.split(".")[0] for name in run.stdout.split()} & {
        "flask",
        "sqlalchemy",
        "structlog",
        "requests",
        "jsonschema",
    }
