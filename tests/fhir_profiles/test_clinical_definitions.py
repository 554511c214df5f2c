"""The clinical definitions: what a reviewer wrote is what is used, and a slip stops the start."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from fhir_profiles import clinical_definitions
from fhir_profiles.clinical_definitions import (
    FOLDER,
    DefinitionError,
    FeatureDefinition,
    concepts_named,
    definitions,
    load_definitions,
)
from fhir_profiles.severity import MILD_MARKER, SEVERE_MARKERS
from tests.for_each import for_each
from tests.patient import Patient, terminology

FILES = sorted(path.name for path in FOLDER.glob("*.yaml"))


def load_after(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, old: str, new: str) -> None:
    """Load the definitions with one slip in them."""
    folder = shutil.copytree(FOLDER, tmp_path / "definitions")
    text = (folder / name).read_text("utf-8")
    assert old in text
    (folder / name).write_text(text.replace(old, new, 1), "utf-8")
    monkeypatch.setattr(clinical_definitions, "FOLDER", folder)
    definitions.__wrapped__()


def leaves(node: Any) -> Iterator[Any]:
    """Every key and every list item of a document."""
    if isinstance(node, dict):
        yield from node
        for value in node.values():
            yield from leaves(value)
    elif isinstance(node, list):
        for item in node:
            yield from leaves(item) if isinstance(item, (dict, list)) else (item,)


@pytest.mark.parametrize("name", FILES)
def test_no_key_and_no_list_item_is_taken_for_a_truth_value_or_a_number(name: str) -> None:
    """YAML reads `on`, `no` and `1` without quotation marks as something else than text."""
    document = yaml.safe_load((FOLDER / name).read_text("utf-8"))
    assert [leaf for leaf in leaves(document) if not isinstance(leaf, str)] == []


@for_each("place", sorted(concepts_named(definitions())))
def test_every_concept_that_a_definition_names_has_a_value_set(place: str) -> None:
    assert concepts_named(definitions())[place] - terminology().concepts == set()


def test_every_question_can_be_answered_from_something() -> None:
    for code, feature in definitions().features.items():
        sources = (
            *(feature.diagnoses, feature.unclear, feature.positive, feature.above, feature.below, feature.answers),
            *(feature.drugs, feature.tested, feature.results_under, feature.any, feature.all),
        )
        assert any(sources), code


def test_every_threshold_and_every_window_says_where_it_comes_from() -> None:
    for code, feature in definitions().features.items():
        windows = (feature.within_months, feature.diagnosis_within_months, feature.rules_out_within_months)
        assert feature.of_now in {None, *definitions().treatment}, code
        has_window = feature.of_now or any(window is not None for window in windows)
        if has_window or feature.results_under or feature.applies.keys() & {"at_most"}:
            assert feature.basis, code


def test_what_lasts_is_one_of_several_diagnoses_of_a_state_that_passes() -> None:
    lasting = {code: feature for code, feature in definitions().features.items() if feature.lasting}
    assert set(lasting) == {"respiratory-failure", "aspiration"}
    for code, feature in lasting.items():
        assert feature.of_now is not None, code
        assert set(feature.lasting) < set(feature.diagnoses), code


def test_phenotypes_refer_only_to_what_is_defined() -> None:
    known = definitions()
    rules = known.phenotypes
    codes = set(rules["precedence"])
    assert set(rules["titles"]) == codes
    assert set(rules["recorded"]) | {rule["juvenile"] for rule in rules["recorded"].values() if "juvenile" in rule} == codes
    assert {*rules["antibody_subsets"], *rules["dermatomyositis_family"], *rules["questions_polymyositis"]} <= codes
    assert {subset["antibody"] for subset in rules["antibody_subsets"].values()} <= set(known.antibodies)
    assert set(rules["necrotising_antibodies"]) <= set(known.antibodies)
    assert {*rules["antisynthetase_features"], *rules["overlap_features"]} <= set(known.features)


def test_the_thirteen_phenotype_codes_are_those_of_the_design() -> None:
    assert set(definitions().phenotypes["precedence"]) == {
        "dermatomyositis",
        "juvenile-dermatomyositis",
        "clinically-amyopathic-dermatomyositis",
        "anti-mda5-dermatomyositis",
        "anti-tif1-gamma-dermatomyositis",
        "anti-nxp2-dermatomyositis",
        "antisynthetase-syndrome",
        "immune-mediated-necrotising-myopathy",
        "polymyositis",
        "inclusion-body-myositis",
        "overlap-myositis",
        "juvenile-myositis",
        "inflammatory-myopathy-unspecified",
    }


def test_every_marker_of_severity_is_a_finding() -> None:
    found = Patient().assess().features
    assert {*SEVERE_MARKERS, MILD_MARKER} <= set(found)


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        (
            "features.yaml",
            "title: pregnancy",
            "tilte: pregnancy",
            r"features\.yaml: pregnancy has unknown member\(s\) \['tilte'\]; known",
        ),
        ("antibodies.yaml", "ars: true", "asr: true", r"antibodies\.yaml: anti-jo1 has unknown member\(s\) \['asr'\]"),
        ("agents.yaml", "role: glucocorticoid,", "rôle: glucocorticoid,", r"agents\.yaml: glucocorticoid has unknown member"),
        (
            "features.yaml",
            "all: [interstitial-lung-disease, respiratory-failure]",
            "all: [interstitial-lung-diseases, respiratory-failure]",
            r"features\.yaml: respiratory-failure-from-ild refers to \['interstitial-lung-diseases'\], which no entry defines",
        ),
        (
            "features.yaml",
            "diagnoses: [pneumomediastinum]\n  of_now: activity_window_months",
            "diagnoses: [pneumomediastinum]\n  of_now: activity_window_month",
            r"pneumomediastinum: of_now: activity_window_month is no such parameter of treatment\.yaml: activity_window_months",
        ),
        (
            "features.yaml",
            "lasting: [tube_feeding]",
            "lasting: [tube_feedings]",
            r"features\.yaml: aspiration: lasting: \['tube_feedings'\] are not among the diagnoses of a state of now",
        ),
        (
            "features.yaml",
            "of_now: activity_window_months\n  lasting: [tube_feeding]",
            "lasting: [tube_feeding]",
            r"features\.yaml: aspiration: lasting: \['tube_feeding'\] are not among the diagnoses of a state of now",
        ),
        (
            "features.yaml",
            "diagnoses: [pneumomediastinum]\n  of_now: activity_window_months",
            "diagnoses: [pneumomediastinum]\n  of_now: cushing_threshold_mg_per_day",
            "of_now: cushing_threshold_mg_per_day is no such parameter",
        ),
    ],
)
def test_a_slip_in_a_definition_stops_the_start_and_says_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, old: str, new: str, message: str
) -> None:
    with pytest.raises(DefinitionError, match=message):
        load_after(tmp_path, monkeypatch, name, old, new)


def test_a_file_that_is_no_table_stops_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = shutil.copytree(FOLDER, tmp_path / "definitions")
    (folder / "features.yaml").write_text("- pregnancy\n", "utf-8")
    monkeypatch.setattr(clinical_definitions, "FOLDER", folder)
    with pytest.raises(DefinitionError, match=r"features\.yaml: expected a mapping at the top level"):
        definitions.__wrapped__()


# --- a site's definitions -------------------------------------------------------------------------------------------------


def of_site(tmp_path: Path, name: str, text: str) -> Path:
    (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


def test_a_parameter_of_the_site_takes_the_place_of_the_packaged_one(tmp_path: Path) -> None:
    changed = load_definitions(of_site(tmp_path, "treatment.yaml", "adequate_trial_weeks: {value: 16, source: ours}\n"))
    assert changed.treatment == {**definitions().treatment, "adequate_trial_weeks": 16}
    assert definitions().treatment["adequate_trial_weeks"] == 12


def test_an_entry_of_the_site_replaces_the_packaged_one_as_a_whole(tmp_path: Path) -> None:
    changed = load_definitions(of_site(tmp_path, "features.yaml", "pregnancy: {title: expecting, diagnoses: [pregnancy]}\n"))
    assert changed.features["pregnancy"] == FeatureDefinition("expecting", diagnoses=("pregnancy",))
    assert list(changed.features) == list(definitions().features)


def test_a_table_inside_phenotypes_is_merged_by_key(tmp_path: Path) -> None:
    changed = load_definitions(of_site(tmp_path, "phenotypes.yaml", "titles: {dermatomyositis: DM}\n"))
    assert changed.phenotypes["titles"] == {**definitions().phenotypes["titles"], "dermatomyositis": "DM"}


def test_a_folder_that_is_not_there_changes_nothing(tmp_path: Path) -> None:
    assert load_definitions(tmp_path / "nowhere") == definitions()


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("treatment.yaml", "adequate_trial_weeks: 16\n", "adequate_trial_weeks needs a `value`, a number above 0"),
        ("treatment.yaml", "adequate_trial_weeks: {value: long}\n", "adequate_trial_weeks needs a `value`"),
        ("features.yaml", "pregnancy: [pregnancy]\n", "pregnancy must be a mapping"),
        ("features.yaml", "pregnancy: {diagnoses: [pregnancy]}\n", "pregnancy lacks title; an entry is written as a whole"),
        ("features.yaml", "pregnancy: {title: x, diagnoses: pregnancy}\n", "pregnancy: `diagnoses` must be a list"),
        ("features.yaml", "pregnancy: {title: x, ever: sometimes}\n", "pregnancy: `ever` must be true or false"),
        (
            "features.yaml",
            "pregnancy: {title: x, answers: {test: pregnancy_status}}\n",
            "pregnancy: `answers` lacks present, absent",
        ),
        ("features.yaml", "pregnancy: {title: x, results_under: {value: 3}}\n", "pregnancy: `results_under` lacks result"),
        ("investigations.yaml", "scan: {title: scan}\n", "scan needs `title`, and `shown_by`"),
        ("phenotypes.yaml", "recorded: {ours: {diagnoses: [polymyositis]}}\n", "ours also needs an entry in `titles`"),
        ("feature.yaml", "{}\n", "nothing of this name is read"),
        ("features.yaml", "a: [\n", "not YAML"),
    ],
)
def test_a_slip_in_the_definitions_of_a_site_is_named(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(DefinitionError) as error:
        load_definitions(of_site(tmp_path, name, text))
    assert str(error.value).startswith(name)
    assert message in str(error.value)
