"""The clinical definitions of this room, read once from `definitions/*.yaml`.

A clinician reviews the YAML; Python only evaluates it. A definition that names a feature which does not exist is an error at
start, not at the bedside.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import yaml

FOLDER = Path(__file__).parent / "definitions"

Definition = TypeVar("Definition")


class DefinitionError(ValueError):
    """A definition file is wrong; the message names the file, the entry and the remedy."""


@dataclass(frozen=True, slots=True)
class AntibodyDefinition:
    """One autoantibody: its title, the ValueSets of its tests, whether it is antisynthetase and whether myositis-specific."""

    title: str
    result: tuple[str, ...]
    ars: bool = False
    specific: bool = False


@dataclass(frozen=True, slots=True)
class AgentDefinition:
    """One treatment; the members are explained at the head of `definitions/agents.yaml`."""

    title: str
    role: str
    line: int = 3
    drugs: tuple[str, ...] = ()
    procedures: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()
    lasts_weeks: int | None = None


@dataclass(frozen=True, slots=True)
class FeatureDefinition:
    """One question to the record; the members are explained at the head of `definitions/features.yaml`."""

    title: str
    question: str | None = None
    diagnoses: tuple[str, ...] = ()
    ever: bool = False
    severity: str | None = None
    severe_by_itself: tuple[str, ...] = ()
    unclear: tuple[str, ...] = ()
    positive: tuple[str, ...] = ()
    above: tuple[str, ...] = ()
    below: tuple[str, ...] = ()
    abnormal_counts: bool = False
    any_result: bool = False
    answers: Mapping[str, Any] = field(default_factory=dict)
    drugs: tuple[str, ...] = ()
    tested: tuple[str, ...] = ()
    results_under: Mapping[str, Any] = field(default_factory=dict)
    within_months: int | None = None
    diagnosis_within_months: int | None = None
    rules_out_within_months: int | None = None
    any: tuple[str, ...] = ()
    all: tuple[str, ...] = ()
    applies: Mapping[str, Any] = field(default_factory=dict)
    ask: str | None = None
    basis: str | None = None


@dataclass(frozen=True, slots=True)
class InvestigationDefinition:
    """One test or referral; the members are explained at the head of `definitions/investigations.yaml`."""

    title: str
    shown_by: tuple[tuple[str, ...], ...]
    kinds: tuple[str, ...]
    declined_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Definitions:
    """Everything in `definitions/`, checked."""

    antibodies: Mapping[str, AntibodyDefinition]
    agents: Mapping[str, AgentDefinition]
    features: Mapping[str, FeatureDefinition]
    investigations: Mapping[str, InvestigationDefinition]
    phenotypes: Mapping[str, Any]
    treatment: Mapping[str, float]


@cache
def definitions() -> Definitions:
    """The packaged definitions.

    Raises:
        DefinitionError: an entry has an unknown member, or refers to something that is not defined.
    """
    features = {code: _build(FeatureDefinition, "features.yaml", code, entry) for code, entry in _read("features.yaml").items()}
    _check_references(features)
    return Definitions(
        antibodies={c: _build(AntibodyDefinition, "antibodies.yaml", c, e) for c, e in _read("antibodies.yaml").items()},
        agents={c: _build(AgentDefinition, "agents.yaml", c, e) for c, e in _read("agents.yaml").items()},
        features=features,
        investigations={c: _build_investigation(c, e) for c, e in _read("investigations.yaml").items()},
        phenotypes=_read("phenotypes.yaml"),
        treatment={name: entry["value"] for name, entry in _read("treatment.yaml").items()},
    )


def _read(name: str) -> dict[str, Any]:
    document = yaml.load((FOLDER / name).read_text("utf-8"), Loader=yaml.CSafeLoader)
    if not isinstance(document, dict):
        raise DefinitionError(f"{name}: expected a mapping at the top level")
    return document


def _build(kind: type[Definition], name: str, code: str, entry: Mapping[str, Any]) -> Definition:
    known = {member.name for member in fields(kind)}  # type: ignore[arg-type]
    if unknown := set(entry) - known:
        raise DefinitionError(f"{name}: {code} has unknown member(s) {sorted(unknown)}; known are {sorted(known)}")
    return kind(**{key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()})


def _build_investigation(code: str, entry: Mapping[str, Any]) -> InvestigationDefinition:
    combinations = tuple(tuple(c) if isinstance(c, list) else (c,) for c in entry["shown_by"])
    kinds = (*entry.get("kinds", ("Procedure", "DiagnosticReport")), "ServiceRequest")  # an order counts as much as the test
    declined_by = tuple(entry.get("declined_by", combinations[0]))
    return InvestigationDefinition(entry["title"], combinations, tuple(dict.fromkeys(kinds)), declined_by)


def _check_references(features: Mapping[str, FeatureDefinition]) -> None:
    for code, feature in features.items():
        if unknown := [part for part in (*feature.any, *feature.all) if part not in features]:
            raise DefinitionError(f"features.yaml: {code} refers to {unknown}, which no entry defines")
