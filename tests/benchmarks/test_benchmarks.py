"""`make bench` in its quick form: every group really runs, and the page says what was measured."""

import json
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from benchmarks import peers
from benchmarks.goals import GOALS, Goal
from benchmarks.groups import GROUPS, CannotMeasureError
from benchmarks.page import PAGE, ROOT, page, results

QUICK = [name for name, group in GROUPS.items() if group.quick is not None]


@cache
def quick(name: str) -> dict[str, Any]:
    """What a group measures in its quick form, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks", name, "--quick"]
    environment = {"PATH": os.defpath, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(command, capture_output=True, text=True, timeout=240, cwd=ROOT, env=environment)
    assert ran.returncode == 0, ran.stderr
    said, _, found = ran.stdout.partition("\n")
    assert said == f"{name}:"
    measured: dict[str, Any] = json.loads(found)
    return measured


@pytest.mark.slow
@pytest.mark.parametrize("name", QUICK)
def test_a_group_measures_every_goal_that_is_said_to_be_measured_by_it(name: str) -> None:
    before = results()
    found = quick(name)
    goals = [goal for goal in GOALS if goal.group == name]
    assert goals
    assert [goal.id for goal in goals if not isinstance(goal.measured({name: found}), float | int)] == []
    assert results() == before


@pytest.mark.slow
def test_what_is_measured_is_a_call_that_gives_cards() -> None:
    sizes = quick("in_process")["sizes"]
    assert {size: one["cards"] >= 3 for size, one in sizes.items()} == {"15": True, "250": True, "3000": True}
    assert {"trust", "request", "read", "assess", "recommend", "cards", "audit", "rest"} <= set(sizes["250"]["phases ms"])


def test_only_what_needs_another_environment_or_hours_has_no_quick_form() -> None:
    assert set(GROUPS) - set(QUICK) == {"peers", "batch", "times_ten"}


def test_where_something_is_missing_a_group_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "PYTHON", tmp_path / "python")
    with pytest.raises(CannotMeasureError, match="make peers"):
        peers.run(tmp_path, rounds=1, seconds=0.1)


def test_every_goal_of_the_issue_and_of_the_reference_is_in_the_table() -> None:
    said = {goal.id for goal in GOALS}
    assert said >= {*(f"G{number}" for number in range(1, 18)), "G1j", "G1s"}
    assert len(said) == len(GOALS)


def test_every_goal_is_measured_by_a_group_there_is() -> None:
    assert {goal.group for goal in GOALS} <= set(GROUPS)


def test_the_page_says_what_was_measured() -> None:
    assert PAGE.read_text("utf-8") == page(results()), "run python -m benchmarks --page"


def test_the_page_has_a_row_for_each_goal_and_says_why_one_is_not_met() -> None:
    kept, text = results(), PAGE.read_text("utf-8")
    for goal in GOALS:
        assert re.search(rf"^\| {re.escape(goal.id)} \|", text, re.MULTILINE)
        assert (f"- **{goal.id}**: " in text) is (goal.is_met(kept) is False)


def test_results_name_no_machine_and_no_folder() -> None:
    text = json.dumps(results())
    assert os.uname().nodename not in text
    assert re.findall(r"/(?:home|work|tmp|root|Users)/", text) == []


# --- what would be found


LEAST = Goal("L", "throughput", "echo", 0.6, "over_http", is_least=True)
MOST = Goal("M", "time", "floor", 2.5, "in_process")


@pytest.mark.parametrize(
    ("goal", "figure", "is_met"),
    [
        pytest.param(MOST, 2.5, True, id="as much as promised"),
        pytest.param(MOST, 2.51, False, id="more than promised"),
        pytest.param(LEAST, 0.6, True, id="as little as promised"),
        pytest.param(LEAST, 0.59, False, id="less than promised"),
        pytest.param(MOST, None, None, id="not measured"),
    ],
)
def test_a_goal_is_met_or_not_or_not_measured(goal: Goal, figure: float | None, is_met: bool | None) -> None:
    measured = {} if figure is None else {goal.group: {"goals": {goal.id: figure}}}
    assert goal.is_met(measured) is is_met


def test_a_page_without_results_says_that_nothing_was_measured() -> None:
    text = page({})
    assert text.count("| not measured | – |") == len(GOALS)
