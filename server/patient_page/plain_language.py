"""The words of the summary for the patient (`plain_language.yaml`), read once."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fhir_profiles.yaml_files import read_yaml

_FILE = Path(__file__).parent / "plain_language.yaml"


@dataclass(frozen=True, slots=True)
class PlainWords:
    """By code: titles with what they mean, and for topics why and what to ask."""

    phenotypes: Mapping[str, Mapping[str, str]]
    features: Mapping[str, Mapping[str, str]]
    orders: Mapping[str, Mapping[str, str]]
    topics: Mapping[str, Mapping[str, str]]


@cache
def plain_words() -> PlainWords:
    """Everything that the summary can say about a code."""
    return PlainWords(**read_yaml(_FILE))
