"""The tables of `docs/knowledge`: current, complete, and every computed statement with scenarios for yes, no and unknown."""

import csv
from pathlib import Path

import pytest

from cards.knowledge import knowledge
from scripts import knowledge_docs

KNOWN = knowledge()
COMPUTED = [rule for rule in KNOWN.rules if rule.is_computed and not rule.said_by]
SAID_BY_SAFETY = [rule for rule in KNOWN.rules if rule.said_by]
SHOWN = knowledge_docs.scenarios_by_statement()
NEVER_UNKNOWN = {row["id"]: row["reason"] for row in knowledge_docs.rows("never_unknown.csv")}


def test_every_page_is_what_the_knowledge_says_now() -> None:
    assert knowledge_docs.stale() == [], "run scripts/knowledge_docs.py"


def test_every_contradiction_is_shown_with_every_side_on_the_card_of_a_scenario() -> None:
    assert set(KNOWN.disputes) - set(knowledge_docs.on_cards().contradictions) == set()


def test_what_is_stated_is_printed_on_the_card_of_a_scenario_unless_it_is_for_its_page_only() -> None:
    lines = (knowledge_docs.FOLDER / "coverage.md").read_text("utf-8").splitlines()
    for rule in (rule for rule in KNOWN.rules if rule.stated):
        is_for_its_page_only = rule.concerns_everyone or rule.id == "imacs-2023-juvenile"
        assert (rule.id in knowledge_docs.on_cards().statements) is not is_for_its_page_only, rule.id
        (line,) = [line for line in lines if line.startswith(f"| `{rule.id}`")]
        assert ("stated, page only" in line) is is_for_its_page_only, rule.id


def test_all_133_statements_are_in_the_coverage_table() -> None:
    page = (knowledge_docs.FOLDER / "coverage.md").read_text("utf-8")
    assert "- Statements of the two source documents: 133 of 133: " in page
    assert "- Contradictions: 15 of 15 shown with every side on the card of a scenario." in page
    assert "**missing**" not in page


@pytest.mark.parametrize("way", knowledge_docs.WAYS)
def test_a_computed_statement_has_a_scenario_for_yes_for_no_and_for_unknown(way: str) -> None:
    never = set(NEVER_UNKNOWN) if way == "unknown" else set()
    names = [rule.id for rule in COMPUTED]
    assert names
    assert [name for name in names if name not in never and not SHOWN.get(name, {}).get(way)] == [], f"no scenario says `{way}`"
    assert [name for name in names if name in never and SHOWN.get(name, {}).get(way)] == [], "take it off never_unknown.csv"


@pytest.mark.parametrize("way", ["holds", "not"])
def test_a_statement_that_drug_safety_says_has_a_scenario_for_yes_and_for_no(way: str) -> None:
    assert SAID_BY_SAFETY
    assert [rule.id for rule in SAID_BY_SAFETY if not any(SHOWN.get(name, {}).get(way) for name in rule.said_by)] == []


def test_a_contradiction_that_no_card_shows_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    silent = [scenario for scenario in knowledge_docs.packaged_scenarios() if not scenario.name.startswith("C")][:3]
    monkeypatch.setattr(knowledge_docs, "packaged_scenarios", lambda: silent)
    assert len(knowledge_docs.on_cards.__wrapped__().contradictions) < 15


@pytest.mark.parametrize("way", ["holds", "not"])
def test_a_rule_about_drafted_orders_has_a_scenario_where_it_holds_and_one_where_it_does_not(way: str) -> None:
    names = [rule.id for rule in KNOWN.safety if rule.about != "suggested"]
    assert names
    assert [name for name in names if not SHOWN.get(name, {}).get(way)] == [], f"no scenario says `{way}`"


def test_there_are_at_least_150_scenarios() -> None:
    assert len(knowledge_docs.packaged_scenarios()) >= 150


def test_a_statement_that_is_never_unknown_exists_and_says_why() -> None:
    assert set(NEVER_UNKNOWN) <= {rule.id for rule in COMPUTED}
    assert [name for name, why in NEVER_UNKNOWN.items() if len(why) < 15] == []


def test_every_drug_safety_row_of_the_sources_is_carried_by_rules_that_are_on() -> None:
    on = {rule.id for rule in (*KNOWN.safety, *KNOWN.rules)}
    with (Path(__file__).parents[1] / "cards" / "drug_safety_rows.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["tag"] in ("S", "P")]
    assert len(rows) >= 80
    assert [row["row"] for row in rows if not row["rules"] or not set(row["rules"].split()) <= on] == []
