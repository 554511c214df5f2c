"""A site's folder over the packaged knowledge: what it adds, what it replaces, and what it switches on or off."""

import re
from pathlib import Path

import pytest

from cards.knowledge import Knowledge, knowledge, load_knowledge
from cards.layers import PACKAGED, is_whole
from cards.recommend import recommend
from cards.verdicts import RuleError
from fhir_profiles.assess import assess
from fhir_profiles.findings import Answer
from tests.patient import Patient
from tests.site import COLONOSCOPY, OLDER_COLONOSCOPY, OWN_STATEMENT, site_with

PACKAGED_KNOWLEDGE = knowledge()
WOMAN_OF_62 = Patient().has("dermatomyositis", since="2026-08")

OWN_SAFETY_RULE = """\
treatments: [methotrexate]
rules:
  - {id: our-rule, level: remind, says: "no vaccination {place}", source: house-default}
"""


def loaded(tmp_path: Path, **files: str) -> Knowledge:
    return load_knowledge(site=site_with(tmp_path, **files))


def ids(known: Knowledge) -> list[str]:
    return [rule.id for rule in known.rules]


def held(patient: Patient, known: Knowledge) -> set[str]:
    said = recommend(assess(patient.record(), known.definitions), None, known)
    return {recommendation.id for recommendation in said if recommendation.holds is Answer.YES}


def test_an_empty_site_folder_changes_nothing(tmp_path: Path) -> None:
    known = load_knowledge(site=tmp_path)
    assert ids(known) == ids(PACKAGED_KNOWLEDGE)
    assert (known.version, known.of_site) == (PACKAGED_KNOWLEDGE.version, frozenset())


def test_a_new_statement_stands_after_the_packaged_ones(tmp_path: Path) -> None:
    known = loaded(tmp_path, guidelines__ours=OWN_STATEMENT)
    assert ids(known) == [*ids(PACKAGED_KNOWLEDGE), "our-physiotherapy"]
    assert known.of_site == {"our-physiotherapy"}
    assert known.rules[-1].guideline == "ours"
    assert "our-physiotherapy" in held(WOMAN_OF_62, known)


def test_a_statement_of_the_same_id_takes_the_place_of_the_packaged_one(tmp_path: Path) -> None:
    known = loaded(tmp_path, guidelines__ours=OLDER_COLONOSCOPY)
    assert ids(known) == ids(PACKAGED_KNOWLEDGE)
    (rule,) = (rule for rule in known.rules if rule.id == COLONOSCOPY)
    assert (rule.guideline, "of this hospital" in rule.says) == ("titulaer-2011", True)
    assert known.of_site == {COLONOSCOPY}


def test_what_the_site_changes_changes_what_holds_and_leaves_the_packaged_knowledge_as_it_was(tmp_path: Path) -> None:
    known = loaded(tmp_path, guidelines__ours=OLDER_COLONOSCOPY)
    assert COLONOSCOPY not in held(WOMAN_OF_62, known)
    assert COLONOSCOPY in held(WOMAN_OF_62, PACKAGED_KNOWLEDGE)


def test_a_statement_in_place_of_a_packaged_one_may_refer_to_those_before_it(tmp_path: Path) -> None:
    repeat = OLDER_COLONOSCOPY.replace("{age: {over: 63}}", "{age: {over: 63}}, {settled: [titulaer-2011-dm-ct-thorax-abdomen]}")
    assert loaded(tmp_path, guidelines__ours=repeat)


def test_a_safety_rule_is_added_or_replaced_in_the_same_way(tmp_path: Path) -> None:
    rules = """\
treatments: [methotrexate]
rules:
  - {id: methotrexate-pregnancy, level: stop, when: {present: pregnancy}, says: ask our obstetrician first, source: house-default}
  - {id: our-rule, level: remind, says: our pharmacist prepares it, source: house-default}
"""
    known = loaded(tmp_path, drug_safety__ours=rules)
    assert len(known.safety) == len(PACKAGED_KNOWLEDGE.safety) + 1
    (replaced,) = (rule for rule in known.safety if rule.id == "methotrexate-pregnancy")
    assert replaced.says == "ask our obstetrician first"
    assert known.of_site == {"methotrexate-pregnancy", "our-rule"}


def test_a_safety_rule_says_where_nothing_was_found(tmp_path: Path) -> None:
    known = loaded(tmp_path, drug_safety__ours=OWN_SAFETY_RULE)
    (ours,) = (rule for rule in known.safety if rule.id == "our-rule")
    assert ours.says == "no vaccination on record"
    assert ours.says_of_partial_data == "no vaccination in the data supplied"


def test_only_what_was_not_found_depends_on_what_was_supplied() -> None:
    rules = (*PACKAGED_KNOWLEDGE.safety, *PACKAGED_KNOWLEDGE.safety_off)
    absent = {rule.id for rule in rules if re.search(r"\b(no [\w ]+|none is|not both) on record", rule.says)}
    assert absent == {rule.id for rule in rules if rule.says_of_partial_data != rule.says} != set()


def test_tables_are_merged_by_key(tmp_path: Path) -> None:
    known = loaded(
        tmp_path,
        topics="supportiveCare: {display: Our supportive care, rank: 10}\nourTopic: {display: Ours, rank: 11}\n",
        sources='our-hospital: {short: "Our hospital", citation: "Our hospital, 2026", evidence: local}\n',
        guidelines__ours=OWN_STATEMENT.replace("house-default", "our-hospital").replace("supportiveCare", "ourTopic"),
    )
    assert known.topics["supportiveCare"].display == "Our supportive care"
    assert known.topics["tumourScreening"] == PACKAGED_KNOWLEDGE.topics["tumourScreening"]
    assert (known.rules[-1].topic, known.rules[-1].sources[0].short) == ("ourTopic", "Our hospital")


def test_an_order_may_have_the_codes_of_the_site(tmp_path: Path) -> None:
    order = """\
colonoscopy:
  resource: ServiceRequest
  title: colonoscopy, endoscopy unit
  investigation: colonoscopy
  coding: [{system: "https://hospital.example/orders", code: COLO, display: Colonoscopy}]
"""
    assert loaded(tmp_path, orders=order).orders["colonoscopy"]["coding"][0]["code"] == "COLO"


def test_a_population_that_the_site_defines_otherwise_counts_for_every_statement(tmp_path: Path) -> None:
    known = loaded(tmp_path, populations="adult-dermatomyositis: {phenotype: [polymyositis]}\n")
    assert COLONOSCOPY not in held(WOMAN_OF_62, known)


def test_a_threshold_of_the_site_counts(tmp_path: Path) -> None:
    known = loaded(tmp_path, definitions__treatment='cushing_threshold_mg_per_day: {value: 100, source: "ours"}\n')
    taking = WOMAN_OF_62.takes("prednisone", since="2026-08-20", dose=40)
    name = "glucocorticoid-above-cushing-threshold"
    assert taking.assess().features[name].is_present
    assert not assess(taking.record(), known.definitions).features[name].is_present


def newly_off(known: Knowledge) -> set[str]:
    """Rules that are off here and on, or not there, in the packaged knowledge."""
    return {rule.id for rule in known.off} - {rule.id for rule in PACKAGED_KNOWLEDGE.off}


def test_a_statement_that_is_switched_off_is_kept_and_not_evaluated(tmp_path: Path) -> None:
    known = loaded(tmp_path, site=f"off: [{COLONOSCOPY}]\n")
    assert newly_off(known) == {COLONOSCOPY}
    assert COLONOSCOPY not in held(WOMAN_OF_62, known)


def test_a_safety_rule_that_is_off_by_itself_is_kept_until_the_site_switches_it_on(tmp_path: Path) -> None:
    off = """\
treatments: [methotrexate]
rules:
  - {id: our-rule, level: remind, says: our pharmacist prepares it, source: house-default, enabled: false}
"""
    known = loaded(tmp_path, drug_safety__ours=off)
    assert newly_off(known) == {"our-rule"}
    assert "our-rule" not in {rule.id for rule in known.safety}
    switched_on = loaded(tmp_path, site="on: [our-rule]\n")
    assert (newly_off(switched_on), "our-rule" in {rule.id for rule in switched_on.safety}) == (set(), True)


def test_a_statement_may_be_off_by_itself_too(tmp_path: Path) -> None:
    known = loaded(tmp_path, guidelines__ours=OWN_STATEMENT + "    enabled: false\n")
    assert newly_off(known) == {"our-physiotherapy"}
    assert "our-physiotherapy" not in held(WOMAN_OF_62, known)


@pytest.mark.parametrize(
    ("files", "inside"),
    [({"guidelines__ours": OWN_STATEMENT}, "guidelines"), ({"site": f"off: [{COLONOSCOPY}]\n"}, "site")],
)
def test_the_version_covers_the_files_of_the_site(tmp_path: Path, files: dict[str, str], inside: str) -> None:
    assert loaded(tmp_path, **files).version != PACKAGED_KNOWLEDGE.version, inside


def test_the_packaged_folder_is_whole_and_a_site_folder_is_not(tmp_path: Path) -> None:
    assert is_whole(PACKAGED)
    assert not is_whole(site_with(tmp_path, guidelines__ours=OWN_STATEMENT))


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"site": "off: [no-such-rule]\n"}, "`no-such-rule` is no rule"),
        ({"site": f"off: [{COLONOSCOPY}]\non: [{COLONOSCOPY}]\n"}, "switched on and off"),
        ({"site": "of: []\n"}, "site.yaml at top level: unknown `of`; known are off, on"),
        ({"guideline__ours": OWN_STATEMENT}, "guideline: nothing of this name is read; known are "),
        ({"guidelines__a": OWN_STATEMENT, "guidelines__b": OWN_STATEMENT}, "our-physiotherapy: this id is used twice"),
        (
            {"guidelines__a": OWN_STATEMENT.replace("supportiveCare", "care")},
            "guidelines/a.yaml: our-physiotherapy: unknown topic care",
        ),
        (
            {"orders": "our-scan: {resource: ServiceRequest, title: our scan, investigation: scan}\n"},
            "our-scan needs an entry of",
        ),
        ({"definitions__features": "pregnancy: {tilte: pregnancy}\n"}, "features.yaml: pregnancy has unknown member"),
        ({"definitions__units": "{}\n"}, "units.yaml: nothing of this name is read"),
        (
            {"guidelines__a": OWN_STATEMENT + "    schedule: {of: blood-count, title: count, at_months: [6, 3]}\n"},
            "guidelines/a.yaml: our-physiotherapy: `at_months` must ascend, each time once; write [3, 6]",
        ),
        (
            {"guidelines__a": OWN_STATEMENT + '    headline: "do {foo} now"\n'},
            "guidelines/a.yaml: our-physiotherapy: headline: unknown brace `{foo}`; known are {found}, {place}, {orders}, ",
        ),
        ({"guidelines__a": OWN_STATEMENT + '    headline: "do {place now"\n'}, "our-physiotherapy: headline: expected '}'"),
        ({"guidelines__a": OWN_STATEMENT + '    headline: "do {place!r} now"\n'}, "headline: unknown brace `{place}`"),
        (
            {"drug_safety__a": OWN_SAFETY_RULE.replace("{place}", "{foo}")},
            "our-rule: says: unknown brace `{foo}`; known are {place}",
        ),
    ],
)
def test_a_slip_in_a_site_folder_is_named(tmp_path: Path, files: dict[str, str], message: str) -> None:
    with pytest.raises(RuleError) as error:
        loaded(tmp_path, **files)
    assert message in str(error.value)


def test_a_site_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="nowhere: no such folder"):
        load_knowledge(site=tmp_path / "nowhere")


def test_every_statement_with_a_slip_is_named_at_once(tmp_path: Path) -> None:
    two = OWN_STATEMENT + OWN_STATEMENT.split("recommendations:\n")[1].replace("our-physiotherapy", "our-other")
    with pytest.raises(RuleError) as error:
        loaded(tmp_path, guidelines__ours=two.replace("supportiveCare", "care"))
    assert [line.split(": ")[1] for line in str(error.value).splitlines()] == ["our-physiotherapy", "our-other"]
