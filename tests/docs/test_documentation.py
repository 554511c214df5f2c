"""What the pages promise is what the code does."""

import json
import re
from pathlib import Path

import pytest

from cards.conditions import condition_keys
from cards.patient_conditions import TREATMENT_FINDINGS
from scripts.example_answer import answer

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def test_the_example_answer_is_what_the_service_answers() -> None:
    assert (ROOT / "docs/example/answer.json").read_text("utf-8") == answer()


def test_the_readme_shows_every_card_of_the_example_with_its_indicator() -> None:
    for card in json.loads(answer())["cards"]:
        assert f"| {card['indicator']} | {card['summary']} |" in README


def test_the_quick_start_is_exactly_two_commands() -> None:
    block = re.search(r"## Quick start.*?```sh\n(.*?)```", README, re.DOTALL)
    assert block is not None
    assert [line.split("#")[0].strip() for line in block.group(1).splitlines()] == ["make run", "make test"]


@pytest.mark.parametrize("page", ["README.md", "GLOSSARY.md", "CHANGELOG.md", "docs/rule-vocabulary.md"])
def test_every_relative_link_leads_to_a_file(page: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / page).read_text("utf-8")):
        if not target.startswith("http"):
            assert (ROOT / page).parent.joinpath(target).exists(), f"{page}: {target}"


@pytest.mark.parametrize("key", [*condition_keys(), *TREATMENT_FINDINGS])
def test_every_word_of_the_rule_vocabulary_is_explained(key: str) -> None:
    assert f"`{key}`" in (ROOT / "docs/rule-vocabulary.md").read_text("utf-8")
