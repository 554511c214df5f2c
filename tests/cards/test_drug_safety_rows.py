"""Nothing of the reference page on drug safety is left out, and nothing is added.

`drug_safety_rows.csv` lists every row of `clinical/drug-safety.md` sections 1 and 2, a row of mixed tags once for each tag, with
the rules that carry it, or the reason why no rule does.
"""

import csv
from pathlib import Path

from cards.knowledge import knowledge
from tests.for_each import for_each

KNOWN = knowledge()
ON = {rule.id: rule for rule in KNOWN.safety}
OFF = {rule.id: rule for rule in KNOWN.safety_off}
GUIDELINES = {rule.id for rule in KNOWN.rules}
with (Path(__file__).parent / "drug_safety_rows.csv").open(encoding="utf-8") as _file:
    ROWS = list(csv.DictReader(_file))

SOURCED = [row for row in ROWS if row["tag"] in ("S", "P")]
BACKGROUND = [row for row in ROWS if row["tag"] == "K"]

LEVELS = {"STOP": "stop", "WARN": "warn", "REM": "remind"}
MILDER = {
    "calcineurin-inhibitor-creatinine": "a rise over the baseline is not computed, so it is a reminder",
    "cyclophosphamide-urinary-tract": "the chart cannot show it, so it is a reminder",
    "rituximab-harms": "the chart cannot show it, so it is a reminder",
    "cyclophosphamide-harms": "the chart cannot show it, so it is a reminder",
    "tocilizumab-infection": "to be avoided in infection (section 3), so it holds back our own order as well",
    "cyclophosphamide-not-life-threatening": "holds back our own order as well",
}
"""Rules whose level is not the row's, and why. Missing data is a reminder, never a stop."""


def named(row: dict[str, str]) -> list[str]:
    return row["rules"].split()


def title(row: dict[str, str]) -> str:
    return f"{row['section']}: {row['row']}"


def test_the_list_holds_every_row_with_its_tag() -> None:
    assert len(ROWS) == len(SOURCED) + len(BACKGROUND)
    assert len(ROWS) > 130
    assert len({(row["section"], row["tag"], row["row"]) for row in ROWS}) == len(ROWS)


@for_each("row", SOURCED, ids=title)
def test_a_row_with_a_source_has_rules_and_they_are_on(row: dict[str, str]) -> None:
    assert named(row)
    assert set(named(row)) <= ON.keys() | GUIDELINES
    assert any(name in GUIDELINES or ON[name].basis in ("S", "P") for name in named(row))


@for_each("row", BACKGROUND, ids=title)
def test_a_row_of_background_knowledge_has_rules_that_are_off_or_a_reason(row: dict[str, str]) -> None:
    """The house defaults are on: they hold an order back and are marked as unverified."""
    assert bool(named(row)) != bool(row["reason"])
    for name in named(row):
        assert name in OFF or ON[name].source.id == "house-default"


@for_each("name", sorted(ON | OFF))
def test_no_rule_exists_without_a_row_of_its_tag(name: str) -> None:
    tags = {row["tag"] for row in ROWS if name in named(row)}
    assert (ON | OFF)[name].basis in tags


@for_each("row", [row for row in SOURCED if row["level"] in LEVELS], ids=title)
def test_a_row_with_a_source_is_said_at_its_level(row: dict[str, str]) -> None:
    """At least one of its rules is at the level of the row, but for those that say why not."""
    rules = [name for name in named(row) if name in ON]
    levels = {ON[name].level.value for name in rules}
    assert not rules or LEVELS[row["level"]] in levels or set(rules) <= set(MILDER)
