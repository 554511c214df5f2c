"""The public checks run nobody else's code, and may do as little as possible (SUP-02, SUP-03)."""

import re
from typing import Any

import pytest
import yaml

from scripts.supply_chain.packages import ROOT

FOLDER = ROOT / ".github" / "workflows"
WORKFLOWS = {path.name: yaml.safe_load(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.y*ml"))}
JOBS = [pytest.param(job, id=f"{file}-{name}") for file, one in WORKFLOWS.items() for name, job in one["jobs"].items()]


def steps_of(job: dict[str, Any]) -> list[dict[str, Any]]:
    return list(job["steps"])


@pytest.mark.requirement("SUP-03")
@pytest.mark.parametrize("job", JOBS)
def test_an_action_of_others_is_named_by_its_whole_commit_if_at_all(job: dict[str, Any]) -> None:
    used = [step["uses"] for step in steps_of(job) if "uses" in step]
    assert [one for one in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", one)] == []


@pytest.mark.requirement("SUP-03")
@pytest.mark.parametrize("job", JOBS)
def test_no_command_is_made_of_what_an_event_brings(job: dict[str, Any]) -> None:
    """A branch or a title may be anything; in `${{ }}` it would become part of the command, in a variable it does not."""
    assert [step["run"] for step in steps_of(job) if "${{" in step.get("run", "")] == []


@pytest.mark.requirement("SUP-02")
def test_only_the_release_may_write() -> None:
    for workflow in WORKFLOWS.values():
        assert workflow["permissions"] == {}
        for name, job in workflow["jobs"].items():
            assert job["permissions"] == {"contents": "write" if name == "release" else "read"}
    assert WORKFLOWS["ci.yml"]["jobs"]["release"]["if"] == "startsWith(github.ref, 'refs/tags/v')"


@pytest.mark.requirement("SUP-01", "SUP-02")
def test_known_holes_are_looked_for_every_day_and_the_bill_is_made() -> None:
    workflow = WORKFLOWS["ci.yml"]
    assert workflow[True]["schedule"]  # YAML 1.1 reads the key `on` so
    job = workflow["jobs"]["supply-chain"]
    assert "if" not in job
    said = "\n".join(step["run"] for step in steps_of(job))
    assert {"make audit-dependencies", "make sbom", "make licences"} <= set(re.findall(r"make [\w-]+", said))
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert {"sbom", "licences", "audit-dependencies", "test"} <= targets
