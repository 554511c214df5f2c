"""The words and codes that the stories use, read from `codes.csv`.

Rows with one key are one concept: its plain words, how it is filed, and every coding an EHR would send with it.
A concept without a code (many hospitals have none for it) has words only.
"""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

CODES_FILE = Path(__file__).with_name("codes.csv")


@dataclass(frozen=True, slots=True)
class Coding:
    """One code of one code system, with the display that the terminology gives it."""

    system: str
    code: str
    display: str


@dataclass(frozen=True, slots=True)
class Concept:
    """What a story means by one key.

    Args:
        text: plain words, as a clinician writes them.
        category: where it is filed: observation-category code of a result (`laboratory`, `exam`, …), HL7 table 0074
            code of a report (`LAB`, `RAD`, …), or empty.
        unit: UCUM unit of a measured result, or empty.
        codings: the codes; empty where there are words only.
    """

    text: str
    category: str
    unit: str
    codings: tuple[Coding, ...]


@cache
def read_codes(path: Path = CODES_FILE) -> dict[str, Concept]:
    """All concepts by key.

    Args:
        path: a CSV file with the columns key, text, category, unit, system, code, display; later rows of a key add
            codings.
    """
    first: dict[str, dict[str, str]] = {}
    codings: dict[str, list[Coding]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            first.setdefault(row["key"], row)
            found = codings.setdefault(row["key"], [])
            if row["code"]:
                found.append(Coding(row["system"], row["code"], row["display"]))
    return {key: Concept(row["text"], row["category"], row["unit"], tuple(codings[key])) for key, row in first.items()}
