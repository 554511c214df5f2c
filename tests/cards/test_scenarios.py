"""Every packaged scenario (`cards/scenarios/*.yaml`): a patient in a few lines, and what must and must not be said."""

import pytest

from server.knowledge.scenario_run import run
from server.knowledge.scenarios import Scenario, packaged_scenarios


@pytest.mark.parametrize("scenario", packaged_scenarios(), ids=lambda scenario: scenario.name)
def test_scenario(scenario: Scenario) -> None:
    complaints = run(scenario)
    assert not complaints, f"{scenario.file.name}: {scenario.name}\n" + "\n".join(f"- {one}" for one in complaints)
