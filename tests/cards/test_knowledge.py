"""The knowledge: transcribed as it was read, consistent in itself, and refused with a clear word where it is not.

`recommendations.csv` lists all 133 statements of the two source documents, and the 10 unmet needs, with the strength, the line
and the section that the reference gives them. `beyond_sources.csv` lists what is newer, with how well it was read (H, M, K) and
the statement or rule that carries it, or the reason why none does.
"""

import csv
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cards.knowledge import FOLDER, KNOWLEDGE_RELEASE, Rule, knowledge, load_knowledge
from cards.recommendation import Level
from cards.verdicts import RuleError
from fhir_profiles.clinical_definitions import definitions
from fhir_profiles.yaml_files import read_yaml
from tests.for_each import for_each
from tests.patient import terminology

KNOWN = knowledge()
RULES = {rule.id: rule for rule in KNOWN.rules}
with (Path(__file__).parent / "recommendations.csv").open(encoding="utf-8") as _file:
    REFERENCE = {row["id"]: row for row in csv.DictReader(_file)}

with (Path(__file__).parent / "beyond_sources.csv").open(encoding="utf-8") as _file:
    BEYOND = list(csv.DictReader(_file))
OF_THE_SOURCES = [name for name, rule in RULES.items() if rule.read_in is None]
LATER = [name for name, rule in RULES.items() if rule.read_in is not None]
FIRMER_FOR_SOME = {"meyer-2019-ivig-resistant": "recommended (DM) / option (others)"}
LINES = {
    **{"first": "induction-1", "second": "induction-2", "third": "induction-3", "maintenance": "maintenance"},
    **{f"maintenance-{line}": f"maintenance-{number}" for number, line in enumerate(("first", "second", "third"), 1)},
}
SOURCES_OF_THE_REVIEW = {rule.sources[0].id for name, rule in RULES.items() if name in OF_THE_SOURCES} - {"bmj-bp"}
TOPICS = {
    *("urgentReferral", "drugSafety", "nextLineTherapy", "lungFunction", "tumourScreening", "diagnosticWorkup"),
    *("diseaseMonitoring", "supportiveCare", "pregnancyCare", "specialistReferral"),
}


# --- faithful to the reference ------------------------------------------------------------------------------------------


def test_the_list_holds_every_statement_of_the_reference() -> None:
    assert len(REFERENCE) == 133 + 10


def test_every_statement_of_the_reference_is_transcribed_and_nothing_is_invented() -> None:
    assert set(OF_THE_SOURCES) == set(REFERENCE)


@for_each("name", OF_THE_SOURCES)
def test_every_statement_has_the_strength_of_the_reference(name: str) -> None:
    assert FIRMER_FOR_SOME.get(name, RULES[name].strength) == REFERENCE[name]["strength"]


@for_each("name", [name for name in OF_THE_SOURCES if RULES[name].line in LINES and RULES[name].stated is None])
def test_the_line_that_a_card_prints_is_the_line_of_the_source(name: str) -> None:
    """Adjuncts, and statements for any line, are placed by us; what the source calls a line keeps it."""
    line = REFERENCE[name]["line"]
    if line.startswith(("induction", "maintenance")):
        assert line == LINES[RULES[name].line]


def test_what_is_newer_than_the_sources_was_read_and_every_line_of_it_is_accounted_for() -> None:
    """clinical/beyond-sources.md: only H and M; never K, which is background knowledge."""
    carried = {row["carried_by"] for row in BEYOND if not row["carried_by"].startswith("reason: ")}
    assert carried <= {*RULES, *(rule.id for rule in KNOWN.safety)}
    assert {row["confidence"] for row in BEYOND if row["carried_by"] in LATER} <= {"H", "M"}
    assert set(LATER) <= carried
    assert all(row["carried_by"].startswith("reason: ") for row in BEYOND if row["confidence"] == "K")


@pytest.mark.parametrize("name", LATER)
def test_what_is_newer_says_where_it_was_read_and_how_well(name: str) -> None:
    rule = RULES[name]
    assert rule.confidence in ("H", "M")
    assert rule.sources[0].id not in {"bmj-bp", *(source for source in SOURCES_OF_THE_REVIEW)}


@for_each("name", OF_THE_SOURCES)
def test_every_statement_cites_the_guideline_that_its_id_names(name: str) -> None:
    source = RULES[name].sources[0].id
    assert name.startswith({"bmj-bp": ("bmj-",), "meyer-2019": ("meyer-2019-", "unmet-")}.get(source, (f"{source}-",)))


def test_what_cannot_be_computed_says_why_and_orders_nothing() -> None:
    stated = [rule for rule in KNOWN.rules if rule.stated is not None]
    assert stated
    for rule in stated:
        assert rule.stated
        assert (rule.orders, rule.orders_if, rule.offers, rule.avoid) == ((), (), (), ())


def test_no_statement_of_the_sources_names_a_dose_other_than_the_one_of_hengstman_and_doria() -> None:
    for rule in (RULES[name] for name in OF_THE_SOURCES):
        words = f"{rule.says} {' '.join(offer.remark or '' for offer in rule.offers)}".replace("7.5 mg a day", "")
        if " mg" in words:
            assert rule.sources[0].id in ("hengstman-2009", "doria-2004"), rule.id
            assert "1 mg/kg" in words


def test_a_dose_that_is_newer_stands_only_where_bsr_acr_or_eular_name_it() -> None:
    dosed = {name for name in LATER if re.search(r"\d (mg|g)\b", f"{RULES[name].says} {RULES[name].offers}")}
    assert dosed == {
        *("bsr-2022-glucocorticoid-adult", "bsr-2022-glucocorticoid-child"),
        *("acr-giop-2022-fracture-risk", "eular-2022-pneumocystis-prophylaxis"),
    }


def test_the_cushing_threshold_is_marked_as_a_value_of_the_house() -> None:
    for rule in KNOWN.rules:
        assert "7.5 mg a day" not in rule.says or "house value" in rule.says


# --- consistent in itself -----------------------------------------------------------------------------------------------


def test_topics_are_those_of_the_design_and_made_of_letters() -> None:
    assert set(KNOWN.topics) == TOPICS
    assert all(code.isalnum() and code.isascii() for code in KNOWN.topics)
    assert len({topic.rank for topic in KNOWN.topics.values()}) == len(TOPICS)


def test_advice_against_treatment_in_inclusion_body_myositis_is_supportive_care() -> None:
    assert RULES["bmj-ibm-no-immunosuppression"].topic == "supportiveCare"


@for_each("key", KNOWN.orders)
def test_every_code_of_an_order_is_in_the_value_set_of_its_concept(key: str) -> None:
    entry = KNOWN.orders[key]
    for coding in entry.get("coding", ()):
        assert terminology().has(entry["concept"], coding["system"], coding["code"]), coding


@for_each("key", [key for key, entry in KNOWN.orders.items() if entry["resource"] == "ServiceRequest"])
def test_every_test_or_referral_is_recognised_on_the_chart_once_it_was_ordered(key: str) -> None:
    entry = KNOWN.orders[key]
    shown_by = definitions().investigations[entry["investigation"]].shown_by
    if "concept" in entry:
        assert any(entry["concept"] in combination for combination in shown_by)


@pytest.mark.parametrize("key", [key for key, entry in KNOWN.orders.items() if entry["resource"] == "MedicationRequest"])
def test_every_drug_order_is_of_the_treatment_that_offers_it(key: str) -> None:
    offering = [entry for entry in KNOWN.treatments.values() if entry.order == key]
    assert len(offering) == 1
    drugs = definitions().agents[offering[0].course].drugs if offering[0].course else offering[0].drugs
    assert KNOWN.orders[key]["concept"] in drugs


def test_every_treatment_belongs_to_a_course_and_to_an_order_that_exist() -> None:
    for key, entry in KNOWN.treatments.items():
        assert entry.course is None or entry.course in definitions().agents, key
        assert not (entry.course and entry.drugs), key
        assert set(entry.drugs) <= terminology().concepts, key
        assert entry.order is None or entry.order in KNOWN.orders, key


def test_every_contradiction_shown_is_one_of_the_reference_and_is_raised_by_some_statement() -> None:
    raised = {code for rule in KNOWN.rules for code in rule.conflicts}
    assert set(KNOWN.disputes) == raised == {f"C{number}" for number in range(1, 16)}


def test_every_contradiction_has_two_sides_with_a_source_or_a_word_that_it_stands_outside() -> None:
    for dispute in KNOWN.disputes.values():
        sides = dispute.contradiction.sides
        assert len(sides) >= 2
        assert all(bool(side.who) is (side.outside is None) for side in sides)
        assert all(source is KNOWN.sources[source.id] for side in sides for source in side.who)
        assert any(side.who for side in sides)


def test_a_drug_that_can_be_ordered_has_some_word_on_its_safety() -> None:
    spoken_of = {treatment for rule in KNOWN.safety for treatment in rule.treatments}
    can_be_ordered = {key for key, entry in KNOWN.treatments.items() if entry.order and entry.course}
    assert can_be_ordered <= spoken_of


def test_teratogens_are_stopped_in_pregnancy() -> None:
    stopped = {t for rule in KNOWN.safety if rule.level is Level.STOP and "pregnancy" in rule.id for t in rule.treatments}
    assert {"methotrexate", "mycophenolate", "cyclophosphamide"} <= stopped


def test_unverified_house_defaults_only_hold_orders_back() -> None:
    """Design section 4, rule 8: what is marked unverified does not fire a card by itself."""
    house = [rule for rule in KNOWN.safety if rule.source.id == "house-default"]
    assert house
    for rule in house:
        is_about_tests = all(KNOWN.orders.get(key, {}).get("resource") == "ServiceRequest" for key in rule.treatments)
        assert rule.level is Level.HOLD or (rule.level is Level.STOP and is_about_tests)


DOCUMENTS = {path.relative_to(FOLDER).as_posix(): read_yaml(path) for path in sorted(FOLDER.rglob("*.yaml"))}


def keys(node: Any) -> Iterator[Any]:
    if isinstance(node, dict):
        yield from node
        for value in node.values():
            yield from keys(value)
    elif isinstance(node, list):
        for item in node:
            yield from keys(item)


@for_each("name", DOCUMENTS)
def test_no_key_is_taken_for_a_truth_value(name: str) -> None:
    assert [key for key in keys(DOCUMENTS[name]) if not isinstance(key, str)] == []


def test_links_lead_to_https_addresses_only() -> None:
    for rule in (*KNOWN.rules, *KNOWN.safety):
        for source in rule.sources if isinstance(rule, Rule) else (rule.source,):
            assert source.url is None or source.url.startswith("https://")


# --- the version --------------------------------------------------------------------------------------------------------


def copied(tmp_path: Path) -> Path:
    return shutil.copytree(FOLDER, tmp_path / "cards", ignore=shutil.ignore_patterns("*.py", "__pycache__", "schemas"))


def after(tmp_path: Path, name: str, old: str, new: str) -> Path:
    """A copy of the knowledge with one change."""
    folder = copied(tmp_path)
    text = (folder / name).read_text("utf-8")
    assert old in text
    (folder / name).write_text(text.replace(old, new, 1), "utf-8")
    return folder


def test_the_version_tells_the_release_and_changes_with_every_letter(tmp_path: Path) -> None:
    assert KNOWN.version.startswith(f"{KNOWLEDGE_RELEASE}+")
    folder = copied(tmp_path)
    assert load_knowledge(folder).version == KNOWN.version
    (folder / "topics.yaml").write_text((folder / "topics.yaml").read_text("utf-8") + "\n", "utf-8")
    assert load_knowledge(folder).version != KNOWN.version


# --- refused ------------------------------------------------------------------------------------------------------------

THIRD = "guidelines/hengstman-2009.yaml"
SAFETY = "drug_safety/methotrexate.yaml"


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        (
            THIRD,
            "treatment: rituximab",
            "treatment: rituximap",
            "hengstman-2009-third-line: unknown treatment rituximap; known are ",
        ),
        (
            THIRD,
            "topic: nextLineTherapy",
            "topic: therapy",
            "hengstman-2009-first-line-prednisone-plus-dmard: unknown topic therapy",
        ),
        (THIRD, "conflicts: [C8]", "conflicts: [C99]", "hengstman-2009-third-line: unknown contradiction C99; known are C1, "),
        (THIRD, "source: hengstman-2009", "source: hengstman-2019", "hengstman-2009.yaml: unknown source hengstman-2019"),
        (THIRD, "recorded: severe-ild", "recorded: severe-lung", "second-line-severe-lung: unknown feature severe-lung"),
        (THIRD, "population: first-line", "population: 1st-line", "population `1st-line` is not in populations.yaml"),
        (
            THIRD,
            "strength: recommended",
            "strength: strong",
            "hengstman-2009.yaml at recommendations/0/strength: 'strong' is not one of",
        ),
        (THIRD, "    line: first\n", "    line: 1\n", "hengstman-2009.yaml at recommendations/0/line: 1 is not one of"),
        (THIRD, "    says: ", "    say: ", "hengstman-2009.yaml at recommendations/0: "),
        (THIRD, "recommendations:", "recommendations: []\nold:", "hengstman-2009.yaml at "),
        (THIRD, "recommendations:\n", "recommendations:\n\t", "hengstman-2009.yaml:5: not YAML"),
        ("guidelines/titulaer-2011.yaml", "orders: [ct-thorax", "orders: [ct-torax", "unknown order ct-torax; known are "),
        (
            "guidelines/titulaer-2011.yaml",
            "orders: [colonoscopy]",
            "orders: [coloscopy]",
            "colonoscopy-over-50: unknown order coloscopy",
        ),
        (
            THIRD,
            "id: hengstman-2009-third-line",
            "id: hengstman-2009-second-line-severe-lung",
            "hengstman-2009-second-line-severe-lung: this id is used twice",
        ),
        (
            "guidelines/titulaer-2011.yaml",
            "titulaer-2011-dm-mammography-women,",
            "titulaer-2011-mammography,",
            "titulaer-2011-mammography",
        ),
        (
            "populations.yaml",
            "polymyositis, juvenile",
            "polymositis, juvenile",
            "populations.yaml: any-myositis: unknown phenotype polymositis",
        ),
        (
            "populations.yaml",
            "untreated: {not: {recorded: systemic-treatment}}",
            "untreated: {not: {drafted_in_words: true}}",
            "populations.yaml: untreated: `drafted_in_words` is about an order that is being written",
        ),
        ("contradictions.yaml", "C3:", "D3:", "contradictions.yaml at top level: 'D3' does not match"),
        (SAFETY, "level: stop", "level: halt", "methotrexate.yaml at rules/0/level: 'halt' is not one of"),
        (SAFETY, "    basis: P\n", "    basis: X\n", "methotrexate.yaml at rules/0/basis: 'X' is not one of"),
        (
            SAFETY,
            "treatments: [methotrexate]",
            "treatments: [metothrexate]",
            "methotrexate-pregnancy: unknown treatment or order metothrexate",
        ),
        (SAFETY, "orders: [folic-acid]", "orders: [folate]", "methotrexate-folic-acid: unknown order folate; known are "),
        (SAFETY, "[azathioprine, ciclosporin, ivig]", "[azathioprin]", "methotrexate-pregnancy: unknown treatment azathioprin"),
        (
            SAFETY,
            "alternatives: {methotrexate:",
            "alternatives: {azathioprine:",
            "methotrexate-pregnancy: unknown treatment of this rule azathioprine; known are any, methotrexate",
        ),
        ("treatments.yaml", "drugs: [febuxostat]", "drugs: []", "treatments.yaml at febuxostat"),
        ("topics.yaml", "urgentReferral:", "urgent-referral:", "topics.yaml at top level: 'urgent-referral' does not match"),
        ("treatments.yaml", "order: azathioprine", "order: azathioprin", "azathioprin"),
        ("treatments.yaml", "course: azathioprine", "course: azathioprin", "azathioprin"),
        ("orders.yaml", "investigation: ct-thorax", "investigation: ct-torax", "ct-torax"),
        ("orders.yaml", "  investigation: ct-thorax\n", "", "ct-thorax"),
    ],
)
def test_a_slip_stops_the_start_and_says_where_and_what(tmp_path: Path, name: str, old: str, new: str, message: str) -> None:
    with pytest.raises(RuleError) as error:
        load_knowledge(after(tmp_path, name, old, new))
    assert message in str(error.value)


def test_a_site_can_switch_a_safety_rule_off(tmp_path: Path) -> None:
    """Not `on`: YAML 1.1 reads that word as true."""
    switched = load_knowledge(after(tmp_path, SAFETY, "level: stop\n", "level: stop\n    enabled: false\n"))
    assert len(switched.safety) == len(KNOWN.safety) - 1
    assert {rule.id for rule in switched.safety_off} - {rule.id for rule in KNOWN.safety_off} == {"methotrexate-pregnancy"}
