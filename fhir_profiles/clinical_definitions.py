"""The clinical definitions of this room: `definitions/*.yaml`, and over it what a site defines otherwise.

A clinician reviews the YAML; Python only evaluates it. A definition that names a feature which does not exist is an error at
start, not at the bedside.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from fhir_profiles.yaml_files import YamlError, read_yaml

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
    any_positive: bool = False
    answers: Mapping[str, Any] = field(default_factory=dict)
    drugs: tuple[str, ...] = ()
    tested: tuple[str, ...] = ()
    results_under: Mapping[str, Any] = field(default_factory=dict)
    within_months: int | None = None
    diagnosis_within_months: int | None = None
    of_now: str | None = None
    lasting: tuple[str, ...] = ()
    rules_out_within_months: int | None = None
    any: tuple[str, ...] = ()
    all: tuple[str, ...] = ()
    applies: Mapping[str, Any] = field(default_factory=dict)
    ask: str | None = None
    basis: str | None = None
    concepts: frozenset[str] = field(init=False, repr=False)
    """Every ValueSet that it names."""

    def __hash__(self) -> int:
        """By its title: what is found out once and kept must be found again at once."""
        return hash(self.title)

    def __post_init__(self) -> None:
        """Works out `concepts`, once: a definition never changes, and each is asked of every chart."""
        answers = {self.answers["test"], *self.answers["present"], *self.answers["absent"]} if self.answers else set()
        under = {self.results_under["result"]} if self.results_under else set()
        lists = (
            self.diagnoses,
            self.severe_by_itself,
            self.unclear,
            self.positive,
            self.above,
            self.below,
            self.drugs,
            self.tested,
        )
        object.__setattr__(self, "concepts", frozenset(answers.union(under, *lists)))


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


def concepts_named(known: Definitions) -> dict[str, set[str]]:
    """The concepts (ids of ValueSets) that the definitions name, by file and entry."""
    named: dict[str, set[str]] = {}
    for code, antibody in known.antibodies.items():
        named[f"antibodies.yaml: {code}"] = set(antibody.result)
    for code, agent in known.agents.items():
        named[f"agents.yaml: {code}"] = {*agent.drugs, *agent.procedures}
    for code, test in known.investigations.items():
        named[f"investigations.yaml: {code}"] = {concept for combination in test.shown_by for concept in combination}
    for code, rule in known.phenotypes["recorded"].items():
        named[f"phenotypes.yaml: {code}"] = {*rule["diagnoses"], *rule.get("except", ()), *rule.get("always_juvenile", ())}
    for code, f in known.features.items():
        named[f"features.yaml: {code}"] = {*f.concepts}
    return named


TABLES = ("antibodies", "agents", "features", "investigations", "phenotypes", "treatment")


@cache
def definitions() -> Definitions:
    """The packaged definitions.

    Raises:
        DefinitionError: an entry has an unknown member, or refers to something that is not defined.
    """
    return load_definitions()


def load_definitions(*folders: Path) -> Definitions:
    """The packaged definitions, with those of further folders over them.

    Args:
        folders: each holds some of the tables (`features.yaml`, …), or does not exist. An entry replaces the one of the same key
            as a whole; in `phenotypes.yaml`, which holds tables itself, an entry of such a table does.

    Raises:
        DefinitionError: a file, an entry or a member is not what it must be; the message names it and the remedy.
    """
    tables = {name: _merged(f"{name}.yaml", folders) for name in TABLES}
    for folder in folders:
        _check_files(folder)
    features = {code: _build(FeatureDefinition, "features.yaml", code, entry) for code, entry in tables["features"].items()}
    _check_references(features, tables["treatment"])
    _check_phenotypes(tables["phenotypes"])
    _check_thresholds(tables["treatment"])
    return Definitions(
        antibodies={c: _build(AntibodyDefinition, "antibodies.yaml", c, e) for c, e in tables["antibodies"].items()},
        agents={c: _build(AgentDefinition, "agents.yaml", c, e) for c, e in tables["agents"].items()},
        features=features,
        investigations={c: _build_investigation(c, e) for c, e in tables["investigations"].items()},
        phenotypes=tables["phenotypes"],
        treatment={name: _parameter(name, entry) for name, entry in tables["treatment"].items()},
    )


def _merged(name: str, folders: Iterable[Path]) -> dict[str, Any]:
    merged = _read(FOLDER / name)
    for path in (folder / name for folder in folders):
        if path.exists():
            for key, entry in _read(path).items():
                is_table = name == "phenotypes.yaml" and isinstance(entry, dict) and isinstance(merged.get(key), dict)
                merged[key] = {**merged[key], **entry} if is_table else entry
    return merged


def _check_files(folder: Path) -> None:
    for path in sorted(folder.glob("*.y*ml")):
        if path.stem not in TABLES or path.suffix != ".yaml":
            known = ", ".join(f"{name}.yaml" for name in TABLES)
            raise DefinitionError(f"{path.name}: nothing of this name is read from a site's definitions; known are {known}")


def _read(path: Path) -> dict[str, Any]:
    try:
        document = read_yaml(path)
    except YamlError as error:
        raise DefinitionError(str(error)) from error
    if not isinstance(document, dict):
        raise DefinitionError(f"{path.name}: expected a mapping at the top level")
    return document


_SHAPES: Mapping[object, tuple[type, str]] = {
    str: (str, "text"),
    str | None: (str, "text"),
    int: (int, "a whole number"),
    int | None: (int, "a whole number"),
    bool: (bool, "true or false"),
    tuple[str, ...]: (list, "a list"),
    Mapping[str, Any]: (dict, "a mapping"),
}


_PARTS = {"answers": ("test", "present", "absent"), "results_under": ("result", "value")}
"""What members that are mappings must hold."""


def _build(kind: type[Definition], name: str, code: str, entry: object) -> Definition:
    members = {member.name: member for member in fields(kind) if member.init}  # type: ignore[arg-type]
    if not isinstance(entry, dict):
        raise DefinitionError(f"{name}: {code} must be a mapping with members such as {', '.join(sorted(members))}")
    if unknown := set(entry) - set(members):
        raise DefinitionError(f"{name}: {code} has unknown member(s) {sorted(unknown)}; known are {sorted(members)}")
    required = {m.name for m in members.values() if m.default is MISSING and m.default_factory is MISSING}
    if missing := required - set(entry):
        raise DefinitionError(f"{name}: {code} lacks {', '.join(sorted(missing))}; an entry is written as a whole")
    for key, value in entry.items():
        shape, words = _SHAPES[members[key].type]
        if not isinstance(value, shape):
            raise DefinitionError(f"{name}: {code}: `{key}` must be {words}")
        if isinstance(value, dict) and (lacking := [part for part in _PARTS.get(key, ()) if part not in value]):
            raise DefinitionError(f"{name}: {code}: `{key}` lacks {', '.join(lacking)}")
    return kind(**{key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()})


_INVESTIGATION = {"title", "shown_by", "kinds", "declined_by"}


def _build_investigation(code: str, entry: object) -> InvestigationDefinition:
    if not isinstance(entry, dict) or not isinstance(entry.get("title"), str) or not isinstance(entry.get("shown_by"), list):
        raise DefinitionError(f"investigations.yaml: {code} needs `title`, and `shown_by` with a list of ValueSets")
    if unknown := sorted(set(entry) - _INVESTIGATION):
        raise DefinitionError(f"investigations.yaml: {code} has unknown member(s) {unknown}; known are {sorted(_INVESTIGATION)}")
    combinations = tuple(tuple(c) if isinstance(c, list) else (c,) for c in entry["shown_by"])
    kinds = (*entry.get("kinds", ("Procedure", "DiagnosticReport")), "ServiceRequest")  # an order counts as much as the test
    declined_by = tuple(entry.get("declined_by", combinations[0]))
    return InvestigationDefinition(entry["title"], combinations, tuple(dict.fromkeys(kinds)), declined_by)


def _parameter(name: str, entry: object) -> float:
    value = entry.get("value") if isinstance(entry, dict) else None
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not value > 0:
        raise DefinitionError(f"treatment.yaml: {name} needs a `value`, a number above 0, and should say its `source`")
    return value


def _check_thresholds(table: Mapping[str, Any]) -> None:
    """A threshold that nothing asks for is one that is misspelt."""
    known = _read(FOLDER / "treatment.yaml")
    for name in table:
        if name not in known:
            near = get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}? " if near else ""
            raise DefinitionError(f"treatment.yaml: {name} is no threshold here; {hint}known are {', '.join(known)}")


def _check_references(features: Mapping[str, FeatureDefinition], parameters: Collection[str]) -> None:
    months = [name for name in parameters if name.endswith("_months")]
    for code, feature in features.items():
        if feature.of_now is not None and feature.of_now not in months:
            known = ", ".join(months)
            raise DefinitionError(
                f"features.yaml: {code}: of_now: {feature.of_now} is no such parameter of treatment.yaml: {known}"
            )
        if unknown := [concept for concept in feature.lasting if concept not in feature.diagnoses or feature.of_now is None]:
            raise DefinitionError(f"features.yaml: {code}: lasting: {unknown} are not among the diagnoses of a state of now")
        if unknown := [part for part in (*feature.any, *feature.all) if part not in features]:
            raise DefinitionError(f"features.yaml: {code} refers to {unknown}, which no entry defines")


def _check_phenotypes(table: Mapping[str, Any]) -> None:
    """A phenotype has a title and a place, or nobody could print it."""
    for code in table["recorded"]:
        if code not in table["titles"] or code not in table["precedence"]:
            raise DefinitionError(f"phenotypes.yaml: recorded: {code} also needs an entry in `titles` and in `precedence`")
