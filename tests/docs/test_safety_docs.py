"""Every hazard has controls, and every control a place and a test that exist."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from scripts import safety_docs, shown
from scripts.safety_docs import LIKELIHOOD, SEVERITY, controls, hazards, risk
from scripts.shown import ROOT
from tests.for_each import for_each

HAZARDS = hazards()
MEMBERS = {"id", "hazard", "causes", "other_causes", "effect", "before", "controls", "after", "open", "acceptable", "owner"}
PAGES = ["SECURITY.md", "docs/security.md", "docs/threat-model.md", "docs/licences.md"]
PAGES += [f"docs/safety/{name}.md" for name in ("hazard-log", "intended-use", "fda-2026", "dcb0129", "eu-mdr")]


@cache
def functions_of(file: str) -> set[str]:
    return {node.name for node in ast.walk(ast.parse((ROOT / file).read_text("utf-8"))) if isinstance(node, ast.FunctionDef)}


def test_the_page_is_what_hazards_and_tests_say_now() -> None:
    assert not safety_docs.is_stale(), "run python -m scripts.safety_docs"


def test_hazards_are_numbered_without_a_gap() -> None:
    assert [one["id"] for one in hazards()] == [f"H{number}" for number in range(1, len(hazards()) + 1)]


@for_each("hazard", HAZARDS, ids=lambda hazard: hazard["id"])
def test_a_hazard_is_judged_and_has_a_control_that_a_test_shows(hazard: dict[str, object]) -> None:
    assert set(hazard) <= MEMBERS
    assert MEMBERS - set(hazard) <= {"open", "causes", "other_causes"}
    assert {"causes", "other_causes"} & set(hazard)
    assert any(control.is_tested(shown.tests()) for control in controls(hazard))


@for_each("hazard", HAZARDS, ids=lambda hazard: hazard["id"])
def test_a_control_names_a_place_and_proofs_that_exist(hazard: dict[str, object]) -> None:
    for control in controls(hazard):
        assert (ROOT / control.place).is_file(), control.place
        assert control.shown_by
        for file, name in control.functions:
            assert name in functions_of(file), f"{file}::{name}"
        # An id has tests, or a written reason for having none, which the page prints instead.
        assert [one for one in control.ids if one not in shown.tests() and not shown.rows()[one].why] == []


@for_each("hazard", HAZARDS, ids=lambda hazard: hazard["id"])
def test_controls_make_harm_less_likely_and_leave_no_risk_that_is_unacceptable(hazard: dict[str, dict[str, str]]) -> None:
    assert {hazard[when]["severity"] for when in ("before", "after")} <= set(SEVERITY)
    assert {hazard[when]["likelihood"] for when in ("before", "after")} <= set(LIKELIHOOD)
    assert list(SEVERITY).index(hazard["after"]["severity"]) <= list(SEVERITY).index(hazard["before"]["severity"])
    assert list(LIKELIHOOD).index(hazard["after"]["likelihood"]) < list(LIKELIHOOD).index(hazard["before"]["likelihood"])
    assert risk(hazard["after"]) <= 3


def test_the_safety_case_names_every_risk_that_stays_above_acceptable() -> None:
    case = (ROOT / "docs/safety/dcb0129.md").read_text("utf-8")
    named = re.search(r"risks that remain at 3 are (.*?)\.", case)
    assert named is not None
    assert re.findall(r"H\d+", named[1]) == [one["id"] for one in hazards() if risk(one["after"]) == 3]


def test_every_cause_is_a_threat_or_a_requirement() -> None:
    assert {cause for one in hazards() for cause in one.get("causes", ())} - set(shown.rows()) == set()


def test_worse_and_likelier_is_never_less_risk() -> None:
    for likelihood in LIKELIHOOD:
        row = [risk({"severity": severity, "likelihood": likelihood}) for severity in SEVERITY]
        assert row == sorted(row)
    for severity in SEVERITY:
        column = [risk({"severity": severity, "likelihood": likelihood}) for likelihood in LIKELIHOOD]
        assert column == sorted(column)


@pytest.mark.parametrize("page", PAGES)
def test_every_link_of_these_pages_leads_to_a_file(page: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", (ROOT / page).read_text("utf-8")):
        if not target.startswith("http"):
            assert (ROOT / Path(page).parent / target).exists(), f"{page}: {target}"


@pytest.mark.parametrize("page", PAGES)
def test_no_page_claims_an_approval(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    claims = re.findall(
        r"(?i)\b(?:is|are|was|has been) (?:FDA[- ](?:approved|cleared)|CE[- ]marked|certified|approved|validated)\b", text
    )
    assert claims == []
