"""Units: a number is compared only in a unit that is listed for what it measures (SAF-11, `definitions/units.yaml`)."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Final

import yaml

UCUM: Final = "http://unitsofmeasure.org"

_COMPARATORS: Final = {"<": "<", "<=": "<=", "≤": "<=", ">": ">", ">=": ">=", "≥": ">="}
_NUMBER: Final = re.compile(r"\s*(<=|>=|[<>≤≥]?)\s*(-?[0-9]{1,12})(?:([.,])([0-9]{1,9}))?\s*")
_LONGEST_NUMBER: Final = 40
_LONGEST_UNIT: Final = 64


@dataclass(frozen=True, slots=True)
class Measure:
    """How one kind of result is measured.

    Args:
        unit: UCUM code of the unit that we compute with.
        factors: factor to `unit`, by `unit_key` of an accepted unit; by a spelling itself too, which needs no folding then.
    """

    unit: str
    factors: Mapping[str, float]

    def factor(self, quantity: Mapping[str, object]) -> float | None:
        """The factor from the unit of a FHIR Quantity to ours, or None where it is not recognised.

        A UCUM code decides, and so does a code without a system; the text must then not contradict it. Otherwise the text
        decides alone.
        """
        by_text = self._factor_of(text := quantity.get("unit"))
        code = quantity.get("code") if quantity.get("system") in (None, UCUM) else None
        if code is None or (by_text is not None and code == text):
            return by_text
        by_code = self._factor_of(code)
        if by_code is None:
            return None if unit_key(code) else by_text
        return by_code if by_text is None or by_text == by_code else None

    def _factor_of(self, unit: object) -> float | None:
        if not isinstance(unit, str):
            return None
        factor = self.factors.get(unit)
        return self.factors.get(unit_key(unit)) if factor is None else factor


def measure_of(concepts: Iterable[str]) -> Measure | None:
    """How results of any of these concepts are measured; None if no unit is listed for them.

    Args:
        concepts: ids of our ValueSets. Those that one code stands for agree on the unit (a test holds that).
    """
    measures = _measures()
    for concept in concepts:
        if concept in measures:
            return measures[concept]
    return None


def unit_key(unit: object) -> str:
    """What the spellings of one unit have in common; empty for what is no unit at all.

    Superscripts stay: folding them would make `10⁹` a hundred and nine.
    """
    return _unit_key(unit) if isinstance(unit, str) and len(unit) <= _LONGEST_UNIT else ""


def parse_number(text: str) -> tuple[float, str | None] | None:
    """A number with its comparator from a string that holds nothing else: `12.3`, `<0.1`, `12,3` (SAF-12).

    A comma before exactly three digits could separate thousands, so it is not read.

    Returns:
        The number and the FHIR comparator, or None.
    """
    match = _NUMBER.fullmatch(text) if len(text) <= _LONGEST_NUMBER else None
    if match is None:
        return None
    comparator, whole, separator, fraction = match.groups()
    if separator == "," and len(fraction) == 3:
        return None
    return float(f"{whole}.{fraction or 0}"), _COMPARATORS.get(comparator)


def convert(number: float, factor: float) -> float:
    """The number in the other unit, without the noise that binary fractions add in the last digits."""
    return number if factor == 1 else float(f"{number * factor:.12g}")


@lru_cache(maxsize=1024)
def _unit_key(unit: str) -> str:
    key = "".join(unit.split()).casefold().replace("μ", "u")  # casefold makes the micro sign the Greek letter
    return f"u{key[2:]}" if key.startswith("mc") else key


@lru_cache(maxsize=1)
def _measures() -> Mapping[str, Measure]:
    """The listed units, by concept."""
    source = files("fhir_profiles").joinpath("definitions", "units.yaml").read_text(encoding="utf-8")
    measures: dict[str, Measure] = {}
    for entry in yaml.load(source, yaml.CSafeLoader):
        spelled = {spelling: float(factor) for spelling, factor in entry["accepts"].items()}
        factors = spelled | {unit_key(spelling): factor for spelling, factor in spelled.items()}
        measures |= dict.fromkeys(entry["concepts"], Measure(entry["unit"], factors))
    return measures
