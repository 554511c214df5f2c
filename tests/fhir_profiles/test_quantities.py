"""Units: only what is listed is converted, and a wrong conversion is worse than none (SAF-11, SAF-12)."""

from importlib.resources import files
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from fhir_profiles.quantities import Measure, convert, measure_of, parse_number, unit_key
from tests.fhir_profiles.charts import UCUM, quantity, terminology

TABLE: list[dict[str, Any]] = yaml.safe_load((files("fhir_profiles") / "definitions" / "units.yaml").read_text("utf-8"))


def measure(concept: str) -> Measure:
    found = measure_of([concept])
    assert found is not None
    return found


@pytest.mark.requirement("SAF-11")
@pytest.mark.parametrize(
    ("concept", "value", "unit", "expected"),
    [
        ("creatine_kinase", 3, "ukat/L", 180),
        ("creatine_kinase", 3, "µkat/L", 180),  # micro sign
        ("creatine_kinase", 3, "\u03bckat/L", 180),  # Greek letter
        ("creatine_kinase", 180, "U/L", 180),
        ("creatine_kinase", 180, "[IU]/L", 180),
        ("crp", 1.2, "mg/dL", 12),
        ("creatinine", 1.0, "mg/dL", 88.4),
        ("haemoglobin", 131, "g/L", 13.1),
        ("dlco", 5, "mmol/min/kPa", 14.935),
        ("fvc", 2300, "mL", 2.3),
        ("body_weight", 150, "[lb_av]", 68.0388555),
        ("ferritin", 400, "ug/L", 400),
        ("ferritin", 400, "mcg/L", 400),
        ("glucose", 100, "mg/dL", 5.55),
        ("platelets", 250, "10*3/uL", 250),
        ("platelets", 250_000, "/uL", 250),
        ("leukocytes", 4.5, "10⁹/L", 4.5),
        ("igg", 700, "mg/dL", 7),
        ("troponin_t", 0.05, "ng/mL", 50),
    ],
)
def test_a_listed_unit_is_converted(concept: str, value: float, unit: str, expected: float) -> None:
    factor = measure(concept).factor(quantity(value, unit))
    assert factor is not None
    assert convert(value, factor) == expected


@pytest.mark.requirement("SAF-11")
@pytest.mark.parametrize(
    ("concept", "unit"),
    [
        ("fvc", "%"),
        ("fvc_percent_predicted", "L"),
        ("egfr", "mL/min"),
        ("crp", "nmol/L"),
        ("haemoglobin", "mmol/L"),
        ("ferritin", "pmol/L"),
        ("leukocytes", "109/L"),  # what is left of 10⁹ when superscripts are lost
        ("creatine_kinase", "mg/dL"),
        ("creatine_kinase", "U"),
        ("creatine_kinase", ""),
        ("body_temperature", "Cel"),
    ],
)
def test_any_other_unit_is_not_recognised(concept: str, unit: str) -> None:
    found = measure_of([concept])
    assert found is None or found.factor(quantity(1, unit)) is None


@pytest.mark.parametrize(
    "sent",
    [
        {"unit": "U/L"},
        {"code": "U/L"},
        {"code": "U/L", "unit": "units per litre"},
        {"system": UCUM, "code": "U/L", "unit": "U/L"},
        {"system": "https://hospital.example/units", "code": "17", "unit": "U/l"},
    ],
)
def test_code_and_text_are_both_read(sent: dict[str, str]) -> None:
    assert measure("creatine_kinase").factor(sent) == 1


@pytest.mark.parametrize(
    "sent",
    [
        {"system": UCUM, "code": "ukat/L", "unit": "U/L"},
        {"system": UCUM, "code": "mol/L", "unit": "U/L"},
        {"code": 5, "unit": ["U/L"]},
        {"code": None},
        {},
    ],
)
def test_units_that_contradict_each_other_are_not_recognised(sent: dict[str, object]) -> None:
    assert measure("creatine_kinase").factor(sent) is None


@pytest.mark.parametrize("entry", TABLE, ids=lambda entry: entry["concepts"][0])
def test_the_unit_that_we_compute_with_is_accepted_as_it_is(entry: dict[str, Any]) -> None:
    assert entry["accepts"][entry["unit"]] == 1


@pytest.mark.parametrize("entry", TABLE, ids=lambda entry: entry["concepts"][0])
def test_spellings_that_are_read_as_one_unit_have_one_factor(entry: dict[str, Any]) -> None:
    factors: dict[str, set[float]] = {}
    for spelling, factor in entry["accepts"].items():
        factors.setdefault(unit_key(spelling), set()).add(factor)
    assert {key: found for key, found in factors.items() if len(found) > 1} == {}


@pytest.mark.parametrize("entry", TABLE, ids=lambda entry: entry["concepts"][0])
def test_case_and_blanks_around_a_listed_spelling_do_not_matter(entry: dict[str, Any]) -> None:
    known = measure(entry["concepts"][0])
    for spelling, factor in entry["accepts"].items():
        for sent in (spelling, f" {spelling.swapcase()} "):
            assert (
                known.factor({"unit": sent})
                == known.factor({"code": sent})
                == known.factor({"unit": sent, "code": sent})
                == factor
            )


def test_every_factor_is_positive_and_says_where_it_comes_from() -> None:
    assert all(entry["basis"] and min(entry["accepts"].values()) > 0 for entry in TABLE)


def test_every_measured_concept_exists_and_is_listed_once() -> None:
    listed = [concept for entry in TABLE for concept in entry["concepts"]]
    assert len(listed) == len(set(listed))
    assert set(listed) <= terminology().concepts


def test_concepts_that_share_a_code_share_their_unit() -> None:
    """Otherwise the order in which concepts are looked at would decide what a number means."""
    units: dict[tuple[str, str], set[str]] = {}
    for entry in TABLE:
        for concept in entry["concepts"]:
            for coding in terminology().codings(concept):
                units.setdefault((coding.system, coding.code), set()).add(entry["unit"])
    assert {code: found for code, found in units.items() if len(found) > 1} == {}


@given(st.floats(0.001, 1e6), st.sampled_from([(e["concepts"][0], s) for e in TABLE for s in e["accepts"]]))
def test_there_and_back_again_is_the_same_number(value: float, pair: tuple[str, str]) -> None:
    concept, spelling = pair
    factor = measure(concept).factor({"unit": spelling})
    assert factor is not None
    assert convert(convert(value, factor), 1 / factor) == pytest.approx(value, rel=1e-9)


@pytest.mark.requirement("SAF-12")
@pytest.mark.parametrize(
    ("text", "number", "comparator"),
    [
        ("12.3", 12.3, None),
        ("12,3", 12.3, None),
        (" 7 ", 7, None),
        ("-2.5", -2.5, None),
        ("<0.1", 0.1, "<"),
        ("< 0,1", 0.1, "<"),
        ("≤5", 5, "<="),
        (">=10", 10, ">="),
        (">10000", 10000, ">"),
        ("0,1234", 0.1234, None),
    ],
)
def test_a_string_that_is_only_a_number_is_read(text: str, number: float, comparator: str | None) -> None:
    assert parse_number(text) == (number, comparator)


@pytest.mark.requirement("SAF-12")
@pytest.mark.parametrize(
    "text",
    [
        "",
        "1,234",
        "1.234,5",
        "1:640",
        "1/640",
        "12-15",
        "12.3 U/L",
        "about 12",
        "1e5",
        "0x10",
        "++",
        "12.",
        ".5",
        "<",
        "<<5",
        "٣",
        "NaN",
        "inf",
        "1 000",
        "1" * 500,
    ],
)
def test_any_other_string_is_not_guessed_at(text: str) -> None:
    assert parse_number(text) is None


@given(st.text(max_size=60))
def test_no_text_breaks_the_reading_of_numbers_and_units(text: str) -> None:
    assert parse_number(text) is None or any(character.isdigit() for character in text)
    assert isinstance(unit_key(text), str)
