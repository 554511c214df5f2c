"""What the pages promise is what the code does."""

import json
import re
from pathlib import Path

import pytest

from cards.conditions import condition_keys
from cards.knowledge import knowledge, load_knowledge
from cards.layers import RULE_FOLDERS, SWITCHES, TABLES
from cards.patient_conditions import TREATMENT_FINDINGS
from fhir_profiles.clinical_definitions import TABLES as DEFINITION_TABLES
from scripts.example_answer import answer
from server.knowledge.check import problems_in
from tests.for_each import for_each
from tests.site import site_with

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def test_the_example_answer_is_what_the_service_answers() -> None:
    assert (ROOT / "docs/example/answer.json").read_text("utf-8") == answer()


def test_the_readme_shows_every_card_of_the_example_with_its_indicator() -> None:
    shown = re.findall(r"^\| (info|warning|critical) \| (.*?) \| .* \|$", README, re.MULTILINE)
    assert shown == [(card["indicator"], card["summary"]) for card in json.loads(answer())["cards"]]


def test_the_quick_start_is_exactly_two_commands() -> None:
    block = re.search(r"## Quick start.*?```sh\n(.*?)```", README, re.DOTALL)
    assert block is not None
    assert [line.split("#")[0].strip() for line in block.group(1).splitlines()] == ["make run", "make test"]


@pytest.mark.parametrize(
    "page", ["README.md", "GLOSSARY.md", "CHANGELOG.md", "docs/rule-vocabulary.md", "docs/scenarios.md", "docs/site-folder.md"]
)
def test_every_relative_link_leads_to_a_file(page: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / page).read_text("utf-8")):
        if not target.startswith("http"):
            assert (ROOT / page).parent.joinpath(target).exists(), f"{page}: {target}"


@for_each("key", [*condition_keys(), *TREATMENT_FINDINGS])
def test_every_word_of_the_rule_vocabulary_is_explained(key: str) -> None:
    assert f"`{key}`" in (ROOT / "docs/rule-vocabulary.md").read_text("utf-8")


def test_the_site_folder_of_the_page_is_in_order_and_does_what_it_says(tmp_path: Path) -> None:
    page = (ROOT / "docs/site-folder.md").read_text("utf-8")
    files = re.findall(r"^`([\w/]+)\.yaml`:\n\n```yaml\n(.*?)```", page, re.DOTALL | re.MULTILINE)
    assert len(files) == 3
    site = site_with(tmp_path, **{name.replace("/", "__"): text for name, text in files})
    assert problems_in(site) == ()
    known = load_knowledge(site=site)
    assert known.of_site == {"titulaer-2011-dm-colonoscopy-over-50"}
    assert {rule.id for rule in known.off} - {rule.id for rule in load_knowledge().off} == {"sunderkotter-2016-pft-all"}
    assert known.definitions.treatment["cushing_threshold_mg_per_day"] == 10


def test_the_page_names_everything_that_is_read_from_a_site_folder() -> None:
    page = (ROOT / "docs/site-folder.md").read_text("utf-8")
    names = (*(f"{name}.yaml" for name in (*TABLES, *DEFINITION_TABLES)), *RULE_FOLDERS, SWITCHES)
    assert [name for name in names if f"`{name}" not in page] == []


@pytest.mark.parametrize("command", ["list", "show", "check", "test", "diff"])
def test_every_knowledge_command_is_shown_in_the_readme(command: str) -> None:
    assert f"myositis-cds knowledge {command} " in README


def test_the_examples_of_clients_switch_off_no_topic_that_speaks_against_a_drug_or_of_an_emergency() -> None:
    text = (ROOT / "docs" / "clients.md").read_text("utf-8")
    off = {topic for line in re.findall(r"^topics_off = \[(.*?)\]", text, re.MULTILINE) for topic in re.findall(r"\w+", line)}
    assert off
    assert off.isdisjoint({"drugSafety", "urgentReferral"} | {rule.topic for rule in knowledge().rules if rule.avoid})
