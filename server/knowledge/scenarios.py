"""Scenarios: a patient in a few lines, and what must and must not be said about them. Read here, run by `scenario_run`.

The packaged ones stand in `cards/scenarios/*.yaml`; the form is explained in `docs/scenarios.md`.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.exceptions import best_match

from cards.layers import PACKAGED, in_words
from fhir_profiles.yaml_files import YamlError, line_of, parse_yaml, read_text
from server.knowledge.clinical_chart import ChartWordError, ClinicalChart
from server.knowledge.scenario_chart import Words, chart_of, merged

FOLDER = PACKAGED / "scenarios"
_SCHEMA = Path(__file__).parent / "schemas" / "scenarios.schema.json"
_ABOUT_STATEMENTS = ("holds", "unknown", "not")


class ScenarioError(ValueError):
    """A scenario cannot be used; the message names the file, the line, the scenario and what to do."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One patient and what is expected.

    Args:
        name: a sentence that says who the patient is.
        file: where it stands.
        patient: what was written of the patient, base and additions together; for documentation.
        chart: the patient as FHIR.
        expected: what was written under `expect`.
    """

    name: str
    file: Path
    patient: Words
    chart: ClinicalChart
    expected: Mapping[str, Any]

    @property
    def statements(self) -> frozenset[str]:
        """The ids of the statements and safety rules that it is about."""
        return frozenset(name for key in _ABOUT_STATEMENTS for name in self.expected.get(key, ()))


@cache
def packaged_scenarios() -> tuple[Scenario, ...]:
    """Every scenario of `cards/scenarios`, by file; read once.

    Raises:
        ScenarioError: one cannot be used, or two have the same name.
    """
    scenarios = [scenario for file in sorted(FOLDER.glob("*.yaml")) for scenario in load_scenarios(file)]
    _check_names(scenarios)
    return tuple(scenarios)


def load_scenarios(file: Path) -> tuple[Scenario, ...]:
    """The scenarios of one file.

    Raises:
        ScenarioError: the file is not what its schema says, or a word in it means nothing to us.
    """
    document = _read(file)
    scenarios = tuple(_scenario(file, document, entry) for entry in document["scenarios"])
    _check_names(scenarios)
    return scenarios


def _scenario(file: Path, document: Words, entry: Words) -> Scenario:
    name = entry["name"]
    try:
        words = _patient(entry["patient"], document.get("patients", {}))
        words = {**merged(words, entry.get("and", {})), **entry.get("instead", {})}
        chart = chart_of(words, document["as_of"])
    except ChartWordError as error:
        raise ScenarioError(f"{file.name}: {name}: {error}") from None
    return Scenario(name, file, words, chart, entry["expect"])


def _patient(patient: str | Words, named: Mapping[str, Words], within: tuple[str, ...] = ()) -> Words:
    """The words of a patient who may be another one of the file, or like another one."""
    if isinstance(patient, str):
        if patient not in named or patient in within:
            raise ChartWordError(f"`{patient}` is no patient of this file; known are {', '.join(sorted(named)) or 'none'}")
        return _patient(named[patient], named, (*within, patient))
    if "like" not in patient:
        return patient
    own = {key: value for key, value in patient.items() if key != "like"}
    return merged(_patient(patient["like"], named, within), own)


def _read(file: Path) -> Any:
    try:
        document, problem = _held_against_the_schema(read_text(file), file.name)
    except YamlError as error:
        raise ScenarioError(str(error)) from None
    if problem is not None:
        place = tuple(problem.absolute_path)
        raise ScenarioError(f"{file.name}:{line_of(file, place)}: {_about(document, place)}{_in_words(problem)}")
    return document


@lru_cache(maxsize=256)
def _held_against_the_schema(text: str, name: str) -> tuple[Any, ValidationError | None]:
    """What a file says, and what is wrong with it first of all."""
    document = parse_yaml(text, name)
    return document, best_match(_validator().iter_errors(document))


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(json.loads(_SCHEMA.read_text("utf-8")))


def _about(document: Any, place: tuple[str | int, ...]) -> str:
    """The name of the scenario in which something is wrong, and where in it."""
    if place[:1] != ("scenarios",) or len(place) < 2:
        return f"{_path(place)}: " if place else ""
    entry = document["scenarios"][place[1]]
    name = entry.get("name") if isinstance(entry, dict) else None
    return f"{name or f'scenario {place[1]}'}: " + (f"{_path(place[2:])}: " if place[2:] else "")


def _path(place: Iterable[str | int]) -> str:
    return "/".join(map(str, place))


def _in_words(problem: ValidationError) -> str:
    must_be = next(filter(None, map(_description, _outwards(problem))), None)
    if must_be and problem.validator != "additionalProperties":
        return f"must be {must_be}"
    return in_words(problem)


def _outwards(problem: ValidationError) -> Iterator[ValidationError]:
    """The problem, then those of which it is a part: what is wrong with one alternative is wrong with all of them."""
    outer: ValidationError | None = problem
    while outer is not None:
        yield outer
        outer = outer.parent  # type: ignore[assignment]  # the stubs forget that a parent is an error of the same kind


def _description(problem: ValidationError) -> str | None:
    return problem.schema.get("description") if isinstance(problem.schema, dict) else None


def _check_names(scenarios: Iterable[Scenario]) -> None:
    seen: dict[str, Path] = {}
    for scenario in scenarios:
        if scenario.name in seen:
            raise ScenarioError(
                f"{scenario.file.name}: {scenario.name}: a scenario of {seen[scenario.name].name} has this name; give it another"
            )
        seen[scenario.name] = scenario.file


def files_in(paths: Iterable[Path]) -> Iterator[Path]:
    """Scenario files: those named, and those in folders that are named."""
    for path in paths:
        yield from sorted(path.glob("*.yaml")) if path.is_dir() else (path,)
