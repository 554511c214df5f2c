"""Every trial of `make soak`, really run in its short form: what it promises holds, and the trial itself does not rot."""

import json
from pathlib import Path
from typing import Any

import pytest

from soak.__main__ import TRIALS
from soak.kills import is_bounded
from soak.laws import LAWS, ROOT
from soak.load import NO_ANSWER, Answered
from soak.many_patients import CLIENTS, PATIENTS
from soak.slow import SLOW
from soak.steady import slope
from tests.postgresql import PostgresqlServer


def tried(name: str, folder: Path, **more: Any) -> dict[str, Any]:
    """What a trial came to, which kept its promise."""
    found = TRIALS[name].run(folder, is_short=True, **more)
    assert found["kept"], json.dumps(found, indent=1, default=str)  # all of it: pytest shortens a dictionary
    return found


def test_here_every_trial_is_run() -> None:
    source = Path(__file__).read_text("utf-8")
    assert [name for name in TRIALS if f'tried("{name}", ' not in source] == []


@pytest.mark.slow
@pytest.mark.requirement("IN-03", "IN-04", "IN-08", "IN-10", "IN-13", "CARD-01", "OUT-07", "OUT-08", "ERR-01", "H-5", "PR-03")
def test_no_request_that_is_nearly_right_is_a_fault_or_hangs_or_ends_a_worker(tmp_path: Path) -> None:
    found = tried("fuzz", tmp_path)
    assert found["requests"] >= 300
    assert found["madeFromOpenApi"] == 30
    assert {200, 400, 401} <= set(found["statuses"])


@pytest.mark.slow
@pytest.mark.requirement("AUD-01", "FB-01", "F-9", "PR-01")
def test_whatever_a_killed_worker_acknowledged_is_kept(tmp_path: Path) -> None:
    found = tried("kills", tmp_path)
    assert found["workers that ended so"] == 3


def test_the_laws_that_are_tried_in_full_are_all_that_the_suite_tries_in_part() -> None:
    hurried = {path for path in (ROOT / "tests").rglob("*.py") if "\nfrom tests.sizes import" in path.read_text("utf-8")}
    by_test = {"tests/server/languages/said.py": "tests/server/languages/test_german.py"}
    names = {path.relative_to(ROOT).as_posix() for path in hurried}
    assert {by_test.get(name, name) for name in names} == {*LAWS}


@pytest.mark.slow
def test_a_law_in_full_holds_as_its_part_does(tmp_path: Path) -> None:
    found = tried("laws", tmp_path)
    assert found["tests"] > 10


@pytest.mark.slow
@pytest.mark.requirement("IN-14")
def test_whoever_sends_too_much_keeps_nobody_else_waiting(tmp_path: Path) -> None:
    tried("neighbours", tmp_path)


@pytest.mark.slow
@pytest.mark.requirement("DB-01", "DB-02", "F-9", "PR-01")
def test_postgresql_goes_and_comes_back_under_load(tmp_path: Path, postgresql: PostgresqlServer) -> None:
    tried("outage", tmp_path, server=postgresql)


@pytest.mark.slow
@pytest.mark.requirement("SAF-05", "C-51")
def test_of_sixty_four_patients_at_once_nobody_is_in_anothers_answer(tmp_path: Path) -> None:
    found = tried("patients", tmp_path)
    assert found["calls"] == 2 * PATIENTS
    assert (found["patients"], found["clients"]) == (PATIENTS, CLIENTS)


@pytest.mark.slow
@pytest.mark.requirement("PR-02")
def test_a_restart_under_load_fails_no_request(tmp_path: Path) -> None:
    tried("restarts", tmp_path)


@pytest.mark.slow
@pytest.mark.requirement("IN-07")
def test_beside_400_slow_clients_a_call_takes_no_more_than_twice_its_usual_time(tmp_path: Path) -> None:
    found = tried("slow", tmp_path)
    assert min(found["slow headers, at least"], found["slow bodies, at least"]) > 0.9 * SLOW


@pytest.mark.slow
@pytest.mark.requirement("PR-03")
def test_memory_does_not_grow_with_requests(tmp_path: Path) -> None:
    found = tried("steady", tmp_path)
    assert found["requests"] == 100
    assert 50 < found["memory at start MiB"] < found["allocated at start MiB"]


# --- what would be found


def answers(good: int, none: int, bad: int = 0) -> list[Answered]:
    return [Answered(0, "feedback", status, 0.1, 0.0) for status in [200] * good + [NO_ANSWER] * none + [500] * bad]


@pytest.mark.parametrize(
    ("found", "is_kept"),
    [
        pytest.param(answers(100, 0), True, id="all answered"),
        pytest.param(answers(90, 10), True, id="a tenth"),
        pytest.param(answers(89, 11), False, id="more than a tenth"),
        pytest.param(answers(1000, 33), False, id="more than two workers have threads"),
        pytest.param(answers(99, 0, 1), False, id="a fault"),
        pytest.param(answers(0, 100), False, id="nothing answered"),
    ],
)
def test_more_unanswered_requests_than_two_kills_explain_break_the_promise(found: list[Answered], is_kept: bool) -> None:
    assert is_bounded(found, kills=2, share=0.1) is is_kept


def test_memory_that_grows_has_a_slope() -> None:
    assert slope([(0, 100.0), (1800, 101.0), (3600, 102.0)]) == pytest.approx(2.0)
