"""Every packaged scenario (`cards/scenarios/*.yaml`): a patient in a few lines, and what must and must not be said."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import pytest

from server.knowledge.scenario_run import run
from server.knowledge.scenarios import Scenario, ScenarioError, packaged_scenarios

BY_FILE = {file: tuple(scenarios) for file, scenarios in groupby(packaged_scenarios(), lambda scenario: scenario.file)}


@pytest.mark.parametrize("file", BY_FILE, ids=lambda file: file.stem)
def test_what_is_said_is_what_each_scenario_of_the_file_expects(file: Path) -> None:
    complaints = {scenario.name: told for scenario in BY_FILE[file] if (told := _complaints(scenario))}
    assert not complaints, "\n".join(_in_words(name, told) for name, told in complaints.items())


def test_no_scenario_was_left_out() -> None:
    assert sum(len(scenarios) for scenarios in BY_FILE.values()) == len(packaged_scenarios())


def _complaints(scenario: Scenario) -> Sequence[str]:
    try:
        return run(scenario)
    except ScenarioError as error:
        return (str(error),)


def _in_words(name: str, told: Sequence[str]) -> str:
    return "\n".join([name, *(f"- {one}" for one in told)])
