"""`knowledge check`: file, line, what is wrong, and what to do."""

import json
from pathlib import Path

import pytest

from cards.layers import PACKAGED
from server.knowledge.check import problems_in
from tests.site import OLDER_COLONOSCOPY, OWN_STATEMENT, site_with

OWN_ORDER = """\
colonoscopy:
  resource: ServiceRequest
  title: colonoscopy
  investigation: colonoscopy
  coding: [{system: "https://hospital.example/orders", code: "COLO", display: Colonoscopy}]
"""
SAFETY = """\
treatments: [methotrexate]
rules:
  - {id: our-rule, level: remind, says: our pharmacist prepares it, source: house-default}
"""


@pytest.mark.parametrize(
    ("files", "place", "problem"),
    [
        pytest.param(
            {"guidelines__ours": OWN_STATEMENT.replace("population: adult-d", "population: adult-m")},
            "guidelines/ours.yaml:7",
            "our-physiotherapy: population `adult-mermatomyositis` is not in populations.yaml",
            id="a word inside an entry",
        ),
        pytest.param(
            {"guidelines__ours": OWN_STATEMENT.replace("supportiveCare", "care")},
            "guidelines/ours.yaml:4",
            "our-physiotherapy: unknown topic care; known are ",
            id="a topic",
        ),
        pytest.param(
            {"guidelines__ours": OWN_STATEMENT.replace("strength: statement", "strength: strong")},
            "guidelines/ours.yaml:6",
            "recommendations/0/strength: 'strong' is not one of ",
            id="a word that the schema does not know",
        ),
        pytest.param(
            {"guidelines__ours": OWN_STATEMENT.replace("    when: {population: adult-dermatomyositis}\n", "")},
            "guidelines/ours.yaml:3",
            "recommendations/0: 'when' is a required property; or 'stated' is a required property",
            id="a member that is missing",
        ),
        pytest.param(
            {"guidelines__ours": OWN_STATEMENT.replace("urce:", "rce:")},
            "guidelines/ours.yaml:1",
            "top level: unknown `sorce`; known are ",
            id="a member too many",
        ),
        pytest.param({"topics": "a: [\n"}, "topics.yaml:2", "not YAML", id="not YAML"),
        pytest.param(
            {"drug_safety__ours": SAFETY.replace("[methotrexate]", "[metotrexate]")},
            "drug_safety/ours.yaml:3",
            "our-rule: unknown treatment or order metotrexate; known are ",
            id="what a safety file says once for all its rules",
        ),
        pytest.param(
            {"orders": "our-scan:\n  resource: ServiceRequest\n  title: our scan\n  investigation: skan\n"},
            "orders.yaml:4",
            "our-scan needs an entry of definitions/investigations.yaml, not `skan`",
            id="an order of nothing",
        ),
        pytest.param(
            {"orders": OWN_ORDER.replace("COLO", "CO  LO")},
            "orders.yaml:1",
            "colonoscopy: not valid FHIR: code/coding/0/code: ",
            id="an order that is not valid FHIR",
        ),
        pytest.param(
            {"populations": "ours:\n  phenotype: [dermatomyositus]\n"},
            "populations.yaml:2",
            "ours: unknown phenotype dermatomyositus; known are ",
            id="a population",
        ),
        pytest.param(
            {"definitions__features": "ours:\n  title: ours\n  diagnoses: [pregnansy]\n"},
            "definitions/features.yaml:3",
            "ours: no ValueSet is named `pregnansy`; did you mean pregnancy",
            id="a concept",
        ),
        pytest.param(
            {"definitions__features": "ours:\n  title: ours\n  within_months: three\n"},
            "definitions/features.yaml:3",
            "ours: `within_months` must be a whole number",
            id="text for a number",
        ),
        pytest.param(
            {"definitions__treatment": "cushing_threshold_mg_per_day: 10\n"},
            "definitions/treatment.yaml:1",
            "cushing_threshold_mg_per_day needs a `value`",
            id="a threshold without its members",
        ),
        pytest.param(
            {"definitions__treatment": 'cushing_treshold_mg_per_day: {value: 10, source: "ours"}\n'},
            "definitions/treatment.yaml:1",
            "cushing_treshold_mg_per_day is no threshold here; did you mean cushing_threshold_mg_per_day? known are ",
            id="a threshold that nothing asks for",
        ),
        pytest.param(
            {"definitions__investigations": "ours:\n  title: ours\n  shown_by: [ecg]\n  kind: [Procedure]\n"},
            "definitions/investigations.yaml:4",
            "ours has unknown member(s) ['kind']; known are ",
            id="a member of an investigation",
        ),
        pytest.param({"site": "on: []\noff: [foo]\n"}, "site.yaml:2", "`foo` is no rule", id="a switch of nothing"),
        pytest.param(
            {"scenarios__ours": "as_of: 2026-11-22\nscenarios:\n  - {name: A, patient: {problem: []}, expect: {cards: 0}}\n"},
            "scenarios/ours.yaml:3",
            "A: patient: unknown `problem`; known are ",
            id="a scenario",
        ),
    ],
)
def test_a_slip_is_told_with_its_file_its_line_and_a_remedy(
    tmp_path: Path, files: dict[str, str], place: str, problem: str
) -> None:
    (found,) = problems_in(site_with(tmp_path, **files))
    assert found.startswith(f"{tmp_path / place}: {problem}")


def test_a_guideline_and_a_safety_file_of_one_name_are_told_apart(tmp_path: Path) -> None:
    site = site_with(
        tmp_path, guidelines__ours=OWN_STATEMENT.replace("supportiveCare", "care"), drug_safety__ours=SAFETY.replace("[m", "[x")
    )
    assert [one.split(":")[0] for one in problems_in(site)] == [
        str(site / "guidelines" / "ours.yaml"),
        str(site / "drug_safety" / "ours.yaml"),
    ]


def test_a_value_set_of_nothing_is_told(tmp_path: Path) -> None:
    (tmp_path / "valuesets").mkdir()
    (tmp_path / "valuesets" / "ours.json").write_text(json.dumps({"resourceType": "ValueSet", "id": "zzz"}), "utf-8")
    (found,) = problems_in(tmp_path)
    assert found == f"{tmp_path}/valuesets/ours.json: no concept is named 'zzz'; use the id of a packaged ValueSet"


def test_a_folder_that_nobody_reads_is_told(tmp_path: Path) -> None:
    (found,) = problems_in(site_with(tmp_path, guideline__ours=OWN_STATEMENT))
    assert found.startswith(f"{tmp_path}/guideline: nothing of this name is read; known are ")


@pytest.mark.parametrize("name", ["guidelines/a.yaml", "definitions/features.yaml", "orders.yaml", "scenarios/a.yaml"])
def test_a_file_that_is_no_text_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(b"source: \xff\xfe\n")
    (found,) = problems_in(tmp_path)
    assert found == f"{file}: is not UTF-8; save it as UTF-8"
    monkeypatch.chdir(tmp_path)
    (found,) = problems_in(Path())
    assert found.startswith(name)
    assert found.endswith("is not UTF-8; save it as UTF-8")


@pytest.mark.parametrize(
    "name", ["orders.yaml", "site.yaml", "guidelines/a.yaml", "definitions/features.yaml", "scenarios/a.yaml"]
)
def test_a_folder_with_the_name_of_a_file_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir(parents=True)
    (found,) = problems_in(tmp_path)
    assert found == f"{tmp_path / name}: cannot be read: Is a directory"


@pytest.mark.parametrize(
    "name", ["guidelines/x.yml", "guidelines/more/x.yaml", "drug_safety/x.YAML", "scenarios/x.yml", "valuesets/x.yaml"]
)
def test_what_would_go_unread_in_a_folder_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).write_text("", "utf-8")
    (found,) = problems_in(tmp_path)
    assert found.startswith(str(tmp_path / Path(*Path(name).parts[:2])))
    assert ": is not read; only files here whose names end in `." in found


def test_a_file_with_the_name_of_a_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "guidelines").write_text("", "utf-8")
    (found,) = problems_in(tmp_path)
    assert found == f"{tmp_path}/guidelines: must be a folder; put its files into a folder of this name"


def test_a_table_that_a_site_cannot_change_is_told(tmp_path: Path) -> None:
    (found,) = problems_in(site_with(tmp_path, source_attributes="a: [\n"))
    assert found.startswith(f"{tmp_path}/source_attributes.yaml: nothing of this name is read; known are ")


def test_notes_beside_the_data_are_left_alone(tmp_path: Path) -> None:
    site = site_with(tmp_path, guidelines__ours=OLDER_COLONOSCOPY)
    (site / "guidelines" / "README.md").write_text("who changed what", "utf-8")
    assert problems_in(site) == ()


def test_the_packaged_knowledge_and_a_sound_site_folder_are_in_order(tmp_path: Path) -> None:
    assert problems_in(PACKAGED) == ()
    assert problems_in(site_with(tmp_path, guidelines__ours=OLDER_COLONOSCOPY, drug_safety__ours=SAFETY, orders=OWN_ORDER)) == ()
